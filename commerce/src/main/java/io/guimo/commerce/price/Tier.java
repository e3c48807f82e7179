package io.guimo.commerce.price;

import java.util.OptionalLong;

/**
 * One step of a tiered price.
 *
 * @param upTo last unit of the period that belongs to this tier, counted from 1; empty for the last tier
 * @param rate price of a unit of this tier
 */
public record Tier(OptionalLong upTo, Rate rate) {
    public Tier {
        if (upTo.isPresent() && upTo.getAsLong() < 1) {
            throw new IllegalArgumentException(
                    "a tier up to " + upTo.getAsLong() + " units holds none; write 1 or more");
        }
    }

    public static Tier upTo(long units, Rate rate) {
        return new Tier(OptionalLong.of(units), rate);
    }

    public static Tier rest(Rate rate) {
        return new Tier(OptionalLong.empty(), rate);
    }
}
