package io.guimo.serve.language;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.guimo.serve.http.RefusedException;
import io.guimo.serve.http.Shape;
import io.guimo.text.ChatMessage;
import io.guimo.text.ToolCall;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.databind.DeserializationContext;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ValueDeserializer;
import tools.jackson.databind.annotation.JsonDeserialize;

/**
 * OpenAI's request of a response.
 *
 * @param instructions a system message of this request alone: what goes on from it does not inherit it
 * @param previousResponseId the kept answer that the conversation goes on from
 * @param store whether the answer is kept for 30 days; true unless given
 * @param text how the answer looks
 * @param include {@code message.output_text.logprobs} or nothing
 * @param topLogprobs alternatives of each token, 0 to 20; only with that
 * @param background true is refused: an answer is made while its caller waits
 * @param truncation {@code disabled}: what does not fit the context is refused
 * @param tools functions that the model may call, at most 128
 * @param toolChoice {@code none}, {@code auto}, {@code required}, or a function
 * @param parallelToolCalls false: the answer ends with its first call
 * @param user accepted and not kept, like {@code safetyIdentifier} and {@code promptCacheKey}
 * @param metadata given back with the answer
 */
record ResponseRequest(
        String model,
        Input input,
        @Nullable String instructions,
        @Nullable String previousResponseId,
        @Nullable Boolean store,
        @Nullable Boolean stream,
        ChatCompletionRequest.@Nullable StreamOptions streamOptions,
        @Nullable Long maxOutputTokens,
        @Nullable Double temperature,
        @Nullable Double topP,
        @Nullable TextSettings text,
        @Nullable List<String> include,
        @Nullable Long topLogprobs,
        @Nullable Boolean background,
        @Nullable String truncation,
        @Nullable JsonNode tools,
        @Nullable JsonNode toolChoice,
        @Nullable Boolean parallelToolCalls,
        @Nullable String user,
        @Nullable String safetyIdentifier,
        @Nullable String promptCacheKey,
        @Nullable String serviceTier,
        @Nullable Map<String, String> metadata) {
    static final String LOGPROBS = "message.output_text.logprobs";
    private static final int MOST_ITEMS = 10_000;

    /** A text of the user, or the items of a conversation. */
    @Shape("""
            {"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "object"}}]}""")
    @JsonDeserialize(using = InputReader.class)
    record Input(List<InputItem> items) {
        Input {
            items = List.copyOf(items);
        }
    }

    /**
     * @param type {@code message} (unless given), {@code function_call} or {@code function_call_output}
     * @param id of an answer's item that is sent back; passed over, like {@code status}
     */
    record InputItem(
            @Nullable String type,
            @Nullable String role,
            @Nullable TextContent content,
            @Nullable String id,
            @Nullable String status,
            @Nullable String callId,
            @Nullable String name,
            @Nullable String arguments,
            @Nullable TextContent output) {}

    /** @param verbosity refused */
    record TextSettings(
            @Nullable TextFormat format, @Nullable String verbosity) {}

    /** @param type {@code text}, {@code json_object} or {@code json_schema}, then with {@code name} and {@code schema} */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    record TextFormat(
            String type,
            @Nullable String name,
            @Nullable String description,
            @Nullable JsonNode schema,
            @Nullable Boolean strict) {}

    static final class InputReader extends ValueDeserializer<Input> {
        @Override
        public Input deserialize(JsonParser in, DeserializationContext context) {
            if (in.currentToken() == JsonToken.VALUE_STRING) {
                return new Input(List.of(new InputItem(
                        null, "user", new TextContent(in.getString()), null, null, null, null, null, null)));
            }
            if (in.currentToken() != JsonToken.START_ARRAY) {
                throw RefusedException.invalid("'input' must be a text or a list of items", "input", "invalid_type");
            }
            return new Input(List.of(context.readValue(in, InputItem[].class)));
        }
    }

    void check() {
        if (Fields.flag(background)) {
            throw Fields.unsupported("background", "'background' is true; answers are made while their caller waits");
        }
        if (truncation != null && !truncation.equals("disabled")) {
            throw Fields.unsupported(
                    "truncation", "'truncation' is '" + truncation + "'; nothing is cut, write disabled");
        }
        if (serviceTier != null && !serviceTier.equals("auto") && !serviceTier.equals("default")) {
            throw Fields.invalid("service_tier", "'service_tier' is '" + serviceTier + "'; write auto or default");
        }
        if (text != null && text.verbosity() != null) {
            throw Fields.unsupported("text.verbosity", "'text.verbosity' is not known to these models; leave it out");
        }
        if (include != null && !List.of(LOGPROBS).containsAll(include)) {
            throw Fields.unsupported(
                    "include", "'include' is " + include + "; write [\"" + LOGPROBS + "\"], or nothing");
        }
        if (topLogprobs != null && !wantsLogprobs()) {
            throw Fields.invalid("top_logprobs", "'top_logprobs' is given without \"" + LOGPROBS + "\" in 'include'");
        }
    }

    boolean keeps() {
        return store == null || store;
    }

    boolean wantsLogprobs() {
        return include != null && include.contains(LOGPROBS);
    }

    /** The request's own part of the conversation, without instructions. */
    List<ChatMessage> messages() {
        if (input.items().isEmpty() || input.items().size() > MOST_ITEMS) {
            throw Fields.invalid("input", "'input' has " + input.items().size() + " items; give 1 to " + MOST_ITEMS);
        }
        List<ChatMessage> messages = new ArrayList<>();
        for (int i = 0; i < input.items().size(); i++) {
            InputItem item = input.items().get(i);
            String at = "input[" + i + "]";
            add(
                    messages,
                    switch (item.type() == null ? "message" : item.type()) {
                        case "message" -> message(item, at);
                        case "function_call" ->
                            new ChatMessage(
                                    "assistant",
                                    "",
                                    null,
                                    List.of(new ToolCall(
                                            required(item.callId(), at + ".call_id"),
                                            required(item.name(), at + ".name"),
                                            required(item.arguments(), at + ".arguments"))),
                                    null);
                        case "function_call_output" ->
                            new ChatMessage(
                                    "tool",
                                    required(item.output(), at + ".output").text(),
                                    null,
                                    List.of(),
                                    required(item.callId(), at + ".call_id"));
                        default ->
                            throw Fields.invalid(
                                    at + ".type",
                                    "'" + at + ".type' is '" + item.type()
                                            + "'; write message, function_call or function_call_output");
                    });
        }
        return messages;
    }

    /** Calls that follow an assistant's words, or other calls, are of the same message to a template. */
    private static void add(List<ChatMessage> messages, ChatMessage next) {
        if (next.toolCalls().isEmpty()
                || messages.isEmpty()
                || !messages.getLast().role().equals("assistant")) {
            messages.add(next);
            return;
        }
        ChatMessage last = messages.removeLast();
        List<ToolCall> calls = new ArrayList<>(last.toolCalls());
        calls.addAll(next.toolCalls());
        messages.add(new ChatMessage("assistant", last.content(), last.name(), calls, null));
    }

    private static ChatMessage message(InputItem item, String at) {
        String role = required(item.role(), at + ".role");
        String text = required(item.content(), at + ".content").text();
        return switch (role) {
            case "system", "developer" -> ChatMessage.of("system", text);
            case "user", "assistant" -> ChatMessage.of(role, text);
            default ->
                throw Fields.invalid(
                        at + ".role",
                        "'" + at + ".role' is '" + role + "'; write system, developer, user or assistant");
        };
    }

    private static <T> T required(@Nullable T value, String at) {
        if (value != null) return value;
        throw RefusedException.invalid("'" + at + "' is required", at, "missing_required_parameter");
    }
}
