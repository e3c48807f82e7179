package io.guimo.commerce.price;

import io.guimo.units.Money;
import java.util.Currency;
import java.util.List;
import java.util.OptionalLong;

/** How the count of a period becomes an amount. Every rule ends in a tier without an upper bound, so that any count has a price. */
public sealed interface TierRule {
    /** Most tiers of one rule: a bound on the work of pricing an event. */
    int MOST_TIERS = 50;

    /** The tiers from the first unit on; a flat rule has one. */
    List<Tier> tiers();

    default Currency currency() {
        return tiers().getFirst().rate().amount().currency();
    }

    /** The exact price of {@code units} used from the beginning of a period. */
    Money total(long units);

    /** Every unit costs the same. */
    record Flat(Rate rate) implements TierRule {
        @Override
        public List<Tier> tiers() {
            return List.of(Tier.rest(rate));
        }

        @Override
        public Money total(long units) {
            return rate.each().times(notNegative(units));
        }
    }

    /** A unit costs the rate of the tier it lies in: the first 10,000 at one rate, those above at another. */
    record Graduated(List<Tier> tiers) implements TierRule {
        public Graduated {
            tiers = checked(tiers);
        }

        @Override
        public Money total(long units) {
            long left = notNegative(units);
            long floor = 0;
            Money total = Money.zero(currency());
            for (Tier tier : tiers) {
                if (left == 0) break;
                long inTier =
                        tier.upTo().isPresent() ? Math.min(left, tier.upTo().getAsLong() - floor) : left;
                total = total.plus(tier.rate().each().times(inTier));
                left -= inTier;
                floor = tier.upTo().orElse(floor);
            }
            return total;
        }
    }

    /**
     * All units of the period cost the rate of the tier that their count has reached. Reaching a cheaper tier re-prices the earlier units,
     * so an event can have a negative amount.
     */
    record Volume(List<Tier> tiers) implements TierRule {
        public Volume {
            tiers = checked(tiers);
        }

        @Override
        public Money total(long units) {
            if (notNegative(units) == 0) return Money.zero(currency());
            return tiers.get(tierOf(this, units)).rate().each().times(units);
        }
    }

    /** Index of the tier in which the {@code unit}-th unit of a period lies, counted from 1. */
    static int tierOf(TierRule rule, long unit) {
        List<Tier> tiers = rule.tiers();
        for (int i = 0; i < tiers.size() - 1; i++) {
            if (unit <= tiers.get(i).upTo().orElse(Long.MAX_VALUE)) return i;
        }
        return tiers.size() - 1;
    }

    private static long notNegative(long units) {
        if (units < 0) throw new IllegalArgumentException("a count of " + units + " units; it must be 0 or more");
        return units;
    }

    private static List<Tier> checked(List<Tier> given) {
        List<Tier> tiers = List.copyOf(given);
        if (tiers.isEmpty() || tiers.size() > MOST_TIERS) {
            throw new IllegalArgumentException(
                    tiers.size() + " tiers; write 1 to " + MOST_TIERS + ", the last one without an upper bound");
        }
        OptionalLong floor = OptionalLong.of(0);
        for (int i = 0; i < tiers.size(); i++) {
            Tier tier = tiers.get(i);
            boolean last = i == tiers.size() - 1;
            if (last != tier.upTo().isEmpty()) {
                throw new IllegalArgumentException(
                        last
                                ? "the last tier ends at " + tier.upTo().getAsLong()
                                        + " units; leave out its upTo, so that every unit has a price"
                                : "tier " + (i + 1) + " of " + tiers.size()
                                        + " has no upTo; only the last one may leave it out");
            }
            if (!last && tier.upTo().getAsLong() <= floor.getAsLong()) {
                throw new IllegalArgumentException("tier " + (i + 1) + " ends at "
                        + tier.upTo().getAsLong() + " units, not after the one before it (" + floor.getAsLong()
                        + "); write rising bounds");
            }
            if (!tier.rate()
                    .amount()
                    .currency()
                    .equals(tiers.getFirst().rate().amount().currency())) {
                throw new IllegalArgumentException(
                        "tiers in " + tiers.getFirst().rate().amount().currency() + " and "
                                + tier.rate().amount().currency() + "; one rule has one currency");
            }
            floor = tier.upTo();
        }
        return tiers;
    }
}
