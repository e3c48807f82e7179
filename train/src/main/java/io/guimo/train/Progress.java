package io.guimo.train;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How far a run is.
 *
 * @param stage such as {@code train}
 * @param done examples seen, over all epochs
 * @param total examples to see if the run isn't stopped early
 * @param perSecond examples a second of late
 * @param remaining estimate; null until there is a rate
 * @param message such as {@code epoch 3 of 14, loss 0.312, accuracy 0.905}
 */
public record Progress(
        String stage,
        long done,
        long total,
        double perSecond,
        @Nullable Duration remaining,
        String message) {}
