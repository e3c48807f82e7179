package io.guimo.commerce;

import io.guimo.units.Meter;
import java.util.Collections;
import java.util.EnumMap;
import java.util.Map;

/** Checks on counts by meter. */
final class Quantities {
    /** Far above what any request can count, far below where a sum of counts could overflow. */
    static final long MOST = 1_000_000_000_000L;

    private Quantities() {}

    static Map<Meter, Long> checked(Map<Meter, Long> quantities) {
        if (quantities.isEmpty()) {
            throw new IllegalArgumentException("no meter is named; give the units of at least one");
        }
        quantities.forEach((meter, count) -> {
            if (count < 0 || count > MOST) {
                throw new IllegalArgumentException(
                        meter.wireName() + ": " + count + " units; give a count from 0 to " + MOST);
            }
        });
        // in the order of the meters, so that equal usage is stored and explained equally
        return Collections.unmodifiableMap(new EnumMap<>(quantities));
    }
}
