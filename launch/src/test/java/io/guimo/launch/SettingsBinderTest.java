package io.guimo.launch;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Compose;

class SettingsBinderTest {
    record Root(
            String name,
            @Nullable Integer workers,
            Map<String, Part> parts,
            @Nullable List<BigDecimal> rates) {}

    record Part(Colour colour, Shape shape, @Nullable Double weight) {
        Part {
            if (weight != null && (weight <= 0 || weight > 1))
                throw new IllegalArgumentException("weight " + weight + " is outside 0 to 1");
        }
    }

    enum Colour {
        DARK_RED,
        BLUE
    }

    sealed interface Shape permits Square, RoundTable {}

    record Square(int width) implements Shape {}

    record RoundTable(@Nullable Integer legs) implements Shape {}

    private final List<SettingsProblem> problems = new ArrayList<>();

    private @Nullable Root bind(String yaml) {
        var node = new Compose(LoadSettings.builder().setUseMarks(true).build())
                .composeString(yaml)
                .orElseThrow();
        return new SettingsBinder("shop.yaml", problems).bind(Root.class, node);
    }

    @Test
    void bind_wholeTree_typed() {
        Root root = bind("""
                name: shop
                parts:
                  top: {colour: dark-red, shape: {kind: round-table, legs: 4}, weight: 2e-3}
                rates: [0.002, 1]
                """);
        assertThat(problems).isEmpty();
        assertThat(root)
                .isEqualTo(new Root(
                        "shop",
                        null,
                        Map.of("top", new Part(Colour.DARK_RED, new RoundTable(4), 0.002)),
                        List.of(new BigDecimal("0.002"), BigDecimal.ONE)));
    }

    @Test
    void bind_manyMistakes_allReportedWithPlaceAndNearestName() {
        Root root = bind("""
                nam: shop
                workers: many
                parts:
                  top: {colour: dark-rd, shape: {kind: sqare}, weight: 7}
                  low: {colour: blue, shape: {kind: square, width: 1.5}, weight: 7}
                  odd: [1]
                """);
        assertThat(root).isNull();
        assertThat(problems.stream().sorted().map(SettingsProblem::toString))
                .containsExactly(
                        "shop.yaml:1:1: nam: unknown key 'nam'; did you mean name? permitted: name, workers, parts, rates",
                        "shop.yaml:1:1: the key name is missing",
                        "shop.yaml:2:10: workers: 'many' is not a whole number",
                        "shop.yaml:4:17: parts.top.colour: unknown value 'dark-rd'; did you mean dark-red? permitted: dark-red, blue",
                        "shop.yaml:4:40: parts.top.shape.kind: unknown kind 'sqare'; did you mean square? permitted: square, round-table",
                        "shop.yaml:5:52: parts.low.shape.width: '1.5' is not a whole number",
                        "shop.yaml:6:8: parts.odd: expected names with values (colour, shape, weight), found a list");
    }

    @Test
    void bind_constructorRefuses_reportedAtTheValue() {
        bind("name: a\nparts:\n  low: {colour: blue, shape: {kind: square, width: 1}, weight: 7}\n");
        assertThat(problems.getFirst()).hasToString("shop.yaml:3:64: parts.low: weight 7.0 is outside 0 to 1");
    }

    @Test
    void bind_choiceWithoutKind_saysWhichKinds() {
        bind("name: a\nparts: {low: {colour: blue, shape: {width: 1}}}\n");
        assertThat(problems.getFirst().message())
                .isEqualTo("the key kind is missing; it is one of square, round-table");
    }

    @Test
    void bind_notFinite_refused() {
        bind("name: a\nparts: {low: {colour: blue, shape: {kind: square, width: 1}, weight: NaN}}\n");
        assertThat(problems.getFirst().message()).isEqualTo("'NaN' is not a number");
    }

    @Test
    void schema_describesWhatTheBinderAccepts() {
        Map<String, Object> schema = SettingsSchema.of(Root.class, "test");
        assertThat(schema.get("required")).isEqualTo(List.of("name", "parts"));
        assertThat(schema.get("additionalProperties")).isEqualTo(false);
        assertThat(((Map<?, ?>) java.util.Objects.requireNonNull(schema.get("$defs")))
                        .keySet().stream().map(Object::toString))
                .containsExactlyInAnyOrder("Part", "Square", "RoundTable");
    }
}
