/**
 * What a unit really costs, and whether its price earns that.
 *
 * <p>Read {@link io.guimo.economics.UnitEconomics} first: price, measured cost at this utilisation and at full, margin, units to break even, each with
 * its derivation. {@link io.guimo.economics.CpuLedger} measures: the processor time of every process of an installation, shared among products by what
 * their engines used; the rest is overhead, so that the sum is the processes' time. {@link io.guimo.economics.CostLog} keeps the windows.
 *
 * <p>Owns the tables {@code cost_window} and {@code cost_share}. Money that was earned belongs to {@code commerce}; what engines did is handed in by
 * whoever runs them. Invariant: shares and overhead of a window add up to the processor time of its processes.
 */
@NullMarked
package io.guimo.economics;

import org.jspecify.annotations.NullMarked;
