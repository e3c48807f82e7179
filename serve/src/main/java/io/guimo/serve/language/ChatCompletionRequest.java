package io.guimo.serve.language;

import io.guimo.serve.http.RefusedException;
import io.guimo.text.ChatMessage;
import io.guimo.text.ToolCall;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * OpenAI's request with the sampling fields that servers of open models have beside it ({@code top_k}, {@code min_p}, {@code repetition_penalty}).
 *
 * @param maxTokens the older name of {@code maxCompletionTokens}; of both the smaller counts
 * @param n choices, 1 to 8
 * @param logprobs whether to tell the log probability of each token
 * @param topLogprobs and of so many others at its place, 0 to 20; only with {@code logprobs}
 * @param tools functions that the model may call, at most 128
 * @param toolChoice {@code none}, {@code auto}, {@code required}, or a function
 * @param parallelToolCalls false: the answer ends with its first call
 * @param user accepted and not kept, like {@code safetyIdentifier}, {@code promptCacheKey} and {@code metadata}
 * @param store true is refused: conversations are not kept here, {@code /v1/responses} keeps them
 * @param serviceTier {@code auto} or {@code default}
 * @param modalities {@code ["text"]}
 */
record ChatCompletionRequest(
        String model,
        List<Message> messages,
        @Nullable Long maxTokens,
        @Nullable Long maxCompletionTokens,
        @Nullable Long n,
        @Nullable StopTexts stop,
        @Nullable Double temperature,
        @Nullable Double topP,
        @Nullable Long topK,
        @Nullable Double minP,
        @Nullable Double repetitionPenalty,
        @Nullable Double frequencyPenalty,
        @Nullable Double presencePenalty,
        @Nullable Map<String, Double> logitBias,
        @Nullable Long seed,
        @Nullable Boolean logprobs,
        @Nullable Long topLogprobs,
        @Nullable ResponseFormat responseFormat,
        @Nullable JsonNode tools,
        @Nullable JsonNode toolChoice,
        @Nullable Boolean parallelToolCalls,
        @Nullable Boolean stream,
        @Nullable StreamOptions streamOptions,
        @Nullable String user,
        @Nullable String safetyIdentifier,
        @Nullable String promptCacheKey,
        @Nullable Map<String, String> metadata,
        @Nullable Boolean store,
        @Nullable String serviceTier,
        @Nullable List<String> modalities) {
    private static final int MOST_MESSAGES = 10_000;

    /**
     * @param role {@code system}, {@code developer} (read as system), {@code user}, {@code assistant} or {@code tool}
     * @param refusal of an earlier answer that is sent back; passed over, like {@code annotations}
     */
    record Message(
            String role,
            @Nullable TextContent content,
            @Nullable String name,
            @Nullable List<CallOfTool> toolCalls,
            @Nullable String toolCallId,
            @Nullable String refusal,
            @Nullable JsonNode annotations) {}

    /** @param type {@code function} */
    record CallOfTool(String id, String type, CalledFunction function) {}

    /** @param arguments JSON, as text */
    record CalledFunction(String name, String arguments) {}

    /** @param type {@code text}, {@code json_object} or {@code json_schema} */
    record ResponseFormat(String type, @Nullable NamedSchema jsonSchema) {}

    /** @param strict either way the answer is held to the schema */
    record NamedSchema(
            String name,
            @Nullable String description,
            @Nullable JsonNode schema,
            @Nullable Boolean strict) {}

    /** @param includeObfuscation accepted; nothing is obfuscated */
    record StreamOptions(
            @Nullable Boolean includeUsage, @Nullable Boolean includeObfuscation) {}

    /** Refuses what is asked for and cannot be. */
    void check() {
        if (Fields.flag(store)) {
            throw Fields.unsupported(
                    "store", "'store' is true; answers are not kept here, leave it out or use /v1/responses");
        }
        if (serviceTier != null && !serviceTier.equals("auto") && !serviceTier.equals("default")) {
            throw Fields.invalid("service_tier", "'service_tier' is '" + serviceTier + "'; write auto or default");
        }
        if (modalities != null && !modalities.equals(List.of("text"))) {
            throw Fields.unsupported("modalities", "'modalities' is " + modalities + "; these models write text only");
        }
        if (streamOptions != null && !Fields.flag(stream)) {
            throw Fields.invalid("stream_options", "'stream_options' is given without 'stream': true");
        }
        if (topLogprobs != null && !Fields.flag(logprobs)) {
            throw Fields.invalid("top_logprobs", "'top_logprobs' is given without 'logprobs': true");
        }
    }

    boolean includesUsage() {
        return streamOptions != null && Fields.flag(streamOptions.includeUsage());
    }

    @Nullable
    Integer mostTokens() {
        Integer old = Fields.tokens("max_tokens", maxTokens);
        Integer now = Fields.tokens("max_completion_tokens", maxCompletionTokens);
        if (old == null || now == null) return old == null ? now : old;
        return Math.min(old, now);
    }

    List<ChatMessage> conversation() {
        if (messages.isEmpty() || messages.size() > MOST_MESSAGES) {
            throw Fields.invalid(
                    "messages", "'messages' has " + messages.size() + " messages; give 1 to " + MOST_MESSAGES);
        }
        List<ChatMessage> conversation = new ArrayList<>();
        for (int i = 0; i < messages.size(); i++) conversation.add(message(messages.get(i), "messages[" + i + "]"));
        return conversation;
    }

    private static ChatMessage message(Message message, String at) {
        List<CallOfTool> calls = message.toolCalls() == null ? List.of() : message.toolCalls();
        String role =
                switch (message.role()) {
                    case "system", "developer" -> "system";
                    case "user", "assistant", "tool" -> message.role();
                    default ->
                        throw Fields.invalid(
                                at + ".role",
                                "'" + at + ".role' is '" + message.role()
                                        + "'; write system, developer, user, assistant or tool");
                };
        if (!calls.isEmpty() && !role.equals("assistant")) {
            throw Fields.invalid(at + ".tool_calls", "'" + at + "' has tool calls; only an assistant's message can");
        }
        if (role.equals("tool") != (message.toolCallId() != null)) {
            throw Fields.invalid(
                    at + ".tool_call_id",
                    "'" + at + ".tool_call_id' belongs to each message of a tool, and to no other");
        }
        TextContent content = message.content();
        if (content == null && calls.isEmpty()) {
            throw RefusedException.invalid(
                    "'" + at + ".content' is required", at + ".content", "missing_required_parameter");
        }
        return new ChatMessage(
                role,
                content == null ? "" : content.text(),
                message.name(),
                calls.stream()
                        .map(c -> new ToolCall(
                                c.id(), c.function().name(), c.function().arguments()))
                        .toList(),
                message.toolCallId());
    }
}
