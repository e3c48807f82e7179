package io.guimo.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class BaselineTest {
    @Test
    void logisticRegression_separableClasses_learnsThemAndRepeats() {
        SplittableRandom random = new SplittableRandom(5);
        int rows = 600;
        int[] labels = new int[rows];
        float[][] features = new float[rows][4];
        for (int i = 0; i < rows; i++) {
            labels[i] = i % 3;
            for (int d = 0; d < 4; d++) features[i][d] = (float) (random.nextDouble() * .4 + (d == labels[i] ? 1 : 0));
        }
        var settings = new LogisticRegression.Settings(400, 5, .1, 1);
        double[][] probabilities =
                LogisticRegression.train(r -> features[r], labels, 3, settings).probabilities(r -> features[r], rows);
        var scores = ClassificationScores.of(List.of("a", "b", "c"), labels, probabilities);
        assertThat(scores.accuracy()).isGreaterThan(.98);
        assertThat(Arrays.stream(probabilities[0]).sum()).isCloseTo(1, within(1e-9));
        assertThat(LogisticRegression.train(r -> features[r], labels, 3, settings)
                        .probabilities(r -> features[r], rows))
                .isDeepEqualTo(probabilities);
    }

    @Test
    void logisticRegression_rowOfZeros_hasAnAnswer() {
        float[][] features = {{0, 0}, {1, 0}, {0, 1}, {1, 1}};
        var model = LogisticRegression.train(
                r -> features[r], new int[] {0, 1, 0, 1}, 2, new LogisticRegression.Settings(4, 20, .5, 1));
        double[][] probabilities = model.probabilities(r -> features[r], 4);
        assertThat(probabilities[0][0]).isGreaterThan(.5);
        assertThat(probabilities[1][1]).isGreaterThan(.5);
    }

    @Test
    void itemCounts_baskets_popularityAndCoOccurrence() {
        ItemCounts counts = ItemCounts.of(4, new int[][] {{0, 1}, {0, 1}, {0, 2}, {3}, {0}});
        assertThat(counts.popularity().scores(new int[] {2})).containsExactly(4, 2, 1, 1);
        // Of the four baskets with item 0 two have item 1 and one has item 2.
        assertThat(counts.coOccurrence().scores(new int[] {0})).containsExactly(0, .5, .25, 0);
    }

    @Test
    void rankOf_ties_countAgainstTheItem() {
        assertThat(RankingScores.rankOf(1, new double[] {.5, .5, .9, Double.NaN}))
                .isEqualTo(3);
    }

    @Test
    void bootstrap_pairedDifference_narrowerThanUnpairedAndSeeded() {
        SplittableRandom random = new SplittableRandom(3);
        double[] baseline = random.doubles(400).map(Math::rint).toArray();
        double[] model = baseline.clone();
        for (int i = 0; i < 20; i++) model[i] = 1;
        Interval difference = Bootstrap.ofDifference(model, baseline, 1);
        Interval alone = Bootstrap.ofMean(model, 1);
        assertThat(difference.lower()).isGreaterThan(0);
        assertThat(difference.upper() - difference.lower()).isLessThan(alone.upper() - alone.lower());
        assertThat(Bootstrap.ofDifference(model, baseline, 1)).isEqualTo(difference);
        assertThatThrownBy(() -> Bootstrap.ofDifference(model, new double[1], 1))
                .hasMessageContaining("400 and 1");
    }
}
