package io.guimo.commerce.account;

import io.guimo.units.OrganizationId;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.util.Currency;

/**
 * A customer, or the operator itself.
 *
 * @param name as printed on its invoices, 1 to 200 characters
 * @param sandbox whether it is a trial whose clock may be turned; its money is not real
 * @param zone zone of its calendar: billing periods are months here
 * @param currency currency of its wallet, prices and invoices; fixed for good
 * @param clockOffset how far its clock runs ahead of the world's; always zero unless {@code sandbox}
 * @param createdAt by its own clock
 */
public record Organization(
        OrganizationId id,
        String name,
        boolean sandbox,
        ZoneId zone,
        Currency currency,
        Duration clockOffset,
        Instant createdAt) {
    /** Longest name, in characters. */
    public static final int LONGEST_NAME = 200;

    public Organization {
        Names.check("organisation", name);
        if (clockOffset.isNegative() || (!sandbox && !clockOffset.isZero())) {
            throw new IllegalArgumentException("clock offset " + clockOffset
                    + "; only a sandbox organisation's clock can be turned, and only forward");
        }
    }
}
