package io.guimo.inference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.guimo.model.LinearAutoencoder;
import io.guimo.model.Module;
import io.guimo.model.Safetensors;
import io.guimo.registry.ModelPackage;
import io.guimo.registry.PackageFile;
import io.guimo.task.FittedSteps;
import io.guimo.tensor.Tensor;
import io.guimo.tensor.TensorScope;
import io.guimo.units.Meter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class LinearItemRecommenderTest extends EngineContract<ItemRecommender> {
    private static final int N = TestPackages.ITEM_STEPS.items().size();

    @TempDir
    private Path folder;

    @Override
    ItemRecommender open(EngineSettings settings) throws Exception {
        TestPackages packages = new TestPackages(folder);
        return (ItemRecommender)
                Started.loader(settings).open("goes-with", "1", packages.verified(packages.recommender(3)));
    }

    @Override
    List<String> randomQuestion(SplittableRandom random, ItemRecommender model) {
        List<String> items = new ArrayList<>();
        for (int i = random.nextInt(8); i >= 0; i--) items.add("item-" + random.nextInt(N));
        return items;
    }

    @Override
    @SuppressWarnings("unchecked") // made above
    double[] ask(ItemRecommender model, Object question) {
        return model.recommend((List<String>) question, N).stream()
                .mapToDouble(i -> i.score() + 1000.0 * model.items().indexOf(i.item()))
                .toArray();
    }

    @Override
    long units(Object question) {
        return 1;
    }

    @Override
    Meter meter() {
        return Meter.REQUESTS;
    }

    @Override
    double tolerance() {
        return 0;
    }

    @Test
    void recommend_randomBaskets_asTheNetworkScores() throws Exception {
        TestPackages packages = new TestPackages(folder);
        ModelPackage content = packages.verified(packages.recommender(9));
        SplittableRandom random = new SplittableRandom(17);
        try (ItemRecommender model =
                (ItemRecommender) Started.loader(EngineSettings.standard()).open("goes-with", "1", content)) {
            for (int round = 0; round < 50; round++) {
                List<String> basket = randomQuestion(random, model);
                float[] expected = reference(content, basket);

                List<ScoredItem> found = model.recommend(basket, N);

                assertThat(found)
                        .extracting(ScoredItem::item)
                        .doesNotContainAnyElementsOf(basket)
                        .doesNotHaveDuplicates();
                assertThat(found).hasSize(N - (int) basket.stream().distinct().count());
                assertThat(found)
                        .isSortedAccordingTo(
                                Comparator.comparingDouble(ScoredItem::score).reversed());
                for (ScoredItem item : found) {
                    assertThat(item.score()).isCloseTo(expected[model.items().indexOf(item.item())], within(1e-5));
                }
                assertThat(model.recommend(basket, 3)).isEqualTo(found.subList(0, 3));
            }
        }
    }

    private static float[] reference(ModelPackage content, List<String> basket) {
        Path weights =
                content.path(content.manifest().file(PackageFile.Role.WEIGHTS).orElseThrow());
        float[] input = new float[N];
        for (String item : basket) input[TestPackages.ITEM_STEPS.items().indexOf(item)] = 1;
        return Started.torch().executor().call(() -> {
            try (TensorScope _ = TensorScope.openWithoutGradients();
                    Module network = new LinearAutoencoder(N, .5)) {
                network.load(Safetensors.read(weights).tensors());
                network.evaluate();
                return network.forward(Tensor.of(input, 1, N)).toFloats();
            }
        });
    }

    @Test
    void recommend_equalScores_inTheOrderOfItems() {
        FittedSteps.Items steps = new FittedSteps.Items(List.of("a", "b", "c", "d", "e"));
        try (ItemRecommender model =
                new LinearItemRecommender("x", "1", steps, new float[25], new float[] {0, 1, 0, 1, 0})) {
            assertThat(model.recommend(List.of("c"), 5))
                    .extracting(ScoredItem::item)
                    .containsExactly("b", "d", "a", "e");
        }
    }

    @Test
    void recommend_badQuestion_refusedWithIndexAndNearestName() throws Exception {
        try (ItemRecommender model = open(EngineSettings.standard())) {
            assertThatThrownBy(() -> model.recommend(List.of("item-3", "itm-4"), 3))
                    .isInstanceOfSatisfying(InvalidInput.class, e -> {
                        assertThat(e.index()).isEqualTo(1);
                        assertThat(e).hasMessageContaining("item-4");
                    });
            assertThatThrownBy(() -> model.recommend(List.of(), 3)).isInstanceOf(InvalidInput.class);
            assertThatThrownBy(() -> model.recommend(Collections.nCopies(model.maxItems() + 1, "item-1"), 3))
                    .isInstanceOf(InvalidInput.class);
            for (int limit : new int[] {0, -1, N + 1}) {
                assertThatThrownBy(() -> model.recommend(List.of("item-1"), limit))
                        .isInstanceOf(InvalidInput.class);
            }
            assertThat(model.usage().requests()).isZero();
        }
    }

    @Test
    void open_weightsOfOtherSize_refused() {
        FittedSteps.Items steps = new FittedSteps.Items(List.of("a", "b", "c"));
        assertThatThrownBy(() -> new LinearItemRecommender("x", "1", steps, new float[4], new float[2]))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
