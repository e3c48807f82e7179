package io.guimo.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.InputStream;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Every figure beside what scikit-learn says of the same predictions (record_scikit_learn.py beside the recording makes it anew). */
class RecordedMetricsTest {
    /** Sums in another order differ in the last bits. */
    private static final double ROUNDING = 1e-12;

    private static JsonNode recorded() throws Exception {
        try (InputStream in = RecordedMetricsTest.class.getResourceAsStream("scikit-learn.json")) {
            return JsonMapper.builder().build().readTree(Objects.requireNonNull(in));
        }
    }

    private static double[] numbers(JsonNode values) {
        return values.valueStream().mapToDouble(JsonNode::asDouble).toArray();
    }

    private static double[][] matrix(JsonNode rows) {
        return rows.valueStream().map(RecordedMetricsTest::numbers).toArray(double[][]::new);
    }

    private static int[] integers(JsonNode values) {
        return values.valueStream().mapToInt(JsonNode::asInt).toArray();
    }

    @Test
    void classificationScores_recordedPredictions_equalScikitLearn() throws Exception {
        for (JsonNode recorded : recorded().path("classification")) {
            List<String> labels = IntStream.range(0, recorded.path("classes").asInt())
                    .mapToObj(Integer::toString)
                    .toList();
            ClassificationScores scores = ClassificationScores.of(
                    labels, integers(recorded.path("truth")), matrix(recorded.path("probabilities")));
            assertThat(scores.accuracy()).isCloseTo(recorded.path("accuracy").asDouble(), within(ROUNDING));
            assertThat(scores.logLoss()).isCloseTo(recorded.path("logLoss").asDouble(), within(ROUNDING));
            assertAverage(scores.macro(), recorded.path("macro"));
            assertAverage(scores.micro(), recorded.path("micro"));
            for (int k = 0; k < labels.size(); k++) {
                var ours = scores.perClass().get(k);
                assertThat(new double[] {ours.precision(), ours.recall(), ours.f1(), ours.support()})
                        .containsExactly(numbers(recorded.path("perClass").get(k)), within(ROUNDING));
                assertThat(scores.confusion().counts().get(k))
                        .isEqualTo(recorded.path("confusion")
                                .get(k)
                                .valueStream()
                                .map(JsonNode::asLong)
                                .toList());
            }
        }
    }

    private static void assertAverage(ClassificationScores.Average ours, JsonNode recorded) {
        assertThat(new double[] {ours.precision(), ours.recall(), ours.f1()})
                .containsExactly(numbers(recorded), within(ROUNDING));
    }

    @Test
    void rocAuc_withTies_equalsScikitLearn() throws Exception {
        JsonNode recorded = recorded().path("classification").get(0);
        int[] truth = integers(recorded.path("truth"));
        double[][] probabilities = matrix(recorded.path("probabilities"));
        boolean[] positive = new boolean[truth.length];
        double[] scores = new double[truth.length];
        for (int i = 0; i < truth.length; i++) {
            positive[i] = truth[i] == 1;
            scores[i] = Math.rint(probabilities[i][1] * 10) / 10;
        }
        assertThat(Metrics.rocAuc(positive, scores))
                .isCloseTo(recorded.path("rocAuc").asDouble(), within(ROUNDING));
    }

    @Test
    void rankingScores_recordedScores_equalScikitLearn() throws Exception {
        JsonNode recorded = recorded().path("ranking");
        double[][] scores = matrix(recorded.path("scores"));
        int[] heldOut = integers(recorded.path("heldOut"));
        RankingScores ranking = new RankingScores(IntStream.range(0, heldOut.length)
                .map(i -> RankingScores.rankOf(heldOut[i], scores[i]))
                .toArray());
        assertThat(ranking.hitRateAt(10)).isCloseTo(recorded.path("hitRateAt10").asDouble(), within(ROUNDING));
        assertThat(ranking.ndcgAt(10)).isCloseTo(recorded.path("ndcgAt10").asDouble(), within(ROUNDING));
        assertThat(ranking.meanReciprocalRank()).isCloseTo(recorded.path("mrr").asDouble(), within(ROUNDING));
    }
}
