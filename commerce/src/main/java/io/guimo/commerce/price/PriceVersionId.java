package io.guimo.commerce.price;

import io.guimo.units.Ids;

/** One published price; it never changes what it says. */
public record PriceVersionId(String value) {
    public PriceVersionId {
        if (!value.startsWith("price_") || value.length() > 64) {
            throw new IllegalArgumentException("not an id of the form price_…: " + value);
        }
    }

    public static PriceVersionId next() {
        return new PriceVersionId(Ids.next("price"));
    }

    @Override
    public String toString() {
        return value;
    }
}
