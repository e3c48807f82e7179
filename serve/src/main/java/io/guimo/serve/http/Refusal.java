package io.guimo.serve.http;

import io.guimo.units.RequestId;
import java.time.Duration;
import java.util.List;
import java.util.SortedSet;
import org.jspecify.annotations.Nullable;

/** Why a request is not served. {@link ErrorAnswers} says what each becomes on the wire. */
public sealed interface Refusal extends Answer {
    /** For the caller: the value, the permitted range, what to do. */
    String message();

    /**
     * The request cannot be understood or asks for what cannot be.
     *
     * @param param the field at fault, such as {@code images[2]}, or null when it is the request as a whole
     * @param code stable code, such as {@code invalid_type}
     */
    record InvalidRequest(String message, @Nullable String param, String code) implements Refusal {}

    /** No key, or not a valid one. */
    record Unauthenticated(String message, String code) implements Refusal {}

    /** A valid key that may not do this. */
    record Forbidden(String message) implements Refusal {}

    /**
     * A path or a thing that does not exist for this caller; things of other organisations are told apart from missing ones by nothing.
     *
     * @param code stable code, such as {@code model_not_found}
     */
    record NotFound(String message, @Nullable String param, String code) implements Refusal {}

    /** The path exists, with other methods. */
    record WrongMethod(String method, String path, SortedSet<String> allowed) implements Refusal {
        @Override
        public String message() {
            return method + " is not allowed on " + path + "; allowed: " + String.join(", ", allowed);
        }
    }

    /** The body is larger than the route takes. */
    record TooLarge(long limitBytes) implements Refusal {
        @Override
        public String message() {
            return "The request body is larger than the " + limitBytes
                    + " bytes that this route takes; send less at once, in several requests";
        }
    }

    /** A body of another kind than the route reads. */
    record WrongMediaType(String given, List<String> accepted) implements Refusal {
        @Override
        public String message() {
            return "Content type '" + given + "' is not read here; send " + String.join(" or ", accepted);
        }
    }

    /** The body did not arrive in time. */
    record TooSlow(Duration limit) implements Refusal {
        @Override
        public String message() {
            return "The request body did not arrive within " + limit.toSeconds() + " seconds";
        }
    }

    /**
     * In conflict with an earlier request.
     *
     * @param retryAfter when the same request can succeed; null: never
     */
    record Conflict(String message, String code, @Nullable Duration retryAfter) implements Refusal {}

    /** Well formed, and in contradiction to what was said before under the same key. */
    record Unprocessable(String message, String code) implements Refusal {}

    /**
     * More than the caller's share per minute.
     *
     * @param unit {@code requests} or {@code tokens}
     */
    record RateLimited(String unit, long limitPerMinute, Duration retryAfter) implements Refusal {
        @Override
        public String message() {
            return "Rate limit of " + limitPerMinute + " " + unit + " a minute reached; try again in "
                    + Math.max(1, retryAfter.toSeconds()) + " s";
        }
    }

    /** The money does not suffice; waiting does not help. */
    record QuotaExhausted(String message) implements Refusal {}

    /** Too much work at this moment for the whole server or one model. */
    record Overloaded(String message, Duration retryAfter) implements Refusal {}

    /** The server is stopping; another one, or the next, will answer. */
    record Draining() implements Refusal {
        @Override
        public String message() {
            return "The server is shutting down; send the request again";
        }
    }

    /** A model's remote server failed. */
    record UpstreamFailed(String message) implements Refusal {}

    /** Our own failure; the log has it under the request's id. */
    record Broken(RequestId id) implements Refusal {
        @Override
        public String message() {
            return "The server failed to answer; nothing was billed. Quote " + id + " to the operator";
        }
    }
}
