package io.guimo.train;

import io.guimo.task.Batch;
import java.util.SplittableRandom;

/** {@link Patterns} whose batch after a number of others asks its thread to stop, as Ctrl-C does. */
final class InterruptingPatterns extends Patterns {
    private int left;

    InterruptingPatterns(int steps) {
        super(200);
        left = steps;
    }

    @Override
    public Batch batch(int[] examples, SplittableRandom augmentation) {
        if (--left == 0) Thread.currentThread().interrupt();
        return super.batch(examples, augmentation);
    }
}
