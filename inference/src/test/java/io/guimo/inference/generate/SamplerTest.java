package io.guimo.inference.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.guimo.inference.generate.GeneratedToken.Alternative;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SamplerTest {
    private static Sampler sampler(Sampling sampling, int vocabularySize, int topLogprobs) {
        return new Sampler(sampling, vocabularySize, new int[] {0}, Set.of(), null, topLogprobs, 7);
    }

    private static Sampling cuts(double temperature, int topK, double topP, double minP) {
        return new Sampling(temperature, topK, topP, minP, 0, 0, 1, Map.of(), 11L);
    }

    private static MemorySegment logits(float... logits) {
        return MemorySegment.ofArray(logits);
    }

    private static float[] randomLogits(Random random, int size, double spread) {
        float[] logits = new float[size];
        for (int i = 0; i < size; i++) logits[i] = (float) (random.nextGaussian() * spread);
        return logits;
    }

    /** The definition, word by word, with a full sort. */
    private static double[] reference(float[] logits, double temperature, int topK, double topP, double minP) {
        List<Integer> order =
                new ArrayList<>(IntStream.range(0, logits.length).boxed().toList());
        order.sort(Comparator.comparingDouble((Integer i) -> -logits[i]));
        double[] probability = new double[logits.length];
        double most = logits[order.get(0)];
        for (int i = 0; i < logits.length; i++) probability[i] = Math.exp((logits[i] - most) / temperature);
        if (topK > 0) for (int i = topK; i < order.size(); i++) probability[order.get(i)] = 0;
        normalise(probability);
        if (topP < 1) {
            double reached = 0;
            for (int token : order) {
                if (reached >= topP) probability[token] = 0;
                reached += probability[token];
            }
            normalise(probability);
        }
        double floor = minP * probability[order.get(0)];
        for (int i = 0; i < probability.length; i++) if (probability[i] < floor) probability[i] = 0;
        normalise(probability);
        return probability;
    }

    private static void normalise(double[] weights) {
        double sum = 0;
        for (double weight : weights) sum += weight;
        for (int i = 0; i < weights.length; i++) weights[i] /= sum;
    }

    @ParameterizedTest
    @CsvSource({
        "1, 0, 1, 0",
        ".5, 0, 1, 0",
        "2, 0, 1, 0",
        "1, 5, 1, 0",
        "1, 1000, 1, 0",
        "1, 0, .8, 0",
        ".7, 0, .95, 0",
        "1, 0, .01, 0",
        "1, 0, 1, .1",
        "1.3, 20, .9, .05"
    })
    void draws_manyTimes_followTheDefinition(double temperature, int topK, double topP, double minP) {
        float[] logits = randomLogits(new Random(3), 60, 1.5);
        double[] expected = reference(logits, temperature, topK, topP, minP);
        Sampler sampler = sampler(cuts(temperature, topK, topP, minP), logits.length, -1);
        int draws = 40_000;
        int[] drawn = new int[logits.length];
        for (int i = 0; i < draws; i++) drawn[sampler.next(logits(logits)).id()]++;

        double chiSquare = 0;
        int cells = 0;
        double rareExpected = 0;
        int rareDrawn = 0;
        for (int i = 0; i < logits.length; i++) {
            if (expected[i] == 0) {
                assertThat(drawn[i]).as("token %d was cut", i).isZero();
            } else if (expected[i] * draws < 5) { // cells too rare for the statistic are taken together
                rareExpected += expected[i] * draws;
                rareDrawn += drawn[i];
            } else {
                chiSquare += Math.pow(drawn[i] - expected[i] * draws, 2) / (expected[i] * draws);
                cells++;
            }
        }
        if (rareExpected > 5) {
            chiSquare += Math.pow(rareDrawn - rareExpected, 2) / rareExpected;
            cells++;
        }
        int freedom = cells - 1;
        // The mean of the statistic is its degrees of freedom, its variance twice that: four standard deviations, with
        // the seed fixed.
        assertThat(chiSquare).isLessThanOrEqualTo(freedom + 4 * Math.sqrt(2.0 * freedom) + 1e-9);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 63, 500, 5000})
    void cuts_vocabulariesOfAnySize_drawNoTokenThatIsCut(int size) {
        Random random = new Random(size);
        for (int round = 0; round < 60; round++) {
            double spread = Math.exp(random.nextGaussian() * 1.5);
            float[] logits = randomLogits(random, size, spread);
            if (round % 3 == 0) { // many ties
                for (int i = 0; i < size; i++) logits[i] = Math.round(logits[i]);
            }
            int topK = round % 2 == 0 ? 0 : 1 + random.nextInt(2 * size);
            double topP = round % 5 == 0 ? 1 : 1 - random.nextDouble();
            double minP = round % 4 == 0 ? random.nextDouble() * .3 : 0;
            double temperature = .2 + random.nextDouble() * 1.8;
            double[] expected = reference(logits, temperature, topK, topP, minP);
            Sampler sampler = sampler(cuts(temperature, topK, topP, minP), size, -1);
            for (int draw = 0; draw < 50; draw++) {
                int token = sampler.next(logits(logits)).id();
                assertThat(expected[token])
                        .as("round %d, token %d", round, token)
                        .isPositive();
            }
        }
    }

    @Test
    void topP_borderInsideTies_keepsTheLowerIds() {
        Sampler sampler = sampler(cuts(1, 0, .5, 0), 4, -1);
        boolean[] drawn = new boolean[4];
        for (int i = 0; i < 200; i++) drawn[sampler.next(logits(1, 1, 1, 1)).id()] = true;
        assertThat(drawn).containsExactly(true, true, false, false);
    }

    @Test
    void topK_one_isTheMostLikely() {
        float[] logits = randomLogits(new Random(1), 1000, 3);
        int best = sampler(Sampling.GREEDY, 1000, -1).next(logits(logits)).id();
        assertThat(reference(logits, 1, 1, 1, 0)[best]).isEqualTo(1);
        Sampler sampler = sampler(cuts(1.7, 1, 1, 0), 1000, -1);
        for (int i = 0; i < 20; i++)
            assertThat(sampler.next(logits(logits)).id()).isEqualTo(best);
    }

    @Test
    void greedy_ties_givesTheLowestId() {
        assertThat(sampler(Sampling.GREEDY, 4, -1).next(logits(0, 3, 3, -1)).id())
                .isEqualTo(1);
    }

    @Test
    void seed_same_repeatsAndAnotherDiffers() {
        float[] logits = randomLogits(new Random(2), 500, 1);
        assertThat(draw(logits, 5L, 1)).isEqualTo(draw(logits, 5L, 2)).isNotEqualTo(draw(logits, 6L, 1));
        assertThat(draw(logits, null, 1)).isEqualTo(draw(logits, null, 1)).isNotEqualTo(draw(logits, null, 2));
    }

    private static List<Integer> draw(float[] logits, @Nullable Long seed, long seedIfNone) {
        Sampling sampling = new Sampling(1, 0, .9, 0, 0, 0, 1, Map.of(), seed);
        Sampler sampler = new Sampler(sampling, logits.length, new int[] {0}, Set.of(), null, -1, seedIfNone);
        return IntStream.range(0, 40)
                .mapToObj(i -> sampler.next(logits(logits)).id())
                .toList();
    }

    /** Bias first, then penalties; by hand for logits 2, 1, −1, .5 with prompt token 0 and the answer so far 1, 1, 2. */
    @ParameterizedTest
    @CsvSource({
        // frequency, presence, repetition → logits as they are drawn from
        "0,   0,  1,   2,  1,    -1,   .5",
        "1,   0,  1,   2, -1,    -2,   .5", // − 2 · 1, − 1 · 1
        "0,  .5,  1,   2,  .5,  -1.5,  .5", // − .5 once
        "0,   0,  2,   1,  .5,   -2,   .5", // prompt and answer: 2 / 2, 1 / 2, −1 · 2
        "1,  .5,  2,   1, -2,   -3.5,  .5",
        "-1,  0,  1,   2,  3,     0,   .5"
    })
    void penalties_afterFourTokens_areTheHandComputedLogits(
            double frequency, double presence, double repetition, float l0, float l1, float l2, float l3) {
        double[] expected = reference(new float[] {l0, l1, l2, l3}, 1, 0, 1, 0);
        int draws = 4000;
        int[] drawn = new int[4];
        for (int i = 0; i < draws; i++) {
            Sampling sampling =
                    new Sampling(1, 0, 1, 0, frequency, presence, repetition, Map.of(), (long) i * 1_000_003);
            Sampler sampler = new Sampler(sampling, 4, new int[] {0}, Set.of(), null, -1, 0);
            // A logit of 1,000 more than the rest, penalties or not, makes the first three tokens 1, 1 and 2.
            for (int token : new int[] {1, 1, 2}) {
                float[] forced = new float[4];
                forced[token] = 1000;
                assertThat(sampler.next(logits(forced)).id()).isEqualTo(token);
            }
            drawn[sampler.next(logits(2, 1, -1, .5f)).id()]++;
        }
        for (int i = 0; i < 4; i++) { // four standard deviations of a binomial count
            double p = expected[i];
            assertThat(drawn[i] / (double) draws).isCloseTo(p, within(4 * Math.sqrt(p * (1 - p) / draws) + 1e-9));
        }
    }

    @Test
    void bias_ofSingleTokens_isAddedBeforePenalties() {
        Map<Integer, Double> bias = new HashMap<>();
        bias.put(1, 3.0);
        bias.put(2, -100.0);
        Sampling sampling = new Sampling(0, 0, 1, 0, 0, 0, 2, bias, null);
        // 0: 9 / 2 (prompt); 1: 2 + 3 = 5; 2: never
        assertThat(sampler(sampling, 3, -1).next(logits(9, 2, 1000)).id()).isEqualTo(1);
        // 0: 10.5 / 2
        assertThat(sampler(sampling, 3, -1).next(logits(10.5f, 2, 1000)).id()).isZero();
        assertThatThrownBy(() -> sampler(sampling, 2, -1)).hasMessageContaining("logitBias names token 2");
    }

    @Test
    void logprobs_underAnyCut_areTheModelsOwn() {
        float[] logits = randomLogits(new Random(9), 300, 2);
        double[] model = reference(logits, 1, 0, 1, 0);
        Sampling sampling = new Sampling(.3, 3, .9, .1, 1, 1, 1.5, Map.of(7, 50.0), 1L);
        Sampler sampler = sampler(sampling, 300, 5);
        GeneratedToken token = sampler.next(logits(logits));
        assertThat(token.id()).isEqualTo(7);
        // float32 logprobs of size 10: half a unit in the last place is 5·10⁻⁷
        assertThat((double) token.logprob()).isCloseTo(Math.log(model[7]), within(1e-6));
        List<Integer> best = IntStream.range(0, 300)
                .boxed()
                .sorted(Comparator.comparingDouble(i -> -model[i]))
                .limit(5)
                .toList();
        assertThat(token.alternatives().stream().map(Alternative::id)).containsExactlyElementsOf(best);
        for (Alternative alternative : token.alternatives()) {
            assertThat((double) alternative.logprob()).isCloseTo(Math.log(model[alternative.id()]), within(1e-6));
        }
    }

    @Test
    void logprobs_notAskedFor_areNone() {
        GeneratedToken token = sampler(Sampling.GREEDY, 3, -1).next(logits(1, 2, 3));
        assertThat(token.logprob()).isNaN();
        assertThat(token.alternatives()).isEmpty();
        GeneratedToken own = sampler(Sampling.GREEDY, 3, 0).next(logits(0, 0, Float.NEGATIVE_INFINITY));
        assertThat((double) own.logprob()).isCloseTo(Math.log(.5), within(1e-6));
        assertThat(own.alternatives()).isEmpty();
    }

    @Test
    void endToken_drawn_endsTheAnswer() {
        Sampler sampler = new Sampler(Sampling.GREEDY, 3, new int[] {0}, Set.of(2), null, -1, 0);
        sampler.next(logits(0, 1, 0));
        assertThat(sampler.mustEnd()).isFalse();
        assertThat(sampler.next(logits(0, 0, 1)).id()).isEqualTo(2);
        assertThat(sampler.mustEnd()).isTrue();
        assertThatThrownBy(() -> sampler.next(logits(0, 0, 1))).isInstanceOf(IllegalStateException.class);
    }

    @ParameterizedTest
    @ValueSource(doubles = {0, 1})
    void logits_broken_areReported(double temperature) {
        assertThatThrownBy(() -> sampler(cuts(temperature, 0, 1, 0), 3, -1).next(logits(0, Float.NaN, 1)))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("NaN");
        float no = Float.NEGATIVE_INFINITY;
        assertThatThrownBy(() -> sampler(cuts(temperature, 0, 1, 0), 3, -1).next(logits(no, no, no)))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("no token can be drawn");
    }
}
