package io.guimo.task;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guimo.data.Background;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class FittedStepsTest {
    private static final FittedSteps.Images IMAGES =
            new FittedSteps.Images(List.of("shirt", "鞋"), 28, 28, 1, List.of(.2859), List.of(.3529), Background.DARK);

    static Stream<FittedSteps> steps() {
        return Stream.of(IMAGES, new FittedSteps.Items(List.of("bread and cake", "tea")));
    }

    @ParameterizedTest
    @MethodSource("steps")
    void read_whatWasWritten_equalAndSameBytes(FittedSteps steps) {
        FittedSteps read = FittedSteps.read(steps.json());
        assertThat(read).isEqualTo(steps);
        assertThat(read.json()).isEqualTo(steps.json());
    }

    @Test
    void json_images_storedFormOfVersion1() {
        assertThat(new String(IMAGES.json(), UTF_8)).isEqualTo("""
                {"version":1,"task":"classify-images","steps":{"labels":["shirt","鞋"],"height":28,"width":28,"channels":1,\
                "mean":[0.2859],"deviation":[0.3529],"background":"DARK"}}""");
    }

    @Test
    void read_foreignOrBroken_refused() {
        String stored = new String(IMAGES.json(), UTF_8);
        for (String wrong : List.of(
                "",
                "[]",
                "{}",
                "nonsense",
                stored.replace("\"version\":1", "\"version\":2"),
                stored.replace("classify-images", "classify-sounds"),
                stored.replace("\"channels\":1", "\"channels\":2"),
                stored.replace("0.3529", "0"),
                stored.replace("0.3529", "\"NaN\""),
                stored.replace("\"height\":28", "\"height\":2000000000"),
                stored.replace("\"height\":28,", ""),
                stored.replace("\"labels\":[\"shirt\",\"鞋\"]", "\"labels\":null"),
                stored.replace("\"background\":\"DARK\"", "\"background\":\"DARK\",\"more\":1"))) {
            assertThatThrownBy(() -> FittedSteps.read(wrong.getBytes(UTF_8)))
                    .as(wrong)
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void prepare_itemsOfAnyCase_indices() {
        FittedSteps.Items steps = new FittedSteps.Items(List.of("bread and cake", "Tea", "milk"));
        assertThat(RecommendItems.prepare(List.of(" tea ", "BREAD AND CAKE", "tea"), steps))
                .isInstanceOfSatisfying(RecommendItems.Prepared.class, prepared -> assertThat(prepared.items())
                        .containsExactly(0, 1));
        assertThat(RecommendItems.prepare(List.of("milk", "tee"), steps))
                .isInstanceOfSatisfying(RecommendItems.UnknownItem.class, unknown -> {
                    assertThat(unknown.position()).isEqualTo(1);
                    assertThat(unknown.nearest()).contains("Tea");
                    assertThat(unknown.message()).contains("items[1] is 'tee'", "did you mean 'Tea'?");
                });
        assertThat(RecommendItems.prepare(List.of("x".repeat(100_000)), steps))
                .isInstanceOfSatisfying(RecommendItems.UnknownItem.class, unknown -> assertThat(unknown.message())
                        .hasSizeLessThan(200));
    }

    @Test
    void taskNames_fileNames_leadToTheirTasks() {
        for (TaskName name : TaskName.values()) {
            assertThat(name.task().name()).isEqualTo(name);
            assertThat(name.task().meters()).isNotEmpty();
        }
        assertThat(TaskName.CLASSIFY_IMAGES.fileName()).isEqualTo("classify-images");
    }
}
