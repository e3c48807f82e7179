package io.guimo.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.guimo.data.BasketSet;
import io.guimo.data.BasketSource;
import io.guimo.data.DataException;
import io.guimo.evaluate.EvaluationReport;
import io.guimo.model.ArchitectureSettings;
import io.guimo.model.Module;
import io.guimo.tensor.Tensor;
import io.guimo.tensor.TensorScope;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** On baskets from two kinds of customers, each buying from a half of the range, made in sight and seeded. */
class BasketLessonTest {
    private static final ArchitectureSettings AUTOENCODER = new ArchitectureSettings.LinearAutoencoder(0.0);

    private static BasketSource baskets(int count) {
        SplittableRandom random = new SplittableRandom(5);
        List<int[]> baskets = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int half = random.nextInt(2) * 20;
            BitSet basket = new BitSet();
            int size = random.nextInt(1, 6);
            while (basket.cardinality() < size) basket.set(half + random.nextInt(20));
            baskets.add(basket.stream().toArray());
        }
        List<String> items = IntStream.range(0, 40).mapToObj(i -> "item " + i).toList();
        return new BasketSource("made", new BasketSet(items, baskets.toArray(int[][]::new)), Map.of());
    }

    @Test
    void of_basketsOfOneItem_areNoExamples() {
        BasketSource source = baskets(500);
        long useful = Arrays.stream(source.baskets().baskets())
                .filter(basket -> basket.length >= 2)
                .count();
        BasketLesson lesson = BasketLesson.of(source);
        assertThat(lesson.trainingRows() + lesson.validationRows() + lesson.testRows())
                .isEqualTo((int) useful);
        assertThat(lesson.testRows()).isEqualTo((int) Math.round(.2 * useful));
        assertThat(lesson.contamination().pairs()).isEmpty();
    }

    @Test
    void of_tooLittle_refused() {
        BasketSource source = new BasketSource("made", new BasketSet(List.of("a"), new int[][] {{0}}), Map.of());
        assertThatThrownBy(() -> BasketLesson.of(source))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("at least 10 baskets");
    }

    @Test
    void loss_networkThatKnowsNothing_isTheLogarithmOfItemsNotShown() {
        BasketLesson lesson = BasketLesson.of(baskets(500));
        TrainingProblem problem = lesson.problem(AUTOENCODER);
        TestTorch.call(() -> {
            try (TensorScope _ = TensorScope.open();
                    Module network = problem.build()) {
                try (TensorScope _ = TensorScope.openWithoutGradients()) {
                    network.parameters().values().forEach(parameter -> parameter.fillInPlace(0));
                    Batch batch = problem.batch(new int[] {0}, new SplittableRandom(1));
                    float[] shown = batch.inputs().toFloats();
                    int count = 0;
                    for (float item : shown) if (item == 1) count++;
                    assertThat(shown[(int) batch.targets().toLongs()[0]]).isZero();
                    double loss = problem.loss(network, batch).item();
                    assertThat(loss).isCloseTo(Math.log(40 - count), within(1e-5));
                }
            }
            return "";
        });
    }

    @Test
    void judge_customersOfTwoKinds_beatsCountingWithoutContext() {
        BasketLesson lesson = BasketLesson.of(baskets(1500));
        Module network = TestTorch.learnt(lesson.problem(AUTOENCODER), 400, 64, 1);
        EvaluationReport report = lesson.judge(network, TestTorch.start().executor());
        network.close();
        assertThat(report.metrics()).containsOnlyKeys("hitRateAt10", "ndcgAt10", "mrr");
        // 10 of the 17–19 others of the right half: a little over a half
        assertThat(report.metrics().get("hitRateAt10")).isBetween(.45, .7);
        assertThat(report.baselines()).extracting(b -> b.name()).containsExactly("popularity", "item co-occurrence");
        assertThat(report.baselines().getFirst().beaten()).isTrue();
        assertThat(report.intervals()).hasEntrySatisfying("hitRateAt10", interval -> {
            assertThat(interval.estimate()).isEqualTo(report.metrics().get("hitRateAt10"));
            assertThat(interval.lower()).isLessThan(interval.estimate());
        });
    }

    @Test
    void validate_network_equalsRankingOneHiddenItemAtATime() {
        BasketLesson lesson = BasketLesson.of(baskets(300));
        TrainingProblem problem = lesson.problem(AUTOENCODER);
        Module network = TestTorch.learnt(problem, 50, 32, 1);
        TestTorch.call(() -> {
            network.evaluate();
            Map<String, Double> figures = problem.validate(network);
            assertThat(figures.keySet()).containsExactly("hitRateAt10", "ndcgAt10", "mrr");
            assertThat(figures.get("hitRateAt10")).isBetween(0.0, 1.0);
            try (TensorScope _ = TensorScope.openWithoutGradients()) {
                // an item's own score does not depend on whether it is in the basket: the diagonal is zero
                float[] with = new float[40];
                with[3] = 1;
                with[4] = 1;
                float[] without = with.clone();
                without[3] = 0;
                assertThat(network.forward(Tensor.of(with, 1, 40)).toFloats()[3])
                        .isEqualTo(network.forward(Tensor.of(without, 1, 40)).toFloats()[3]);
            }
            return "";
        });
        network.close();
    }

    @Test
    void problem_architectureOfAnotherTask_refused() {
        assertThatThrownBy(() -> BasketLesson.of(baskets(300)).problem(new ArchitectureSettings.Resnet(8)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("linear-autoencoder");
    }
}
