package io.guimo.commerce.price;

import io.guimo.units.Money;
import java.time.Instant;
import java.util.Currency;

/**
 * A set of prices that organisations subscribe to.
 *
 * @param name as {@link PlanSettings#name}
 * @param fee price of a calendar month, billed with it; zero for pay-as-you-go
 * @param validFrom since when the fee holds
 */
public record Plan(String name, Money fee, Instant validFrom) {
    public Plan {
        PlanSettings.checkName(name);
        if (fee.signum() < 0) {
            throw new IllegalArgumentException("fee " + fee + " of plan " + name + " is negative; write 0 or more");
        }
    }

    public Currency currency() {
        return fee.currency();
    }
}
