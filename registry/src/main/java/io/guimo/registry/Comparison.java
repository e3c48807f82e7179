package io.guimo.registry;

import org.jspecify.annotations.Nullable;

/**
 * A model beside a baseline on the same test part, by one metric of which more is better.
 *
 * @param differenceLowerBound lower bound of the model's lead (paired bootstrap); null where no interval was computed
 */
public record Comparison(
        String baseline,
        String metric,
        double modelValue,
        double baselineValue,
        @Nullable Double differenceLowerBound) {
    public Comparison {
        if (!Double.isFinite(modelValue) || !Double.isFinite(baselineValue)) {
            throw new IllegalArgumentException("the comparison with " + baseline + " by " + metric + " has the values "
                    + modelValue + " and " + baselineValue + "; both must have been measured");
        }
    }
}
