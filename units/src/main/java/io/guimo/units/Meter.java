package io.guimo.units;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** What can be counted and sold. Every count is a whole number of the meter's unit. */
public enum Meter {
    /** Pictures given to a model. */
    IMAGES("image"),
    /** Requests answered, whatever their size. */
    REQUESTS("request"),
    /** Tokens read by a model for the first time. */
    INPUT_TOKENS("token"),
    /** Tokens read by a model whose state was kept from an earlier request of the same organisation. */
    CACHED_INPUT_TOKENS("token"),
    /** Tokens written by a model. */
    OUTPUT_TOKENS("token");

    private final String unit;

    Meter(String unit) {
        this.unit = unit;
    }

    /** The unit in the singular, as a price names it: {@code per: image}. */
    public String unit() {
        return unit;
    }

    /** The name on the wire and in storage, such as {@code input_tokens}. */
    public String wireName() {
        return name().toLowerCase(Locale.ROOT);
    }

    public static Optional<Meter> ofWireName(String name) {
        return Arrays.stream(values()).filter(m -> m.wireName().equals(name)).findFirst();
    }
}
