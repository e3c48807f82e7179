package io.guimo.commerce.price;

/** How the tiers of a price act. */
public enum TierMode {
    /** Each unit costs the rate of the tier it lies in. */
    GRADUATED,
    /** All units of the month cost the rate of the tier that their count has reached. */
    VOLUME
}
