package io.guimo.serve;

import io.guimo.commerce.Authorization;
import io.guimo.commerce.IdempotencyKey;
import io.guimo.commerce.Refused;
import io.guimo.commerce.Reservation;
import io.guimo.commerce.Settlement;
import io.guimo.commerce.StoredAnswer;
import io.guimo.commerce.Till;
import io.guimo.commerce.UsageRequest;
import io.guimo.commerce.UsageRequest.Delivery;
import io.guimo.inference.InferenceRefusal;
import io.guimo.serve.http.Answer;
import io.guimo.serve.http.Content;
import io.guimo.serve.http.Exchange;
import io.guimo.serve.http.RateLimits;
import io.guimo.serve.http.Refusal;
import io.guimo.serve.http.RefusedException;
import io.guimo.serve.http.Route;
import io.guimo.units.Meter;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The way of everything that is sold: the order is read and checked, the most it can cost is held, it is served, what was delivered is charged, and
 * only then, with the charge durable, the answer leaves. Whatever goes wrong before gives the money back: a refusal or a failure is never billed.
 */
public final class Governed {
    /** Names the receipt of an answer. */
    public static final String RECEIPT = "x-guimo-receipt";

    static final String AMOUNT = "x-guimo-amount";
    static final String CURRENCY = "x-guimo-currency";
    /** Names the model that answered in place of the one that was asked, and sold, for. */
    static final String SERVED_BY = "x-guimo-served-by";

    private static final String REPLAYED = "x-guimo-replayed";

    private final Till till;
    private final RateLimits rateLimits;

    public Governed(Till till, RateLimits rateLimits) {
        this.till = till;
        this.rateLimits = rateLimits;
    }

    /** Reads an order, or refuses by {@link RefusedException}. */
    @FunctionalInterface
    public interface Reader {
        Order read(Exchange exchange);
    }

    /** Reads the order, serves it and charges for it. */
    public Answer answer(Exchange exchange, Reader reader) throws Exception {
        Order order = reader.read(exchange);
        Optional<IdempotencyKey> key = idempotencyKey(exchange, order.content());
        return switch (authorize(exchange, order.product(), order.atMost(), key, Delivery.AFTER_SETTLE)) {
            case Refused refused -> refusal(exchange, refused);
            case Authorization.Replayed replayed -> replayed(exchange, replayed);
            case Authorization.Granted(Reservation reservation) -> served(order, reservation, key.isPresent());
        };
    }

    /** Holds the most that a stream's beginning can cost, within the caller's share of tokens. */
    public Authorization authorize(
            Exchange exchange,
            String product,
            Map<Meter, Long> atMost,
            Optional<IdempotencyKey> key,
            Delivery delivery) {
        long tokens = atMost.getOrDefault(Meter.INPUT_TOKENS, 0L) + atMost.getOrDefault(Meter.OUTPUT_TOKENS, 0L);
        if (tokens > 0) rateLimits.takeTokens(exchange.caller().organization(), tokens);
        return till.authorize(
                new UsageRequest(exchange.id(), exchange.caller(), product, atMost, key.orElse(null), delivery));
    }

    /** The caller's idempotency key, if it sent one, bound to this route and content. */
    public static Optional<IdempotencyKey> idempotencyKey(Exchange exchange, List<byte[]> content) {
        return exchange.header("idempotency-key").map(key -> {
            if (key.isBlank() || key.length() > 255) {
                throw RefusedException.invalid(
                        "The header 'Idempotency-Key' has " + key.length()
                                + " characters; give 1 to 255, not only blanks, such as a UUID",
                        "Idempotency-Key",
                        "invalid_idempotency_key");
            }
            Route route = exchange.route();
            return new IdempotencyKey(route.method() + " " + route.path(), key, digest(exchange, content));
        });
    }

    private Answer served(Order order, Reservation reservation, boolean keepAnswer) throws Exception {
        Order.Served served;
        try {
            served = order.work().serve();
        } catch (InferenceRefusal e) {
            till.release(reservation);
            return EngineRefusals.refusal(e);
        } catch (Exception | Error e) {
            till.release(reservation);
            throw e;
        }
        Content answer = served.answer();
        StoredAnswer kept = keepAnswer && answer.bytes().length <= StoredAnswer.LARGEST_KEPT
                ? new StoredAnswer(answer.status(), answer.mediaType(), answer.bytes())
                : null;
        Settlement settlement = till.settle(reservation, served.delivered(), kept);
        return switch (settlement.outcome()) {
            case CHARGED, WRITTEN_OFF -> withReceipt(answer, settlement);
            case WITHHELD ->
                new Refusal.QuotaExhausted("The balance no longer covers this request; add credit and send it again");
        };
    }

    private static Content withReceipt(Content answer, Settlement settlement) {
        Map<String, String> headers = new HashMap<>(answer.headers());
        headers.put(RECEIPT, settlement.request().value());
        headers.put(AMOUNT, settlement.amount().toDecimalString());
        headers.put(CURRENCY, settlement.amount().currency().getCurrencyCode());
        return new Content(answer.status(), answer.mediaType(), answer.bytes(), headers);
    }

    /** The answer that was given before under the same key. */
    public Answer replayed(Exchange exchange, Authorization.Replayed replayed) {
        Map<String, String> headers = Map.of(RECEIPT, replayed.first().value(), REPLAYED, "true");
        @Nullable StoredAnswer kept = replayed.answer();
        if (kept == null) {
            headers.forEach(exchange::answerHeader);
            return new Refusal.Conflict(
                    "This request was served and charged before under the same Idempotency-Key; its answer was too large"
                            + " to be kept. The header " + RECEIPT + " names its receipt",
                    "idempotency_answer_not_kept",
                    null);
        }
        return new Content(kept.status(), kept.contentType(), kept.bytes(), headers);
    }

    /** The till's refusals as ours. */
    public Refusal refusal(Exchange exchange, Refused refused) {
        return switch (refused.code()) {
            case NO_PRICE -> new Refusal.NotFound(refused.message(), "model", "model_not_found");
            case INSUFFICIENT_QUOTA -> new Refusal.QuotaExhausted(refused.message());
            case IDEMPOTENCY_RUNNING ->
                new Refusal.Conflict(refused.message(), "idempotency_running", atLeast(refused.retryAfter()));
            case IDEMPOTENCY_MISMATCH -> new Refusal.Unprocessable(refused.message(), "idempotency_mismatch");
            case INTERRUPTED -> {
                if (refused.receipt() != null)
                    exchange.answerHeader(RECEIPT, refused.receipt().value());
                yield new Refusal.Conflict(refused.message(), "interrupted", null);
            }
            case DUPLICATE_REQUEST -> new Refusal.Conflict(refused.message(), "duplicate_request", null);
            case OVERLOADED, UNAVAILABLE -> new Refusal.Overloaded(refused.message(), atLeast(refused.retryAfter()));
        };
    }

    private static Duration atLeast(Duration wait) {
        return wait.isPositive() ? wait : Duration.ofSeconds(1);
    }

    /** Over the values of the path's variables and the content, each with its length, so that no two different requests look alike. */
    private static String digest(Exchange exchange, List<byte[]> content) {
        try {
            MessageDigest sha = MessageDigest.getInstance("SHA-256");
            for (String name : exchange.route().variables()) {
                update(sha, exchange.variable(name).getBytes(StandardCharsets.UTF_8));
            }
            for (byte[] part : content) update(sha, part);
            return HexFormat.of().formatHex(sha.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    private static void update(MessageDigest sha, byte[] part) {
        sha.update(ByteBuffer.allocate(Integer.BYTES).putInt(part.length).array());
        sha.update(part);
    }
}
