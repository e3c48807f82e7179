package io.guimo.serve;

import io.guimo.commerce.Authorization;
import io.guimo.commerce.IdempotencyKey;
import io.guimo.commerce.Refused;
import io.guimo.commerce.Reservation;
import io.guimo.commerce.Till;
import io.guimo.commerce.UsageRequest.Delivery;
import io.guimo.inference.ChatReply;
import io.guimo.inference.ChatUsage;
import io.guimo.inference.HostedModel;
import io.guimo.inference.RemoteChat;
import io.guimo.inference.TextGenerator;
import io.guimo.serve.http.Access;
import io.guimo.serve.http.Answer;
import io.guimo.serve.http.Content;
import io.guimo.serve.http.EventStream;
import io.guimo.serve.http.Exchange;
import io.guimo.serve.http.Json;
import io.guimo.serve.http.Refusal;
import io.guimo.serve.http.RefusedException;
import io.guimo.serve.http.Route;
import io.guimo.serve.language.Conversations;
import io.guimo.units.Meter;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * {@code POST /v1/chat/completions}: for a model that runs here by {@link Conversations}; for a remote one forwarded, and charged by tokens: those that
 * we count where the model has a tokenizer here, else those that the upstream reports, or, where it reports none, a quarter of the text's bytes.
 */
final class ChatCompletions {
    /** Output tokens for which a stream holds money at a time. */
    static final long BLOCK = 256;

    private static final long BODY_LIMIT = 8L << 20;

    /** Tokens that a chat template puts around one message, at most. */
    private static final int TEMPLATE_TOKENS = 16;

    private static final int BYTES_PER_TOKEN = 4;

    private final Governed governed;
    private final Models models;
    private final Till till;
    private final Conversations conversations;

    ChatCompletions(Governed governed, Models models, Till till, Conversations conversations) {
        this.conversations = conversations;
        this.governed = governed;
        this.models = models;
        this.till = till;
    }

    Route route() {
        return Route.post("/v1/chat/completions", Access.KEY, BODY_LIMIT, Conversations.about(), this::answer);
    }

    private Answer answer(Exchange exchange) throws Exception {
        exchange.requireMediaType(List.of(Content.JSON));
        byte[] body = exchange.body();
        ChatRequest request = ChatRequest.read(body);
        HostedModel named = models.of(exchange.caller(), request.model(), HostedModel.class);
        if (named instanceof TextGenerator local) return conversations.answer(exchange, local);
        RemoteChat model = models.of(exchange.caller(), request.model(), RemoteChat.class);
        return request.stream()
                ? stream(exchange, model, request, body)
                : governed.answer(exchange, e -> order(model, request, body));
    }

    private static Order order(RemoteChat model, ChatRequest request, byte[] body) {
        Map<Meter, Long> atMost = tokens(model, inputBound(request, body), mostOutput(model, request));
        return new Order(model.name(), atMost, List.of(body), () -> {
            ChatReply reply = model.complete(body);
            if (!reply.succeeded()) throw new RefusedException(upstreamRefusal(reply.status(), reply.body()));
            ChatUsage usage = reply.usage().reported()
                    ? reply.usage()
                    : new ChatUsage(estimated(request.textBytes()), 0, estimated(reply.body().length), false);
            Map<String, String> headers =
                    reply.servedBy().isEmpty() ? Map.of() : Map.of(Governed.SERVED_BY, reply.servedBy());
            Content answer = new Content(200, Content.JSON, reply.body(), headers);
            return new Order.Served(delivered(model, usage, atMost), answer);
        });
    }

    private Answer stream(Exchange exchange, RemoteChat model, ChatRequest request, byte[] body) {
        long firstBlock = Math.min(BLOCK, mostOutput(model, request));
        Map<Meter, Long> atMost = tokens(model, inputBound(request, body), firstBlock);
        Optional<IdempotencyKey> key = Governed.idempotencyKey(exchange, List.of(body));
        return switch (governed.authorize(exchange, model.name(), atMost, key, Delivery.BEFORE_SETTLE)) {
            case Refused refused -> governed.refusal(exchange, refused);
            case Authorization.Replayed replayed -> governed.replayed(exchange, replayed);
            case Authorization.Granted(Reservation reservation) ->
                new EventStream(
                        new ChatStream(till, model, request, body, reservation, key.isPresent()),
                        Map.of(Governed.RECEIPT, exchange.id().value()));
        };
    }

    /** No tokenizer makes more tokens of a text than it has bytes. */
    private static long inputBound(ChatRequest request, byte[] body) {
        return body.length + (long) TEMPLATE_TOKENS * request.messages();
    }

    static long mostOutput(RemoteChat model, ChatRequest request) {
        Long asked = request.maxTokens();
        return (asked == null ? model.maxOutputTokens() : asked) * request.choices();
    }

    static long estimated(long bytes) {
        return Math.max(1, Math.ceilDiv(bytes, (long) BYTES_PER_TOKEN));
    }

    /** Counts on those meters that the model has. */
    static Map<Meter, Long> tokens(RemoteChat model, long input, long output) {
        Set<Meter> meters = model.meters();
        Map<Meter, Long> counts = new EnumMap<>(Meter.class);
        if (meters.contains(Meter.INPUT_TOKENS)) counts.put(Meter.INPUT_TOKENS, input);
        if (meters.contains(Meter.CACHED_INPUT_TOKENS)) counts.put(Meter.CACHED_INPUT_TOKENS, input);
        if (meters.contains(Meter.OUTPUT_TOKENS)) counts.put(Meter.OUTPUT_TOKENS, output);
        return counts;
    }

    /** What is charged: what was counted or reported, but never more than was held. */
    static Map<Meter, Long> delivered(RemoteChat model, ChatUsage usage, Map<Meter, Long> atMost) {
        Map<Meter, Long> counts = new EnumMap<>(Meter.class);
        boolean cachedApart = model.meters().contains(Meter.CACHED_INPUT_TOKENS);
        counts.put(Meter.INPUT_TOKENS, usage.inputTokens() + (cachedApart ? 0 : usage.cachedInputTokens()));
        counts.put(Meter.CACHED_INPUT_TOKENS, usage.cachedInputTokens());
        counts.put(Meter.OUTPUT_TOKENS, usage.outputTokens());
        counts.keySet().retainAll(atMost.keySet());
        counts.replaceAll((meter, count) -> Math.min(count, atMost.getOrDefault(meter, 0L)));
        return counts;
    }

    /** The upstream's refusal of what the caller sent is the caller's to mend; everything else is a failure behind us. */
    static Refusal upstreamRefusal(int status, byte[] body) {
        return switch (status) {
            case 400, 413, 422 -> new Refusal.InvalidRequest(message(body), null, "upstream_refused");
            case 429, 503 ->
                new Refusal.Overloaded("The model's server is busy; send the request again", Duration.ofSeconds(1));
            default -> new Refusal.UpstreamFailed("The model's server answered with status " + status);
        };
    }

    private static String message(byte[] body) {
        if (body.length < 100_000
                && Json.readMap(body).get("error") instanceof Map<?, ?> error
                && error.get("message") instanceof String message) {
            return message;
        }
        return "The model's server refused the request";
    }
}
