package io.guimo.evaluate;

/**
 * An estimate and how far chance could move it.
 *
 * @param estimate from the examples as they are
 * @param lower lower end of the interval
 * @param upper upper end
 * @param level share of repetitions that such an interval covers, such as .95
 */
public record Interval(double estimate, double lower, double upper, double level) {}
