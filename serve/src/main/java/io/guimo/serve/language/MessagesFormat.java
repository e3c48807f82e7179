package io.guimo.serve.language;

import io.guimo.inference.TextGenerator;
import io.guimo.serve.http.Content;
import io.guimo.serve.http.ErrorAnswers;
import io.guimo.serve.http.ErrorShape;
import io.guimo.serve.http.Refusal;
import io.guimo.text.ToolCallEvent;
import io.guimo.units.RequestId;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Anthropic's message, whole and as events. */
final class MessagesFormat implements WireFormat {
    private static final JsonMapper JSON = JsonMapper.shared();

    private final RequestId request;
    private final String id;
    private final TextGenerator model;
    private Finish finish = new Finish.Stop();

    /** Blocks that began. */
    private int blocks;

    /** Whether the last one is text. */
    private boolean inText;

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
        return events.toByteArray();
    }

    @Override
    public byte[] delta(int choice, ChoiceText.Delta delta) {
        ByteArrayOutputStream events = new ByteArrayOutputStream();
        for (ToolCallEvent event : delta.events()) {
            switch (event) {
                case ToolCallEvent.Text(String text) -> {
                    if (!inText) open(events, new TextBlock("text", ""));
                    inText = true;
                    change(events, new TextBlock("text_delta", text));
                }
                case ToolCallEvent.Begin(String callId, String name) -> {
                    open(events, new ToolUseBlock("tool_use", callId, name, JSON.createObjectNode()));
                    inText = false;
                }
                case ToolCallEvent.Arguments(String json) -> change(events, new JsonDelta("input_json_delta", json));
                case ToolCallEvent.End() -> {}
            }
        }
        return events.toByteArray();
    }

    @Override
    public byte[] finished(int choice, Finish reason) {
        finish = reason;
        ByteArrayOutputStream events = new ByteArrayOutputStream();
        if (blocks == 0) open(events, new TextBlock("text", ""));
        stop(events);
        return events.toByteArray();
    }

    private void open(ByteArrayOutputStream events, ContentBlock block) {
        if (blocks > 0) stop(events);
        ServerEvents.appendNamed(events, "content_block_start", new BlockStart("content_block_start", blocks++, block));
        if (blocks == 1) ServerEvents.appendNamed(events, "ping", new Bare("ping"));
    }

    private void change(ByteArrayOutputStream events, ContentBlock delta) {
        ServerEvents.appendNamed(
                events, "content_block_delta", new BlockDelta("content_block_delta", blocks - 1, delta));
    }

    private void stop(ByteArrayOutputStream events) {
        ServerEvents.appendNamed(events, "content_block_stop", new BlockStop("content_block_stop", blocks - 1));
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
        List<ContentBlock> content = content(only.answer());
        return Content.json(message(content, reason(only.finish()), sequence(only.finish()), usage(usage)));
    }

    private static List<ContentBlock> content(ChoiceText.Delta answer) {
        List<ContentBlock> content = new ArrayList<>();
        StringBuilder written = new StringBuilder();
        ToolCallEvent.Begin call = null;
        for (ToolCallEvent event : answer.events()) {
            switch (event) {
                case ToolCallEvent.Text(String text) -> written.append(text);
                case ToolCallEvent.Begin begin -> {
                    if (!written.isEmpty()) content.add(new TextBlock("text", written.toString()));
                    written.setLength(0);
                    call = begin;
                }
                case ToolCallEvent.Arguments(String json) -> written.append(json);
                case ToolCallEvent.End() -> {
                    ToolCallEvent.Begin begun = Objects.requireNonNull(call);
                    content.add(new ToolUseBlock("tool_use", begun.id(), begun.name(), input(written.toString())));
                    written.setLength(0);
                }
            }
        }
        if (!written.isEmpty() || content.isEmpty()) content.add(new TextBlock("text", written.toString()));
        return content;
    }

    /** What is no JSON, as where the answer was cut off, stays a text. */
    private static JsonNode input(String arguments) {
        try {
            return JSON.readTree(arguments);
        } catch (JacksonException malformed) {
            return JSON.getNodeFactory().stringNode(arguments);
        }
    }

    private static String reason(Finish finish) {
        return switch (finish) {
            case Finish.Stop _, Finish.Cancelled _ -> "end_turn";
            case Finish.StopString _ -> "stop_sequence";
            case Finish.ToolCalls _ -> "tool_use";
            case Finish.Length _ -> "max_tokens";
        };
    }

    private static @Nullable String sequence(Finish finish) {
        return finish instanceof Finish.StopString(String text) ? text : null;
    }

    private MessageView message(
            List<ContentBlock> content, @Nullable String reason, @Nullable String sequence, MessageUsage usage) {
        return new MessageView(id, "message", "assistant", model.name(), content, reason, sequence, usage);
    }

    /** Anthropic counts cached tokens beside those of the prompt, OpenAI among them. */
    private static MessageUsage usage(TokenUsage usage) {
        return new MessageUsage(usage.prompt() - usage.cached(), 0, usage.cached(), usage.output());
    }

    /** A part of the message, or of a part. */
    sealed interface ContentBlock {}

    record TextBlock(String type, String text) implements ContentBlock {}

    record ToolUseBlock(String type, String id, String name, JsonNode input) implements ContentBlock {}

    record JsonDelta(String type, String partialJson) implements ContentBlock {}

    record MessageUsage(
            long inputTokens, long cacheCreationInputTokens, long cacheReadInputTokens, long outputTokens) {}

    /** @param stopReason {@code end_turn}, {@code tool_use}, {@code max_tokens} or {@code stop_sequence}; null while it is written */
    record MessageView(
            String id,
            String type,
            String role,
            String model,
            List<ContentBlock> content,
            @Nullable String stopReason,
            @Nullable String stopSequence,
            MessageUsage usage) {}

    record MessageStart(String type, MessageView message) {}

    record BlockStart(String type, int index, ContentBlock contentBlock) {}

    record BlockDelta(String type, int index, ContentBlock delta) {}

    record BlockStop(String type, int index) {}

    record MessageDelta(String type, StopDelta delta, MessageUsage usage) {}

    record StopDelta(String stopReason, @Nullable String stopSequence) {}

    record Bare(String type) {}
}
