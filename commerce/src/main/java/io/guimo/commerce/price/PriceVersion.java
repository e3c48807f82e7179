package io.guimo.commerce.price;

import io.guimo.units.Meter;
import java.time.Instant;
import java.util.Collections;
import java.util.Currency;
import java.util.EnumMap;
import java.util.Map;

/**
 * What one product costs on one plan from an instant on, until a later version takes over. Never edited.
 *
 * @param plan name of the plan
 * @param product name of the product sold, such as a model
 * @param rules one rule for each meter that is sold; a meter without a rule has no price and is not served. None at all: the product is no
 *     longer sold
 * @param aborts what a stream costs that is left before its end
 * @param validFrom first instant at which it holds
 */
public record PriceVersion(
        PriceVersionId id,
        String plan,
        String product,
        Currency currency,
        Map<Meter, TierRule> rules,
        AbortPolicy aborts,
        Instant validFrom) {
    public PriceVersion {
        // in the order of the meters, so that equal prices are written equally
        EnumMap<Meter, TierRule> ordered = new EnumMap<>(Meter.class);
        ordered.putAll(rules);
        for (TierRule rule : ordered.values()) {
            if (!rule.currency().equals(currency)) {
                throw new IllegalArgumentException("the price of " + product + " on plan " + plan + " is in " + currency
                        + ", but a rule of it in " + rule.currency());
            }
        }
        rules = Collections.unmodifiableMap(ordered);
    }

    /** @throws IllegalArgumentException if the meter is not sold */
    public TierRule rule(Meter meter) {
        TierRule rule = rules.get(meter);
        if (rule == null) {
            throw new IllegalArgumentException(
                    "the price " + id + " of " + product + " has no rule for " + meter.wireName());
        }
        return rule;
    }
}
