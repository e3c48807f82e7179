package io.guimo.commerce.ledger;

import io.guimo.units.Money;
import java.util.List;

/**
 * What an organisation can spend, of grants that have not expired.
 *
 * @param remaining not yet spent, unused credit line included
 * @param reserved the part of it that open reservations hold
 * @param available the rest: what new requests can reserve
 * @param grants those with something left, in the order in which they are spent
 */
public record Balance(Money remaining, Money reserved, Money available, List<Grant> grants) {
    public Balance {
        grants = List.copyOf(grants);
    }
}
