package io.guimo.commerce;

import io.guimo.units.RequestId;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A request that may not run, or a stream that may not go on; nothing was charged for it.
 *
 * @param message what is wrong and what to do, fit for the caller's eyes
 * @param retryAfter how long to wait before sending it again; zero where that is pointless
 * @param receipt the request whose receipt tells what was charged, for {@link Code#INTERRUPTED}; else null
 */
public record Refused(
        Code code,
        String message,
        Duration retryAfter,
        @Nullable RequestId receipt) implements Authorization, Extension {
    /** Why; the names are stable. */
    public enum Code {
        /** The plan gives no price for the product or for one of its meters. */
        NO_PRICE,
        /** The wallet does not hold what the request can cost at most. */
        INSUFFICIENT_QUOTA,
        /** The same idempotency key is being worked on. */
        IDEMPOTENCY_RUNNING,
        /** The idempotency key was used for other content. */
        IDEMPOTENCY_MISMATCH,
        /** The idempotency key belongs to a request that broke off after something was delivered and charged. */
        INTERRUPTED,
        /** The request id was used before. */
        DUPLICATE_REQUEST,
        /** Too many requests wait for the ledger. */
        OVERLOADED,
        /** The ledger cannot be reached. */
        UNAVAILABLE;

        /** Whether the same request can succeed later without anything being changed. */
        public boolean retryable() {
            return switch (this) {
                case IDEMPOTENCY_RUNNING, OVERLOADED, UNAVAILABLE -> true;
                case NO_PRICE, INSUFFICIENT_QUOTA, IDEMPOTENCY_MISMATCH, INTERRUPTED, DUPLICATE_REQUEST -> false;
            };
        }
    }

    public boolean retryable() {
        return code.retryable();
    }

    static Refused of(Code code, String message) {
        return new Refused(code, message, Duration.ZERO, null);
    }
}
