package io.guimo.inference;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Takes an upstream out of use that fails, and lets one request try it when it has rested (Nygard, <i>Release It!</i>, the pattern "Circuit Breaker").
 * Closed: everything passes. Open: nothing passes. Half open: one call passes, and its outcome decides. A call that passes while the upstream works
 * reads two fields and writes none. Thread-safe.
 */
final class CircuitBreaker {
    /** As many last outcomes are remembered. */
    static final int REMEMBERED = 20;

    private static final long MASK = (1L << REMEMBERED) - 1;
    private static final int LONGEST_REST = 16;

    /** What the breaker lets pass. */
    enum State {
        CLOSED,
        OPEN,
        HALF_OPEN
    }

    /** As what a call was let pass, to be given back with its outcome. */
    enum Pass {
        REFUSED,
        NORMAL,
        /** The one call that a half open breaker lets pass. */
        TRIAL
    }

    private final int breakAfter;
    private final long restNanos;
    /** The last outcomes, the newest in the lowest bit; 1 for a failure. */
    private final AtomicLong outcomes = new AtomicLong();

    private final ReentrantLock lock = new ReentrantLock();
    private volatile boolean broken;
    // Under the lock, and meaningful while broken.
    private long restsUntil;
    private int rests = 1;
    private boolean trying;

    /**
     * @param breakAfter of the last {@link #REMEMBERED} outcomes as many failures open it
     * @param rest       before the first trial; twice as long after each that fails, up to 16 times as long
     */
    CircuitBreaker(int breakAfter, Duration rest) {
        this.breakAfter = breakAfter;
        this.restNanos = rest.toNanos();
    }

    State state(long now) {
        if (!broken) return State.CLOSED;
        return nanosToTrial(now) > 0 ? State.OPEN : State.HALF_OPEN;
    }

    /** Whether a call would pass; nothing is taken. */
    boolean wouldPass(long now) {
        if (!broken) return true;
        lock.lock();
        try {
            return !broken || trialIsFree(now);
        } finally {
            lock.unlock();
        }
    }

    /** Lets a call pass, or not; one that passes ends in {@link #succeeded}, {@link #failed} or {@link #undecided}. */
    Pass pass(long now) {
        if (!broken) return Pass.NORMAL;
        lock.lock();
        try {
            if (!broken) return Pass.NORMAL;
            if (!trialIsFree(now)) return Pass.REFUSED;
            trying = true;
            return Pass.TRIAL;
        } finally {
            lock.unlock();
        }
    }

    private boolean trialIsFree(long now) {
        return !trying && restsUntil - now <= 0;
    }

    void succeeded(Pass pass) {
        if (pass == Pass.NORMAL) {
            if (outcomes.get() != 0) outcomes.updateAndGet(o -> (o << 1) & MASK);
            return;
        }
        lock.lock();
        try {
            outcomes.set(0);
            rests = 1;
            trying = false;
            broken = false;
        } finally {
            lock.unlock();
        }
    }

    void failed(Pass pass, long now) {
        if (pass == Pass.NORMAL) {
            long seen = outcomes.updateAndGet(o -> ((o << 1) | 1) & MASK);
            if (Long.bitCount(seen) >= breakAfter) open(now);
            return;
        }
        lock.lock();
        try {
            trying = false;
            rests = Math.min(2 * rests, LONGEST_REST);
            restsUntil = now + rests * restNanos;
        } finally {
            lock.unlock();
        }
    }

    /** The call said nothing about the upstream: the client left, or the upstream was busy. */
    void undecided(Pass pass) {
        if (pass == Pass.NORMAL) return;
        lock.lock();
        try {
            trying = false;
        } finally {
            lock.unlock();
        }
    }

    /** Opens a closed breaker; one that is open stays as it is, since calls that passed before it opened say nothing new. */
    void open(long now) {
        lock.lock();
        try {
            if (broken) return;
            restsUntil = now + restNanos;
            broken = true;
        } finally {
            lock.unlock();
        }
    }

    /** An open breaker becomes half open at once: something else found the upstream alive. */
    void rested(long now) {
        if (!broken) return;
        lock.lock();
        try {
            if (restsUntil - now > 0) restsUntil = now;
        } finally {
            lock.unlock();
        }
    }

    /** How long until it is half open; 0 or less: it is, or it is closed. */
    long nanosToTrial(long now) {
        if (!broken) return 0;
        lock.lock();
        try {
            return broken ? restsUntil - now : 0;
        } finally {
            lock.unlock();
        }
    }
}
