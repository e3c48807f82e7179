package io.guimo.serve.language;

import io.guimo.inference.TextGenerator;
import io.guimo.inference.generate.Constraint;
import io.guimo.inference.generate.GenerationRequest;
import io.guimo.inference.generate.Sampling;
import io.guimo.serve.Models;
import io.guimo.serve.http.Access;
import io.guimo.serve.http.Answer;
import io.guimo.serve.http.Content;
import io.guimo.serve.http.EventStream;
import io.guimo.serve.http.Exchange;
import io.guimo.serve.http.Refusal;
import io.guimo.serve.http.RefusedException;
import io.guimo.serve.http.Route;
import io.guimo.text.ChatMessage;
import io.guimo.units.OrganizationId;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * {@code /v1/responses}: OpenAI's newer interface, which keeps answers so that a conversation can go on from one. An answer that its caller left or
 * that failed is not kept.
 */
final class Responses {
    private static final String GROUP = "Models";
    private static final long BODY_LIMIT = 8L << 20;
    private static final String ONE = "/v1/responses/{id}";

    /** A cancelled answer ends with its next event; its money is settled before that is told. */
    private static final int CANCEL_SECONDS = 30;

    private final GovernedText governed;
    private final Models models;
    private final StoredResponses stored;

    /** Answers that this server streams now, so that they can be cancelled; another server's are not known here. */
    private final Map<String, Running> running = new ConcurrentHashMap<>();

    /** @param document of the answer, once it has ended */
    private record Running(OrganizationId organization, PaidStream stream, CompletableFuture<byte[]> document) {}

    Responses(GovernedText governed, Models models, StoredResponses stored) {
        this.governed = governed;
        this.models = models;
        this.stored = stored;
    }

    List<Route> routes() {
        return List.of(
                Route.post(
                        "/v1/responses",
                        Access.KEY,
                        BODY_LIMIT,
                        Route.About.of(
                                        "createResponse",
                                        GROUP,
                                        "An answer, kept so that it can be gone on from; as OpenAI's")
                                .request(ResponseRequest.class)
                                .answer(ResponsesFormat.ResponseView.class),
                        this::answer),
                Route.get(
                        ONE,
                        Access.KEY,
                        Route.About.of("getResponse", GROUP, "A kept answer")
                                .answer(ResponsesFormat.ResponseView.class),
                        this::one),
                Route.delete(
                        ONE,
                        Access.KEY,
                        Route.About.of("deleteResponse", GROUP, "Forgets a kept answer")
                                .answer(DeletedResponse.class),
                        this::delete),
                Route.post(
                        ONE + "/cancel",
                        Access.KEY,
                        1024,
                        Route.About.of("cancelResponse", GROUP, "Ends an answer that is being streamed by this server")
                                .answer(ResponsesFormat.ResponseView.class),
                        this::cancel));
    }

    private Answer answer(Exchange exchange) throws Exception {
        ResponseRequest asked = exchange.json(ResponseRequest.class);
        asked.check();
        TextGenerator model = models.of(exchange.caller(), asked.model(), TextGenerator.class);
        OrganizationId organization = exchange.caller().organization();
        Sampling sampling =
                Fields.sampling(asked.temperature(), asked.topP(), null, null, null, null, null, Map.of(), null);
        int most = GenerationRequest.MOST_TOP_LOGPROBS;
        int logprobs = (int) Fields.whole("top_logprobs", asked.topLogprobs(), 0, most, 0);
        Integer maxTokens = Fields.tokens("max_output_tokens", asked.maxOutputTokens());
        ResponseRequest.TextFormat format =
                asked.text() == null ? null : asked.text().format();
        ToolUse tools = ToolUse.ofResponses(asked.tools(), asked.toolChoice(), asked.parallelToolCalls());
        Constraint shape = format == null ? null : Fields.constraint("text.format", format.type(), format.schema());
        Constraint constraint = tools.constraint(model, shape, "text.format");
        List<ChatMessage> own = asked.messages();
        int[] prompt = Prompts.ofConversation(model, conversation(organization, asked, own), tools.tools(), "input");
        Job job = new Job(
                model,
                List.of(prompt),
                1,
                maxTokens,
                sampling,
                List.of(),
                asked.wantsLogprobs() ? logprobs : -1,
                constraint,
                tools.calls(model),
                organization.value());

        String id = "resp_" + exchange.id().value().substring("req_".length());
        Instant now = Instant.now();
        CompletableFuture<byte[]> document = new CompletableFuture<>();
        BiConsumer<byte[], ChatMessage> keep = (made, said) -> {
            if (asked.keeps()) {
                List<ChatMessage> turn = new ArrayList<>(own);
                turn.add(said);
                stored.keep(organization, id, asked.previousResponseId(), now, made, turn);
            }
            document.complete(made);
        };
        WireFormat wire = new ResponsesFormat(id, now.getEpochSecond(), model, asked, keep);
        String param = tools.constraintParam(constraint, "input", "text.format");
        Answer answer = governed.answer(exchange, job, wire, Fields.flag(asked.stream()), param);
        return answer instanceof EventStream(PaidStream stream, Map<String, String> headers)
                ? new EventStream(sink -> runs(id, new Running(organization, stream, document), sink), headers)
                : answer;
    }

    private void runs(String id, Running one, EventStream.Sink sink) throws IOException {
        running.put(id, one);
        try {
            one.stream.write(sink);
        } finally {
            running.remove(id);
            one.document.cancel(false); // nothing happens where it is complete
        }
    }

    private List<ChatMessage> conversation(OrganizationId organization, ResponseRequest asked, List<ChatMessage> own) {
        List<ChatMessage> all = new ArrayList<>();
        if (asked.instructions() != null) all.add(ChatMessage.of("system", asked.instructions()));
        String previous = asked.previousResponseId();
        if (previous != null) {
            all.addAll(stored.conversation(organization, previous)
                    .orElseThrow(() -> RefusedException.invalid(
                            "The answer '" + shortened(previous) + "', or one before it, is not kept here (any more);"
                                    + " send the conversation in 'input'",
                            "previous_response_id",
                            "previous_response_not_found")));
        }
        all.addAll(own);
        return all;
    }

    private Content one(Exchange exchange) {
        String id = exchange.variable("id");
        return stored.find(exchange.caller().organization(), id)
                .map(document -> new Content(200, Content.JSON, document, Map.of()))
                .orElseThrow(() -> notFound(id));
    }

    private Content delete(Exchange exchange) {
        String id = exchange.variable("id");
        if (!stored.delete(exchange.caller().organization(), id)) throw notFound(id);
        return Content.json(new DeletedResponse(id, "response", true));
    }

    private Answer cancel(Exchange exchange) throws InterruptedException {
        String id = exchange.variable("id");
        OrganizationId organization = exchange.caller().organization();
        Running one = running.get(id);
        if (one == null || !one.organization.equals(organization)) {
            if (stored.find(organization, id).isEmpty()) throw notFound(id);
            throw RefusedException.invalid("The answer '" + shortened(id) + "' has ended", "id", "response_has_ended");
        }
        one.stream.cancel();
        byte[] document = awaited(one.document);
        if (document == null)
            return new Refusal.Conflict("The answer broke off before it was cancelled", "interrupted", null);
        return new Content(200, Content.JSON, document, Map.of());
    }

    /** Null when the stream ended without a document: its client left, or the engine failed. */
    private static byte @Nullable [] awaited(CompletableFuture<byte[]> document) throws InterruptedException {
        try {
            return document.handle((made, _) -> made).get(CANCEL_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException | TimeoutException e) {
            return null;
        }
    }

    private static RefusedException notFound(String id) {
        return new RefusedException(new Refusal.NotFound(
                "No answer with the id '" + shortened(id) + "' is kept", "id", "response_not_found"));
    }

    private static String shortened(String id) {
        return id.length() > 100 ? id.substring(0, 100) + "…" : id;
    }

    record DeletedResponse(String id, String object, boolean deleted) {}
}
