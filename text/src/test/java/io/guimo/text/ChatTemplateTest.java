package io.guimo.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Real templates against what transformers made of them; how they were recorded stands in the resource. */
class ChatTemplateTest {
    private static final JsonNode RECORDED = recorded();
    private static final InstantSource CLOCK = InstantSource.fixed(Instant.parse("2026-11-25T09:05:07Z"));
    private static final Set<String> MARKS = Set.of("<|im_start|>", "<|im_end|>", "</s>", "[/INST]");

    private static JsonNode recorded() {
        try (InputStream in = ChatTemplateTest.class.getResourceAsStream("renderings.json")) {
            return JsonMapper.shared().readTree(Objects.requireNonNull(in));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static ChatTemplate template(String source) {
        return ChatTemplate.of(source, Map.of("bos_token", "<s>", "eos_token", "</s>"), MARKS, CLOCK);
    }

    static List<Arguments> renderings() {
        List<Arguments> all = new ArrayList<>();
        RECORDED.path("templates").properties().forEach(template -> template.getValue()
                .path("render")
                .properties()
                .forEach(each -> all.add(Arguments.of(template.getKey(), each.getKey()))));
        return all;
    }

    @ParameterizedTest
    @MethodSource("renderings")
    void render_realTemplate_asTransformers(String model, String conversation) {
        JsonNode template = RECORDED.path("templates").path(model);
        JsonNode asked = RECORDED.path("conversations").path(conversation);
        JsonNode expected = template.path("render").path(conversation);
        ChatTemplate read = template(template.path("source").asString());
        List<ChatMessage> messages = messages(asked.path("messages"));
        List<ToolDefinition> tools = tools(asked.path("tools"));
        boolean generation = asked.path("generation").asBoolean();
        if (expected.isNull()) {
            assertThatThrownBy(() -> read.render(messages, tools, generation)).isInstanceOf(ChatTemplate.Refused.class);
        } else {
            assertThat(read.render(messages, tools, generation).text()).isEqualTo(expected.asString());
        }
    }

    private static List<ChatMessage> messages(JsonNode recorded) {
        List<ChatMessage> messages = new ArrayList<>();
        for (JsonNode message : recorded) {
            List<ToolCall> calls = new ArrayList<>();
            for (JsonNode call : message.path("tool_calls")) {
                calls.add(new ToolCall(
                        call.path("id").asString(),
                        call.path("function").path("name").asString(),
                        call.path("function").path("arguments").toString()));
            }
            messages.add(new ChatMessage(
                    message.path("role").asString(),
                    message.path("content").asString(),
                    message.has("name") ? message.path("name").asString() : null,
                    calls,
                    message.has("tool_call_id") ? message.path("tool_call_id").asString() : null));
        }
        return messages;
    }

    private static List<ToolDefinition> tools(JsonNode recorded) {
        List<ToolDefinition> tools = new ArrayList<>();
        for (JsonNode tool : recorded) {
            JsonNode function = tool.path("function");
            tools.add(new ToolDefinition(
                    function.path("name").asString(),
                    function.path("description").asString(),
                    function.path("parameters").toString()));
        }
        return tools;
    }

    @Test
    void render_markInAMessage_isCutByABorderAndOnlyThere() {
        ChatTemplate chatMl =
                template("{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}");
        ChatTemplate.Prompt prompt = chatMl.render(List.of(ChatMessage.of("user", "a <|im_end|> b")), List.of(), false);
        assertThat(prompt.pieces()).containsExactly("<|im_start|>user\na <", "|im_end|> b<|im_end|>\n");
        assertThat(prompt.text()).isEqualTo("<|im_start|>user\na <|im_end|> b<|im_end|>\n");
    }

    @Test
    void render_everyMarkAnywhereInAMessage_neverWholeInAPiece() {
        ChatTemplate bare = template("{% for m in messages %}{{ m.content }}{% endfor %}");
        for (String mark : MARKS) {
            for (String text :
                    List.of(mark, mark + mark, "x" + mark, mark.repeat(3) + "y", mark.substring(0, 2) + mark)) {
                ChatTemplate.Prompt prompt = bare.render(List.of(ChatMessage.of("user", text)), List.of(), false);
                assertThat(prompt.text()).isEqualTo(text);
                assertThat(prompt.pieces())
                        .allSatisfy(piece -> assertThat(MARKS).noneMatch(piece::contains));
            }
        }
    }

    @Test
    void render_marksWithCommonBeginnings_borderInsideEachAsSearchedOneByOne() {
        Set<String> marks = Set.of("<a", "<ab>", "<abc>", "b>", "\uD83D\uDE00\uD83D\uDE00", "aa");
        ChatTemplate bare = ChatTemplate.of("{{ messages[0].content }}", Map.of(), marks, CLOCK);
        List<String> fragments = List.of("<", "a", "b", "c", ">", "\uD83D\uDE00");
        Random random = new Random(20261125);
        for (int round = 0; round < 2_000; round++) {
            StringBuilder text = new StringBuilder();
            for (int i = random.nextInt(1, 12); i > 0; i--) {
                text.append(fragments.get(random.nextInt(fragments.size())));
            }
            List<String> expected = new ArrayList<>();
            int from = 0;
            for (int i = 0; i < text.length(); i = text.offsetByCodePoints(i, 1)) {
                String rest = text.substring(i);
                if (marks.stream().noneMatch(rest::startsWith)) continue;
                int border = text.offsetByCodePoints(i, 1);
                expected.add(text.substring(from, border));
                from = border;
            }
            expected.add(text.substring(from));
            expected.removeIf(String::isEmpty);
            ChatTemplate.Prompt prompt =
                    bare.render(List.of(ChatMessage.of("user", text.toString())), List.of(), false);
            assertThat(prompt.pieces()).as(text.toString()).isEqualTo(expected);
        }
    }

    @Test
    void render_templateRaises_refusalSaysWhat() {
        ChatTemplate strict = template("{{ raise_exception('roles must alternate') }}");
        assertThatThrownBy(() -> strict.render(List.of(ChatMessage.of("user", "x")), List.of(), true))
                .isInstanceOf(ChatTemplate.Refused.class)
                .hasMessageContaining("refuses this conversation")
                .hasMessageContaining("roles must alternate");
    }

    @Test
    void of_unreadableTemplate_refusedWithItsLine() {
        assertThatThrownBy(() -> template("\n{% if %}"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("line 2");
    }
}
