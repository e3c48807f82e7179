package io.guimo.train;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How far a run is.
 *
 * @param stage such as {@code train}
 * @param done units seen, over all epochs
 * @param total units to see if the run isn't stopped early
 * @param perSecond units a second of late
 * @param unit {@code ex} (examples), or {@code tok} (tokens) where examples are made of them
 * @param remaining estimate; null until there is a rate
 * @param message such as {@code epoch 3 of 14, loss 0.312, accuracy 0.905}
 */
public record Progress(
        String stage,
        long done,
        long total,
        double perSecond,
        String unit,
        @Nullable Duration remaining,
        String message) {}
