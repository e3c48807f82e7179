package io.guimo.units;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;

/**
 * A clock that follows another one at a distance that can only grow: turned forward, never back, so that what was recorded stays in the past.
 * Thread-safe.
 */
public final class VirtualClock implements InstantSource {
    private final InstantSource base;
    private volatile Duration offset;

    public VirtualClock(InstantSource base, Duration offset) {
        if (offset.isNegative()) {
            throw new IllegalArgumentException("a virtual clock cannot run behind its base: offset " + offset);
        }
        this.base = base;
        this.offset = offset;
    }

    @Override
    public Instant instant() {
        return base.instant().plus(offset);
    }

    public Duration offset() {
        return offset;
    }

    /**
     * Turns the clock so that it now shows {@code target}.
     *
     * @throws IllegalArgumentException if that lies in this clock's past
     */
    public synchronized void turnTo(Instant target) {
        Instant now = base.instant();
        if (target.isBefore(now.plus(offset))) {
            throw new IllegalArgumentException(
                    "the clock shows " + now.plus(offset) + "; it cannot be turned back to " + target);
        }
        offset = Duration.between(now, target);
    }
}
