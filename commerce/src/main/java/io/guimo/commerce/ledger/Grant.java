package io.guimo.commerce.ledger;

import io.guimo.units.Money;
import java.time.Instant;
import java.util.Optional;

/**
 * A part of a wallet.
 *
 * @param granted paid in, given or lent at first
 * @param remaining not yet spent
 * @param reserved the part of {@code remaining} that open reservations hold
 * @param expiresAt by the organisation's clock; what is reserved then can still be spent
 */
public record Grant(
        long id,
        GrantKind kind,
        Money granted,
        Money remaining,
        Money reserved,
        Instant grantedAt,
        Optional<Instant> expiresAt) {
    public Money available() {
        return remaining.minus(reserved);
    }

    public boolean isExpired(Instant at) {
        return expiresAt.isPresent() && !at.isBefore(expiresAt.get());
    }
}
