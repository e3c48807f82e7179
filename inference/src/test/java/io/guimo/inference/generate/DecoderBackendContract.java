package io.guimo.inference.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.guimo.text.Vocabulary;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * What every backend promises: the logits after a token depend on nothing but the tokens before it in its sequence, however these came into the cache.
 * Seeded random tokens; some 2,500 evaluations in all.
 */
@Timeout(300)
public abstract class DecoderBackendContract {
    private static final long SEED = 20261125;
    private static final int CONTEXT = 128;
    private static final int SEQUENCES = 4;
    private static final int BATCH = 48;

    /**
     * A backend of a real model, on the thread that will use it. It may have more room than is asked for.
     *
     * @param cacheTokens as few as may be, so that the tests that fill the cache are quick
     */
    protected abstract DecoderBackend open(int contextTokens, int maxSequences, int cacheTokens, int maxBatch)
            throws Exception;

    /** How far a logit may move with what shares its batch and how its prompt was cut: rounding in another order. */
    protected abstract double tolerance();

    private final SplittableRandom random = new SplittableRandom(SEED);

    private DecoderBackend open() throws Exception {
        return open(CONTEXT, SEQUENCES, SEQUENCES * CONTEXT, BATCH);
    }

    private int[] tokens(DecoderBackend backend, int count) {
        return random.ints(count, 0, backend.vocabularySize()).toArray();
    }

    /** Some tokens of one sequence; the logits after the last one are wanted. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Part(int sequence, int[] tokens, int position) {}

    /** Evaluates parts in one batch. @return of each part the logits after its last token */
    private static List<float[]> evaluate(DecoderBackend backend, Part... parts) {
        DecoderBatch batch = new DecoderBatch(backend.maxBatch());
        int[] last = new int[parts.length];
        for (int p = 0; p < parts.length; p++) {
            for (int i = 0; i < parts[p].tokens.length; i++) {
                boolean wanted = i == parts[p].tokens.length - 1;
                batch.add(parts[p].tokens[i], parts[p].position + i, parts[p].sequence, wanted);
            }
            last[p] = batch.size() - 1;
        }
        backend.evaluate(batch);
        return Arrays.stream(last).mapToObj(i -> logits(backend, i)).toList();
    }

    private static float[] logits(DecoderBackend backend, int index) {
        MemorySegment row = backend.logits(index);
        assertThat(row.byteSize()).isEqualTo(4L * backend.vocabularySize());
        return row.toArray(ValueLayout.JAVA_FLOAT);
    }

    /** The logits after some tokens, evaluated alone in a sequence that has nothing and then forgotten. */
    private static float[] fresh(DecoderBackend backend, int sequence, int[] tokens) {
        float[] logits = {};
        for (int from = 0; from < tokens.length; from += backend.maxBatch()) {
            int[] part = Arrays.copyOfRange(tokens, from, Math.min(tokens.length, from + backend.maxBatch()));
            logits = evaluate(backend, new Part(sequence, part, from)).getFirst();
        }
        backend.forget(sequence, 0);
        return logits;
    }

    private void assertSame(float[] found, float[] expected, String what) {
        assertThat(found).as(what).hasSameSizeAs(expected);
        double farthest = 0;
        for (int i = 0; i < found.length; i++) {
            assertThat(found[i]).as("%s, token %d", what, i).isFinite();
            farthest = Math.max(farthest, Math.abs(found[i] - expected[i]));
        }
        assertThat(farthest)
                .as("%s, seed %d: greatest difference of a logit", what, SEED)
                .isLessThanOrEqualTo(tolerance());
    }

    private static int[] joined(int[] first, int... second) {
        return IntStream.concat(Arrays.stream(first), Arrays.stream(second)).toArray();
    }

    @Test
    final void facts_areThoseAskedForOrMore() throws Exception {
        try (DecoderBackend backend = open()) {
            assertThat(backend.contextTokens()).isGreaterThanOrEqualTo(CONTEXT);
            assertThat(backend.maxSequences()).isGreaterThanOrEqualTo(SEQUENCES);
            assertThat(backend.cacheTokens()).isGreaterThanOrEqualTo(SEQUENCES * CONTEXT);
            assertThat(backend.maxBatch()).isGreaterThanOrEqualTo(BATCH);
            assertThat(backend.vocabularySize()).isPositive();
        }
    }

    @Test
    final void logits_ofDifferentTokens_differ() throws Exception {
        try (DecoderBackend backend = open()) {
            float[] one = fresh(backend, 0, tokens(backend, 8));
            float[] two = fresh(backend, 0, tokens(backend, 8));
            double farthest = IntStream.range(0, one.length)
                    .mapToDouble(i -> Math.abs(one[i] - two[i]))
                    .max()
                    .orElseThrow();
            assertThat(farthest).isGreaterThan(10 * tolerance()).isPositive();
        }
    }

    @Test
    final void sequences_inOneBatch_equalSingleOnes() throws Exception {
        try (DecoderBackend backend = open()) {
            int[][] prompts =
                    IntStream.of(3, 17, 9, 1).mapToObj(n -> tokens(backend, n)).toArray(int[][]::new);
            int[] next = tokens(backend, 4);
            List<float[]> alone = new ArrayList<>();
            List<float[]> aloneNext = new ArrayList<>();
            for (int s = 0; s < 4; s++) {
                alone.add(fresh(backend, 0, prompts[s]));
                aloneNext.add(fresh(backend, 0, joined(prompts[s], next[s])));
            }

            // Three read their prompts; then they write, one after the other in the batch, while the fourth reads.
            List<float[]> together = evaluate(
                    backend, new Part(2, prompts[2], 0), new Part(0, prompts[0], 0), new Part(1, prompts[1], 0));
            assertSame(together.get(0), alone.get(2), "prompt 2");
            assertSame(together.get(1), alone.get(0), "prompt 0");
            assertSame(together.get(2), alone.get(1), "prompt 1");
            List<float[]> written = evaluate(
                    backend,
                    new Part(0, new int[] {next[0]}, 3),
                    new Part(1, new int[] {next[1]}, 17),
                    new Part(3, prompts[3], 0),
                    new Part(2, new int[] {next[2]}, 9));
            assertSame(written.get(0), aloneNext.get(0), "next 0");
            assertSame(written.get(1), aloneNext.get(1), "next 1");
            assertSame(written.get(2), alone.get(3), "prompt 3");
            assertSame(written.get(3), aloneNext.get(2), "next 2");
        }
    }

    @Test
    final void prompt_inParts_equalsWhole() throws Exception {
        try (DecoderBackend backend = open()) {
            int[] prompt = tokens(backend, 40);
            float[] whole = fresh(backend, 1, prompt);
            evaluate(backend, new Part(1, Arrays.copyOfRange(prompt, 0, 13), 0));
            evaluate(backend, new Part(1, Arrays.copyOfRange(prompt, 13, 14), 13));
            float[] parts = evaluate(backend, new Part(1, Arrays.copyOfRange(prompt, 14, 40), 14))
                    .getFirst();
            assertSame(parts, whole, "prompt in three parts");
        }
    }

    @Test
    final void logits_writtenTo_nothingElseChanges() throws Exception {
        try (DecoderBackend backend = open()) {
            int[] prompt = tokens(backend, 8);
            float[] expected = fresh(backend, 0, prompt);
            DecoderBatch batch = new DecoderBatch(8);
            for (int i = 0; i < 8; i++) batch.add(prompt[i], i, 0, i == 3 || i == 7);
            backend.evaluate(batch);
            backend.logits(3).fill((byte) 0x7f);
            assertSame(logits(backend, 7), expected, "the other row");
            backend.logits(7).fill((byte) 0x7f);
            backend.forget(0, 0);
            assertSame(fresh(backend, 0, prompt), expected, "evaluated again");
        }
    }

    @Test
    final void share_equalsFresh_andTheOriginalMayGo() throws Exception {
        try (DecoderBackend backend = open()) {
            int[] prompt = tokens(backend, 30);
            int[] one = tokens(backend, 5);
            int[] two = tokens(backend, 7);
            int[] beginning = Arrays.copyOf(prompt, 20);
            float[] aloneOne = fresh(backend, 0, joined(prompt, one));
            float[] aloneTwo = fresh(backend, 0, joined(beginning, two));
            float[] aloneThen = fresh(backend, 0, joined(joined(beginning, two), one));

            evaluate(backend, new Part(0, prompt, 0));
            backend.share(0, 2, 20);
            List<float[]> both = evaluate(backend, new Part(2, two, 20), new Part(0, one, 30));
            assertSame(both.get(0), aloneTwo, "after the shared beginning");
            assertSame(both.get(1), aloneOne, "the original");
            backend.forget(0, 0);
            assertSame(evaluate(backend, new Part(2, one, 27)).getFirst(), aloneThen, "when the original is gone");
            // A place that was emptied takes another state.
            backend.share(2, 0, 20);
            assertSame(evaluate(backend, new Part(0, two, 20)).getFirst(), aloneTwo, "shared back");
        }
    }

    @Test
    final void forget_theEnd_equalsFresh() throws Exception {
        try (DecoderBackend backend = open()) {
            int[] prompt = tokens(backend, 30);
            int[] other = tokens(backend, 6);
            float[] expected = fresh(backend, 0, joined(Arrays.copyOf(prompt, 11), other));
            evaluate(backend, new Part(0, prompt, 0));
            backend.share(0, 1, 30); // has the same cells, and must keep them
            backend.forget(0, 11);
            assertSame(evaluate(backend, new Part(0, other, 11)).getFirst(), expected, "another end");
            int[] next = tokens(backend, 1);
            float[] kept = evaluate(backend, new Part(1, next, 30)).getFirst();
            backend.forget(0, 0);
            assertSame(kept, fresh(backend, 0, joined(prompt, next)), "who shared the forgotten part");
        }
    }

    @Test
    final void cache_filled_refusesAndStaysAsItIs_forgettingMakesRoom() throws Exception {
        try (DecoderBackend backend = open(CONTEXT, SEQUENCES, CONTEXT, BATCH)) {
            int room = backend.cacheTokens();
            int[] prompt = tokens(backend, Math.min(room / SEQUENCES, 32));
            int[] next = tokens(backend, 1);
            float[] expected = fresh(backend, 0, joined(prompt, next));
            evaluate(backend, new Part(0, prompt, 0));
            for (int round = 0; round < 2; round++) {
                fill(backend, room - prompt.length);
                assertThatThrownBy(() -> evaluate(backend, new Part(0, next, prompt.length)))
                        .isInstanceOf(RuntimeException.class);
                for (int sequence = 1; sequence < SEQUENCES; sequence++) backend.forget(sequence, 0);
                assertSame(
                        evaluate(backend, new Part(0, next, prompt.length)).getFirst(),
                        expected,
                        "after it was refused, round " + round);
                backend.forget(0, prompt.length);
            }
        }
    }

    /** Evaluates so many tokens in the sequences from 1 on. */
    private void fill(DecoderBackend backend, int positions) {
        int each = (positions + SEQUENCES - 2) / (SEQUENCES - 1);
        for (int sequence = 1, left = positions; left > 0; sequence++) {
            int own = Math.min(each, left);
            left -= own;
            for (int from = 0; from < own; from += BATCH) {
                evaluate(backend, new Part(sequence, tokens(backend, Math.min(BATCH, own - from)), from));
            }
        }
    }

    @Test
    final void cache_sharedPositions_countAsTheBackendSays() throws Exception {
        try (DecoderBackend backend = open(CONTEXT, SEQUENCES, CONTEXT, BATCH)) {
            if (!backend.countsSharedOnce()) return;
            evaluate(backend, new Part(0, tokens(backend, 40), 0));
            for (int sequence = 1; sequence < SEQUENCES; sequence++) backend.share(0, sequence, 40);
            int left = backend.cacheTokens() - 40;
            int own = Math.min(BATCH, Math.min(left / SEQUENCES, CONTEXT - 40));
            for (int sequence = 0; sequence < SEQUENCES; sequence++) {
                evaluate(backend, new Part(sequence, tokens(backend, own), 40));
            }
        }
    }

    @Test
    final void scheduled_manyAtOnce_eachTokenIsTheLikeliestAfterThoseBeforeIt() throws Exception {
        List<GenerationRequest> requests = new ArrayList<>();
        List<List<Integer>> answers = new ArrayList<>();
        int cachedTokens = 0;
        DecoderBackend scheduled = open();
        int[] system = tokens(scheduled, 24);
        int size = scheduled.vocabularySize();
        try (Scheduler scheduler = new Scheduler(
                scheduled,
                new Vocabulary(new byte[size][0], new boolean[size]),
                new SchedulerSettings("contract", "1", 3, 64, 8, 1024))) {
            List<TokenStream> streams = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                int[] prompt = joined(system, random.ints(3 + i, 0, size).toArray());
                requests.add(new GenerationRequest(
                        prompt, 12, Sampling.GREEDY, -1, null, Set.of(), "scope " + i % 2, 0, null, null));
                streams.add(scheduler.generate(requests.getLast()));
            }
            for (TokenStream stream : streams) {
                List<Integer> answer = new ArrayList<>();
                for (Optional<GeneratedToken> next = stream.next(); next.isPresent(); next = stream.next()) {
                    answer.add(next.get().id());
                }
                answers.add(answer);
                cachedTokens += stream.cachedTokens();
            }
        }
        assertThat(cachedTokens).isEqualTo(6 * system.length); // all but the first of each scope
        try (DecoderBackend backend = open()) {
            for (int r = 0; r < requests.size(); r += 3) {
                int[] tokens = requests.get(r).prompt();
                assertThat(answers.get(r)).hasSize(12);
                evaluate(backend, new Part(0, Arrays.copyOf(tokens, tokens.length - 1), 0));
                int last = tokens[tokens.length - 1];
                for (int i = 0; i < 12; i++) {
                    float[] logits = evaluate(backend, new Part(0, new int[] {last}, tokens.length - 1 + i))
                            .getFirst();
                    float most = Float.NEGATIVE_INFINITY;
                    for (float logit : logits) most = Math.max(most, logit);
                    last = answers.get(r).get(i);
                    // Where two are as likely as one another within the tolerance, either may come.
                    assertThat((double) logits[last])
                            .as("request %d, token %d", r, i)
                            .isCloseTo(most, within(2 * tolerance()));
                }
                backend.forget(0, 0);
            }
        }
    }
}
