package io.guimo.evaluate;

import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * How far chance in the choice of examples could move a mean: percentile intervals of means over examples drawn anew with replacement (Efron and
 * Tibshirani 1993, chapter 13). Seeded, so that a report repeats.
 */
public final class Bootstrap {
    /** Enough for the ends of a 95 % interval to settle within a few per cent of its width. */
    private static final int REPETITIONS = 2_000;

    private static final double LEVEL = .95;

    private Bootstrap() {}

    /** @param perExample what each example contributes to the mean */
    public static Interval ofMean(double[] perExample, long seed) {
        if (perExample.length == 0) throw new IllegalArgumentException("no examples to draw from");
        SplittableRandom random = new SplittableRandom(seed);
        double[] means = new double[REPETITIONS];
        for (int repetition = 0; repetition < REPETITIONS; repetition++) {
            double sum = 0;
            for (int i = 0; i < perExample.length; i++) sum += perExample[random.nextInt(perExample.length)];
            means[repetition] = sum / perExample.length;
        }
        Arrays.sort(means);
        int cut = (int) Math.round((1 - LEVEL) / 2 * REPETITIONS);
        return new Interval(mean(perExample), means[cut], means[REPETITIONS - 1 - cut], LEVEL);
    }

    /** Of the mean of model less baseline, both on the same examples: what they share cancels out, so that small differences can be told from chance. */
    public static Interval ofDifference(double[] model, double[] baseline, long seed) {
        if (model.length != baseline.length) {
            throw new IllegalArgumentException(
                    "a paired interval needs the same examples: " + model.length + " and " + baseline.length);
        }
        double[] difference = new double[model.length];
        for (int i = 0; i < model.length; i++) difference[i] = model[i] - baseline[i];
        return ofMean(difference, seed);
    }

    static double mean(double[] values) {
        return Arrays.stream(values).average().orElseThrow();
    }
}
