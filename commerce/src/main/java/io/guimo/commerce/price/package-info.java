/**
 * What usage costs: rates, tiers, and which price holds for whom and when.
 *
 * <p>Read {@link io.guimo.commerce.price.Pricing} first: pure functions from usage and a {@link io.guimo.commerce.price.TierRule} to an
 * exact amount and the steps that led to it. A {@link io.guimo.commerce.price.PriceVersion} binds one rule to each meter of one product
 * of one plan from an instant on.
 *
 * <p>Invariants: an amount is exact, nothing here rounds; the charges of any split of some usage sum to the charge of the whole; a price
 * version is never edited, a later one takes over; a product without a price has no amount at all, which is not the amount zero.
 *
 * <p>Elsewhere: the counter that says how much was used before ({@code meter}), the money ({@code ledger}), the document ({@code invoice}).
 */
@NullMarked
package io.guimo.commerce.price;

import org.jspecify.annotations.NullMarked;
