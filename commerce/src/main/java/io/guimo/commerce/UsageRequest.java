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
 */
public record UsageRequest(
        RequestId id,
        Caller caller,
        String product,
        Map<Meter, Long> atMost,
        @Nullable IdempotencyKey idempotency) {
    public UsageRequest {
        atMost = Quantities.checked(atMost);
    }
}
