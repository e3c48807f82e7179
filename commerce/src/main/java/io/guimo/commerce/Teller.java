package io.guimo.commerce;

import io.guimo.commerce.Authorization.Granted;
import io.guimo.commerce.Authorization.Replayed;
import io.guimo.commerce.Command.Manner;
import io.guimo.commerce.Extension.Extended;
import io.guimo.commerce.Holding.Hold;
import io.guimo.commerce.Holding.KeyName;
import io.guimo.commerce.Refused.Code;
import io.guimo.commerce.Settlement.Outcome;
import io.guimo.commerce.Wallet.KeyState;
import io.guimo.commerce.Wallet.KeyState.State;
import io.guimo.commerce.Wallet.Paid;
import io.guimo.commerce.meter.UsageLine;
import io.guimo.commerce.price.PriceVersion;
import io.guimo.commerce.price.Pricing;
import io.guimo.commerce.price.TierRule;
import io.guimo.units.Meter;
import io.guimo.units.Money;
import io.guimo.units.OrganizationId;
import io.guimo.units.RequestId;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Decides commands against wallets in memory, one after the other, and notes what is to be written. Whether it counts is decided when the
 * batch commits: if it does not, the wallets are thrown away and everything is decided again.
 */
final class Teller {
    private static final Duration ASK_AGAIN = Duration.ofSeconds(1);

    private final Map<OrganizationId, Wallet> wallets;
    private final Changes changes;
    private final long lease;
    private final Instant now;
    private final Function<OrganizationId, Instant> clocks;
    private final LongSupplier ids;

    /**
     * @param wallets of all organisations that the batch's commands name
     * @param lease of this server
     * @param now in the world's time
     * @param clocks what an organisation's own clock shows
     * @param ids for events and counters
     */
    Teller(
            Map<OrganizationId, Wallet> wallets,
            Changes changes,
            long lease,
            Instant now,
            Function<OrganizationId, Instant> clocks,
            LongSupplier ids) {
        this.wallets = wallets;
        this.changes = changes;
        this.lease = lease;
        this.now = now;
        this.clocks = clocks;
        this.ids = ids;
    }

    void decide(Command<?> command) {
        Wallet wallet = wallets.get(command.organization());
        if (wallet == null)
            throw new IllegalStateException("the wallet of " + command.organization() + " is not loaded");
        switch (command) {
            case Command.Authorize authorize -> authorize.outcome = authorize(wallet, authorize);
            case Command.Settle settle -> settle.outcome = settle(wallet, settle);
            case Command.Extend extend -> extend.outcome = extend(wallet, extend);
            case Command.Release release -> {
                release.durable = true;
                release.outcome = release(wallet, wallet.holdings.remove(release.request()));
            }
            case Command.Sweep sweep -> {
                sweep.durable = true;
                sweep.outcome = sweep(wallet, sweep.request());
            }
            case Command.Hold hold -> hold.outcome = holdAgain(wallet, hold.reservation);
        }
    }

    private Authorization authorize(Wallet wallet, Command.Authorize command) {
        Reservation wanted = command.wanted;
        IdempotencyKey idempotency = wanted.idempotency();
        KeyName name = idempotency == null ? null : idempotency.name();
        if (idempotency != null && name != null) {
            Optional<KeyState> known = wallet.keys.getOrDefault(name, Optional.empty());
            boolean own = command.inDoubt
                    && known.isPresent()
                    && known.get().request().equals(wanted.request());
            if (known.isPresent() && !own) {
                if (known.get().createdAt().plus(Till.KEY_LIFE).isAfter(now)) {
                    command.durable = true; // what it tells of may not be on the disk yet
                    return repeated(idempotency, known.get());
                }
                changes.endKey(wallet, name, null, null);
            }
        }
        Holding open = wallet.holdings.get(wanted.request());
        if (open != null && command.inDoubt && open.lease() == lease) return new Granted(wanted);
        if (open != null
                || wallet.settled
                        .getOrDefault(wanted.request(), Optional.empty())
                        .isPresent()) {
            return Refused.of(
                    Code.DUPLICATE_REQUEST,
                    "the request id " + wanted.request() + " was used before; give each request an id of its own");
        }
        Optional<List<Hold>> holds = wallet.hold(wanted, Map.of(), wanted.atMost(), wanted.usedAt(), ids);
        if (holds.isEmpty()) return poor(wallet, wanted.price(), wanted.usedAt());
        Holding holding = new Holding(wanted, lease, true, Map.of(), holds.get(), name);
        wallet.holdings.put(wanted.request(), holding);
        changes.reserve(wallet, holding);
        if (idempotency != null && name != null) {
            changes.newKey(wallet, idempotency, wanted.request());
            wallet.keys.put(
                    name,
                    Optional.of(new KeyState(idempotency.contentSha256(), wanted.request(), State.RUNNING, null, now)));
        }
        return new Granted(wanted);
    }

    private Boolean holdAgain(Wallet wallet, Reservation reservation) {
        if (wallet.holdings.containsKey(reservation.request())) return true;
        Optional<List<Hold>> holds =
                wallet.hold(reservation, Map.of(), reservation.atMost(), reservation.usedAt(), ids);
        if (holds.isEmpty()) return false;
        Holding holding = new Holding(reservation, lease, true, Map.of(), holds.get(), null);
        wallet.holdings.put(reservation.request(), holding);
        changes.reserve(wallet, holding);
        return true;
    }

    private static Authorization repeated(IdempotencyKey key, KeyState known) {
        if (!known.digest().equals(key.contentSha256())) {
            return Refused.of(
                    Code.IDEMPOTENCY_MISMATCH,
                    "the Idempotency-Key " + key.key()
                            + " was used before for other content; give new content a new key");
        }
        return switch (known.state()) {
            case RUNNING ->
                new Refused(
                        Code.IDEMPOTENCY_RUNNING,
                        "the request with the Idempotency-Key " + key.key()
                                + " is still running; ask again in a moment",
                        ASK_AGAIN,
                        known.request());
            case ABORTED ->
                new Refused(
                        Code.INTERRUPTED,
                        "the request with the Idempotency-Key " + key.key()
                                + " broke off after a part of it was delivered; the receipt of " + known.request()
                                + " says what was charged. Send it with a new key to run it again.",
                        Duration.ZERO,
                        known.request());
            case COMPLETED -> new Replayed(known.request(), known.answer());
        };
    }

    private Extension extend(Wallet wallet, Command.Extend command) {
        Holding holding = wallet.holdings.get(command.request());
        if (holding == null
                && wallet.settled
                        .getOrDefault(command.request(), Optional.empty())
                        .isPresent()) {
            return new Refused(
                    Code.INTERRUPTED,
                    "the stream was settled while its server could not be heard",
                    Duration.ZERO,
                    command.request());
        }
        Reservation reservation = holding == null ? command.reservation : holding.reservation();
        Map<Meter, Long> before = holding == null ? Map.of() : reservation.atMost();
        Map<Meter, Long> after = new EnumMap<>(command.reservation.atMost());
        command.atMost.forEach((meter, count) -> after.merge(meter, count, Math::max));
        Reservation extended = new Reservation(
                reservation.request(),
                reservation.caller(),
                reservation.price(),
                reservation.period(),
                reservation.usedAt(),
                after,
                reservation.idempotency());
        Instant at = clocks.apply(wallet.organization);
        Optional<List<Hold>> more = wallet.hold(extended, before, extended.atMost(), at, ids);
        if (holding == null) {
            // A crash of the database lost it, or we were taken for dead: the stream goes on if it can be held again.
            if (more.isEmpty()) return poor(wallet, reservation.price(), at);
            Holding again = new Holding(extended, lease, true, Map.of(), more.get(), null);
            wallet.holdings.put(command.request(), again);
            changes.reserve(wallet, again);
            return new Extended(extended);
        }
        List<Hold> holds = new ArrayList<>(holding.holds());
        holds.addAll(more.orElse(List.of()));
        Holding next = new Holding(
                more.isPresent() ? extended : reservation,
                holding.lease(),
                true,
                command.delivered,
                holds,
                holding.key());
        wallet.holdings.put(command.request(), next);
        if (wallet.unwritten.remove(command.request())) changes.reserve(wallet, holding);
        changes.extend(wallet, next);
        return more.isPresent() ? new Extended(extended) : poor(wallet, reservation.price(), at);
    }

    private Settlement settle(Wallet wallet, Command.Settle command) {
        command.durable = true;
        Holding holding = wallet.holdings.remove(command.request());
        if (holding == null) {
            Optional<Settlement> earlier = wallet.settled.getOrDefault(command.request(), Optional.empty());
            if (earlier.isPresent()) return earlier.get();
        }
        Settlement settlement = charge(wallet, command.reservation, holding, command.delivered, command.manner);
        if (holding != null && holding.key() != null) {
            switch (settlement.outcome()) {
                case CHARGED, WRITTEN_OFF ->
                    changes.endKey(
                            wallet,
                            holding.key(),
                            command.manner == Manner.BROKEN_OFF ? "aborted" : "completed",
                            command.keep);
                case WITHHELD -> changes.endKey(wallet, holding.key(), null, null);
            }
        }
        IdempotencyKey lost = command.reservation.idempotency();
        if (holding == null && lost != null && settlement.outcome() != Outcome.WITHHELD) {
            // The key went with the reservation, unless its caller has already sent the command again under it.
            if (wallet.keys.getOrDefault(lost.name(), Optional.empty()).isEmpty()) {
                changes.lostKey(wallet, lost, command.request());
                changes.endKey(
                        wallet,
                        lost.name(),
                        command.manner == Manner.BROKEN_OFF ? "aborted" : "completed",
                        command.keep);
            }
        }
        wallet.settled.put(command.request(), Optional.of(settlement));
        return settlement;
    }

    private Boolean sweep(Wallet wallet, RequestId request) {
        Holding holding = wallet.holdings.remove(request);
        // one of a live server is left alone, and read again when it is asked for
        if (holding == null || holding.alive()) return false;
        if (holding.delivered().isEmpty()) return release(wallet, holding);
        charge(wallet, holding.reservation(), holding, holding.delivered(), Manner.BROKEN_OFF);
        if (holding.key() != null) changes.endKey(wallet, holding.key(), "aborted", null);
        return true;
    }

    private Boolean release(Wallet wallet, @Nullable Holding holding) {
        if (holding == null) return false;
        Reservation reservation = holding.reservation();
        Money freed = Money.zero(wallet.currency);
        for (Map.Entry<Meter, Long> count : reservation.atMost().entrySet()) {
            Counter counter = counter(wallet, reservation, count.getKey());
            freed = freed.minus(counter.settle(
                    reservation.price().id(), reservation.price().rule(count.getKey()), count.getValue(), 0));
        }
        wallet.release(freed, holding.holds());
        end(wallet, reservation.request());
        // Nothing was delivered and nothing charged: the same command may be sent again.
        if (holding.key() != null) changes.endKey(wallet, holding.key(), null, null);
        return true;
    }

    /** Counts what was used, at what it costs, makes the wallet pay, and ends the reservation. */
    private Settlement charge(
            Wallet wallet,
            Reservation reservation,
            @Nullable Holding holding,
            Map<Meter, Long> delivered,
            Manner manner) {
        PriceVersion price = reservation.price();
        Map<Meter, Long> closed =
                holding == null ? Map.of() : holding.reservation().atMost();
        EnumMap<Meter, Long> all = new EnumMap<>(delivered);
        closed.keySet().forEach(meter -> all.putIfAbsent(meter, 0L));
        Money amount = Money.zero(wallet.currency);
        Money exposureChange = amount;
        List<UsageLine> lines = new ArrayList<>(all.size());
        for (Map.Entry<Meter, Long> count : all.entrySet()) {
            Counter counter = counter(wallet, reservation, count.getKey());
            TierRule rule = price.rule(count.getKey());
            long before = counter.used();
            Money cost = Pricing.charge(rule, before, count.getValue()).amount();
            lines.add(new UsageLine(count.getKey(), before, count.getValue(), cost));
            amount = amount.plus(cost);
            exposureChange = exposureChange.plus(
                    counter.settle(price.id(), rule, closed.getOrDefault(count.getKey(), 0L), count.getValue()));
        }
        Instant at = clocks.apply(wallet.organization);
        List<Hold> own = holding == null ? List.of() : holding.holds();
        if (manner == Manner.BEFORE_DELIVERY && !wallet.canPay(amount, exposureChange, at)) {
            for (UsageLine line : lines) {
                Counter counter = counter(wallet, reservation, line.meter());
                exposureChange =
                        exposureChange.plus(counter.settle(price.id(), price.rule(line.meter()), 0, -line.quantity()));
            }
            wallet.release(exposureChange.negate(), own);
            if (holding != null) end(wallet, reservation.request());
            return new Settlement(reservation.request(), Outcome.WITHHELD, Money.zero(wallet.currency), List.of());
        }
        Paid paid = wallet.pay(amount, exposureChange, own, at);
        Outcome outcome = paid.shortage().signum() > 0 ? Outcome.WRITTEN_OFF : Outcome.CHARGED;
        Settlement settlement = new Settlement(reservation.request(), outcome, amount, lines);
        changes.event(wallet, ids.getAsLong(), reservation, settlement, paid, manner == Manner.BROKEN_OFF);
        if (holding != null) end(wallet, reservation.request());
        return settlement;
    }

    private static Refused poor(Wallet wallet, PriceVersion price, Instant at) {
        return Refused.of(
                Code.INSUFFICIENT_QUOTA,
                "the credit that is left (" + wallet.available(at) + ") does not cover what this use of "
                        + price.product() + " can cost; add credit");
    }

    private Counter counter(Wallet wallet, Reservation reservation, Meter meter) {
        return wallet.counter(reservation, meter, ids);
    }

    /** Ends a reservation, in the database too if that has heard of it. */
    private void end(Wallet wallet, RequestId request) {
        if (!wallet.unwritten.remove(request)) changes.release(wallet, request);
    }
}
