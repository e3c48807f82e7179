package io.guimo.serve.language;

import io.guimo.inference.TextGenerator;
import io.guimo.serve.http.Content;
import io.guimo.serve.http.ErrorAnswers;
import io.guimo.serve.http.ErrorShape;
import io.guimo.serve.http.Refusal;
import io.guimo.units.RequestId;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Anthropic's message, whole and as events. */
final class MessagesFormat implements WireFormat {
    private final RequestId request;
    private final String id;
    private final TextGenerator model;
    private Finish finish = new Finish.Stop();

    MessagesFormat(RequestId request, TextGenerator model) {
        this.request = request;
        this.id = "msg_" + request.value().substring("req_".length());
        this.model = model;
    }

    @Override
    public byte[] begin(TokenUsage promptOnly) {
        ByteArrayOutputStream events = new ByteArrayOutputStream();
        ServerEvents.appendNamed(
                events,
                "message_start",
                new MessageStart("message_start", message(List.of(), null, null, usage(promptOnly))));
        ServerEvents.appendNamed(
                events, "content_block_start", new BlockStart("content_block_start", 0, new TextBlock("text", "")));
        ServerEvents.appendNamed(events, "ping", new Bare("ping"));
        return events.toByteArray();
    }

    @Override
    public byte[] delta(int choice, ChoiceText.Delta delta) {
        ByteArrayOutputStream events = new ByteArrayOutputStream();
        ServerEvents.appendNamed(
                events,
                "content_block_delta",
                new BlockDelta("content_block_delta", 0, new TextBlock("text_delta", delta.text())));
        return events.toByteArray();
    }

    @Override
    public byte[] finished(int choice, Finish reason) {
        finish = reason;
        ByteArrayOutputStream events = new ByteArrayOutputStream();
        ServerEvents.appendNamed(events, "content_block_stop", new BlockStop("content_block_stop", 0));
        return events.toByteArray();
    }

    @Override
    public byte[] end(TokenUsage usage) {
        ByteArrayOutputStream events = new ByteArrayOutputStream();
        ServerEvents.appendNamed(
                events,
                "message_delta",
                new MessageDelta("message_delta", new StopDelta(reason(finish), sequence(finish)), usage(usage)));
        ServerEvents.appendNamed(events, "message_stop", new Bare("message_stop"));
        return events.toByteArray();
    }

    @Override
    public byte[] failed(Refusal refusal) {
        ByteArrayOutputStream event = new ByteArrayOutputStream();
        event.writeBytes("event: error\n".getBytes(StandardCharsets.US_ASCII));
        ServerEvents.appendData(
                event, ErrorAnswers.of(refusal, ErrorShape.ANTHROPIC, request).bytes());
        return event.toByteArray();
    }

    @Override
    public Content whole(List<Whole> choices, TokenUsage usage) {
        Whole only = choices.getFirst();
        List<TextBlock> content = List.of(new TextBlock("text", only.answer().text()));
        return Content.json(message(content, reason(only.finish()), sequence(only.finish()), usage(usage)));
    }

    private static String reason(Finish finish) {
        return switch (finish) {
            case Finish.Stop _, Finish.Cancelled _ -> "end_turn";
            case Finish.StopString _ -> "stop_sequence";
            case Finish.Length _ -> "max_tokens";
        };
    }

    private static @Nullable String sequence(Finish finish) {
        return finish instanceof Finish.StopString(String text) ? text : null;
    }

    private MessageView message(
            List<TextBlock> content, @Nullable String reason, @Nullable String sequence, MessageUsage usage) {
        return new MessageView(id, "message", "assistant", model.name(), content, reason, sequence, usage);
    }

    /** Anthropic counts cached tokens beside those of the prompt, OpenAI among them. */
    private static MessageUsage usage(TokenUsage usage) {
        return new MessageUsage(usage.prompt() - usage.cached(), 0, usage.cached(), usage.output());
    }

    record TextBlock(String type, String text) {}

    record MessageUsage(
            long inputTokens, long cacheCreationInputTokens, long cacheReadInputTokens, long outputTokens) {}

    /** @param stopReason {@code end_turn}, {@code max_tokens} or {@code stop_sequence}; null while it is written */
    record MessageView(
            String id,
            String type,
            String role,
            String model,
            List<TextBlock> content,
            @Nullable String stopReason,
            @Nullable String stopSequence,
            MessageUsage usage) {}

    record MessageStart(String type, MessageView message) {}

    record BlockStart(String type, int index, TextBlock contentBlock) {}

    record BlockDelta(String type, int index, TextBlock delta) {}

    record BlockStop(String type, int index) {}

    record MessageDelta(String type, StopDelta delta, MessageUsage usage) {}

    record StopDelta(String stopReason, @Nullable String stopSequence) {}

    record Bare(String type) {}
}
