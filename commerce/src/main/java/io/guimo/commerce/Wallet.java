package io.guimo.commerce;

import io.guimo.commerce.Holding.Hold;
import io.guimo.commerce.Holding.KeyName;
import io.guimo.commerce.ledger.GrantKind;
import io.guimo.units.Meter;
import io.guimo.units.Money;
import io.guimo.units.OrganizationId;
import io.guimo.units.RequestId;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Currency;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What a lane has in memory of one organisation, true as long as the wallet's row has the same version. Knows how money moves between free,
 * reserved and spent; knows no SQL.
 *
 * <p>Held money is pooled: what is reserved of all grants together is the sum of the counters' exposures, so that a reservation never comes
 * short because others settled in another order, and never holds more than can be asked of it (docs/decisions/0040). Each reservation names
 * the grants that its share was taken from; they are the first to pay for it and the first to be free again.
 */
final class Wallet {
    /** One grant. */
    static final class Purse {
        final long id;
        final GrantKind kind;
        private final @Nullable Instant expiresAt;
        private Money remaining;
        private Money reserved;
        boolean changed;

        /** Reserved until the settle that is being worked on; it can pay with this even where the grant has expired. */
        private Money freed;

        Purse(long id, GrantKind kind, Money remaining, Money reserved, @Nullable Instant expiresAt) {
            this.id = id;
            this.kind = kind;
            this.remaining = remaining;
            this.reserved = reserved;
            this.expiresAt = expiresAt;
            this.freed = Money.zero(remaining.currency());
        }

        Money remaining() {
            return remaining;
        }

        Money reserved() {
            return reserved;
        }

        private boolean isOpen(Instant at) {
            return expiresAt == null || at.isBefore(expiresAt);
        }

        private Money available() {
            return remaining.minus(reserved);
        }

        private void reserve(Money amount) {
            reserved = reserved.plus(amount);
            changed = true;
        }

        private void spend(Money amount) {
            remaining = remaining.minus(amount);
            changed = true;
        }
    }

    /**
     * What paid for an event; the sum is its amount.
     *
     * @param fromCredit paid in or given before
     * @param fromLine lent, to be invoiced
     * @param shortage not paid
     */
    record Paid(Money fromCredit, Money fromLine, Money shortage) {}

    /** What is known of an idempotency key. */
    record KeyState(
            String digest,
            RequestId request,
            State state,
            @Nullable StoredAnswer answer,
            Instant createdAt) {
        enum State {
            RUNNING,
            COMPLETED,
            ABORTED
        }
    }

    final long id;
    final OrganizationId organization;
    final Currency currency;
    long version;
    private final List<Purse> purses;
    private final Money nothing;
    final Map<Counter.Key, Counter> counters = new HashMap<>();
    final Map<RequestId, Holding> holdings = new HashMap<>();

    /** Those holdings that the database has not heard of; it does with the next batch that writes the wallet. */
    final Set<RequestId> unwritten = new LinkedHashSet<>();

    // Known for the batch that is being worked on only.
    final Map<RequestId, Optional<Settlement>> settled = new HashMap<>();
    final Map<KeyName, Optional<KeyState>> keys = new HashMap<>();

    /** Whether any of it is to be written. */
    boolean changed;

    /** @param purses in the order in which they are spent */
    Wallet(long id, OrganizationId organization, Currency currency, long version, List<Purse> purses) {
        this.id = id;
        this.organization = organization;
        this.currency = currency;
        this.version = version;
        this.purses = purses;
        this.nothing = Money.zero(currency);
    }

    List<Purse> purses() {
        return purses;
    }

    /** What new reservations can take at an instant of the organisation's clock. */
    Money available(Instant at) {
        Money sum = nothing;
        for (Purse purse : purses) if (purse.isOpen(at)) sum = sum.plus(purse.available());
        return sum;
    }

    Money reserved() {
        Money sum = nothing;
        for (Purse purse : purses) sum = sum.plus(purse.reserved);
        return sum;
    }

    Holding holding(RequestId request) {
        Holding holding = holdings.get(request);
        if (holding == null) throw new IllegalStateException("nothing is held for " + request);
        return holding;
    }

    Counter counter(Reservation reservation, Meter meter, LongSupplier ids) {
        return counters.computeIfAbsent(
                key(reservation, meter), absent -> new Counter(ids.getAsLong(), absent, currency, 0, Map.of(), true));
    }

    /** Whether all counters that the reservation advances are in memory. */
    boolean hasCountersOf(Reservation reservation) {
        for (Meter meter : reservation.atMost().keySet()) {
            if (!counters.containsKey(key(reservation, meter))) return false;
        }
        return true;
    }

    private static Counter.Key key(Reservation reservation, Meter meter) {
        return new Counter.Key(
                reservation.price().product(), meter, reservation.period().start());
    }

    /**
     * Opens units up to {@code after} and holds what they can cost; changes nothing and returns empty if there is not as much.
     *
     * @param before open units of this reservation now
     * @param ids for counters that are not there yet
     */
    Optional<List<Hold>> hold(
            Reservation reservation, Map<Meter, Long> before, Map<Meter, Long> after, Instant at, LongSupplier ids) {
        Money needed = nothing;
        for (Map.Entry<Meter, Long> count : after.entrySet()) {
            long more = count.getValue() - before.getOrDefault(count.getKey(), 0L);
            needed = needed.plus(open(reservation, count.getKey(), more, ids));
        }
        if (needed.compareTo(available(at)) > 0) {
            for (Map.Entry<Meter, Long> count : after.entrySet()) {
                long more = count.getValue() - before.getOrDefault(count.getKey(), 0L);
                open(reservation, count.getKey(), -more, ids);
            }
            return Optional.empty();
        }
        return Optional.of(reserve(needed, at));
    }

    private Money open(Reservation reservation, Meter meter, long more, LongSupplier ids) {
        return counter(reservation, meter, ids)
                .reserve(reservation.price().id(), reservation.price().rule(meter), more);
    }

    /** Holds {@code amount}, or as much of it as there is, of the grants in the order in which they are spent. */
    List<Hold> reserve(Money amount, Instant at) {
        List<Hold> holds = new ArrayList<>(1);
        Money left = amount;
        for (Purse purse : purses) {
            if (left.signum() <= 0) break;
            if (!purse.isOpen(at)) continue;
            Money taken = smaller(left, purse.available());
            if (taken.signum() <= 0) continue;
            purse.reserve(taken);
            holds.add(new Hold(purse.id, taken));
            left = left.minus(taken);
        }
        return holds;
    }

    /** Gives {@code amount} of what is reserved back, first to the grants in {@code own}, then to those spent last. */
    void release(Money amount, List<Hold> own) {
        free(amount, own);
        for (Purse purse : purses) purse.freed = nothing;
    }

    private void free(Money amount, List<Hold> own) {
        Money left = amount;
        for (Hold hold : own) {
            for (Purse purse : purses) {
                if (purse.id == hold.grant()) left = left.minus(free(purse, smaller(left, hold.amount())));
            }
        }
        for (int i = purses.size() - 1; i >= 0 && left.signum() > 0; i--) left = left.minus(free(purses.get(i), left));
    }

    /**
     * Whether a settle can be paid in full.
     *
     * @param exposureChange by how much the sum of the counters' exposures changes with it
     */
    boolean canPay(Money amount, Money exposureChange, Instant at) {
        Money fund = exposureChange.signum() < 0
                ? available(at).plus(smaller(exposureChange.negate(), reserved()))
                : available(at).minus(exposureChange);
        return amount.compareTo(fund) <= 0;
    }

    /** Pays as much of {@code amount} as there is; a negative one is given back to the wallet. */
    Paid pay(Money amount, Money exposureChange, List<Hold> own, Instant at) {
        if (exposureChange.signum() < 0) free(exposureChange.negate(), own);
        else if (exposureChange.signum() > 0) reserve(exposureChange, at);
        Money fromCredit = nothing;
        Money fromLine = nothing;
        Money left = amount;
        if (left.signum() < 0 && !purses.isEmpty()) {
            Purse purse = receiver(own, at);
            purse.spend(left);
            if (purse.kind == GrantKind.CREDIT_LINE) fromLine = left;
            else fromCredit = left;
            left = nothing;
        }
        // first what was held for it, then what is free
        for (int round = 0; round < 2 && left.signum() > 0; round++) {
            for (Purse purse : purses) {
                if (round == 1 && !purse.isOpen(at)) continue;
                Money taken = smaller(left, round == 0 ? purse.freed : purse.available());
                if (taken.signum() <= 0) continue;
                purse.spend(taken);
                purse.freed = smaller(purse.freed, purse.available());
                if (purse.kind == GrantKind.CREDIT_LINE) fromLine = fromLine.plus(taken);
                else fromCredit = fromCredit.plus(taken);
                left = left.minus(taken);
            }
        }
        for (Purse purse : purses) purse.freed = nothing;
        return new Paid(fromCredit, fromLine, left);
    }

    private Money free(Purse purse, Money most) {
        Money freed = smaller(most, purse.reserved);
        if (freed.signum() <= 0) return nothing;
        purse.reserve(freed.negate());
        purse.freed = purse.freed.plus(freed);
        return freed;
    }

    /** The grant that a volume tier's refund goes to: one that this request held, else the one spent last of those that are open. */
    private Purse receiver(List<Hold> own, Instant at) {
        for (Hold hold : own) {
            for (Purse purse : purses) if (purse.id == hold.grant()) return purse;
        }
        for (int i = purses.size() - 1; i >= 0; i--) if (purses.get(i).isOpen(at)) return purses.get(i);
        return purses.getLast();
    }

    private static Money smaller(Money left, Money right) {
        return left.compareTo(right) <= 0 ? left : right;
    }
}
