package io.guimo.inference;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How long a remote model may take, each 1 ms to 1 h.
 *
 * @param connect       to open a connection, the handshake of https included; 5 s if absent
 * @param firstByte     from a stream's request to the first byte of its answer; 2 min if absent. An answer that is no stream begins when all of it
 *                      was generated, so for it only {@code total} counts
 * @param betweenChunks between two chunks of a stream; 1 min if absent
 * @param total         for a request with all its tries and waits; 10 min if absent
 */
public record RemoteTimeLimits(
        @Nullable Duration connect,
        @Nullable Duration firstByte,
        @Nullable Duration betweenChunks,
        @Nullable Duration total) {
    /** Those that count where nothing was said. */
    public static final RemoteTimeLimits STANDARD = new RemoteTimeLimits(null, null, null, null);

    public RemoteTimeLimits {
        connect = within("connect", connect, Duration.ofSeconds(5));
        firstByte = within("firstByte", firstByte, Duration.ofMinutes(2));
        betweenChunks = within("betweenChunks", betweenChunks, Duration.ofMinutes(1));
        total = within("total", total, Duration.ofMinutes(10));
    }

    private static Duration within(String name, @Nullable Duration given, Duration standard) {
        Duration value = given == null ? standard : given;
        if (value.toMillis() < 1 || value.compareTo(Duration.ofHours(1)) > 0) {
            throw new IllegalArgumentException(name + " is " + value + "; permitted are 1 ms to 1 h (PT1H)");
        }
        return value;
    }

    @Override
    @SuppressWarnings("NullAway") // the constructor filled it in
    public Duration connect() {
        return connect;
    }

    @Override
    @SuppressWarnings("NullAway") // the constructor filled it in
    public Duration firstByte() {
        return firstByte;
    }

    @Override
    @SuppressWarnings("NullAway") // the constructor filled it in
    public Duration betweenChunks() {
        return betweenChunks;
    }

    @Override
    @SuppressWarnings("NullAway") // the constructor filled it in
    public Duration total() {
        return total;
    }
}
