package io.guimo.inference;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How an engine shares the machine.
 *
 * @param workers    batches that may be in work at once, 1 to 64; a core each. Left out: half of the processors, so that the other half serves requests
 * @param maxBatch   most units in a batch, 1 to 1,024; 32 if left out
 * @param linger     how long a worker waits for a batch to fill, 0 to 100 ms; 0 if left out: batches gather while the one before is in work
 * @param maxWaiting most units that wait or are in work; more are refused. 512 if left out
 */
public record EngineSettings(
        @Nullable Integer workers,
        @Nullable Integer maxBatch,
        @Nullable Duration linger,
        @Nullable Integer maxWaiting) {
    public EngineSettings {
        if (workers == null) workers = Math.max(1, Runtime.getRuntime().availableProcessors() / 2);
        if (maxBatch == null) maxBatch = 32;
        if (linger == null) linger = Duration.ZERO;
        if (maxWaiting == null) maxWaiting = 512;
        require("workers", workers, 1, 64);
        require("maxBatch", maxBatch, 1, 1024);
        require("maxWaiting", maxWaiting, maxBatch, 65_536);
        if (linger.isNegative() || linger.toMillis() > 100) {
            throw new IllegalArgumentException(
                    "linger: " + linger + "; permitted are 0 to 100 ms: leave it out to answer at once");
        }
    }

    /** What fits most machines. */
    public static EngineSettings standard() {
        return new EngineSettings(null, null, null, null);
    }

    private static void require(String name, int value, int least, int most) {
        if (value < least || value > most) {
            throw new IllegalArgumentException(name + ": " + value + "; permitted are " + least + " to " + most);
        }
    }

    @Override
    @SuppressWarnings("NullAway") // the constructor filled it in
    public Integer workers() {
        return workers;
    }

    @Override
    @SuppressWarnings("NullAway") // the constructor filled it in
    public Integer maxBatch() {
        return maxBatch;
    }

    @Override
    @SuppressWarnings("NullAway") // the constructor filled it in
    public Duration linger() {
        return linger;
    }

    @Override
    @SuppressWarnings("NullAway") // the constructor filled it in
    public Integer maxWaiting() {
        return maxWaiting;
    }
}
