package io.guimo.commerce;

import io.guimo.units.RequestId;
import org.jspecify.annotations.Nullable;

/** Whether a request may run. */
public sealed interface Authorization permits Authorization.Granted, Refused, Authorization.Replayed {
    /** It may: the most it can cost is held. */
    record Granted(Reservation reservation) implements Authorization {}

    /**
     * It ran before under the same idempotency key.
     *
     * @param first the request that ran; its receipt is the answer's
     * @param answer what was answered; null where it was larger than {@link StoredAnswer#LARGEST_KEPT} or none was given to keep
     */
    record Replayed(RequestId first, @Nullable StoredAnswer answer) implements Authorization {}
}
