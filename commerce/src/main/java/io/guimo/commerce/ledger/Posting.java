package io.guimo.commerce.ledger;

import io.guimo.units.Money;

/**
 * One side of an entry.
 *
 * @param amount a debit is positive, a credit negative; never zero
 */
public record Posting(Account account, Money amount) {
    public Posting {
        if (amount.signum() == 0) {
            throw new IllegalArgumentException("a posting to " + account.wireName() + " of nothing; leave it out");
        }
    }
}
