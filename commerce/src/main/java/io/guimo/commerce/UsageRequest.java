package io.guimo.commerce;

import io.guimo.commerce.account.Caller;
import io.guimo.units.Meter;
import io.guimo.units.RequestId;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a caller is about to use.
 *
 * @param product name of the product, such as a model
 * @param atMost most units of each meter that can be delivered before the next {@link Till#extend}; at least one meter, each 0 or more
 * @param idempotency the caller's {@code Idempotency-Key}, if it sent one
 * @param delivery when the caller of the request gets what it is charged for
 */
public record UsageRequest(
        RequestId id,
        Caller caller,
        String product,
        Map<Meter, Long> atMost,
        @Nullable IdempotencyKey idempotency,
        Delivery delivery) {
    /** When something leaves the server, seen from the settle. */
    public enum Delivery {
        /** Nothing before the settle, which can still withhold it all. */
        AFTER_SETTLE,
        /** Parts of it before the settle, as by a stream. */
        BEFORE_SETTLE
    }

    public UsageRequest {
        atMost = Quantities.checked(atMost);
    }
}
