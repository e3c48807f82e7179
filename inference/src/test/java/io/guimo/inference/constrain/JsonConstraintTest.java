package io.guimo.inference.constrain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.networknt.schema.InputFormat;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import io.guimo.inference.InvalidInput;
import io.guimo.inference.constrain.ConstrainedDraws.Answer;
import io.guimo.inference.generate.Constraint;
import io.guimo.inference.generate.ConstraintState;
import io.guimo.text.ToolCallEvent;
import io.guimo.text.ToolCallParser;
import io.guimo.text.ToolDefinition;
import io.guimo.text.ToolFormat;
import io.guimo.text.Vocabulary;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.core.StreamWriteFeature;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

class JsonConstraintTest {
    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .enable(StreamWriteFeature.WRITE_BIGDECIMAL_AS_PLAIN)
            .build();
    private static final Vocabulary VOCABULARY = TestVocabularies.likeAModels();
    private static final Set<Integer> END = Set.of(TestVocabularies.end(VOCABULARY));
    private static final ConstraintCompiler COMPILER = new ConstraintCompiler(VOCABULARY, END);
    private static final SchemaRegistry VALIDATOR =
            SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12);

    private static CompiledConstraint compile(String schema) {
        return COMPILER.compile(new Constraint.JsonSchema(schema));
    }

    private static boolean permits(ConstraintState state, int token) {
        return (state.allowed()[token >> 6] >>> token & 1) != 0;
    }

    /** Whether the text, byte by byte, is a whole answer. */
    private static boolean accepts(CompiledConstraint constraint, String text) {
        ConstraintState state = constraint.start();
        for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
            if (!permits(state, b & 0xff)) return false;
            state.accept(b & 0xff);
        }
        return state.mayEnd();
    }

    private static List<String> problems(String schema, String answer) {
        return problems(VALIDATOR.getSchema(schema), answer);
    }

    private static List<String> problems(Schema schema, String answer) {
        return schema
                .validate(answer, InputFormat.JSON, c -> c.executionConfig(e -> e.formatAssertionsEnabled(true)))
                .stream()
                .map(Object::toString)
                .toList();
    }

    /** Logits of a model that knows nothing: normal numbers, of another spread for each answer. */
    private static ConstrainedDraws.Logits noise(long seed) {
        Random random = new Random(seed);
        float[] logits = new float[VOCABULARY.size()];
        float spread = (float) Math.exp(random.nextGaussian());
        return token -> {
            for (int i = 0; i < logits.length; i++) logits[i] = (float) random.nextGaussian() * spread;
            return MemorySegment.ofArray(logits);
        };
    }

    /** schema, texts it takes, texts it refuses. */
    record Case(String schema, List<String> taken, List<String> refused) {}

    static List<Case> cases() {
        return List.of(
                new Case(
                        "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\"},\"b\":{\"type\":\"string\"}},\"required\":[\"a\",\"b\"],\"additionalProperties\":false}",
                        List.of(
                                "{\"a\":1,\"b\":\"x\"}",
                                "{\n  \"a\": -20,\n  \"b\": \"\\u00e9\\n\"\n}",
                                "{ \"a\": 0, \"b\": \"\" }"),
                        List.of(
                                "{\"a\":1}",
                                "{\"b\":\"x\",\"a\":1}",
                                "{\"a\":1,\"b\":\"x\",}",
                                "{\"a\":01,\"b\":\"\"}",
                                "{\"a\":1,\"b\":\"x\",\"c\":1}",
                                "{  \"a\":1,\"b\":\"\"}",
                                "{\"a\":1.0,\"b\":\"\"}",
                                " {\"a\":1,\"b\":\"\"}",
                                "{\"a\":1,\"b\":\"\\ud83d\"}",
                                "{\"a\":1,\"b\":\"\n\"}")),
                new Case(
                        "{\"type\":\"object\",\"properties\":{\"a\":{},\"b\":{},\"c\":{}},\"required\":[\"b\"],\"additionalProperties\":{\"type\":\"boolean\"}}",
                        List.of(
                                "{\"b\":[{\"x\":null}]}",
                                "{\"a\":1e5,\"b\":2}",
                                "{\"b\":2,\"c\":\"\"}",
                                "{\"b\":2,\"d\":true,\"ab\":false}",
                                "{\"b\":2,\"\":true}"),
                        List.of(
                                "{}",
                                "{\"a\":1}",
                                "{\"c\":1,\"b\":1}",
                                "{\"b\":2,\"d\":1}",
                                "{\"b\":2,\"b\":true}",
                                "{\"b\":2,\"a\":true}",
                                "{\"b\":2,\"\\u0061\":true}")),
                new Case(
                        "{\"type\":\"array\",\"items\":{\"type\":\"integer\"},\"minItems\":2,\"maxItems\":3}",
                        List.of("[1,2]", "[1, 2, 3]", "[\n 1,\n 2\n]"),
                        List.of("[]", "[1]", "[1,2,3,4]", "[1,,2]", "[1,2,]")),
                new Case(
                        "{\"type\":\"array\",\"prefixItems\":[{\"type\":\"null\"},{\"type\":\"boolean\"}],\"items\":{\"type\":\"integer\"}}",
                        List.of("[]", "[null]", "[null,true]", "[null,true,1,2]"),
                        List.of("[true]", "[null,1]", "[null,true,true]")),
                new Case(
                        "{\"prefixItems\":[{\"type\":\"null\"}],\"items\":false,\"minItems\":1}",
                        List.of("[null]"),
                        List.of("[]", "[null,null]", "null")),
                new Case(
                        "{\"type\":\"array\",\"items\":{\"const\":1},\"maxItems\":0}",
                        List.of("[]", "[ ]"),
                        List.of("[1]")),
                new Case(
                        "{\"enum\":[\"a\",1,null,[1,{\"b\":2}],\"规\\\"\"]}",
                        List.of("\"a\"", "1", "null", "[1,{\"b\":2}]", "\"规\\\"\""),
                        List.of("\"b\"", "2", "[1]", "\"\"")),
                new Case("{\"type\":\"string\",\"enum\":[\"a\",1]}", List.of("\"a\""), List.of("1")),
                new Case(
                        "{\"type\":\"string\",\"minLength\":2,\"maxLength\":3}",
                        List.of("\"ab\"", "\"规模é\"", "\"😀\\n\"", "\"\\ud83d\\ude00a\""),
                        List.of("\"a\"", "\"abcd\"", "\"😀\"", "\"\\ud83d\\ude00\"")),
                new Case(
                        "{\"type\":\"string\",\"pattern\":\"^a+$\",\"minLength\":3}",
                        List.of("\"aaa\"", "\"aaaaa\""),
                        List.of("\"aa\"", "\"aab\"")),
                new Case(
                        "{\"type\":\"string\",\"pattern\":\"b\"}",
                        List.of("\"b\"", "\"abc\"", "\"\\nb\\\"\""),
                        List.of("\"\"", "\"ac\"")),
                new Case(
                        "{\"type\":\"string\",\"pattern\":\"^[\\\\\\\\\\\"]$\"}",
                        List.of("\"\\\\\"", "\"\\\"\""),
                        List.of("\"a\"", "\"\\\"", "\"\"\"")),
                new Case(
                        "{\"type\":\"integer\",\"minimum\":-5,\"exclusiveMaximum\":12}",
                        List.of("-5", "-1", "0", "9", "10", "11"),
                        List.of("-6", "12", "-10", "100", "-0", "1.0")),
                new Case(
                        "{\"type\":\"number\",\"exclusiveMinimum\":0.25,\"maximum\":10.5}",
                        List.of("0.26", "0.250001", "1", "9.99", "10", "10.5", "10.50", "2.0"),
                        List.of("0.25", "0.2", "0", "10.51", "11", "-1", "0.2500", "1e0", "00.3")),
                new Case(
                        "{\"type\":\"number\",\"minimum\":-1.05,\"maximum\":-0.5}",
                        List.of("-1.05", "-1", "-1.0", "-0.5", "-0.75", "-1.050"),
                        List.of("-1.06", "-0.4", "0", "1", "-2", "-1.051", "-0.49")),
                new Case(
                        "{\"type\":\"number\",\"minimum\":0}",
                        List.of("0", "0.0", "12.5", "-0"),
                        List.of("-0.1", "-1")),
                new Case(
                        "{\"type\":\"number\",\"exclusiveMaximum\":0}",
                        List.of("-0.1", "-12"),
                        List.of("0", "-0", "0.0", "-0.0", "1")),
                new Case(
                        "{\"type\":\"number\",\"multipleOf\":0.01}",
                        List.of("1", "1.2", "1.25"),
                        List.of("1.255", "1e2")),
                new Case(
                        "{\"type\":[\"number\",\"null\"]}",
                        List.of("1", "-1.5E+10", "null"),
                        List.of("\"\"", "1.", ".5", "1e")),
                new Case(
                        "{\"type\":\"string\",\"format\":\"date\"}",
                        List.of("\"2024-02-29\"", "\"2025-12-31\""),
                        List.of("\"2023-02-29\"", "\"2025-13-01\"", "\"2025-04-31\"", "\"1900-02-29\"")),
                new Case(
                        "{\"anyOf\":[{\"type\":\"integer\"},{\"type\":\"array\",\"items\":{\"$ref\":\"#\"}}]}",
                        List.of("1", "[]", "[1,[2,[]]]"),
                        List.of("\"\"", "[\"\"]")),
                new Case(
                        "{\"$defs\":{\"node\":{\"type\":\"object\",\"properties\":{\"v\":{\"type\":\"integer\"},\"next\":{\"anyOf\":[{\"$ref\":\"#/$defs/node\"},{\"type\":\"null\"}]}},\"required\":[\"v\",\"next\"],\"additionalProperties\":false}},\"$ref\":\"#/$defs/node\"}",
                        List.of("{\"v\":1,\"next\":null}", "{\"v\":1,\"next\":{\"v\":2,\"next\":null}}"),
                        List.of("{\"v\":1}", "{\"v\":1,\"next\":{\"v\":2}}")),
                new Case(
                        "{\"allOf\":[{\"type\":\"integer\",\"minimum\":3},{\"maximum\":5}]}",
                        List.of("3", "5"),
                        List.of("2", "6", "3.5")),
                new Case(
                        "{\"allOf\":[{\"$ref\":\"#/$defs/base\"},{\"properties\":{\"b\":{\"type\":\"integer\"}},\"required\":[\"b\"]}],\"$defs\":{\"base\":{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"}},\"required\":[\"a\"]}}}",
                        List.of("{\"a\":\"\",\"b\":1}"),
                        List.of("{\"a\":\"\"}", "{\"b\":1}")),
                new Case(
                        "{\"oneOf\":[{\"type\":\"object\",\"properties\":{\"k\":{\"const\":\"x\"},\"n\":{\"type\":\"integer\"}},\"required\":[\"k\",\"n\"]},{\"type\":\"object\",\"properties\":{\"k\":{\"const\":\"y\"}},\"required\":[\"k\"]}]}",
                        List.of("{\"k\":\"x\",\"n\":1}", "{\"k\":\"y\"}"),
                        List.of("{\"k\":\"x\"}", "{\"k\":\"z\"}", "{\"k\":\"y\",\"n\":1}")),
                new Case(
                        "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\"},\"b\":{\"type\":\"integer\"}},\"additionalProperties\":false,\"anyOf\":[{\"required\":[\"a\"]},{\"required\":[\"b\"]}]}",
                        List.of("{\"a\":1}", "{\"b\":1}", "{\"a\":1,\"b\":2}"),
                        List.of("{}")),
                new Case(
                        "{\"type\":\"object\",\"additionalProperties\":{\"type\":\"integer\"},\"minProperties\":1,\"maxProperties\":2}",
                        List.of("{\"x\":1}", "{\"x\":1, \"\\\"y\":2}"),
                        List.of("{}", "{\"x\":1,\"y\":2,\"z\":3}", "{\"x\":null}")),
                new Case(
                        "{\"type\":\"object\"}",
                        List.of("{}", "{ }", "{\"a\":{\"b\":[1,\"\"]}}"),
                        List.of("[]", "{a:1}")),
                new Case(
                        "{\"type\":\"object\",\"properties\":{},\"additionalProperties\":false}",
                        List.of("{}"),
                        List.of("{\"a\":1}")),
                new Case("true", List.of("1", "\"x\"", "[{}]"), List.of("tru", "")));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void schema_ofEachKeyword_takesWhatValidates(Case one) {
        CompiledConstraint constraint = compile(one.schema());
        for (String text : one.taken()) {
            assertThat(accepts(constraint, text))
                    .as("%s takes %s", one.schema(), text)
                    .isTrue();
            assertThat(problems(one.schema(), text))
                    .as("the validator on %s", text)
                    .isEmpty();
        }
        for (String text : one.refused()) {
            assertThat(accepts(constraint, text))
                    .as("%s takes %s", one.schema(), text)
                    .isFalse();
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void answers_of250RandomSchemas_validate(long seed) {
        RandomSchemas schemas = new RandomSchemas(new Random(seed));
        for (int i = 0; i < 250; i++) {
            String schema = schemas.next().toString();
            CompiledConstraint constraint = compile(schema);
            Answer answer = ConstrainedDraws.draw(
                    VOCABULARY, END, constraint, noise(1000 * seed + i), 60 + constraint.shortestTokens(), i);
            assertThat(answer.whole()).as("%s: %s", schema, answer.text()).isTrue();
            assertThat(problems(schema, answer.text()))
                    .as("%s: %s", schema, answer.text())
                    .isEmpty();
        }
    }

    @Test
    void answers_withNoTokenToSpare_areWhole() {
        RandomSchemas schemas = new RandomSchemas(new Random(77));
        for (int i = 0; i < 200; i++) {
            String schema = schemas.next().toString();
            CompiledConstraint constraint = compile(schema);
            Answer answer =
                    ConstrainedDraws.draw(VOCABULARY, END, constraint, noise(i), constraint.shortestTokens(), i);
            assertThat(answer.whole()).as("%s: %s", schema, answer.text()).isTrue();
            assertThat(answer.tokens()).isLessThanOrEqualTo(constraint.shortestTokens());
            assertThat(problems(schema, answer.text()))
                    .as("%s: %s", schema, answer.text())
                    .isEmpty();
        }
    }

    /** What an answer becomes by a change somewhere is taken exactly when the validator takes it. */
    @Test
    void answers_changed_areTakenExactlyWhenTheyValidate() {
        Random random = new Random(5);
        RandomSchemas schemas = new RandomSchemas(random);
        int valid = 0;
        int invalid = 0;
        for (int i = 0; i < 200; i++) {
            String schema = schemas.next().toString();
            if (schema.contains("\"format\"")) continue; // of a format only the usual part is written
            CompiledConstraint constraint = compile(schema);
            Answer answer =
                    ConstrainedDraws.draw(VOCABULARY, END, constraint, noise(i), 40 + constraint.shortestTokens(), i);
            for (int k = 0; k < 20; k++) {
                String changed = changed(answer.text(), random);
                boolean validates = problems(schema, changed).isEmpty();
                if (validates) valid++;
                else invalid++;
                assertThat(accepts(constraint, changed))
                        .as("%s on %s, from %s", schema, changed, answer.text())
                        .isEqualTo(validates);
            }
        }
        assertThat(valid).isGreaterThan(300);
        assertThat(invalid).isGreaterThan(300);
    }

    /** One scalar replaced by another, written canonically. */
    private static String changed(String json, Random random) {
        List<String> scalars = List.of(
                "0", "7", "-3", "1500", "2.5", "true", "null", "\"\"", "\"a\"", "\"Zz.png\"", "\"on\"", "[]", "{}");
        var tree = JSON.readTree(json);
        List<Runnable> changes = new ArrayList<>();
        ObjectNode holder = JSON.createObjectNode();
        holder.set("root", tree);
        collect(holder, changes, () -> JSON.readTree(scalars.get(random.nextInt(scalars.size()))));
        changes.get(random.nextInt(changes.size())).run();
        return holder.get("root").toString();
    }

    private static void collect(JsonNode node, List<Runnable> changes, Supplier<JsonNode> other) {
        if (node instanceof ObjectNode object) {
            for (var entry : List.copyOf(object.properties())) {
                changes.add(() -> object.set(entry.getKey(), other.get()));
                collect(entry.getValue(), changes, other);
            }
        } else if (node instanceof ArrayNode array) {
            for (int i = 0; i < array.size(); i++) {
                int at = i;
                changes.add(() -> array.set(at, other.get()));
                collect(array.get(i), changes, other);
            }
        }
    }

    /** Every token of a vocabulary whose tokens cross borders, after every prefix of every answer up to a length, against all of those answers. */
    @Test
    void masks_overAllShortAnswers_areWhatBruteForceFinds() {
        Vocabulary vocabulary = TestVocabularies.of(
                "{",
                "}",
                "[",
                "]",
                ",",
                ":",
                "\"",
                "a",
                "b",
                "1",
                "2",
                "{\"",
                "\"a\"",
                "a\":",
                "\":1",
                "1,",
                ",\"b",
                "}}",
                "]}",
                "[1",
                "1]",
                "{}",
                "},",
                "[[",
                "2,\"b\":1}");
        int end = TestVocabularies.end(vocabulary);
        ConstraintCompiler compiler = new ConstraintCompiler(vocabulary, Set.of(end));
        List<String> scalars = List.of("1", "2", "21", "\"\"", "\"a\"", "\"ab\"");
        List<String> schemas = List.of(
                "{\"type\":\"object\",\"properties\":{\"a\":{\"enum\":[1,2,21]},\"b\":{\"const\":1}},\"required\":[\"a\"],\"additionalProperties\":false}",
                "{\"anyOf\":[{\"enum\":[1,2]},{\"type\":\"object\",\"properties\":{\"a\":{\"$ref\":\"#\"}},\"required\":[\"a\"],\"additionalProperties\":false}]}",
                "{\"anyOf\":[{\"enum\":[1]},{\"type\":\"array\",\"items\":{\"$ref\":\"#\"},\"maxItems\":2}]}",
                "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\",\"enum\":[\"a\",\"ab\"]},\"b\":{\"type\":\"array\",\"items\":{\"enum\":[1,\"a\"]},\"minItems\":1}},\"additionalProperties\":false}");
        int longest = 11;
        Set<String> values = allValues(scalars, longest);
        for (String schema : schemas) {
            Set<String> answers = new HashSet<>();
            Schema validator = VALIDATOR.getSchema(schema);
            for (String text : values) if (problems(validator, text).isEmpty()) answers.add(text);
            Set<String> prefixes = new HashSet<>();
            for (String answer : answers)
                for (int i = 0; i <= answer.length(); i++) prefixes.add(answer.substring(0, i));
            CompiledConstraint constraint = compiler.compile(new Constraint.JsonSchema(schema));
            int compared = compare(vocabulary, constraint, List.of(), "", answers, prefixes, schema);
            assertThat(compared).isGreaterThan(100);
        }
    }

    private static int compare(
            Vocabulary vocabulary,
            CompiledConstraint constraint,
            List<Integer> tokens,
            String prefix,
            Set<String> answers,
            Set<String> prefixes,
            String schema) {
        ConstraintState state = constraint.start();
        tokens.forEach(state::accept);
        assertThat(state.mayEnd()).as("%s at %s", schema, prefix).isEqualTo(answers.contains(prefix));
        int compared = 0;
        for (int token = 0; token < vocabulary.size() - 1; token++) {
            String next = prefix + new String(vocabulary.bytes(token), StandardCharsets.UTF_8);
            compared++;
            assertThat(permits(state, token))
                    .as("%s: %s then %s", schema, prefix, next)
                    .isEqualTo(prefixes.contains(next));
            // What is longer may need more characters to its end than the answers here have.
            if (prefixes.contains(next) && next.length() <= 3) {
                List<Integer> longer = new ArrayList<>(tokens);
                longer.add(token);
                compared += compare(vocabulary, constraint, longer, next, answers, prefixes, schema);
            }
        }
        return compared;
    }

    /** Every JSON value of up to so many characters, without blanks, of these scalars and of objects with the names a and b in this order. */
    private static Set<String> allValues(List<String> scalars, int longest) {
        Set<String> values = new HashSet<>(scalars);
        values.add("{}");
        values.add("[]");
        for (List<String> news = List.copyOf(values); !news.isEmpty(); ) {
            Set<String> made = new HashSet<>();
            List<String> known = List.copyOf(values);
            for (String v : news) {
                add(made, "[" + v + "]", longest);
                add(made, "{\"a\":" + v + "}", longest);
                add(made, "{\"b\":" + v + "}", longest);
                for (String other : known) {
                    pair(made, v, other, longest);
                    pair(made, other, v, longest);
                }
            }
            made.removeAll(values);
            news = List.copyOf(made);
            values.addAll(made);
        }
        return values;
    }

    /** The array or object {@code open} with a further value. */
    private static void pair(Set<String> made, String open, String further, int longest) {
        if (open.length() + further.length() >= longest) return;
        String begun = open.substring(0, open.length() - 1);
        if (open.startsWith("[") && open.length() > 2) add(made, begun + "," + further + "]", longest);
        if (open.startsWith("{\"a\":") && !begun.substring(4).startsWith(",\"b\""))
            add(made, begun + ",\"b\":" + further + "}", longest);
    }

    private static void add(Set<String> values, String value, int longest) {
        if (value.length() <= longest) values.add(value);
    }

    @Test
    void framed_texts_takenUpToTheMost() {
        CompiledConstraint constraint =
                COMPILER.compile(new Constraint.Framed("<call>\n", "{\"type\":\"integer\"}", "</call>", "; ", 3));
        String one = "<call>\n42</call>";
        for (String taken : List.of(one, one + "; " + one, one + "; " + one + "; " + one)) {
            assertThat(accepts(constraint, taken)).as(taken).isTrue();
        }
        for (String refused : List.of(
                "",
                "42",
                "<call>\n42",
                "<call>42</call>",
                "<call>\n\"a\"</call>",
                one + one,
                one + "; ",
                one + "; " + one + "; " + one + "; " + one)) {
            assertThat(accepts(constraint, refused)).as(refused).isFalse();
        }
        CompiledConstraint bare = COMPILER.compile(new Constraint.Framed("", "{\"type\":\"null\"}", "", "", 1));
        assertThat(accepts(bare, "null")).isTrue();
        assertThat(accepts(bare, "nullnull")).isFalse();
    }

    /** Of each family, what its parser finds in an answer that was forced is calls alone, and their arguments validate. */
    @ParameterizedTest
    @EnumSource(ToolFormat.class)
    void framed_callsOfNoise_validate(ToolFormat format) {
        Map<String, String> schemas = Map.of(
                "f",
                "{\"type\":\"object\",\"properties\":{\"t\":{\"$ref\":\"#/$defs/t\"}},\"required\":[\"t\"],\"additionalProperties\":false,"
                        + "\"$defs\":{\"t\":{\"type\":\"object\",\"properties\":{\"n\":{\"type\":\"integer\"},\"t\":{\"$ref\":\"#/$defs/t\"}},\"required\":[\"n\"],"
                        + "\"additionalProperties\":false}}}",
                "g",
                "{\"type\":\"object\",\"properties\":{\"word\":{\"enum\":[\"yes\",\"no\"]}},\"required\":[\"word\"]}");
        List<ToolDefinition> tools = schemas.entrySet().stream()
                .map(tool -> new ToolDefinition(tool.getKey(), null, tool.getValue()))
                .toList();
        for (boolean parallel : new boolean[] {false, true}) {
            ToolFormat.Frame frame = format.frame(tools, parallel);
            CompiledConstraint constraint = COMPILER.compile(new Constraint.Framed(
                    frame.prefix(), frame.schema(), frame.suffix(), frame.separator(), frame.most()));
            int most = 0;
            for (int i = 0; i < 100; i++) {
                Answer answer = ConstrainedDraws.draw(VOCABULARY, END, constraint, noise(i), 250, i);
                assertThat(answer.whole()).as(answer.text()).isTrue();
                ToolCallParser parser = format.parser(schemas.keySet(), () -> "call");
                List<ToolCallEvent> events = new ArrayList<>(parser.add(answer.text()));
                events.addAll(parser.end());
                String name = "";
                StringBuilder arguments = new StringBuilder();
                for (ToolCallEvent event : events) {
                    switch (event) {
                        case ToolCallEvent.Begin begin -> name = begin.name();
                        case ToolCallEvent.Arguments(String json) -> arguments.append(json);
                        case ToolCallEvent.End() -> {
                            assertThat(problems(Objects.requireNonNull(schemas.get(name)), arguments.toString()))
                                    .as(answer.text())
                                    .isEmpty();
                            arguments.setLength(0);
                        }
                        case ToolCallEvent.Text(String text) ->
                            throw new AssertionError("text beside calls: " + text + " in " + answer.text());
                    }
                }
                most = Math.max(most, parser.ended());
                assertThat(parser.ended()).isPositive();
            }
            assertThat(most).as("calls of one answer").matches(m -> parallel ? m > 1 : m == 1);
        }
    }

    @Test
    void jsonObject_ofNoise_isAnObject() {
        CompiledConstraint constraint = COMPILER.compile(new Constraint.JsonObject());
        for (int i = 0; i < 100; i++) {
            Answer answer = ConstrainedDraws.draw(VOCABULARY, END, constraint, noise(i), 80, i);
            assertThat(answer.whole()).as(answer.text()).isTrue();
            assertThat(JSON.readTree(answer.text()).isObject())
                    .as(answer.text())
                    .isTrue();
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"not\":{}}",
                "{\"type\":\"array\",\"uniqueItems\":true}",
                "{\"type\":\"object\",\"patternProperties\":{\"^a\":{}}}",
                "{\"type\":\"number\",\"multipleOf\":7}",
                "{\"type\":\"txt\"}",
                "{\"type\":\"string\",\"minLength\":-1}",
                "{\"type\":\"string\",\"maxLength\":\"3\"}",
                "{\"type\":\"integer\",\"minimum\":\"3\"}",
                "{\"$ref\":\"#/$defs/none\"}",
                "{\"$ref\":\"https://example.com/schema\"}",
                "{\"$ref\":\"#\"}",
                "{\"anyOf\":[{\"$ref\":\"#\"},{\"type\":\"null\"}]}",
                "{\"allOf\":[{\"$ref\":\"#\"},{\"type\":\"null\"}]}",
                "{\"oneOf\":[{\"type\":\"integer\"},{\"minimum\":3}]}",
                "{\"type\":\"string\",\"pattern\":\"(?=a)\"}",
                "{\"type\":\"integer\",\"minimum\":3,\"maximum\":2}",
                "{\"type\":\"object\",\"properties\":{\"a\":{\"$ref\":\"#\"}},\"required\":[\"a\"]}",
                "{\"enum\":[]}",
                "{\"const\":1,\"type\":\"string\"}",
                "{\"anyOf\":[]}",
                "{\"properties\":[]}",
                "{\"required\":[1]}",
                "[]",
                "3",
                "{\"type\"",
                ""
            })
    void schema_wrongOrNotSupported_isRefusedWithAReason(String schema) {
        assertThatThrownBy(() -> compile(schema))
                .isInstanceOf(InvalidInput.class)
                .hasMessageMatching("(?s).*(schema|fulfils|pattern|constraint).*");
    }

    @Test
    void schemas_hostile_areRefusedOrHandledWithinBounds() {
        StringBuilder wide = new StringBuilder("{\"type\":\"object\",\"properties\":{");
        for (int i = 0; i < 3000; i++)
            wide.append(i == 0 ? "" : ",").append("\"p").append(i).append("\":{\"type\":\"integer\"}");
        wide.append("}}");
        StringBuilder chain = new StringBuilder("{\"$ref\":\"#/$defs/d0\",\"$defs\":{");
        for (int i = 0; i < 2000; i++)
            chain.append("\"d")
                    .append(i)
                    .append("\":{\"$ref\":\"#/$defs/d")
                    .append(i + 1)
                    .append("\"},");
        chain.append("\"d2000\":{\"type\":\"null\"}}}");
        StringBuilder doubling = new StringBuilder("{\"$ref\":\"#/$defs/d0\",\"$defs\":{");
        for (int i = 0; i < 40; i++) {
            doubling.append("\"d")
                    .append(i)
                    .append("\":{\"allOf\":[{\"$ref\":\"#/$defs/d")
                    .append(i + 1)
                    .append("\"},{\"$ref\":\"#/$defs/d")
                    .append(i + 1)
                    .append("\"}]},");
        }
        doubling.append("\"d40\":{\"type\":\"null\"}}}");
        String choices = "{\"anyOf\":[{\"minimum\":1},{\"maximum\":2},{\"minimum\":3},{\"maximum\":4}]}";
        List<String> schemas = List.of(
                "{\"items\":".repeat(10_000) + "{}" + "}".repeat(10_000),
                "{\"items\":".repeat(200) + "{}" + "}".repeat(200),
                "{\"allOf\":[".repeat(100) + "{}" + "]}".repeat(100),
                wide.toString(),
                chain.toString(),
                doubling.toString(),
                "{\"allOf\":[" + choices + ("," + choices).repeat(20) + "]}",
                "{\"type\":\"string\",\"pattern\":\"(a{1,1000}){1,1000}\"}",
                "{\"type\":\"string\",\"pattern\":\"^(a|b)*a(a|b){14}$\",\"minLength\":5000,\"maxLength\":9000}",
                "{\"type\":\"string\",\"minLength\":1000000000}",
                "{\"type\":\"array\",\"items\":{\"type\":\"array\",\"minItems\":1000000},\"minItems\":1000000}",
                "{\"type\":\"number\",\"minimum\":1e400}",
                "{\"type\":\"number\",\"minimum\":1e-4000000}",
                "{\"type\":\"integer\",\"minLength\":3,\"minimum\":1e15}",
                "{\"enum\":[\"" + "x".repeat(100_000) + "\"]}",
                "\"" + "x".repeat(2_000_000) + "\"");
        for (String schema : schemas) {
            try {
                ConstraintState state = compile(schema).start();
                state.setRemaining(100);
                assertThat(state.allowed()).isNotEmpty();
            } catch (InvalidInput refused) {
                assertThat(refused.getMessage()).hasSizeLessThan(400);
            }
        }
    }

    /** Two readings of each level of nesting: were they kept apart, there would be 2³⁰ of them. */
    @Test
    void readings_ambiguousAtEachLevel_staysSmall() {
        CompiledConstraint constraint = compile(
                "{\"anyOf\":[{\"type\":\"null\"},{\"type\":\"object\",\"properties\":{\"a\":{\"$ref\":\"#\"}},\"required\":[\"a\"],\"additionalProperties\":false},"
                        + "{\"type\":\"object\",\"properties\":{\"a\":{\"$ref\":\"#\"},\"b\":{\"type\":\"null\"}},\"required\":[\"a\"],\"additionalProperties\":false}]}");
        String deep = "{\"a\":".repeat(30) + "null" + ",\"b\":null}".repeat(15) + "}".repeat(15);
        assertThat(accepts(constraint, deep)).isTrue();
    }
}
