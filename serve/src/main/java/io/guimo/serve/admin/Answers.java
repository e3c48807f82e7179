package io.guimo.serve.admin;

import io.guimo.commerce.command.CommandKey;
import io.guimo.commerce.command.Outcome;
import io.guimo.serve.http.Answer;
import io.guimo.serve.http.Content;
import io.guimo.serve.http.Exchange;
import io.guimo.serve.http.Refusal;
import io.guimo.serve.http.RefusedException;
import io.guimo.units.Ids;
import io.guimo.units.OrganizationId;
import java.util.function.Function;
import java.util.function.Supplier;

/** Commands and their outcomes on the wire. */
final class Answers {
    private Answers() {}

    /** The caller's {@code Idempotency-Key}, or one of our own that is never used again. */
    static CommandKey commandKey(Exchange exchange) {
        String key = exchange.header("idempotency-key").orElseGet(() -> Ids.next("cmd"));
        if (key.isBlank() || key.length() > 255) {
            throw RefusedException.invalid(
                    "The header 'Idempotency-Key' has " + key.length()
                            + " characters; give 1 to 255, not only blanks, such as a UUID",
                    "Idempotency-Key",
                    "invalid_idempotency_key");
        }
        return new CommandKey(
                exchange.caller().organization() + " POST " + exchange.route().path(), key);
    }

    /** @param view what was made, as it is answered */
    static <T> Answer of(Outcome<T> outcome, Function<T, ?> view) {
        return switch (outcome) {
            case Outcome.Done<T>(T value, boolean _) -> Content.json(view.apply(value));
            case Outcome.Refused<T>(io.guimo.commerce.command.Refusal refusal, String message) ->
                switch (refusal) {
                    case IDEMPOTENCY_MISMATCH -> new Refusal.Unprocessable(message, "idempotency_mismatch");
                    case NOT_FOUND -> new Refusal.NotFound(message, null, "not_found");
                    case CLOCK_NOT_TURNED -> new Refusal.InvalidRequest(message, "to", "clock_not_turned");
                    case PRICE_IN_THE_PAST -> new Refusal.InvalidRequest(message, "valid_from", "price_in_the_past");
                    case CURRENCY_MISMATCH -> new Refusal.InvalidRequest(message, "currency", "currency_mismatch");
                };
        };
    }

    /** The organisation that the path names. It need not exist. */
    static OrganizationId organization(Exchange exchange) {
        return id(exchange, "organization", OrganizationId::new);
    }

    /** An id in the path; one of a wrong form cannot exist. */
    static <T> T id(Exchange exchange, String variable, Function<String, T> constructor) {
        String value = exchange.variable(variable);
        try {
            return constructor.apply(value);
        } catch (IllegalArgumentException e) {
            throw notFound(variable, value);
        }
    }

    static RefusedException notFound(String kind, String value) {
        String shown = value.length() > 100 ? value.substring(0, 100) + "…" : value;
        return new RefusedException(
                new Refusal.NotFound("There is no " + kind + " '" + shown + "'", null, kind + "_not_found"));
    }

    /** A value made of what the caller sent; what cannot be is the caller's mistake. */
    static <T> T checked(String param, Supplier<T> value) {
        try {
            return value.get();
        } catch (IllegalArgumentException | java.time.DateTimeException e) {
            throw RefusedException.invalid(String.valueOf(e.getMessage()), param, "invalid_value");
        }
    }
}
