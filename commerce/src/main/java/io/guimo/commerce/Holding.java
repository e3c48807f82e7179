package io.guimo.commerce;

import io.guimo.units.Meter;
import io.guimo.units.Money;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * An open reservation as it stands in the database.
 *
 * @param lease of the server that made it
 * @param alive whether that lease was still there when this was read
 * @param delivered what a stream has recorded as delivered so far; empty: nothing
 * @param holds grants that its money was taken from
 * @param key the idempotency key under which it runs
 */
record Holding(
        Reservation reservation,
        long lease,
        boolean alive,
        Map<Meter, Long> delivered,
        List<Hold> holds,
        @Nullable KeyName key) {
    /** Money held of one grant. */
    record Hold(long grant, Money amount) {}

    /** An idempotency key within its organisation. */
    record KeyName(String route, String key) {}
}
