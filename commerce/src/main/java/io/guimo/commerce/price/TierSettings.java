package io.guimo.commerce.price;

import java.math.BigDecimal;
import org.jspecify.annotations.Nullable;

/**
 * One tier as a business file writes it: {@code {upTo: 10000, each: 0.002}}.
 *
 * @param upTo last unit of a month in this tier, counted in single units from 1; left out in the last tier
 * @param each price of what {@code per} names
 */
public record TierSettings(@Nullable Long upTo, BigDecimal each) {}
