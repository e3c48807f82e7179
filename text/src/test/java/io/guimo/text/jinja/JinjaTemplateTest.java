package io.guimo.text.jinja;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Against what Python's jinja2 made of the same templates; how they were recorded stands in the resource. */
class JinjaTemplateTest {
    private static final JsonNode RECORDED = recorded();

    private static JsonNode recorded() {
        try (InputStream in = JinjaTemplateTest.class.getResourceAsStream("snippets.json")) {
            return JsonMapper.shared().readTree(Objects.requireNonNull(in));
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static String render(String source, Map<String, ? extends @Nullable Object> values) {
        return JinjaTemplate.parse(source).render(values, Map.of(), 1_000);
    }

    static List<Integer> rendered() {
        return IntStream.range(0, RECORDED.path("rendered").size()).boxed().toList();
    }

    @ParameterizedTest
    @MethodSource("rendered")
    void render_snippet_asJinja2(int index) {
        JsonNode one = RECORDED.path("rendered").get(index);
        String source = one.path("template").asString();
        assertThat(render(source, Map.of()))
                .as(source)
                .isEqualTo(one.path("text").asString());
    }

    static List<String> refused() {
        List<String> refused = new ArrayList<>();
        RECORDED.path("refused").forEach(each -> refused.add(each.asString()));
        return refused;
    }

    @ParameterizedTest
    @MethodSource("refused")
    void render_whatJinja2Refuses_refusedWithItsLine(String source) {
        assertThatThrownBy(() -> render(source, Map.of())).isInstanceOfSatisfying(JinjaException.class, refusal -> {
            if (!refusal.isRaisedByTemplate()) assertThat(refusal).hasMessageContaining("line ");
        });
    }

    @Test
    void render_valueThatLooksLikeATemplate_staysText() {
        String hostile = "{{ 7 * 7 }}{% for i in range(9) %}x{% endfor %}{# c #}";
        assertThat(render("{{ x }}|{{ x | trim }}|{% set y = x ~ x %}{{ y }}", Map.of("x", hostile)))
                .isEqualTo(hostile + "|" + hostile + "|" + hostile + hostile);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{% for a in range(1000) %}{% for b in range(1000) %}{% for c in range(1000) %}{% endfor %}{% endfor %}{% endfor %}",
                "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
                "{% macro m(x) %}{{ m(x ~ x) }}{% endmacro %}{{ m('aaaaaaaa') }}",
                "{{ range(1000000000) | list }}",
                "{% set ns = namespace(x='a') %}{% for i in range(100) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}{{ ns.x }}",
                "{{ 'a' * 1000000000 }}",
                "{{ 2 ** 100000000 }}",
                "{{ x.getClass() }}"
            })
    void render_endlessHugeOrReachingOut_refusedWithinBounds(String source) {
        assertThatThrownBy(() -> render(source, Map.of("x", "text"))).isInstanceOf(JinjaException.class);
    }

    @Test
    void parse_randomPiecesOfTemplates_readOrRefusedAndNothingElse() {
        List<String> pieces = List.of(
                "{{",
                "}}",
                "{%",
                "%}",
                "{#",
                "#}",
                "{%-",
                "-}}",
                " for ",
                " in ",
                " if ",
                " else ",
                " endfor ",
                " endif ",
                " set ",
                "macro m(",
                "x",
                "'",
                "\"",
                "(",
                ")",
                "[",
                "]",
                "{",
                "}",
                "|",
                "trim",
                ".",
                ",",
                "=",
                "==",
                "~",
                "+",
                "1",
                "1.5",
                "\n",
                "\\",
                "loop.index");
        Random random = new Random(20261125);
        for (int round = 0; round < 20_000; round++) {
            StringBuilder source = new StringBuilder();
            for (int i = random.nextInt(1, 14); i > 0; i--) source.append(pieces.get(random.nextInt(pieces.size())));
            try {
                render(source.toString(), Map.of("x", List.of(1L, "b")));
            } catch (JinjaException refused) {
                assertThat(refused).hasMessageContaining("line ");
            }
        }
    }

    @Test
    void parse_tooLong_refused() {
        assertThatThrownBy(() -> JinjaTemplate.parse("x".repeat(JinjaTemplate.MOST_CHARACTERS + 1)))
                .hasMessageContaining("at most " + JinjaTemplate.MOST_CHARACTERS);
    }
}
