package io.guimo.commerce.price;

import io.guimo.commerce.price.Derivation.Step;
import io.guimo.commerce.price.TierRule.Flat;
import io.guimo.commerce.price.TierRule.Graduated;
import io.guimo.commerce.price.TierRule.Volume;
import io.guimo.units.Money;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/** Pure functions from usage and a rule to money. Exact: an invoice line rounds, once. */
public final class Pricing {
    private Pricing() {}

    /**
     * What an event costs under any tier rule: the charge for everything up to and with it, less the charge for everything before it. So a
     * volume tier that re-prices earlier units yields a smaller, even a negative, amount, and the charges of any split of some usage sum
     * to the charge of the whole.
     *
     * @param before units already used in this period, 0 or more
     * @param used units of this event, 0 or more
     */
    public static Derivation charge(TierRule rule, long before, long used) {
        notNegative("units before", before);
        notNegative("units used", used);
        long through = Math.addExact(before, used);
        if (used == 0) return Derivation.of(rule, List.of());
        return switch (rule) {
            case Flat _ -> Derivation.of(rule, List.of(Step.of(rule, 0, before, used)));
            case Graduated graduated -> Derivation.of(rule, graduatedSteps(graduated, before, through));
            case Volume volume -> Derivation.of(rule, volumeSteps(volume, before, through));
        };
    }

    /**
     * The most that one event can cost, whatever open reservations settle before it and however much of it is delivered: the largest
     * charge of 0 to {@code atMost} units that starts between {@code before} and {@code before + openReserved}.
     *
     * <p>Events authorised after this one may still settle first and move its start further up. Under rates that fall or stay with the
     * count that only lowers its cost. Under rates that rise it can cost more than this, although never more together with them than
     * {@link #exposure}: a till that must hold enough for rising rates holds the exposure of the counter.
     *
     * @param before units already settled in this period
     * @param openReserved units that other open reservations may still add before this event
     * @param atMost most units of this event
     */
    public static Money ceiling(TierRule rule, long before, long openReserved, long atMost) {
        notNegative("units before", before);
        notNegative("open reserved units", openReserved);
        notNegative("most units", atMost);
        long lastStart = Math.addExact(before, openReserved);
        long lastEnd = Math.addExact(lastStart, atMost);
        int lowest = lowestTier(rule, before);
        int highest = Math.max(lowest, TierRule.tierOf(rule, lastEnd));
        if (lowest == highest) return rule.tiers().get(lowest).rate().each().times(atMost);

        // The charge is linear between the bounds of tiers, so the largest one starts or ends at a bound or at an end
        // of its range.
        List<Long> bends = bends(rule, lowest, highest);
        List<Long> starts = new ArrayList<>(List.of(before, lastStart));
        for (long bend : bends) {
            starts.add(bend);
            starts.add(bend - atMost);
        }
        Money most = Money.zero(rule.currency());
        for (long start : starts) {
            if (start < before || start > lastStart) continue;
            most = larger(most, exposureWithin(rule, start, atMost, bends));
        }
        return most;
    }

    /**
     * The most that all open reservations of one counter can cost together, in whatever order and for however many of their units they
     * settle: the largest charge of 0 to {@code open} units after {@code before}.
     *
     * <p>Holding exactly this much is enough at all times. If a reservation of {@code a} units settles {@code u ≤ a} of them, then charge
     * and remaining exposure fit into what was held, {@code charge(before, u) + exposure(before + u, open − a) ≤ exposure(before, open)},
     * because charges of consecutive usage add up to the charge of the whole.
     *
     * @param before units already settled in this period
     * @param open units of all open reservations
     */
    public static Money exposure(TierRule rule, long before, long open) {
        notNegative("units before", before);
        notNegative("open units", open);
        long lastEnd = Math.addExact(before, open);
        int lowest = lowestTier(rule, before);
        int highest = Math.max(lowest, TierRule.tierOf(rule, lastEnd));
        if (lowest == highest) return rule.tiers().get(lowest).rate().each().times(open);
        return exposureWithin(rule, before, open, bends(rule, lowest, highest));
    }

    private static Money exposureWithin(TierRule rule, long before, long open, List<Long> bends) {
        Money base = rule.total(before);
        Money most =
                larger(Money.zero(rule.currency()), rule.total(before + open).minus(base));
        // Only a volume rule can be dearer for fewer units: a graduated total never falls.
        if (!(rule instanceof Volume)) return most;
        for (long end : bends) {
            if (end > before && end < before + open)
                most = larger(most, rule.total(end).minus(base));
        }
        return most;
    }

    /** The first tier that matters after {@code before}: a volume rule takes back the price of the earlier units in their own tier. */
    private static int lowestTier(TierRule rule, long before) {
        return TierRule.tierOf(rule, rule instanceof Volume ? Math.max(before, 1) : Math.addExact(before, 1));
    }

    /** Counts at which the total may bend or jump: the last unit of each tier and the first one after it. */
    private static List<Long> bends(TierRule rule, int lowest, int highest) {
        List<Long> bends = new ArrayList<>();
        for (int i = lowest; i < highest; i++) {
            long upTo = rule.tiers().get(i).upTo().orElseThrow();
            bends.add(upTo);
            if (rule instanceof Volume) bends.add(upTo + 1);
        }
        return bends;
    }

    private static List<Step> graduatedSteps(Graduated rule, long before, long through) {
        List<Step> steps = new ArrayList<>();
        long at = before;
        for (int i = TierRule.tierOf(rule, before + 1); at < through; i++) {
            OptionalLong upTo = rule.tiers().get(i).upTo();
            long end = upTo.isPresent() ? Math.min(through, upTo.getAsLong()) : through;
            steps.add(Step.of(rule, i, at, end - at));
            at = end;
        }
        return steps;
    }

    private static List<Step> volumeSteps(Volume rule, long before, long through) {
        int tierNow = TierRule.tierOf(rule, through);
        int tierBefore = before == 0 ? tierNow : TierRule.tierOf(rule, before);
        if (tierBefore == tierNow) return List.of(Step.of(rule, tierNow, before, through - before));
        return List.of(Step.of(rule, tierBefore, 0, -before), Step.of(rule, tierNow, 0, through));
    }

    private static Money larger(Money left, Money right) {
        return left.compareTo(right) >= 0 ? left : right;
    }

    private static void notNegative(String what, long count) {
        if (count < 0) throw new IllegalArgumentException(what + ": " + count + "; it must be 0 or more");
    }
}
