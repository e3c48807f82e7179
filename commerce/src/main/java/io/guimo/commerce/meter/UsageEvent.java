package io.guimo.commerce.meter;

import io.guimo.commerce.price.PriceVersionId;
import io.guimo.units.KeyId;
import io.guimo.units.Money;
import io.guimo.units.OrganizationId;
import io.guimo.units.ProjectId;
import io.guimo.units.RequestId;
import java.time.Instant;
import java.util.List;

/**
 * What one request used.
 *
 * @param id also of the entry that books it
 * @param periodStart first instant of the billing period whose counters it advanced
 * @param usedAt when it was authorised, by the organisation's clock
 * @param recordedAt when it was settled, in the world's time
 * @param writtenOff the part of the amount that the wallet could not pay
 * @param brokenOff whether the request ended before its end
 * @param lines one for each meter
 */
public record UsageEvent(
        long id,
        OrganizationId organization,
        ProjectId project,
        KeyId key,
        RequestId request,
        String product,
        PriceVersionId price,
        Instant periodStart,
        Instant usedAt,
        Instant recordedAt,
        Money amount,
        Money writtenOff,
        boolean brokenOff,
        List<UsageLine> lines) {
    public UsageEvent {
        lines = List.copyOf(lines);
    }
}
