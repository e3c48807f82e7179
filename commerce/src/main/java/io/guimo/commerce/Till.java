package io.guimo.commerce;

import io.guimo.commerce.Command.Manner;
import io.guimo.commerce.Refused.Code;
import io.guimo.commerce.account.Organization;
import io.guimo.commerce.account.Organizations;
import io.guimo.commerce.price.PriceBook;
import io.guimo.commerce.price.PriceVersion;
import io.guimo.postgres.Database;
import io.guimo.units.Meter;
import io.guimo.units.TimeWindow;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * The door to the money: authorise, serve, settle.
 *
 * <p>{@link #authorize} holds the most that a request can cost, {@link #settle} charges for what was delivered and gives the rest back. So a
 * balance cannot be overdrawn, by any interleaving of callers, servers and crashes, and nobody is served on credit that is not there.
 *
 * <p>Callers hand their commands to a {@link Lane}, which carries out all that wait as one transaction; the answer to a settle waits for the
 * {@link Barrier} to put it on the disk. {@link Leases} end what dead servers had reserved, {@link Housekeeping} makes room in tables.
 * Thread-safe; callers block and should be virtual threads.
 */
public final class Till implements AutoCloseable {
    /** How long an idempotency key is remembered. */
    static final Duration KEY_LIFE = Duration.ofHours(24);

    private static final Duration BUSY_FOR = Duration.ofSeconds(1);

    private final Organizations organizations;
    private final PriceBook prices;
    private final int queue;
    private final Barrier barrier;
    private final List<Lane> lanes = new ArrayList<>();
    private final Leases leases;
    private final Housekeeping housekeeping;
    private final AtomicBoolean closed = new AtomicBoolean();

    private Till(
            Database database,
            Organizations organizations,
            PriceBook prices,
            InstantSource world,
            TillSettings settings) {
        this.organizations = organizations;
        this.prices = prices;
        this.queue = settings.queue();
        this.housekeeping = new Housekeeping(database, world, settings.countedFor());
        this.barrier = new Barrier(
                database,
                commands -> commands.forEach(command -> {
                    command.inDoubt = true;
                    laneOf(command).put(command);
                }));
        for (int i = 0; i < settings.lanes(); i++) {
            lanes.add(new Lane(
                    "till-lane-" + i, database, barrier, organizations, prices, world, this::lease, settings.batch()));
        }
        this.leases = new Leases(database, settings.server(), this::carryOut);
    }

    /**
     * Opens the till of this server on tables that were migrated, and ends what an earlier run of this server had reserved.
     *
     * @param world the clock of real time
     * @throws io.guimo.postgres.DatabaseException if the database cannot be reached
     */
    public static Till open(
            Database database,
            Organizations organizations,
            PriceBook prices,
            InstantSource world,
            TillSettings settings) {
        return new Till(database, organizations, prices, world, settings);
    }

    /**
     * Holds the most that {@code request} can cost. Blocks the calling (virtual) thread for a batch, normally about a millisecond, or not at
     * all where it can be held in memory first. A grant is not durable yet: if the database crashes now, {@link #settle} charges without it.
     */
    public Authorization authorize(UsageRequest request) {
        if (closed.get()) return Refused.of(Code.UNAVAILABLE, "this server is stopping; send the request again");
        Organization organization = organizations.get(request.caller().organization());
        Instant now = organizations.now(organization.id());
        Optional<PriceVersion> price = prices.find(organization.id(), request.product(), now);
        if (price.isEmpty()
                || !price.get().rules().keySet().containsAll(request.atMost().keySet())) {
            return noPrice(request, price);
        }
        Reservation wanted = new Reservation(
                request.id(),
                request.caller(),
                price.get(),
                TimeWindow.monthOf(now, organization.zone()),
                now,
                request.atMost(),
                request.idempotency());
        Command.Authorize command = new Command.Authorize(wanted);
        Lane lane = laneOf(command);
        if (lane.waiting() >= queue) return busy();
        if (request.delivery() == UsageRequest.Delivery.AFTER_SETTLE) {
            Authorization granted = lane.grant(wanted);
            if (granted != null) return granted;
        }
        lane.put(command);
        return command.await();
    }

    /**
     * Charges for what is about to be delivered and releases the rest; durable when it returns. The answer is delivered after it, unless the
     * outcome is {@link Settlement.Outcome#WITHHELD}. Settling again returns the first settlement. Waits while the database cannot be
     * reached.
     *
     * @param delivered units of each meter; a meter that is missing counts 0
     * @param answer kept for a repetition of the request's idempotency key
     */
    public Settlement settle(Reservation reservation, Map<Meter, Long> delivered, @Nullable StoredAnswer answer) {
        return settle(reservation, delivered, answer, Manner.BEFORE_DELIVERY);
    }

    /**
     * Charges for what was delivered already, by a stream: never withheld, what the wallet cannot pay is written off.
     *
     * @param completed whether the stream reached its end; a broken one is not replayed under its idempotency key
     */
    public Settlement settleDelivered(
            Reservation reservation, Map<Meter, Long> delivered, boolean completed, @Nullable StoredAnswer answer) {
        return settle(reservation, delivered, answer, completed ? Manner.DELIVERED : Manner.BROKEN_OFF);
    }

    /**
     * Charges for usage that was never reserved, such as jobs that report afterwards; durable when it returns, counted once for its id. What
     * the wallet cannot pay is written off.
     *
     * @return the settlement, or why the usage has no price
     */
    public Recorded record(UsageRequest usage) {
        Organization organization = organizations.get(usage.caller().organization());
        Instant now = organizations.now(organization.id());
        Optional<PriceVersion> price = prices.find(organization.id(), usage.product(), now);
        if (price.isEmpty()
                || !price.get().rules().keySet().containsAll(usage.atMost().keySet())) {
            return new Recorded.Unpriced(noPrice(usage, price));
        }
        Reservation unreserved = new Reservation(
                usage.id(),
                usage.caller(),
                price.get(),
                TimeWindow.monthOf(now, organization.zone()),
                now,
                usage.atMost(),
                null);
        return new Recorded.Counted(settle(unreserved, usage.atMost(), null, Manner.UNRESERVED));
    }

    /**
     * Records how far a stream has come and holds money for its next block. What was recorded is charged even if the stream may not go on.
     *
     * @param deliveredSoFar units delivered from the beginning; charged if this server dies
     * @param atMost units from the beginning to the end of the next block
     */
    public Extension extend(Reservation reservation, Map<Meter, Long> deliveredSoFar, Map<Meter, Long> atMost) {
        Map<Meter, Long> delivered = Quantities.checked(deliveredSoFar);
        Map<Meter, Long> most = Quantities.checked(atMost);
        if (!reservation.atMost().keySet().containsAll(most.keySet())
                || !reservation.atMost().keySet().containsAll(delivered.keySet())) {
            throw new IllegalArgumentException(
                    "a stream reserved for " + reservation.atMost().keySet() + " cannot be extended by " + most.keySet()
                            + ", having delivered " + delivered.keySet());
        }
        Command.Extend command = new Command.Extend(reservation, delivered, most);
        laneOf(command).put(command);
        return command.await();
    }

    /** Gives back everything; the request delivered nothing. Its idempotency key is free again. */
    public void release(Reservation reservation) {
        Command.Release command = new Command.Release(reservation.caller().organization(), reservation.request());
        laneOf(command).put(command);
        command.await();
    }

    /**
     * Finishes what was begun, gives back what is still reserved, and refuses what comes later. Call it when requests have been drained. Where the
     * database cannot be reached, what waits for it fails, and the lease is left to expire.
     */
    @Override
    public void close() {
        if (closed.getAndSet(true)) return;
        housekeeping.close();
        lanes.forEach(Lane::stopWaiting);
        leases.close();
        lanes.forEach(Lane::close);
        barrier.close();
    }

    private Settlement settle(
            Reservation reservation, Map<Meter, Long> delivered, @Nullable StoredAnswer answer, Manner manner) {
        Map<Meter, Long> counted = new EnumMap<>(Quantities.checked(delivered));
        if (!reservation.price().rules().keySet().containsAll(counted.keySet())) {
            throw new IllegalArgumentException("delivered " + counted.keySet() + ", but the price "
                    + reservation.price().id() + " knows only "
                    + reservation.price().rules().keySet());
        }
        Command.Settle command = new Command.Settle(reservation, counted, answer, manner);
        laneOf(command).put(command);
        return command.await();
    }

    private int carryOut(List<Command.Sweep> sweeps) {
        for (Command.Sweep sweep : sweeps) laneOf(sweep).put(sweep);
        int ended = 0;
        for (Command.Sweep sweep : sweeps) if (sweep.await()) ended++;
        return ended;
    }

    private long lease() {
        // null while the constructor of leases sweeps
        return leases == null ? 0 : leases.current();
    }

    private Lane laneOf(Command<?> command) {
        return lanes.get(Math.floorMod(command.organization().hashCode(), lanes.size()));
    }

    private static Refused noPrice(UsageRequest request, Optional<PriceVersion> price) {
        return Refused.of(
                Code.NO_PRICE,
                price.isEmpty()
                        ? "your plan does not sell " + request.product()
                        : "your plan sells " + request.product() + " by "
                                + names(price.get().rules().keySet()) + ", not by "
                                + names(request.atMost().keySet()));
    }

    private static String names(Set<Meter> meters) {
        return String.join(", ", meters.stream().map(Meter::wireName).sorted().toList());
    }

    private static Refused busy() {
        return new Refused(
                Code.OVERLOADED, "too many requests wait for the ledger; ask again in a moment", BUSY_FOR, null);
    }
}
