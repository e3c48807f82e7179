package io.guimo.inference;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Where units of many calls wait to be worked on together. A worker that comes takes, in order of arrival, everything that may share its batch: while
 * one batch is in work the next one gathers by itself, so that batches grow with the load and a lone caller never waits for others. Lingering for more
 * is possible and was measured not to pay (docs/log.md, 2026-11-22). Bounded by the {@link Admission} before it.
 */
final class BatchQueue<T> {
    private final BatchRule<T> rule;
    private final long lingerNanos;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final ArrayDeque<T> waiting = new ArrayDeque<>();
    private boolean closed;

    /** Which units may be worked on together. */
    @FunctionalInterface
    interface BatchRule<T> {
        /** @param batch what was taken so far, at least one unit */
        boolean joins(List<T> batch, T candidate);

        static <T> BatchRule<T> atMost(int units) {
            return (batch, candidate) -> batch.size() < units;
        }
    }

    /** @param linger how long a worker waits for a batch to fill once it holds a first unit */
    BatchQueue(BatchRule<T> rule, Duration linger) {
        this.rule = rule;
        this.lingerNanos = linger.toNanos();
    }

    void put(T unit) {
        lock.lock();
        try {
            waiting.add(unit);
            changed.signal();
        } finally {
            lock.unlock();
        }
    }

    void putAll(List<T> units) {
        lock.lock();
        try {
            waiting.addAll(units);
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** @return the next batch, the unit that waited longest in it; empty once the queue is closed and nothing waits */
    List<T> take() {
        lock.lock();
        try {
            while (waiting.isEmpty() && !closed) changed.awaitUninterruptibly();
            if (lingerNanos > 0) linger();
            List<T> batch = new ArrayList<>();
            for (Iterator<T> units = waiting.iterator(); units.hasNext(); ) {
                T unit = units.next();
                if (!batch.isEmpty() && !rule.joins(batch, unit)) continue;
                batch.add(unit);
                units.remove();
            }
            return batch;
        } finally {
            lock.unlock();
        }
    }

    private void linger() {
        long until = System.nanoTime() + lingerNanos;
        boolean interrupted = false;
        for (long left = lingerNanos; left > 0 && !closed; left = until - System.nanoTime()) {
            try {
                changed.awaitNanos(left);
            } catch (InterruptedException stray) {
                interrupted = true;
            }
        }
        if (interrupted) Thread.currentThread().interrupt();
    }

    /** Workers finish what waits and then get empty batches. */
    void close() {
        lock.lock();
        try {
            closed = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }
}
