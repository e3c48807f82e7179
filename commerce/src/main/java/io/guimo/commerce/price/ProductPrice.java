package io.guimo.commerce.price;

import io.guimo.commerce.price.TierRule.Flat;
import io.guimo.commerce.price.TierRule.Graduated;
import io.guimo.commerce.price.TierRule.Volume;
import io.guimo.units.Meter;
import io.guimo.units.Money;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Currency;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The price of one product as a business file writes it. Exactly one of {@code each}, {@code tiers} and {@code input} with
 * {@code output} is given.
 *
 * @param per what the price is for: {@code image}, {@code request}, {@code 1000 images}, {@code 1K tokens}, {@code 1M tokens}
 * @param each one price for all; of tokens, for those that are read
 * @param tiers prices by the count of the month; the last one without {@code upTo}
 * @param mode how tiers act; {@code graduated} unless said
 * @param input price of tokens that are read
 * @param cachedInput price of tokens that are read again from a kept state; as {@code input} unless said
 * @param output price of tokens that are written
 */
public record ProductPrice(
        String per,
        @Nullable BigDecimal each,
        @Nullable List<TierSettings> tiers,
        @Nullable TierMode mode,
        @Nullable BigDecimal input,
        @Nullable BigDecimal cachedInput,
        @Nullable BigDecimal output) {
    public ProductPrice {
        PriceUnit unit = PriceUnit.parse(per);
        int forms = (each != null ? 1 : 0) + (tiers != null ? 1 : 0) + (input != null || output != null ? 1 : 0);
        if (forms != 1) {
            throw new IllegalArgumentException(
                    "a price per " + per + " in " + forms + " forms; write one of: each, tiers, input with output");
        }
        if ((input != null || output != null || cachedInput != null) && unit.kind() != PriceUnit.Kind.TOKEN) {
            throw new IllegalArgumentException(
                    "input, cachedInput and output are prices of tokens, not per " + per + "; write per: 1M tokens");
        }
        if (cachedInput != null && input == null) {
            throw new IllegalArgumentException("cachedInput without input; write both, or leave cachedInput out");
        }
        if (mode != null && tiers == null) {
            throw new IllegalArgumentException("mode without tiers; write tiers, or leave mode out");
        }
        if (tiers != null) tiers = List.copyOf(tiers);
    }

    /**
     * The rule of each meter that this price names.
     *
     * @throws IllegalArgumentException if a rate is negative or finer than is kept, or the tiers are not in order
     */
    public Map<Meter, TierRule> rules(Currency currency) {
        PriceUnit unit = PriceUnit.parse(per);
        Map<Meter, TierRule> rules = new EnumMap<>(Meter.class);
        if (each != null) rules.put(unit.kind().meter(), new Flat(rate(currency, each, unit)));
        if (tiers != null) {
            List<Tier> written = new ArrayList<>();
            for (TierSettings tier : tiers) {
                Rate rate = rate(currency, tier.each(), unit);
                written.add(tier.upTo() == null ? Tier.rest(rate) : Tier.upTo(tier.upTo(), rate));
            }
            rules.put(unit.kind().meter(), mode == TierMode.VOLUME ? new Volume(written) : new Graduated(written));
        }
        if (input != null) {
            rules.put(Meter.INPUT_TOKENS, new Flat(rate(currency, input, unit)));
            BigDecimal cached = cachedInput == null ? input : cachedInput;
            rules.put(Meter.CACHED_INPUT_TOKENS, new Flat(rate(currency, cached, unit)));
        }
        if (output != null) rules.put(Meter.OUTPUT_TOKENS, new Flat(rate(currency, output, unit)));
        return rules;
    }

    private static Rate rate(Currency currency, BigDecimal amount, PriceUnit unit) {
        if (amount.stripTrailingZeros().scale() > Money.SCALE) {
            throw new IllegalArgumentException("a price of " + amount.toPlainString() + " " + currency
                    + " has more than " + Money.SCALE + " decimal places, the most that are kept; write a coarser one");
        }
        return new Rate(new Money(currency, amount), unit.count());
    }
}
