package io.guimo.serve.language;

import io.guimo.serve.http.RefusedException;
import io.guimo.serve.http.Shape;
import io.guimo.text.ChatMessage;
import io.guimo.text.ToolCall;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.databind.DeserializationContext;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ValueDeserializer;
import tools.jackson.databind.annotation.JsonDeserialize;

/**
 * Anthropic's request of a message.
 *
 * @param maxTokens required, as theirs is
 * @param messages of {@code user} and {@code assistant}; an assistant's last one is not gone on from, since templates end it
 * @param system a text or blocks of text
 * @param temperature 0 to 1, as theirs
 * @param tools that the model may call, at most 128
 * @param toolChoice of a type: auto, any, none, or tool with its name
 * @param thinking refused unless {@code {"type": "disabled"}}
 * @param metadata accepted and not kept
 * @param serviceTier {@code auto} or {@code standard_only}
 */
record MessagesRequest(
        String model,
        Long maxTokens,
        List<MessageTurn> messages,
        @Nullable TextContent system,
        @Nullable List<String> stopSequences,
        @Nullable Boolean stream,
        @Nullable Double temperature,
        @Nullable Double topP,
        @Nullable Long topK,
        @Nullable JsonNode tools,
        @Nullable JsonNode toolChoice,
        @Nullable JsonNode thinking,
        @Nullable JsonNode metadata,
        @Nullable String serviceTier) {
    private static final int MOST_MESSAGES = 10_000;

    record MessageTurn(String role, MessageBlocks content) {}

    /** A text or a list of blocks. */
    @Shape("""
            {"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "object"}}]}""")
    @JsonDeserialize(using = BlocksReader.class)
    record MessageBlocks(List<MessageBlock> blocks) {
        MessageBlocks {
            blocks = List.copyOf(blocks);
        }
    }

    /**
     * @param type {@code text}, {@code tool_use} or {@code tool_result}
     * @param cacheControl accepted: what begins alike is kept without being told
     * @param citations passed over
     */
    record MessageBlock(
            String type,
            @Nullable String text,
            @Nullable String id,
            @Nullable String name,
            @Nullable JsonNode input,
            @Nullable String toolUseId,
            @Nullable TextContent content,
            @Nullable Boolean isError,
            @Nullable JsonNode cacheControl,
            @Nullable JsonNode citations) {}

    static final class BlocksReader extends ValueDeserializer<MessageBlocks> {
        @Override
        public MessageBlocks deserialize(JsonParser in, DeserializationContext context) {
            if (in.currentToken() == JsonToken.VALUE_STRING) {
                return new MessageBlocks(List.of(
                        new MessageBlock("text", in.getString(), null, null, null, null, null, null, null, null)));
            }
            if (in.currentToken() != JsonToken.START_ARRAY) {
                String at = Fields.path(in);
                throw RefusedException.invalid("'" + at + "' must be a text or a list of blocks", at, "invalid_type");
            }
            return new MessageBlocks(List.of(context.readValue(in, MessageBlock[].class)));
        }
    }

    void check() {
        if (thinking != null && !thinking.path("type").asString("").equals("disabled")) {
            throw Fields.unsupported("thinking", "'thinking' is asked for; these models answer at once, leave it out");
        }
        if (serviceTier != null && !serviceTier.equals("auto") && !serviceTier.equals("standard_only")) {
            throw Fields.invalid(
                    "service_tier", "'service_tier' is '" + serviceTier + "'; write auto or standard_only");
        }
    }

    List<ChatMessage> conversation() {
        if (messages.isEmpty() || messages.size() > MOST_MESSAGES) {
            throw Fields.invalid(
                    "messages", "'messages' has " + messages.size() + " messages; give 1 to " + MOST_MESSAGES);
        }
        List<ChatMessage> conversation = new ArrayList<>();
        if (system != null) conversation.add(ChatMessage.of("system", system.text()));
        for (int i = 0; i < messages.size(); i++) {
            MessageTurn turn = messages.get(i);
            String at = "messages[" + i + "]";
            switch (turn.role()) {
                case "user" -> user(turn, at, conversation);
                case "assistant" -> conversation.add(assistant(turn, at));
                default ->
                    throw Fields.invalid(
                            at + ".role", "'" + at + ".role' is '" + turn.role() + "'; write user or assistant");
            }
        }
        if (conversation.getLast().role().equals("assistant")) {
            throw Fields.invalid(
                    "messages", "'messages' ends with an assistant's message; these models begin their own");
        }
        return conversation;
    }

    /** The results of tools are messages of their own to a template, ahead of what the user says. */
    private static void user(MessageTurn turn, String at, List<ChatMessage> conversation) {
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < turn.content().blocks().size(); i++) {
            MessageBlock block = turn.content().blocks().get(i);
            String here = at + ".content[" + i + "]";
            switch (block.type()) {
                case "text" -> texts.add(required(block.text(), here + ".text"));
                case "tool_result" -> {
                    TextContent result = block.content();
                    conversation.add(new ChatMessage(
                            "tool",
                            result == null ? "" : result.text(),
                            null,
                            List.of(),
                            required(block.toolUseId(), here + ".tool_use_id")));
                }
                default -> throw unknown(block, here);
            }
        }
        if (!texts.isEmpty()) conversation.add(ChatMessage.of("user", String.join("\n", texts)));
        else if (turn.content().blocks().isEmpty())
            throw Fields.invalid(at + ".content", "'" + at + ".content' is empty");
    }

    private static ChatMessage assistant(MessageTurn turn, String at) {
        List<String> texts = new ArrayList<>();
        List<ToolCall> calls = new ArrayList<>();
        for (int i = 0; i < turn.content().blocks().size(); i++) {
            MessageBlock block = turn.content().blocks().get(i);
            String here = at + ".content[" + i + "]";
            switch (block.type()) {
                case "text" -> texts.add(required(block.text(), here + ".text"));
                case "tool_use" ->
                    calls.add(new ToolCall(
                            required(block.id(), here + ".id"),
                            required(block.name(), here + ".name"),
                            required(block.input(), here + ".input").toString()));
                default -> throw unknown(block, here);
            }
        }
        return new ChatMessage("assistant", String.join("\n", texts), null, calls, null);
    }

    private static RefusedException unknown(MessageBlock block, String at) {
        return RefusedException.invalid(
                "'" + at + "' is a block of type '" + block.type() + "'; these models read text",
                at,
                "unsupported_content");
    }

    private static <T> T required(@Nullable T value, String at) {
        if (value != null) return value;
        throw RefusedException.invalid("'" + at + "' is required", at, "missing_required_parameter");
    }
}
