package io.guimo.inference.llama;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.guimo.inference.generate.DecoderBatch;
import io.guimo.inference.llama.LlamaParts.Count;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Facts about libllama on which the scheduler builds, on SmolLM2. */
class LlamaBackendTest {
    /** Five sentences about the sea and those who cross it. */
    private static final int[] SEA = {
        504, 3426, 7725, 768, 282, 260, 2376, 282, 260, 2591, 30, 657, 314, 1478, 288, 2698, 28, 13346, 284, 800, 550,
        2355, 28, 284, 357, 16622, 1083, 282, 260, 3947, 335, 1666, 30, 4228, 457, 14997, 357, 281, 7761, 327, 4327,
        282, 929, 28, 288, 3735, 28, 288, 2698, 284, 288, 3568, 30, 4886, 82, 1970, 6679, 618, 4199, 28, 284, 4199, 618,
        2496, 30
    };

    private static LlamaLibrary library;
    private static LlamaModel model;

    @BeforeAll
    static void load() throws IOException {
        library = LlamaLibrary.open(LlamaParts.llamaCpp());
        model = new LlamaModel(library, LlamaParts.smolLm2(), fraction -> {});
    }

    @AfterAll
    static void free() {
        model.close();
    }

    private static LlamaBackend backend(int cacheTokens, int maxSequences) throws IOException {
        return new LlamaBackend(model, new LlamaSettings(256, cacheTokens, maxSequences, 256, 1), null);
    }

    private static int[] prompt(long seed, int length) {
        return new Random(seed).ints(length, 300, 40_000).toArray();
    }

    private static int argmax(MemorySegment logits) {
        int best = 0;
        for (int i = 1; i < model.vocabularySize; i++) {
            if (logits.getAtIndex(JAVA_FLOAT, i) > logits.getAtIndex(JAVA_FLOAT, best)) best = i;
        }
        return best;
    }

    private static float[] evaluate(LlamaBackend backend, int sequence, int from, int[] tokens) {
        DecoderBatch batch = new DecoderBatch(tokens.length);
        for (int i = 0; i < tokens.length; i++) batch.add(tokens[i], from + i, sequence, i == tokens.length - 1);
        backend.evaluate(batch);
        return backend.logits(tokens.length - 1).toArray(JAVA_FLOAT);
    }

    private static float[] evaluate(LlamaBackend backend, int sequence, int[] tokens) {
        return evaluate(backend, sequence, 0, tokens);
    }

    private static List<Integer> continued(LlamaBackend backend, int[] prompt, int tokens) {
        List<Integer> answer = new ArrayList<>();
        float[] logits = evaluate(backend, 0, prompt);
        for (int i = 0; i < tokens; i++) {
            int next = argmax(MemorySegment.ofArray(logits));
            answer.add(next);
            logits = evaluate(backend, 0, prompt.length + i, new int[] {next});
        }
        backend.forget(0, 0);
        return answer;
    }

    @Test
    void model_opened_tellsItsSizes() throws IOException {
        assertThat(model.vocabularySize).isEqualTo(49_152);
        assertThat(model.contextTrained).isEqualTo(8192);
        try (LlamaBackend backend = backend(512, 4)) {
            assertThat(backend.contextTokens()).isEqualTo(256);
            assertThat(backend.cacheTokens()).isEqualTo(512);
            assertThat(backend.maxSequences()).isEqualTo(4);
        }
    }

    @Test
    void answers_alone_areThoseOfLlamaServer() throws IOException {
        try (LlamaBackend backend = backend(256, 1)) {
            for (Count count : LlamaParts.COUNTS) {
                assertThat(continued(backend, count.tokens(), count.answer().length()))
                        .isEqualTo(count.answerTokens());
            }
        }
    }

    @Test
    void answers_evaluatedTogether_areThoseOfLlamaServer() throws IOException {
        try (LlamaBackend backend = backend(1024, 4)) {
            DecoderBatch batch = new DecoderBatch(256);
            int[] last = new int[4];
            int[] lengths = new int[4];
            for (int s = 0; s < 4; s++) {
                int[] prompt = LlamaParts.COUNTS.get(s).tokens();
                for (int i = 0; i < prompt.length; i++) batch.add(prompt[i], i, s, i == prompt.length - 1);
                last[s] = batch.size() - 1;
                lengths[s] = prompt.length;
            }
            List<List<Integer>> answers =
                    List.of(new ArrayList<>(), new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
            for (int step = 0; step < 30; step++) {
                backend.evaluate(batch);
                batch.clear();
                for (int s = 0; s < 4; s++) answers.get(s).add(argmax(backend.logits(last[s])));
                for (int s = 0; s < 4; s++) {
                    last[s] = batch.size();
                    batch.add(answers.get(s).getLast(), lengths[s] + step, s, true);
                }
            }
            for (int s = 0; s < 4; s++) {
                assertThat(answers.get(s)).isEqualTo(LlamaParts.COUNTS.get(s).answerTokens());
            }
        }
    }

    /** Under 64 tokens a step and 512 positions llama.cpp sums each row of attention by itself (decision 0111). */
    @Test
    void logits_ofASmallBatch_areTheSameToTheBitAsAlone() throws IOException {
        try (LlamaBackend backend = backend(256, 4)) {
            List<float[]> alone = new ArrayList<>();
            for (Count count : LlamaParts.COUNTS) {
                alone.add(evaluate(backend, 0, count.tokens()));
                backend.forget(0, 0);
            }
            int[][] prompts = LlamaParts.COUNTS.stream().map(Count::tokens).toArray(int[][]::new);
            for (int i = 0; i < 24; i++) { // a token of each at a time, the longer ones longer
                DecoderBatch batch = new DecoderBatch(4);
                List<Integer> ends = new ArrayList<>();
                for (int s = 0; s < 4; s++) {
                    if (i >= prompts[s].length) continue;
                    if (i == prompts[s].length - 1) ends.add(s);
                    batch.add(prompts[s][i], i, s, true);
                }
                if (batch.size() == 0) break;
                backend.evaluate(batch);
                for (int at = 0; at < batch.size(); at++) {
                    if (!ends.contains(batch.sequence(at))) continue;
                    assertThat(backend.logits(at).toArray(JAVA_FLOAT)).containsExactly(alone.get(batch.sequence(at)));
                }
            }
        }
    }

    @Test
    void prefix_shared_givesTheLogitsOfAFreshEvaluation() throws IOException {
        int[] prefix = Arrays.copyOf(SEA, 50);
        int[] rest = Arrays.copyOfRange(SEA, 50, SEA.length);
        try (LlamaBackend backend = backend(256, 3)) {
            evaluate(backend, 0, prefix);
            float[] apart = evaluate(backend, 0, 50, rest);
            backend.forget(0, 50);
            backend.share(0, 1, 50);
            float[] shared = evaluate(backend, 1, 50, rest);
            float[] fresh = evaluate(backend, 2, SEA);

            assertThat(shared).containsExactly(apart); // the same operations on the same cells
            // All at once the attention adds up in another order, which moves activations that are rounded to 8 bits.
            assertThat(divergence(fresh, shared)).isLessThan(.01);
            assertThat(divergence(
                            fresh,
                            evaluate(
                                    backend, 0, 50, LlamaParts.COUNTS.getFirst().tokens())))
                    .isGreaterThan(.1);
        }
    }

    /** Kullback-Leibler divergence of what b says from what a says, in nats. */
    private static double divergence(float[] a, float[] b) {
        double normalA = logSumOfExponentials(a);
        double normalB = logSumOfExponentials(b);
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            double logA = a[i] - normalA;
            sum += Math.exp(logA) * (logA - (b[i] - normalB));
        }
        return sum;
    }

    private static double logSumOfExponentials(float[] logits) {
        double sum = 0;
        for (float logit : logits) sum += Math.exp(logit); // under 40 here
        return Math.log(sum);
    }

    @Test
    void prefix_shared_takesNoRoomAndOutlivesItsFirstSequence() throws IOException {
        try (LlamaBackend backend = backend(256, 4)) {
            evaluate(backend, 0, prompt(1, 200));
            for (int s = 1; s < 4; s++) backend.share(0, s, 200);
            backend.forget(0, 0);
            for (int s = 1; s < 4; s++) evaluate(backend, s, 200, prompt(s, 18)); // 200 + 3 × 18 of 256
            assertThat(backend.positions(0)).isZero();
            assertThat(backend.positions(3)).isEqualTo(218);
        }
    }

    @Test
    void cache_full_refusesChangesNothingAndFitsAgainWhenASequenceIsForgotten() throws IOException {
        try (LlamaBackend backend = backend(256, 3)) {
            evaluate(backend, 0, prompt(1, 120));
            evaluate(backend, 1, prompt(2, 120));
            assertThatIllegalStateException()
                    .isThrownBy(() -> evaluate(backend, 2, prompt(3, 20)))
                    .withMessageContaining("no room");
            assertThat(backend.positions(2)).isZero();
            float[] before = evaluate(backend, 0, 120, new int[] {500});
            backend.forget(0, 120);
            backend.forget(1, 0);
            evaluate(backend, 2, prompt(3, 130));
            backend.forget(2, 0);
            assertThat(evaluate(backend, 0, 120, new int[] {500})).containsExactly(before);
        }
    }

    @Test
    void step_aborted_failsAndLeavesTheCacheAsItWas() throws Exception {
        try (LlamaBackend backend = backend(512, 2)) {
            evaluate(backend, 0, prompt(1, 10));
            Thread stopper = Thread.ofVirtual().start(() -> {
                while (backend.stepBegan() == 0) Thread.onSpinWait();
                backend.abort();
            });
            assertThatIllegalStateException()
                    .isThrownBy(() -> evaluate(backend, 0, 10, prompt(2, 240)))
                    .withMessageContaining("given up");
            stopper.join();
            assertThat(backend.positions(0)).isEqualTo(10);
        }
    }

    @Test
    void batch_thatNativeCodeWouldDieOf_isRefused() throws IOException {
        try (LlamaBackend backend = backend(256, 2)) {
            DecoderBatch tooManyLogits = new DecoderBatch(3);
            for (int i = 0; i < 3; i++) tooManyLogits.add(400, i, 0, true);
            assertThatIllegalArgumentException().isThrownBy(() -> backend.evaluate(tooManyLogits));
            DecoderBatch tooLong = new DecoderBatch(257);
            for (int i = 0; i < 257; i++) tooLong.add(400, i, 0, false);
            assertThatIllegalArgumentException().isThrownBy(() -> backend.evaluate(tooLong));
            DecoderBatch noToken = new DecoderBatch(1);
            noToken.add(49_152, 0, 0, true);
            assertThatIllegalStateException().isThrownBy(() -> backend.evaluate(noToken));
            evaluate(backend, 0, prompt(1, 3));
            assertThatIllegalArgumentException().isThrownBy(() -> backend.logits(1));
        }
    }

    @Test
    void contextLargerThanTheModels_isRefused() {
        assertThatIOException()
                .isThrownBy(() -> new LlamaBackend(model, new LlamaSettings(8193, 0, 1, 16, 1), null))
                .withMessageContaining("8192");
    }

    @Test
    void manySequencesAndContexts_keepMemoryFlat() throws IOException {
        long afterFirst = 0;
        for (int round = 0; round < 12; round++) {
            try (LlamaBackend backend = backend(512, 8)) {
                for (int i = 0; i < 20; i++) {
                    evaluate(backend, i % 8, prompt(i, 8));
                    if (i % 3 == 0) backend.share(i % 8, (i + 4) % 8, 4);
                    backend.forget((i + 4) % 8, 0);
                    backend.forget(i % 8, 0);
                }
            }
            if (round == 3) afterFirst = residentBytes();
        }
        // One context of this size holds some 60 MB: a leak of a single one would show.
        assertThat(residentBytes() - afterFirst).isLessThan(40L << 20);
    }

    private static long residentBytes() throws IOException {
        return Long.parseLong(Files.readString(Path.of("/proc/self/statm")).split(" ")[1]) * 4096;
    }

    @Test
    void library_missingOrNoLibrary_isRefused(@TempDir Path folder) throws IOException {
        assertThatIOException().isThrownBy(() -> LlamaLibrary.open(folder)).withMessageContaining("libggml.v0.5.0.so");
        for (String name : List.of("libggml.v0.5.0.so", "libllama.v0.5.0.so", "libggml-base.so")) {
            Files.writeString(folder.resolve(name), "no library");
        }
        assertThatIOException().isThrownBy(() -> LlamaLibrary.open(folder)).withMessageContaining("cannot be loaded");
    }
}
