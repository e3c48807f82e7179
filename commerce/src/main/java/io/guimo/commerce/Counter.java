package io.guimo.commerce;

import io.guimo.commerce.price.PriceVersionId;
import io.guimo.commerce.price.Pricing;
import io.guimo.commerce.price.TierRule;
import io.guimo.units.Meter;
import io.guimo.units.Money;
import java.time.Instant;
import java.util.Currency;
import java.util.LinkedHashMap;
import java.util.Map;

/** Units of one meter of a product in one period, as a lane has them in memory. */
final class Counter {
    /** @param periodStart first instant of the period */
    record Key(String product, Meter meter, Instant periodStart) {}

    /** Units that open reservations may still add under one price. */
    record Open(TierRule rule, long quantity) {}

    final long id;
    final Key key;
    private final Currency currency;
    private long used;
    private final Map<PriceVersionId, Open> open = new LinkedHashMap<>();
    private Money exposure;

    /** Whether it is not in the database yet. */
    boolean isNew;

    boolean changed;

    Counter(long id, Key key, Currency currency, long used, Map<PriceVersionId, Open> open, boolean isNew) {
        this.id = id;
        this.key = key;
        this.currency = currency;
        this.used = used;
        this.open.putAll(open);
        this.isNew = isNew;
        this.exposure = worst();
    }

    long used() {
        return used;
    }

    Map<PriceVersionId, Open> open() {
        return open;
    }

    /**
     * The most that all open reservations of this counter can cost together, however much of them is delivered and in whatever order they
     * settle: what the wallet must hold for them.
     */
    Money exposure() {
        return exposure;
    }

    /**
     * @param more units by which the open ones of this price change
     * @return by how much the exposure changes
     */
    Money reserve(PriceVersionId price, TierRule rule, long more) {
        return change(price, rule, more, 0);
    }

    /**
     * @param closed open units that end
     * @param delivered units that are used now
     * @return by how much the exposure changes
     */
    Money settle(PriceVersionId price, TierRule rule, long closed, long delivered) {
        return change(price, rule, -closed, delivered);
    }

    private Money change(PriceVersionId price, TierRule rule, long more, long delivered) {
        if (more != 0) {
            Open before = open.get(price);
            long quantity = Math.addExact(before == null ? 0 : before.quantity, more);
            if (quantity < 0) throw new IllegalStateException(quantity + " open units of " + key);
            if (quantity == 0) open.remove(price);
            else open.put(price, new Open(rule, quantity));
        }
        used = Math.addExact(used, delivered);
        changed = true;
        Money before = exposure;
        exposure = worst();
        return exposure.minus(before);
    }

    private Money worst() {
        long all = 0;
        for (Open units : open.values()) all = Math.addExact(all, units.quantity);
        Money sum = Money.zero(currency);
        for (Open units : open.values()) {
            // Where the price changed within the period, units under the other price may come first.
            sum = sum.plus(
                    open.size() == 1
                            ? Pricing.exposure(units.rule, used, units.quantity)
                            : Pricing.ceiling(units.rule, used, all - units.quantity, units.quantity));
        }
        return sum;
    }
}
