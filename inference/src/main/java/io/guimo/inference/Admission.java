package io.guimo.inference;

import java.time.Duration;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The door of an engine: lets in no more units, of no more weight together, than it may hold at once, and tells when everything inside is answered. What is inside is
 * counted here once, whatever queues it passes, so those need no bounds of their own. Thread-safe.
 */
final class Admission {
    private static final Duration LEAST_RETRY = Duration.ofMillis(50);
    private static final Duration MOST_RETRY = Duration.ofSeconds(30);
    /** Weight of the newest batch in the mean time a unit takes: some ten batches are remembered. */
    private static final double NEWEST = .1;

    private final String model;
    private final String version;
    private final int maxUnits;
    private final long maxWeight;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition emptied = lock.newCondition();
    private int units;
    private long weight;
    private boolean closed;
    private double nanosPerUnit = 1_000_000;

    /**
     * @param maxUnits  images or texts
     * @param maxWeight bytes of the images or tokens of the texts
     */
    Admission(String model, String version, int maxUnits, long maxWeight) {
        this.model = model;
        this.version = version;
        this.maxUnits = maxUnits;
        this.maxWeight = maxWeight;
    }

    /**
     * Lets a call in, whole or not at all; an empty engine takes any call.
     *
     * @throws Overloaded   if it finds no room
     * @throws EngineClosed after {@link #closeAndDrain}
     */
    void enter(int newUnits, long newWeight) {
        lock.lock();
        try {
            if (closed) throw new EngineClosed(model, version);
            boolean room = units + newUnits <= maxUnits && weight + newWeight <= maxWeight;
            if (!room && units > 0) throw new Overloaded(model, units, retryAfter());
            units += newUnits;
            weight += newWeight;
        } finally {
            lock.unlock();
        }
    }

    /** Units that were answered, refused or dropped make room. */
    void leave(int leavingUnits, long leavingWeight) {
        lock.lock();
        try {
            units -= leavingUnits;
            weight -= leavingWeight;
            if (units < 0 || weight < 0) throw new IllegalStateException("more left " + model + " than had entered");
            if (units == 0) emptied.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Learns how fast units are answered. */
    void worked(int workedUnits, long nanos) {
        lock.lock();
        try {
            nanosPerUnit += NEWEST * ((double) nanos / workedUnits - nanosPerUnit);
        } finally {
            lock.unlock();
        }
    }

    private Duration retryAfter() {
        Duration drained = Duration.ofNanos((long) (units * nanosPerUnit));
        if (drained.compareTo(LEAST_RETRY) < 0) return LEAST_RETRY;
        return drained.compareTo(MOST_RETRY) > 0 ? MOST_RETRY : drained;
    }

    /** Lets nothing in any more and waits until what is inside has left. */
    void closeAndDrain() {
        lock.lock();
        try {
            closed = true;
            while (units > 0) emptied.awaitUninterruptibly();
        } finally {
            lock.unlock();
        }
    }
}
