package io.guimo.inference.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * What the scheduler relies on, of a backend whose network rounds; {@link DecoderBackendContract} is for one that is exact. Answers are compared as distributions, by their Kullback-Leibler divergence: what shares a batch moves the
 * order of sums.
 */
public abstract class NetworkBackendContract {
    private static final long SEED = 20261125;
    protected static final int CONTEXT = 256;
    protected static final int BATCH = 256;

    /** A backend with contexts of {@link #CONTEXT} tokens and batches of {@link #BATCH}. */
    protected abstract DecoderBackend backend(int cacheTokens, int maxSequences) throws Exception;

    /** Nats by which the order of sums may move an answer. */
    protected abstract double tolerance();

    /** Nats by which the answer to another prompt is away at least. */
    protected abstract double otherwise();

    @Test
    void sizes_areTheAskedOnes() throws Exception {
        try (DecoderBackend backend = backend(512, 4)) {
            assertThat(backend.contextTokens()).isEqualTo(CONTEXT);
            assertThat(backend.cacheTokens()).isEqualTo(512);
            assertThat(backend.maxSequences()).isEqualTo(4);
            assertThat(backend.maxBatch()).isEqualTo(BATCH);
            assertThat(backend.countsSharedOnce()).isTrue();
        }
    }

    @Test
    void batch_promptPiecesAndTokensOfManySequences_equalsEachAlone() throws Exception {
        Random random = new Random(SEED);
        try (DecoderBackend backend = backend(1024, 5)) {
            List<int[]> texts = new ArrayList<>();
            for (int s = 0; s < 4; s++) texts.add(tokens(backend, random, 20 + 13 * s));
            List<float[]> alone = new ArrayList<>();
            for (int[] text : texts) {
                alone.add(evaluate(backend, 4, 0, text));
                backend.forget(4, 0);
            }
            int[] done = new int[4];
            int finished = 0;
            while (finished < 4) {
                DecoderBatch batch = new DecoderBatch(BATCH);
                int[] ends = {-1, -1, -1, -1};
                for (int s = 0; s < 4; s++) {
                    int piece = Math.min(1 + random.nextInt(9), texts.get(s).length - done[s]);
                    for (int i = 0; i < piece; i++, done[s]++) {
                        boolean last = done[s] == texts.get(s).length - 1;
                        if (last) ends[s] = batch.size();
                        batch.add(texts.get(s)[done[s]], done[s], s, last);
                    }
                }
                backend.evaluate(batch);
                for (int s = 0; s < 4; s++) {
                    if (ends[s] < 0) continue;
                    finished++;
                    float[] found = backend.logits(ends[s]).toArray(ValueLayout.JAVA_FLOAT);
                    assertThat(divergence(alone.get(s), found))
                            .as("seed %d, sequence %d", SEED, s)
                            .isLessThan(tolerance());
                    assertThat(divergence(alone.get((s + 1) % 4), found)).isGreaterThan(otherwise());
                }
            }
        }
    }

    @Test
    void share_prefix_answersAsFreshAndOutlivesItsFirstSequence() throws Exception {
        Random random = new Random(SEED + 1);
        try (DecoderBackend backend = backend(CONTEXT, 4)) {
            int[] prefix = tokens(backend, random, 150);
            evaluate(backend, 0, 0, prefix);
            for (int s = 1; s < 4; s++) backend.share(0, s, 150);
            backend.forget(0, 0);
            List<int[]> rests = new ArrayList<>();
            List<float[]> shared = new ArrayList<>();
            for (int s = 1; s < 4; s++) { // 150 + 3 × 30 of 256
                rests.add(tokens(backend, random, 30));
                shared.add(evaluate(backend, s, 150, rests.getLast()));
            }
            for (int s = 1; s < 4; s++) backend.forget(s, 0);
            for (int s = 0; s < 3; s++) {
                evaluate(backend, 0, 0, prefix);
                float[] fresh = evaluate(backend, 0, 150, rests.get(s));
                assertThat(divergence(fresh, shared.get(s))).isLessThan(tolerance());
                backend.forget(0, 0);
            }
        }
    }

    @Test
    void forget_tail_goesOnFromThere() throws Exception {
        Random random = new Random(SEED + 2);
        try (DecoderBackend backend = backend(CONTEXT, 2)) {
            int[] text = tokens(backend, random, 60);
            evaluate(backend, 0, 0, text);
            backend.forget(0, 40);
            int[] other = tokens(backend, random, 10);
            float[] found = evaluate(backend, 0, 40, other);
            int[] whole = java.util.Arrays.copyOf(text, 50);
            System.arraycopy(other, 0, whole, 40, 10);
            assertThat(divergence(evaluate(backend, 1, 0, whole), found)).isLessThan(tolerance());
        }
    }

    @Test
    void evaluate_noRoom_refusedAndNothingChanged() throws Exception {
        Random random = new Random(SEED + 3);
        try (DecoderBackend backend = backend(CONTEXT, 3)) {
            evaluate(backend, 0, 0, tokens(backend, random, 120));
            evaluate(backend, 1, 0, tokens(backend, random, 120));
            int[] more = tokens(backend, random, 20);
            assertThatThrownBy(() -> evaluate(backend, 2, 0, more)).hasMessageContaining("room");
            int[] next = tokens(backend, random, 1);
            float[] before = evaluate(backend, 0, 120, next);
            backend.forget(0, 120);
            backend.forget(1, 0);
            evaluate(backend, 2, 0, more);
            backend.forget(2, 0);
            assertThat(divergence(before, evaluate(backend, 0, 120, next))).isLessThan(tolerance());
        }
    }

    @Test
    void evaluate_impossibleBatch_refusedAndGoesOn() throws Exception {
        Random random = new Random(SEED + 4);
        try (DecoderBackend backend = backend(CONTEXT, 2)) {
            DecoderBatch tooLong = new DecoderBatch(BATCH + 1);
            for (int i = 0; i <= BATCH; i++) tooLong.add(1, i, 0, false);
            assertThatThrownBy(() -> backend.evaluate(tooLong)).isInstanceOf(RuntimeException.class);
            assertThatThrownBy(() -> backend.evaluate(new DecoderBatch(1))).isInstanceOf(RuntimeException.class);
            DecoderBatch noToken = new DecoderBatch(1);
            noToken.add(backend.vocabularySize(), 0, 0, true);
            assertThatThrownBy(() -> backend.evaluate(noToken)).isInstanceOf(RuntimeException.class);
            evaluate(backend, 0, 0, tokens(backend, random, 3));
            assertThatThrownBy(() -> backend.logits(1)).isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void evaluate_nothingWanted_isKept() throws Exception {
        Random random = new Random(SEED + 5);
        try (DecoderBackend backend = backend(CONTEXT, 2)) {
            int[] text = tokens(backend, random, 12);
            DecoderBatch silent = new DecoderBatch(11);
            for (int i = 0; i < 11; i++) silent.add(text[i], i, 0, false);
            backend.evaluate(silent);
            float[] found = evaluate(backend, 0, 11, new int[] {text[11]});
            assertThat(divergence(evaluate(backend, 1, 0, text), found)).isLessThan(tolerance());
        }
    }

    private static int[] tokens(DecoderBackend backend, Random random, int count) {
        return random.ints(count, 20, backend.vocabularySize()).toArray();
    }

    /** @return logits after the last token */
    private static float[] evaluate(DecoderBackend backend, int sequence, int from, int[] tokens) {
        DecoderBatch batch = new DecoderBatch(tokens.length);
        for (int i = 0; i < tokens.length; i++) batch.add(tokens[i], from + i, sequence, i == tokens.length - 1);
        backend.evaluate(batch);
        return backend.logits(tokens.length - 1).toArray(ValueLayout.JAVA_FLOAT);
    }

    /** Kullback-Leibler divergence of what b says from what a says, in nats. */
    public static double divergence(float[] a, float[] b) {
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
        double greatest = Double.NEGATIVE_INFINITY;
        for (float logit : logits) greatest = Math.max(greatest, logit);
        double sum = 0;
        for (float logit : logits) sum += Math.exp(logit - greatest);
        return greatest + Math.log(sum);
    }

    public static int argmax(MemorySegment logits) {
        int best = 0;
        for (int i = 1; i < logits.byteSize() / Float.BYTES; i++) {
            if (logits.getAtIndex(ValueLayout.JAVA_FLOAT, i) > logits.getAtIndex(ValueLayout.JAVA_FLOAT, best))
                best = i;
        }
        return best;
    }
}
