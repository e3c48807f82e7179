package io.guimo.commerce.meter;

import io.guimo.units.Meter;
import io.guimo.units.Money;

/**
 * Usage of one meter of one product.
 *
 * @param quantity units
 * @param amount what they cost, exact
 * @param events requests that used it
 */
public record UsageSum(String product, Meter meter, long quantity, Money amount, long events) {}
