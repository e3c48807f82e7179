package io.guimo.commerce.price;

import io.guimo.units.Money;
import java.util.List;

/**
 * An exact amount and the walk through the tiers that led to it.
 *
 * @param amount sum of the steps; negative where a volume tier gives back more than the event costs
 * @param steps in the order in which they are explained; empty when nothing was used
 */
public record Derivation(Money amount, List<Step> steps) {
    public Derivation {
        steps = List.copyOf(steps);
        Money sum = Money.zero(amount.currency());
        for (Step step : steps) sum = sum.plus(step.amount());
        if (!sum.equals(amount)) {
            throw new IllegalArgumentException("steps sum to " + sum + ", not to " + amount);
        }
    }

    static Derivation of(TierRule rule, List<Step> steps) {
        Money sum = Money.zero(rule.currency());
        for (Step step : steps) sum = sum.plus(step.amount());
        return new Derivation(sum, steps);
    }

    /**
     * Some consecutive units of a period at one rate.
     *
     * @param tier number of the tier, counted from 1
     * @param after units of the period that lie before the first one of this step
     * @param quantity units priced, or, negative, units whose earlier price is given back
     * @param rate price of a unit
     * @param amount {@code quantity} times the price of one unit
     */
    public record Step(int tier, long after, long quantity, Rate rate, Money amount) {
        public Step {
            if (!rate.each().times(quantity).equals(amount)) {
                throw new IllegalArgumentException(quantity + " units at " + rate + " are not " + amount);
            }
        }

        static Step of(TierRule rule, int tierIndex, long after, long quantity) {
            Rate rate = rule.tiers().get(tierIndex).rate();
            return new Step(tierIndex + 1, after, quantity, rate, rate.each().times(quantity));
        }
    }
}
