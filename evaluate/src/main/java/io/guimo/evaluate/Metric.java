package io.guimo.evaluate;

/**
 * A figure by which models are compared.
 *
 * @param name as in reports, gates and early stopping: {@code accuracy}, {@code hitRateAt10}
 * @param better which way is better
 * @param definition how it is computed, with its source
 */
public record Metric(String name, Better better, String definition) {
    /** Which way a figure improves. */
    public enum Better {
        HIGHER,
        LOWER
    }
}
