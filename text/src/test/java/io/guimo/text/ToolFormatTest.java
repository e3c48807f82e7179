package io.guimo.text;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class ToolFormatTest {
    private static final long SEED = 9;
    private static final JsonMapper JSON = JsonMapper.shared();

    @ParameterizedTest
    @CsvSource({"SmolLM2,", "Qwen2.5, HERMES", "Qwen3, HERMES", "Mistral Nemo,", "Phi-3.5,"})
    void of_recordedTemplates_whatTheyTeach(String model, ToolFormat expected) throws IOException {
        try (InputStream in = Objects.requireNonNull(getClass().getResourceAsStream("renderings.json"))) {
            JsonNode templates = JSON.readTree(in).get("templates");
            String source = templates.get(model).get("source").stringValue();
            assertThat(ToolFormat.of(source)).isEqualTo(Optional.ofNullable(expected));
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '¦', quoteCharacter = '`', textBlock = """
            {% if tools %}in the form <tool_call>[{"name": "f"}]</tool_call>{% endif %}                ¦ SMOL
            {% if tools %}{{ '<|python_tag|>' }}{% endif %}                                            ¦ LLAMA
            {% if tools %}{"name": n, "parameters": dictionary of argument name and its value}{% endif %} ¦ LLAMA
            {{ '<tool_call>' }}                                                                        ¦
            """)
    void of_marks_theirFamily(String source, ToolFormat expected) {
        assertThat(ToolFormat.of(source)).isEqualTo(Optional.ofNullable(expected));
    }

    /**
     * Texts of an answer, and what is in them: [name arguments] for calls. A line break is written ⏎.
     *
     * <p>Each is cut in 200 ways, the first into single characters.
     */
    @ParameterizedTest
    @CsvSource(delimiter = '¦', quoteCharacter = '`', textBlock = """
            HERMES ¦ plain text⏎                                                                        ¦ plain text⏎
            HERMES ¦ <tool_call>⏎{"name": "f", "arguments": {"a": 1}}⏎</tool_call>                      ¦ [f {"a": 1}]
            HERMES ¦ Let me see.⏎⏎<tool_call>⏎{"name": "f", "arguments": {"a": "}\\"{</tool_call>"}}⏎</tool_call>⏎ ¦ Let me see.[f {"a": "}\\"{</tool_call>"}]
            HERMES ¦ <tool_call>⏎{"name": "f", "arguments": {}}⏎</tool_call>⏎<tool_call>⏎{"name": "g", "arguments": {"x": [{}]}}⏎</tool_call> ¦ [f {}][g {"x": [{}]}]
            HERMES ¦ <tool_call>{"name": "f", "arguments": {}}</tool_call> and then                     ¦ [f {}] and then
            HERMES ¦ <tool_call>{"arguments": {"a": 1}, "name": "f"}</tool_call>                        ¦ [f {"a":1}]
            HERMES ¦ <tool_call>{"arguments": {"a": 1}, "name": "f"}                                    ¦ [f {"a":1}]
            HERMES ¦ <tool_call>{"name": "f", "arguments": {"a": 1}}                                    ¦ [f {"a": 1}]
            HERMES ¦ <tool_call>{"name": "f", "arguments": {"a": 1                                      ¦ [f {"a": 1]
            HERMES ¦ <tool_call>{"name": "unknown", "arguments": {}}</tool_call> x                      ¦ <tool_call>{"name": "unknown", "arguments": {}}</tool_call> x
            HERMES ¦ a⏎<tool_call>nonsense</tool_call>⏎                                                 ¦ a⏎<tool_call>nonsense</tool_call>⏎
            HERMES ¦ a <tool_call>{"name": "f", "argu                                                   ¦ a <tool_call>{"name": "f", "argu
            HERMES ¦ 1 < 2 <tool_ca                                                                     ¦ 1 < 2 <tool_ca
            HERMES ¦ <tool_call>{"name": "f", "arguments": "x"}</tool_call>                             ¦ <tool_call>{"name": "f", "arguments": "x"}</tool_call>
            HERMES ¦ <tool_call>{"name": "f", "arguments": {}, "b": 1}</tool_call>                      ¦ [f {}], "b": 1}</tool_call>
            HERMES ¦ <tool_call>[[[[[</tool_call><tool_call>{"name": "f", "arguments": {}}</tool_call>   ¦ <tool_call>[[[[[</tool_call>[f {}]
            SMOL   ¦ <tool_call>[{"name": "f", "arguments": {"a": 1}}, {"name": "g", "arguments": {}}]</tool_call> ¦ [f {"a": 1}][g {}]
            SMOL   ¦ <tool_call>[⏎{"name": "f", "arguments": {}},⏎{"arguments": {}, "name": "g"}⏎]⏎</tool_call>⏎ ¦ [f {}][g {}]
            SMOL   ¦ <tool_call>[]</tool_call>                                                          ¦ <tool_call>[]</tool_call>
            SMOL   ¦ <tool_call>[{"name": "f", "arguments": {}}, 7]</tool_call>                         ¦ [f {}] 7]</tool_call>
            SMOL   ¦ <tool_call>[{"arguments": {}, "name": "f"}, {"name": "g", "arguments": {}}]</tool_call> ¦ [f {}][g {}]
            LLAMA  ¦ {"name": "f", "parameters": {"a": "b"}}                                            ¦ [f {"a": "b"}]
            LLAMA  ¦ <|python_tag|>{"type": "function", "name": "f", "parameters": {}}; {"name": "g", "parameters": {}} ¦ [f {}][g {}]
            LLAMA  ¦ The answer is {"name": "f", "parameters": {}}                                      ¦ The answer is {"name": "f", "parameters": {}}
            LLAMA  ¦ {"name": "Bob", "parameters": {}}                                                  ¦ {"name": "Bob", "parameters": {}}
            LLAMA  ¦ {"parameters": {"a": 1}, "name": "f"}                                              ¦ [f {"a":1}]
            LLAMA  ¦ {"name": "f", "parameters": {}} That was it.⏎                                      ¦ [f {}] That was it.⏎
            LLAMA  ¦ <|python                                                                           ¦ <|python
            """)
    void parser_anyCuts_theSameSum(ToolFormat format, String shown, String expected) {
        String text = shown.replace('⏎', '\n');
        Random random = new Random(SEED);
        for (int round = 0; round < 200; round++) {
            int[] ids = {0};
            ToolCallParser parser = format.parser(Set.of("f", "g"), () -> "call_" + ids[0]++);
            List<ToolCallEvent> events = new ArrayList<>();
            for (int from = 0; from < text.length(); ) {
                int to = round == 0 ? from + 1 : Math.min(text.length(), from + 1 + random.nextInt(12));
                events.addAll(parser.add(text.substring(from, to)));
                from = to;
            }
            events.addAll(parser.end());
            assertThat(sum(events)).as("round %s of seed %s", round, SEED).isEqualTo(expected.replace('⏎', '\n'));
            assertThat(parser.held()).isZero();
            assertThat(parser.ended()).isEqualTo((int)
                    events.stream().filter(ToolCallEvent.End.class::isInstance).count());
        }
    }

    @Test
    void parser_argumentsWhileTheyAreWritten_toldAtOnce() {
        ToolCallParser parser = ToolFormat.HERMES.parser(Set.of("f"), () -> "c");
        assertThat(parser.add("Yes <tool_")).containsExactly(new ToolCallEvent.Text("Yes"));
        assertThat(parser.add("call>{\"name\": \"f\", \"arguments\": ")).isEmpty();
        assertThat(parser.add("{\"a\": "))
                .containsExactly(new ToolCallEvent.Begin("c", "f"), new ToolCallEvent.Arguments("{\"a\": "));
        assertThat(parser.held()).isZero();
        assertThat(parser.add("1}")).containsExactly(new ToolCallEvent.Arguments("1}"));
    }

    @Test
    void frame_referencesInTheParameters_pointToTheirNewPlace() {
        ToolDefinition tool = new ToolDefinition(
                "f",
                null,
                "{\"properties\":{\"a\":{\"$ref\":\"#/$defs/t\"}},\"$defs\":{\"t\":{\"type\":\"integer\"}}}");
        for (ToolFormat format : ToolFormat.values()) {
            JsonNode schema = JSON.readTree(format.frame(List.of(tool), true).schema());
            JsonNode parameters = schema.findValue("properties").get(format.argumentsKey);
            String reference = parameters.at("/properties/a/$ref").stringValue();
            assertThat(schema.at(reference.substring(1)).toString()).isEqualTo("{\"type\":\"integer\"}");
            assertThat(parameters.get("type").stringValue()).isEqualTo("object");
        }
    }

    @Test
    void toolsInText_callsAndResults_becomeTexts() {
        List<ChatMessage> written = ToolsInText.written(
                List.of(
                        ChatMessage.of("system", "Be brief."),
                        ChatMessage.of("user", "Weather?"),
                        new ChatMessage("assistant", "", null, List.of(new ToolCall("c", "f", "{\"a\": 1}")), null),
                        new ChatMessage("tool", "sunny", null, List.of(), "c"),
                        ChatMessage.of("user", "And?")),
                List.of(new ToolDefinition("f", "does", "{\"type\": \"object\"}")));
        assertThat(written).extracting(ChatMessage::role).containsExactly("system", "user", "assistant", "user");
        assertThat(written.get(0).content())
                .startsWith("Be brief.\n\nYou can call")
                .contains(
                        "<tools>\n{\"type\":\"function\",\"function\":{\"name\":\"f\",\"description\":\"does\",\"parameters\":{\"type\":\"object\"}}}\n</tools>");
        assertThat(written.get(2).content())
                .isEqualTo("<tool_call>\n{\"name\":\"f\",\"arguments\":{\"a\":1}}\n</tool_call>");
        assertThat(written.get(3).content()).isEqualTo("<tool_response>\nsunny\n</tool_response>\nAnd?");
    }

    private static String sum(List<ToolCallEvent> events) {
        StringBuilder sum = new StringBuilder();
        for (ToolCallEvent event : events) {
            sum.append(
                    switch (event) {
                        case ToolCallEvent.Text(String text) -> text;
                        case ToolCallEvent.Begin begin -> "[" + begin.name() + " ";
                        case ToolCallEvent.Arguments(String json) -> json;
                        case ToolCallEvent.End() -> "]";
                    });
        }
        return sum.toString();
    }
}
