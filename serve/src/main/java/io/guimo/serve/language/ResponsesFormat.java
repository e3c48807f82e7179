package io.guimo.serve.language;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.guimo.inference.TextGenerator;
import io.guimo.inference.generate.GeneratedToken;
import io.guimo.serve.http.Content;
import io.guimo.serve.http.Json;
import io.guimo.serve.http.Refusal;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/** OpenAI's response, whole and as events in its order: created, in progress, item, part, deltas, their ends, completed. */
final class ResponsesFormat implements WireFormat {
    private final String id;
    private final String messageId;
    private final long createdAt;
    private final TextGenerator model;
    private final ResponseRequest asked;

    /** Keeps the answer, if that was asked for: its document and its text. */
    private final BiConsumer<byte[], String> keep;

    private final StringBuilder text = new StringBuilder();
    private final List<GeneratedToken> tokens = new ArrayList<>();
    private long events;
    private Finish finish = new Finish.Stop();

    ResponsesFormat(
            String id, long createdAt, TextGenerator model, ResponseRequest asked, BiConsumer<byte[], String> keep) {
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
        append(
                out,
                new ItemEvent(
                        "response.output_item.added",
                        events++,
                        0,
                        new OutputMessage(messageId, "message", "in_progress", "assistant", List.of())));
        append(out, new PartEvent("response.content_part.added", events++, messageId, 0, 0, part("", List.of())));
        return out.toByteArray();
    }

    @Override
    public byte[] delta(int choice, ChoiceText.Delta delta) {
        text.append(delta.text());
        tokens.addAll(delta.tokens());
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        append(
                out,
                new TextEvent(
                        "response.output_text.delta",
                        events++,
                        messageId,
                        0,
                        0,
                        delta.text(),
                        null,
                        logprobs(delta.tokens())));
        return out.toByteArray();
    }

    @Override
    public byte[] finished(int choice, Finish reason) {
        finish = reason;
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        append(
                out,
                new TextEvent(
                        "response.output_text.done",
                        events++,
                        messageId,
                        0,
                        0,
                        null,
                        text.toString(),
                        logprobs(tokens)));
        append(
                out,
                new PartEvent("response.content_part.done", events++, messageId, 0, 0, part(text.toString(), tokens)));
        append(out, new ItemEvent("response.output_item.done", events++, 0, message(finish)));
        return out.toByteArray();
    }

    @Override
    public byte[] end(TokenUsage usage) {
        ResponseView response = ended(usage);
        keep.accept(Json.write(response), text.toString());
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
        text.append(only.answer().text());
        tokens.addAll(only.answer().tokens());
        finish = only.finish();
        byte[] document = Json.write(ended(usage));
        keep.accept(document, text.toString());
        return new Content(200, Content.JSON, document, Map.of());
    }

    private ResponseView ended(TokenUsage usage) {
        ResponseUsage counted = new ResponseUsage(
                usage.prompt(),
                new InputTokensDetails(usage.cached()),
                usage.output(),
                new OutputTokensDetails(0),
                usage.total());
        List<OutputMessage> output = List.of(message(finish));
        return switch (finish) {
            case Finish.Stop _, Finish.StopString _ -> view("completed", output, null, null, counted);
            case Finish.Length _ ->
                view("incomplete", output, new IncompleteDetails("max_output_tokens"), null, counted);
            case Finish.Cancelled _ -> view("cancelled", output, null, null, counted);
        };
    }

    private OutputMessage message(Finish finish) {
        boolean whole = finish instanceof Finish.Stop || finish instanceof Finish.StopString;
        return new OutputMessage(
                messageId,
                "message",
                whole ? "completed" : "incomplete",
                "assistant",
                List.of(part(text.toString(), tokens)));
    }

    private OutputText part(String written, List<GeneratedToken> of) {
        return new OutputText("output_text", written, List.of(), logprobs(of));
    }

    private List<Logprobs.TokenLogprob> logprobs(List<GeneratedToken> of) {
        return asked.wantsLogprobs() ? Logprobs.of(of, model.vocabulary()).content() : List.of();
    }

    private ResponseView view(
            String status,
            List<OutputMessage> output,
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
                "auto",
                List.of(),
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

    record ItemEvent(String type, long sequenceNumber, int outputIndex, OutputMessage item) implements Event {}

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

    record OutputMessage(String id, String type, String status, String role, List<OutputText> content) {}

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
            List<OutputMessage> output,
            boolean parallelToolCalls,
            @Nullable String previousResponseId,
            boolean store,
            double temperature,
            TextView text,
            String toolChoice,
            List<String> tools,
            double topP,
            String truncation,
            @Nullable ResponseUsage usage,
            Map<String, String> metadata) {}
}
