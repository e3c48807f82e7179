package io.guimo.commerce.price;

import static java.util.Objects.requireNonNull;

import io.guimo.commerce.price.TierRule.Flat;
import io.guimo.commerce.price.TierRule.Graduated;
import io.guimo.commerce.price.TierRule.Volume;
import io.guimo.units.Meter;
import io.guimo.units.Money;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Currency;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A plan as a business file writes it: pay-as-you-go prices, or a monthly fee that includes some usage and falls back to another plan's
 * prices beyond it.
 *
 * @param name lower-case letters, digits, dashes; at most 64 characters
 * @param every period of {@code fee}; only {@code month}
 * @param fee price of the period, 0 unless said; billed with the period it is for
 * @param includes by product and meter ({@code images: 500000}), units of each month that the fee pays for
 * @param overage name of the plan whose prices hold beyond what is included, counted from the first unit beyond
 * @param prices by product
 * @param aborts what a stream costs that its customer left before the end: {@code delivered} (unless said), {@code computed}, or
 *     {@code nothing under 20 tokens}
 */
public record PlanSettings(
        String name,
        @Nullable Every every,
        @Nullable BigDecimal fee,
        @Nullable Map<String, Map<String, Long>> includes,
        @Nullable String overage,
        @Nullable Map<String, ProductPrice> prices,
        @Nullable String aborts) {
    private static final Pattern NAME = Pattern.compile("[a-z0-9][a-z0-9-]{0,63}");

    /** How often a fee is due. */
    public enum Every {
        /** A calendar month in the organisation's zone. */
        MONTH
    }

    public PlanSettings {
        checkName(name);
        if (fee == null) fee = BigDecimal.ZERO;
        if (fee.signum() < 0) {
            throw new IllegalArgumentException(
                    "fee " + fee.toPlainString() + " of plan " + name + " is negative; write 0 or more");
        }
        if (fee.signum() > 0 && every == null) {
            throw new IllegalArgumentException(
                    "plan " + name + " has a fee of " + fee.toPlainString() + " but no period; write every: month");
        }
        includes = includes == null ? Map.of() : copyOf(includes);
        for (var product : includes.entrySet()) {
            for (var meter : product.getValue().entrySet()) {
                meterNamed(meter.getKey());
                if (meter.getValue() < 1) {
                    throw new IllegalArgumentException("plan " + name + " includes " + meter.getValue() + " "
                            + meter.getKey() + " of " + product.getKey() + "; write 1 or more, or leave it out");
                }
            }
        }
        prices = prices == null ? Map.of() : Map.copyOf(prices);
        if (aborts != null) AbortPolicy.parse(aborts);
        if (prices.isEmpty() && includes.isEmpty()) {
            throw new IllegalArgumentException(
                    "plan " + name + " sells nothing; write prices, or includes with overage");
        }
        if (!includes.isEmpty() && overage == null && !prices.keySet().containsAll(includes.keySet())) {
            throw new IllegalArgumentException("plan " + name
                    + " includes usage without a price beyond it; name the plan whose prices hold then: overage: payg");
        }
    }

    /** The price of the period, 0 where none was given. */
    @Override
    public BigDecimal fee() {
        return requireNonNull(fee);
    }

    /** What a stream costs that is left, on this plan; of a product at another plan's prices too. */
    public AbortPolicy abortPolicy() {
        return aborts == null ? AbortPolicy.STANDARD : AbortPolicy.parse(aborts);
    }

    static void checkName(String name) {
        if (!NAME.matcher(name).matches()) {
            throw new IllegalArgumentException(
                    "plan name \"" + name + "\": write 1 to 64 lower-case letters, digits and dashes");
        }
    }

    /**
     * The rules that this plan publishes, by product.
     *
     * @param plans finds the plan that {@code overage} names
     * @throws IllegalArgumentException if a rate cannot be kept, a meter or plan is not known, or what is included has no price beyond
     */
    public Map<String, Map<Meter, TierRule>> rules(Currency currency, Function<String, Optional<PlanSettings>> plans) {
        Map<String, Map<Meter, TierRule>> rules = new LinkedHashMap<>();
        if (overage != null) {
            PlanSettings beyond = plans.apply(overage)
                    .filter(p -> p.overage == null)
                    .orElseThrow(() -> new IllegalArgumentException("plan " + name + ": overage: \"" + overage
                            + "\" is no plan with prices of its own; name one of the plans that has"));
            rules.putAll(beyond.rules(currency, plans));
        }
        for (var entry : requireNonNull(prices).entrySet()) {
            rules.put(entry.getKey(), entry.getValue().rules(currency));
        }
        for (var product : requireNonNull(includes).entrySet()) {
            Map<Meter, TierRule> priced = rules.get(product.getKey());
            if (priced == null) {
                throw new IllegalArgumentException("plan " + name + " includes usage of " + product.getKey()
                        + ", which has no price there or in its overage plan; price it, or leave it out");
            }
            Map<Meter, TierRule> including = new EnumMap<>(priced);
            for (var included : product.getValue().entrySet()) {
                Meter meter = meterNamed(included.getKey());
                TierRule beyond = priced.get(meter);
                if (beyond == null) {
                    throw new IllegalArgumentException(
                            "plan " + name + " includes " + included.getKey() + " of " + product.getKey()
                                    + ", but its price is for " + priced.keySet() + "; include one of these");
                }
                including.put(meter, including(included.getValue(), beyond));
            }
            rules.put(product.getKey(), including);
        }
        return rules;
    }

    private TierRule including(long units, TierRule beyond) {
        List<Tier> tiers = new ArrayList<>();
        tiers.add(Tier.upTo(units, Rate.each(Money.zero(beyond.currency()))));
        switch (beyond) {
            case Flat(Rate rate) -> tiers.add(Tier.rest(rate));
            case Graduated(List<Tier> later) -> {
                for (Tier tier : later) {
                    OptionalLong upTo = tier.upTo().isEmpty()
                            ? OptionalLong.empty()
                            : OptionalLong.of(Math.addExact(units, tier.upTo().getAsLong()));
                    tiers.add(new Tier(upTo, tier.rate()));
                }
            }
            case Volume _ ->
                throw new IllegalArgumentException(
                        "plan " + name
                                + " includes units ahead of volume tiers, which would price them again; use graduated tiers beyond");
        }
        return new Graduated(tiers);
    }

    private static Meter meterNamed(String name) {
        return Meter.ofWireName(name)
                .orElseThrow(
                        () -> new IllegalArgumentException(
                                "\"" + name
                                        + "\" is no meter; write images, requests, input_tokens, cached_input_tokens or output_tokens"));
    }

    private static Map<String, Map<String, Long>> copyOf(Map<String, Map<String, Long>> includes) {
        Map<String, Map<String, Long>> copy = new LinkedHashMap<>();
        includes.forEach((product, meters) -> copy.put(product, Map.copyOf(meters)));
        return Collections.unmodifiableMap(copy);
    }
}
