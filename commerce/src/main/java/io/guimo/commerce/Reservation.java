package io.guimo.commerce;

import io.guimo.commerce.account.Caller;
import io.guimo.commerce.price.PriceVersion;
import io.guimo.units.Meter;
import io.guimo.units.RequestId;
import io.guimo.units.TimeWindow;
import java.time.Instant;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Money held for a request that runs. Its price version and period stay those of the moment it was authorised, whatever changes meanwhile.
 *
 * @param period the billing period whose counters it advances
 * @param usedAt by the organisation's own clock
 * @param atMost most units of each meter it may deliver, all blocks of a stream together
 * @param idempotency the key under which it runs, if any
 */
public record Reservation(
        RequestId request,
        Caller caller,
        PriceVersion price,
        TimeWindow period,
        Instant usedAt,
        Map<Meter, Long> atMost,
        @Nullable IdempotencyKey idempotency) {
    public Reservation {
        atMost = Quantities.checked(atMost);
    }
}
