package io.guimo.commerce.meter;

import io.guimo.units.Meter;
import io.guimo.units.Money;

/**
 * The part of a usage event that one meter counted.
 *
 * @param before units of the period that were counted before this event
 * @param quantity units of this event
 * @param amount what they cost, exact; negative where a volume tier gives back more than they cost
 */
public record UsageLine(Meter meter, long before, long quantity, Money amount) {}
