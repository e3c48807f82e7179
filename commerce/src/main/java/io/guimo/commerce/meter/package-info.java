/**
 * What was used: one event a request, with a line for each meter, counted once.
 *
 * <p>Invariants: an event is written in the transaction that charges for it and never changed; its {@code before} is the count of its period
 * under the counter's lock, so that the lines of a period follow each other without gap or overlap.
 *
 * <p>Elsewhere: what a unit costs ({@code price}), who pays ({@code ledger}), when it may be used ({@link io.guimo.commerce.Till}).
 */
@NullMarked
package io.guimo.commerce.meter;

import org.jspecify.annotations.NullMarked;
