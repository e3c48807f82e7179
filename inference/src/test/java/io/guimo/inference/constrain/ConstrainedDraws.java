package io.guimo.inference.constrain;

import io.guimo.inference.generate.ConstraintState;
import io.guimo.inference.generate.Sampler;
import io.guimo.inference.generate.Sampling;
import io.guimo.text.Vocabulary;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Set;

/** Draws whole answers under a constraint from any source of logits. */
final class ConstrainedDraws {
    private ConstrainedDraws() {}

    /** What stands in a model's place: the logits after a token; −1: at the beginning. */
    interface Logits {
        MemorySegment after(int token);
    }

    /** @param whole whether the constraint was fulfilled within {@code maxTokens} */
    record Answer(String text, int tokens, boolean whole) {}

    static Answer draw(
            Vocabulary vocabulary,
            Set<Integer> endTokens,
            CompiledConstraint constraint,
            Logits logits,
            int maxTokens,
            long seed) {
        ConstraintState state = constraint.start();
        Sampling sampling = new Sampling(1, 0, 1, 0, 0, 0, 1, Map.of(), seed);
        Sampler sampler = new Sampler(sampling, vocabulary.size(), new int[] {0}, endTokens, state, -1, 0);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        int token = -1;
        int tokens = 0;
        for (; tokens < maxTokens && !sampler.mustEnd(); tokens++) {
            sampler.setRemaining(maxTokens - tokens);
            token = sampler.next(logits.after(token)).id();
            bytes.writeBytes(vocabulary.bytes(token));
        }
        return new Answer(bytes.toString(StandardCharsets.UTF_8), tokens, state.mayEnd());
    }
}
