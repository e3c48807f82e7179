package io.guimo.inference;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * Bounds what retries add to the load of upstreams that struggle: one request in five may be repeated over time, after a reserve of ten. Each request
 * pays in a fifth of a retry, each retry takes a whole one (as Finagle's retry budget does). Thread-safe; while the reserve is full, a request
 * only reads.
 */
final class RetryBudget {
    private static final int RETRY = 5;
    private static final int FULL = 10 * RETRY;

    private final AtomicInteger fifths = new AtomicInteger(FULL);

    void requested() {
        if (fifths.get() < FULL) fifths.updateAndGet(f -> Math.min(FULL, f + 1));
    }

    boolean retry() {
        return fifths.getAndUpdate(f -> f >= RETRY ? f - RETRY : f) >= RETRY;
    }
}
