/**
 * What is counted, in which unit, and when.
 *
 * <p>Read {@link io.guimo.units.Money} first: an exact decimal with a currency, then {@link io.guimo.units.Meter}: what can be
 * counted and sold. {@link io.guimo.units.TimeWindow} is a half-open span of time; {@link io.guimo.units.VirtualClock} is a clock that a
 * sandbox organisation can turn.
 *
 * <p>Owns no stored state and uses nothing but the JDK. Invariant: nothing here rounds unless its name says so.
 */
@NullMarked
package io.guimo.units;

import org.jspecify.annotations.NullMarked;
