package io.guimo.commerce;

import java.util.ArrayDeque;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Where many callers put things for the one thread that takes them, all at once. A stack that the taker empties with one swap (Treiber 1986)
 * and turns round, so that callers never wait for each other and the taker is woken only when it has nothing.
 */
final class Inbox<T> {
    private record Node<T>(T item, @Nullable Node<T> below) {}

    private final AtomicReference<@Nullable Node<T>> top = new AtomicReference<>();
    private final ArrayDeque<T> taken = new ArrayDeque<>();
    private volatile @Nullable Thread taker;

    void put(T item) {
        Node<T> below;
        do {
            below = top.get();
        } while (!top.compareAndSet(below, new Node<>(item, below)));
        if (below == null) wake();
    }

    void wake() {
        LockSupport.unpark(taker);
    }

    /**
     * Moves up to {@code most} items, the oldest first, into {@code batch}. Waits up to {@code waitNanos} for the first one. Called by one
     * thread only.
     */
    void take(List<T> batch, int most, long waitNanos) {
        taker = Thread.currentThread();
        if (taken.isEmpty()) {
            Node<T> all = top.getAndSet(null);
            if (all == null) {
                LockSupport.parkNanos(this, waitNanos);
                all = top.getAndSet(null);
            }
            for (Node<T> node = all; node != null; node = node.below) taken.addFirst(node.item);
        }
        while (batch.size() < most && !taken.isEmpty()) batch.add(taken.removeFirst());
    }

    /** Whether nothing waits. Called by the taking thread. */
    boolean isEmpty() {
        return taken.isEmpty() && top.get() == null;
    }
}
