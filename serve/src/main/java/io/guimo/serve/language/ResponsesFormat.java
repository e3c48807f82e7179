package io.guimo.serve.language;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.guimo.inference.TextGenerator;
import io.guimo.inference.generate.GeneratedToken;
import io.guimo.serve.http.Content;
import io.guimo.serve.http.Json;
import io.guimo.serve.http.Refusal;
import io.guimo.text.ChatMessage;
import io.guimo.text.ToolCall;
import io.guimo.text.ToolCallEvent;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** OpenAI's response, whole and as events in its order: created, in progress, item, part, deltas, their ends, completed. */
final class ResponsesFormat implements WireFormat {
    private static final JsonMapper JSON = JsonMapper.shared();

    private final String id;
    private final String messageId;
    private final long createdAt;
    private final TextGenerator model;
    private final ResponseRequest asked;

    /** Keeps the answer, if that was asked for: its document and its message. */
    private final BiConsumer<byte[], ChatMessage> keep;

    /** Items that have ended. */
    private final List<OutputItem> items = new ArrayList<>();

    /** Of the item that is being written: its text or arguments, and the call if it is one. */
    private final StringBuilder written = new StringBuilder();

    private final List<GeneratedToken> tokens = new ArrayList<>();
    private ToolCallEvent.@Nullable Begin call;
    private boolean inMessage;
    private long events;
    private Finish finish = new Finish.Stop();

    ResponsesFormat(
            String id,
            long createdAt,
            TextGenerator model,
            ResponseRequest asked,
            BiConsumer<byte[], ChatMessage> keep) {
        this.id = id;
        this.messageId = "msg_" + id.substring("resp_".length());
        this.createdAt = createdAt;
        this.model = model;
        this.asked = asked;
        this.keep = keep;
    }

    @Override
    public byte[] begin(TokenUsage promptOnly) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ResponseView response = view("in_progress", List.of(), null, null, null);
        append(out, new ResponseEvent("response.created", events++, response));
        append(out, new ResponseEvent("response.in_progress", events++, response));
        return out.toByteArray();
    }

    @Override
    public byte[] delta(int choice, ChoiceText.Delta delta) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        List<GeneratedToken> untold = delta.tokens();
        for (ToolCallEvent event : delta.events()) {
            switch (event) {
                case ToolCallEvent.Text(String text) -> {
                    if (!inMessage) openMessage(out);
                    text(out, text, untold);
                    untold = List.of();
                }
                case ToolCallEvent.Begin begin -> {
                    if (inMessage) closeMessage(out, true);
                    call = begin;
                    append(
                            out,
                            new ItemEvent(
                                    "response.output_item.added",
                                    events++,
                                    items.size(),
                                    called(begin, "in_progress")));
                }
                case ToolCallEvent.Arguments(String json) -> {
                    written.append(json);
                    append(out, arguments("response.function_call_arguments.delta", json, null));
                }
                case ToolCallEvent.End() -> {
                    String all = written.toString();
                    append(out, arguments("response.function_call_arguments.done", null, all));
                    close(out, called(Objects.requireNonNull(call), "completed"));
                }
            }
        }
        return out.toByteArray();
    }

    @Override
    public byte[] finished(int choice, Finish reason) {
        finish = reason;
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        if (!inMessage && items.isEmpty()) openMessage(out);
        if (inMessage) closeMessage(out, isWhole(reason));
        return out.toByteArray();
    }

    private void openMessage(ByteArrayOutputStream out) {
        inMessage = true;
        append(
                out,
                new ItemEvent(
                        "response.output_item.added",
                        events++,
                        items.size(),
                        new OutputMessage(messageId(), "message", "in_progress", "assistant", List.of())));
        append(
                out,
                new PartEvent(
                        "response.content_part.added", events++, messageId(), items.size(), 0, part("", List.of())));
    }

    private void text(ByteArrayOutputStream out, String text, List<GeneratedToken> of) {
        written.append(text);
        tokens.addAll(of);
        append(
                out,
                new TextEvent(
                        "response.output_text.delta",
                        events++,
                        messageId(),
                        items.size(),
                        0,
                        text,
                        null,
                        logprobs(of)));
    }

    private void closeMessage(ByteArrayOutputStream out, boolean whole) {
        inMessage = false;
        String id = messageId();
        int index = items.size();
        String text = written.toString();
        OutputText part = part(text, tokens);
        append(out, new TextEvent("response.output_text.done", events++, id, index, 0, null, text, logprobs(tokens)));
        append(out, new PartEvent("response.content_part.done", events++, id, index, 0, part));
        close(out, new OutputMessage(id, "message", whole ? "completed" : "incomplete", "assistant", List.of(part)));
    }

    private void close(ByteArrayOutputStream out, OutputItem item) {
        append(out, new ItemEvent("response.output_item.done", events++, items.size(), item));
        items.add(item);
        written.setLength(0);
        tokens.clear();
    }

    private FunctionCall called(ToolCallEvent.Begin begin, String status) {
        return new FunctionCall(itemId(begin), "function_call", status, written.toString(), begin.id(), begin.name());
    }

    private ArgumentsEvent arguments(String type, @Nullable String delta, @Nullable String all) {
        return new ArgumentsEvent(type, events++, itemId(Objects.requireNonNull(call)), items.size(), delta, all);
    }

    private static String itemId(ToolCallEvent.Begin begin) {
        return "fc_" + begin.id().substring("call_".length());
    }

    /** The first message has the answer's number, a later one behind calls its place too. */
    private String messageId() {
        return items.isEmpty() ? messageId : messageId + "_" + items.size();
    }

    private static boolean isWhole(Finish finish) {
        return switch (finish) {
            case Finish.Stop _, Finish.StopString _, Finish.ToolCalls _ -> true;
            case Finish.Length _, Finish.Cancelled _ -> false;
        };
    }

    /** What the answer adds to the conversation. */
    private ChatMessage said() {
        StringBuilder text = new StringBuilder();
        List<ToolCall> calls = new ArrayList<>();
        for (OutputItem item : items) {
            switch (item) {
                case OutputMessage message -> message.content().forEach(part -> text.append(part.text()));
                case FunctionCall made -> calls.add(new ToolCall(made.callId(), made.name(), made.arguments()));
            }
        }
        return new ChatMessage("assistant", text.toString(), null, calls, null);
    }

    @Override
    public byte[] end(TokenUsage usage) {
        ResponseView response = ended(usage);
        keep.accept(Json.write(response), said());
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        append(
                out,
                new ResponseEvent(
                        response.status().equals("completed") ? "response.completed" : "response.incomplete",
                        events++,
                        response));
        return out.toByteArray();
    }

    @Override
    public byte[] failed(Refusal refusal) {
        ResponseError error = new ResponseError("server_error", refusal.message());
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        append(out, new ResponseEvent("response.failed", events++, view("failed", List.of(), null, error, null)));
        return out.toByteArray();
    }

    @Override
    public Content whole(List<Whole> choices, TokenUsage usage) {
        Whole only = choices.getFirst();
        delta(0, only.answer()); // the events are not sent
        finished(0, only.finish());
        byte[] document = Json.write(ended(usage));
        keep.accept(document, said());
        return new Content(200, Content.JSON, document, Map.of());
    }

    private ResponseView ended(TokenUsage usage) {
        ResponseUsage counted = new ResponseUsage(
                usage.prompt(),
                new InputTokensDetails(usage.cached()),
                usage.output(),
                new OutputTokensDetails(0),
                usage.total());
        List<OutputItem> output = List.copyOf(items);
        return switch (finish) {
            case Finish.Stop _, Finish.StopString _, Finish.ToolCalls _ ->
                view("completed", output, null, null, counted);
            case Finish.Length _ ->
                view("incomplete", output, new IncompleteDetails("max_output_tokens"), null, counted);
            case Finish.Cancelled _ -> view("cancelled", output, null, null, counted);
        };
    }

    private OutputText part(String written, List<GeneratedToken> of) {
        return new OutputText("output_text", written, List.of(), logprobs(of));
    }

    private List<Logprobs.TokenLogprob> logprobs(List<GeneratedToken> of) {
        return asked.wantsLogprobs() ? Logprobs.of(of, model.vocabulary()).content() : List.of();
    }

    private ResponseView view(
            String status,
            List<OutputItem> output,
            @Nullable IncompleteDetails incomplete,
            @Nullable ResponseError error,
            @Nullable ResponseUsage usage) {
        ResponseRequest.TextFormat format =
                asked.text() == null ? null : asked.text().format();
        return new ResponseView(
                id,
                "response",
                createdAt,
                status,
                false,
                error,
                incomplete,
                asked.instructions(),
                asked.maxOutputTokens(),
                model.name(),
                output,
                asked.parallelToolCalls() == null || asked.parallelToolCalls(),
                asked.previousResponseId(),
                asked.keeps(),
                asked.temperature() == null ? 1 : asked.temperature(),
                new TextView(format == null ? new ResponseRequest.TextFormat("text", null, null, null, null) : format),
                asked.toolChoice() == null ? JSON.getNodeFactory().stringNode("auto") : asked.toolChoice(),
                asked.tools() == null ? JSON.createArrayNode() : asked.tools(),
                asked.topP() == null ? 1 : asked.topP(),
                "disabled",
                usage,
                asked.metadata() == null ? Map.of() : asked.metadata());
    }

    private static void append(ByteArrayOutputStream out, Event event) {
        ServerEvents.appendNamed(out, event.type(), event);
    }

    /** What all events have. */
    interface Event {
        String type();
    }

    record ResponseEvent(String type, long sequenceNumber, ResponseView response) implements Event {}

    record ItemEvent(String type, long sequenceNumber, int outputIndex, OutputItem item) implements Event {}

    record PartEvent(
            String type, long sequenceNumber, String itemId, int outputIndex, int contentIndex, OutputText part)
            implements Event {}

    /** With {@code delta} while it comes, with {@code text} when it is whole. */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    record TextEvent(
            String type,
            long sequenceNumber,
            String itemId,
            int outputIndex,
            int contentIndex,
            @Nullable String delta,
            @Nullable String text,
            List<Logprobs.TokenLogprob> logprobs)
            implements Event {}

    /** What an answer is made of. */
    sealed interface OutputItem {}

    record OutputMessage(String id, String type, String status, String role, List<OutputText> content)
            implements OutputItem {}

    record FunctionCall(String id, String type, String status, String arguments, String callId, String name)
            implements OutputItem {}

    /** With {@code delta} while it comes, with {@code arguments} when it is whole. */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    record ArgumentsEvent(
            String type,
            long sequenceNumber,
            String itemId,
            int outputIndex,
            @Nullable String delta,
            @Nullable String arguments)
            implements Event {}

    record OutputText(String type, String text, List<String> annotations, List<Logprobs.TokenLogprob> logprobs) {}

    record IncompleteDetails(String reason) {}

    record ResponseError(String code, String message) {}

    record TextView(ResponseRequest.TextFormat format) {}

    record ResponseUsage(
            long inputTokens,
            InputTokensDetails inputTokensDetails,
            long outputTokens,
            OutputTokensDetails outputTokensDetails,
            long totalTokens) {}

    record InputTokensDetails(long cachedTokens) {}

    record OutputTokensDetails(long reasoningTokens) {}

    /** @param status {@code in_progress}, {@code completed}, {@code incomplete}, {@code cancelled} or {@code failed} */
    record ResponseView(
            String id,
            String object,
            long createdAt,
            String status,
            boolean background,
            @Nullable ResponseError error,
            @Nullable IncompleteDetails incompleteDetails,
            @Nullable String instructions,
            @Nullable Long maxOutputTokens,
            String model,
            List<OutputItem> output,
            boolean parallelToolCalls,
            @Nullable String previousResponseId,
            boolean store,
            double temperature,
            TextView text,
            JsonNode toolChoice,
            JsonNode tools,
            double topP,
            String truncation,
            @Nullable ResponseUsage usage,
            Map<String, String> metadata) {}
}
