package io.guimo.commerce;

import io.guimo.units.Meter;
import io.guimo.units.OrganizationId;
import io.guimo.units.RequestId;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** Something that a lane does while its caller waits. Made by the thread that waits. */
abstract sealed class Command<R> {
    private final Thread caller = Thread.currentThread();
    private final OrganizationId organization;
    private final RequestId request;
    private volatile @Nullable Object answer;

    // Below: the lane's own, while the command is with it.

    /** What it came to in the transaction that is being written. */
    @Nullable
    R outcome;

    /** Whether the outcome tells of something that must not be lost, so that the caller hears of it only after a flush. */
    boolean durable;

    /** Whether an earlier attempt was lost with its connection: it may or may not have been committed. */
    boolean inDoubt;

    private Command(OrganizationId organization, RequestId request) {
        this.organization = organization;
        this.request = request;
    }

    OrganizationId organization() {
        return organization;
    }

    RequestId request() {
        return request;
    }

    /** Waits for the answer. An interruption does not end the wait, since the work goes on; it stays set for the caller. */
    @SuppressWarnings("unchecked") // answer is what complete() was given
    R await() {
        boolean interrupted = false;
        Object answered;
        while ((answered = answer) == null) {
            LockSupport.park(this);
            interrupted |= Thread.interrupted();
        }
        if (interrupted) Thread.currentThread().interrupt();
        if (answered instanceof Failure(RuntimeException cause)) {
            throw new IllegalStateException("the ledger could not do this: " + cause.getMessage(), cause);
        }
        return (R) answered;
    }

    void complete() {
        R done = outcome;
        if (done == null) throw new IllegalStateException("a command without an outcome: " + this);
        answer(done);
    }

    void fail(RuntimeException cause) {
        answer(new Failure(cause));
    }

    void answer(Object given) {
        answer = given;
        LockSupport.unpark(caller);
    }

    private record Failure(RuntimeException cause) {}

    static final class Authorize extends Command<Authorization> {
        final Reservation wanted;

        Authorize(Reservation wanted) {
            super(wanted.caller().organization(), wanted.request());
            this.wanted = wanted;
        }
    }

    static final class Settle extends Command<Settlement> {
        final Reservation reservation;
        final Map<Meter, Long> delivered;
        final @Nullable StoredAnswer keep;
        final Manner manner;

        Settle(Reservation reservation, Map<Meter, Long> delivered, @Nullable StoredAnswer keep, Manner manner) {
            super(reservation.caller().organization(), reservation.request());
            this.reservation = reservation;
            this.delivered = delivered;
            this.keep = keep;
            this.manner = manner;
        }
    }

    /** How usage and delivery stand to each other at a settle. */
    enum Manner {
        /** The answer waits for the settle, and is withheld if it cannot be paid. */
        BEFORE_DELIVERY,
        /** Delivered to its end. */
        DELIVERED,
        /** Delivered in part, then broken off. */
        BROKEN_OFF,
        /** Delivered, and never reserved. */
        UNRESERVED
    }

    static final class Extend extends Command<Extension> {
        final Reservation reservation;
        final Map<Meter, Long> delivered;
        final Map<Meter, Long> atMost;

        Extend(Reservation reservation, Map<Meter, Long> delivered, Map<Meter, Long> atMost) {
            super(reservation.caller().organization(), reservation.request());
            this.reservation = reservation;
            this.delivered = delivered;
            this.atMost = atMost;
        }
    }

    static final class Release extends Command<Boolean> {
        Release(OrganizationId organization, RequestId request) {
            super(organization, request);
        }
    }

    /**
     * Writes a reservation that was made in memory; where memory had to be read anew meanwhile, holds it again if there is still money for it.
     * Nobody waits for it.
     */
    static final class Hold extends Command<Boolean> {
        final Reservation reservation;

        Hold(Reservation reservation) {
            super(reservation.caller().organization(), reservation.request());
            this.reservation = reservation;
        }
    }

    /** Ends the reservation of a server that is gone: charges what it recorded as delivered, gives the rest back. */
    static final class Sweep extends Command<Boolean> {
        Sweep(OrganizationId organization, RequestId request) {
            super(organization, request);
        }
    }
}
