package io.guimo.commerce.ledger;

import io.guimo.commerce.meter.UsageEvent;
import io.guimo.commerce.meter.UsageLine;
import io.guimo.commerce.price.Derivation;
import io.guimo.commerce.price.PriceVersion;
import io.guimo.units.OrganizationId;
import java.util.List;

/**
 * What a request cost, and why.
 *
 * @param event what was used, and the amount that was charged
 * @param price the version that it was pinned to when it was authorised
 * @param lines the walk of each of the event's lines through the tiers
 * @param entry how it was booked; without postings where it cost nothing
 */
public record Receipt(UsageEvent event, PriceVersion price, List<Line> lines, Entry entry) {
    /** @param derivation walk through the tiers, from the units that were counted before */
    public record Line(UsageLine usage, Derivation derivation) {}

    public Receipt {
        lines = List.copyOf(lines);
    }

    public OrganizationId organization() {
        return event.organization();
    }
}
