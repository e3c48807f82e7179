package io.guimo.serve.language;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.guimo.inference.TextGenerator;
import io.guimo.serve.http.Content;
import io.guimo.serve.http.ErrorAnswers;
import io.guimo.serve.http.Refusal;
import io.guimo.text.ToolCallEvent;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** OpenAI's chat completions, whole ({@code chat.completion}) and in chunks ({@code chat.completion.chunk}). */
final class ChatCompletionsFormat implements WireFormat {
    private static final byte[] DONE = "data: [DONE]\n\n".getBytes(StandardCharsets.US_ASCII);

    private final String id;
    private final long created;
    private final TextGenerator model;
    private final int choices;

    /** Calls that began, of each choice. */
    private final int[] calls;

    private final boolean logprobs;
    private final boolean includeUsage;

    ChatCompletionsFormat(
            String request, long created, TextGenerator model, int choices, boolean logprobs, boolean includeUsage) {
        this.id = "chatcmpl-" + request;
        this.created = created;
        this.model = model;
        this.choices = choices;
        calls = new int[choices];
        this.logprobs = logprobs;
        this.includeUsage = includeUsage;
    }

    /** Changes when the model does. */
    static String fingerprint(TextGenerator model) {
        return "fp_" + Integer.toHexString((model.name() + "/" + model.version()).hashCode());
    }

    @Override
    public byte[] begin(TokenUsage promptOnly) {
        ByteArrayOutputStream events = new ByteArrayOutputStream();
        for (int choice = 0; choice < choices; choice++) {
            events.writeBytes(chunk(choice, new ChatDelta("assistant", ""), null, null));
        }
        return events.toByteArray();
    }

    @Override
    public byte[] delta(int choice, ChoiceText.Delta delta) {
        Logprobs told = logprobs ? Logprobs.of(delta.tokens(), model.vocabulary()) : null;
        List<ChatDelta> changes = new ArrayList<>();
        for (ToolCallEvent event : delta.events()) {
            switch (event) {
                case ToolCallEvent.Text(String text) -> changes.add(new ChatDelta(null, text));
                case ToolCallEvent.Begin(String callId, String name) -> {
                    int index = calls[choice]++;
                    changes.add(new ChatDelta(new CallDelta(index, callId, "function", new FunctionDelta(name, ""))));
                }
                case ToolCallEvent.Arguments(String json) ->
                    changes.add(
                            new ChatDelta(new CallDelta(calls[choice] - 1, null, null, new FunctionDelta(null, json))));
                case ToolCallEvent.End() -> {}
            }
        }
        if (changes.isEmpty() && told != null) changes.add(new ChatDelta(null, null));
        ByteArrayOutputStream events = new ByteArrayOutputStream();
        for (ChatDelta change : changes) {
            events.writeBytes(chunk(choice, change, told, null));
            told = null; // with the first
        }
        return events.toByteArray();
    }

    @Override
    public byte[] finished(int choice, Finish finish) {
        return chunk(choice, new ChatDelta(null, null), null, reason(finish));
    }

    @Override
    public byte[] end(TokenUsage usage) {
        ByteArrayOutputStream events = new ByteArrayOutputStream();
        if (includeUsage) {
            events.writeBytes(ServerEvents.data(new ChunkWithUsage(
                    id,
                    "chat.completion.chunk",
                    created,
                    model.name(),
                    fingerprint(model),
                    List.of(),
                    OpenAiUsage.of(usage))));
        }
        events.writeBytes(DONE);
        return events.toByteArray();
    }

    /** As OpenAI's streams break off: its clients throw what they read. */
    @Override
    public byte[] failed(Refusal refusal) {
        ByteArrayOutputStream event = new ByteArrayOutputStream();
        ServerEvents.appendData(event, ErrorAnswers.of(refusal).bytes());
        return event.toByteArray();
    }

    @Override
    public Content whole(List<Whole> answers, TokenUsage usage) {
        List<ChatChoice> made = new ArrayList<>();
        for (int i = 0; i < answers.size(); i++) {
            Whole answer = answers.get(i);
            Logprobs told = logprobs ? Logprobs.of(answer.answer().tokens(), model.vocabulary()) : null;
            made.add(new ChatChoice(i, message(answer.answer()), told, reason(answer.finish())));
        }
        return Content.json(new ChatCompletion(
                id, "chat.completion", created, model.name(), made, OpenAiUsage.of(usage), fingerprint(model)));
    }

    private static AnswerMessage message(ChoiceText.Delta answer) {
        List<ChatCompletionRequest.CallOfTool> called = answer.calls().stream()
                .map(c -> new ChatCompletionRequest.CallOfTool(
                        c.id(), "function", new ChatCompletionRequest.CalledFunction(c.name(), c.arguments())))
                .toList();
        String text = answer.text();
        return new AnswerMessage(
                "assistant",
                text.isEmpty() && !called.isEmpty() ? null : text,
                called.isEmpty() ? null : called,
                null,
                List.of());
    }

    static String reason(Finish finish) {
        return switch (finish) {
            case Finish.Stop _, Finish.StopString _, Finish.Cancelled _ -> "stop";
            case Finish.ToolCalls _ -> "tool_calls";
            case Finish.Length _ -> "length";
        };
    }

    private byte[] chunk(int choice, ChatDelta delta, @Nullable Logprobs told, @Nullable String finishReason) {
        List<ChunkChoice> one = List.of(new ChunkChoice(choice, delta, told, finishReason));
        String object = "chat.completion.chunk";
        return ServerEvents.data(
                includeUsage
                        ? new ChunkWithUsage(id, object, created, model.name(), fingerprint(model), one, null)
                        : new Chunk(id, object, created, model.name(), fingerprint(model), one));
    }

    /** Only what it changes is there. */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    record ChatDelta(
            @Nullable String role,
            @Nullable String content,
            @Nullable List<CallDelta> toolCalls) {
        ChatDelta(@Nullable String role, @Nullable String content) {
            this(role, content, null);
        }

        ChatDelta(CallDelta call) {
            this(null, null, List.of(call));
        }
    }

    /** The first of a call has id, type and name, further ones pieces of its arguments. */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    record CallDelta(
            int index, @Nullable String id, @Nullable String type, FunctionDelta function) {}

    @JsonInclude(JsonInclude.Include.NON_NULL)
    record FunctionDelta(@Nullable String name, String arguments) {}

    record ChunkChoice(
            int index,
            ChatDelta delta,
            @Nullable Logprobs logprobs,
            @Nullable String finishReason) {}

    record Chunk(
            String id,
            String object,
            long created,
            String model,
            String systemFingerprint,
            List<ChunkChoice> choices) {}

    /** Where usage was asked for, each chunk has the field; it is null in all but the last. */
    record ChunkWithUsage(
            String id,
            String object,
            long created,
            String model,
            String systemFingerprint,
            List<ChunkChoice> choices,
            @Nullable OpenAiUsage usage) {}

    /** @param content null where the answer is calls alone */
    record AnswerMessage(
            String role,
            @Nullable String content,

            @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable
            List<ChatCompletionRequest.CallOfTool> toolCalls,

            @Nullable String refusal,
            List<String> annotations) {}

    record ChatChoice(
            int index, AnswerMessage message, @Nullable Logprobs logprobs, String finishReason) {}

    /** The answer of a request that does not stream. */
    record ChatCompletion(
            String id,
            String object,
            long created,
            String model,
            List<ChatChoice> choices,
            OpenAiUsage usage,
            String systemFingerprint) {}
}
