package io.guimo.commerce;

import io.guimo.postgres.Database;
import io.guimo.units.Meter;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The door to the money: authorise, serve, settle.
 */
@SuppressWarnings("DoNotCallSuggester")
public final class Till implements AutoCloseable {
    private final Database database;

    Till(Database database) {
        this.database = database;
    }

    /**
     * Holds the most that {@code request} can cost. Blocks the calling (virtual) thread for about a batch, normally a millisecond; not
     * durable yet when it returns.
     */
    public Authorization authorize(UsageRequest request) {
        throw new IllegalStateException("not open: " + database.address() + request);
    }

    /**
     * Charges for what is about to be delivered and releases the rest; durable when it returns. The answer is delivered after it, unless
     * the outcome is {@link Settlement.Outcome#WITHHELD}.
     *
     * @param delivered units of each meter; a meter that is missing counts 0
     * @param answer kept for a repetition of the request's idempotency key
     */
    public Settlement settle(Reservation reservation, Map<Meter, Long> delivered, @Nullable StoredAnswer answer) {
        throw new IllegalStateException("not open: " + reservation + delivered + answer);
    }

    /**
     * Charges for what was delivered already, by a stream: never withheld, what the wallet cannot pay is written off.
     *
     * @param completed whether the stream reached its end; a broken one is not replayed under its idempotency key
     */
    public Settlement settleDelivered(
            Reservation reservation, Map<Meter, Long> delivered, boolean completed, @Nullable StoredAnswer answer) {
        throw new IllegalStateException("not open: " + reservation + delivered + completed + answer);
    }

    /**
     * Records how far a stream has come and holds money for its next block.
     *
     * @param deliveredSoFar units delivered from the beginning; charged if this server dies
     * @param atMost units from the beginning to the end of the next block
     */
    public Extension extend(Reservation reservation, Map<Meter, Long> deliveredSoFar, Map<Meter, Long> atMost) {
        throw new IllegalStateException("not open: " + reservation + deliveredSoFar + atMost);
    }

    /** Gives back everything; the request delivered nothing. Its idempotency key is free again. */
    public void release(Reservation reservation) {
        throw new IllegalStateException("not open: " + reservation);
    }

    /** Finishes what was begun; refuses what comes later. */
    @Override
    public void close() {}
}
