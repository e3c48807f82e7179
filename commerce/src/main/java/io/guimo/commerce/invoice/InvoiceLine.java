package io.guimo.commerce.invoice;

import io.guimo.commerce.price.Derivation.Step;
import io.guimo.commerce.price.PriceVersionId;
import io.guimo.units.Meter;
import io.guimo.units.Money;
import io.guimo.units.TimeWindow;
import java.util.List;
import java.util.Optional;

/**
 * One amount of an invoice and how it came about.
 *
 * @param position number of the line, counted from 1
 * @param product what was used, or the name of the plan whose fee it is
 * @param meter what was counted; empty for a fee
 * @param price the version that priced it; empty for a fee
 * @param period the month of the usage, for an adjustment an earlier one than the invoice's
 * @param quantity units, or 1 for a fee; an adjustment's can be negative
 * @param exact sum of the usage events' exact amounts
 * @param amount {@code exact} rounded half even to the currency's smallest unit: what is owed
 * @param walk the tiers that the quantity went through, whose amounts sum to {@code exact}; empty for a fee
 */
public record InvoiceLine(
        int position,
        Kind kind,
        String product,
        Optional<Meter> meter,
        Optional<PriceVersionId> price,
        TimeWindow period,
        long quantity,
        Money exact,
        Money amount,
        List<Step> walk) {
    /** Why something is owed. */
    public enum Kind {
        /** Usage of the invoice's month. */
        USAGE,
        /** Usage of an earlier month that arrived after that month's invoice. */
        ADJUSTMENT,
        /** The plan's fee for the month. */
        FEE
    }

    public InvoiceLine {
        walk = List.copyOf(walk);
        if (!exact.roundToMinorUnit().equals(amount)) {
            throw new IllegalArgumentException("line " + position + ": " + exact + " does not round to " + amount);
        }
        if ((kind == Kind.FEE) != (meter.isEmpty() && price.isEmpty())) {
            throw new IllegalArgumentException(
                    "line " + position + ": a fee has no meter and no price version, usage has both");
        }
        if (kind != Kind.FEE) {
            Money walked = Money.zero(exact.currency());
            for (Step step : walk) walked = walked.plus(step.amount());
            if (!walked.equals(exact)) {
                throw new IllegalArgumentException(
                        "line " + position + ": its tiers sum to " + walked + ", its usage to " + exact);
            }
        }
    }

    /** What rounding added, negative where it took away. */
    public Money rounding() {
        return amount.minus(exact);
    }
}
