package io.guimo.serve;

import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * How the server listens and what it bears. Every component may be left out; the accessors then give the default.
 *
 * @param host address to listen on; default {@code 127.0.0.1}: this machine only
 * @param port 0 chooses a free one; default 8080
 * @param connections most open connections; default 4096
 * @param concurrentRequests most requests served at once, more are answered 503; default 1024
 * @param bodyMemoryMebibytes memory lent to all request bodies together; default 128
 * @param drain longest wait at the end for requests under way; default 10 s
 * @param requestsPerMinute of one organisation on this server; default 600,000
 * @param tokensPerMinute of one organisation on this server; default 60,000,000
 */
public record ServeSettings(
        @Nullable String host,
        @Nullable Integer port,
        @Nullable Integer connections,
        @Nullable Integer concurrentRequests,
        @Nullable Integer bodyMemoryMebibytes,
        @Nullable Duration drain,
        @Nullable Long requestsPerMinute,
        @Nullable Long tokensPerMinute) {
    public ServeSettings {
        host = Objects.requireNonNullElse(host, "127.0.0.1");
        port = Objects.requireNonNullElse(port, 8080);
        connections = Objects.requireNonNullElse(connections, 4096);
        concurrentRequests = Objects.requireNonNullElse(concurrentRequests, 1024);
        bodyMemoryMebibytes = Objects.requireNonNullElse(bodyMemoryMebibytes, 128);
        drain = Objects.requireNonNullElse(drain, Duration.ofSeconds(10));
        requestsPerMinute = Objects.requireNonNullElse(requestsPerMinute, 600_000L);
        tokensPerMinute = Objects.requireNonNullElse(tokensPerMinute, 60_000_000L);
        within("port", port, 0, 65_535);
        within("connections", connections, 1, 1_000_000);
        within("concurrentRequests", concurrentRequests, 1, 100_000);
        within("bodyMemoryMebibytes", bodyMemoryMebibytes, 1, 65_536);
        within("requestsPerMinute", requestsPerMinute, 1, 1_000_000_000_000L);
        within("tokensPerMinute", tokensPerMinute, 1, 1_000_000_000_000L);
        if (drain.isNegative() || drain.compareTo(Duration.ofHours(1)) > 0) {
            throw new IllegalArgumentException("drain is " + drain + "; write 0s to 1h");
        }
    }

    /** All defaults. */
    public static ServeSettings defaults() {
        return new ServeSettings(null, null, null, null, null, null, null, null);
    }

    /** These settings on another port. */
    public ServeSettings withPort(int other) {
        return new ServeSettings(
                host,
                other,
                connections,
                concurrentRequests,
                bodyMemoryMebibytes,
                drain,
                requestsPerMinute,
                tokensPerMinute);
    }

    @Override
    public String host() {
        return Objects.requireNonNull(host);
    }

    @Override
    public Integer port() {
        return Objects.requireNonNull(port);
    }

    @Override
    public Integer connections() {
        return Objects.requireNonNull(connections);
    }

    @Override
    public Integer concurrentRequests() {
        return Objects.requireNonNull(concurrentRequests);
    }

    @Override
    public Integer bodyMemoryMebibytes() {
        return Objects.requireNonNull(bodyMemoryMebibytes);
    }

    @Override
    public Duration drain() {
        return Objects.requireNonNull(drain);
    }

    @Override
    public Long requestsPerMinute() {
        return Objects.requireNonNull(requestsPerMinute);
    }

    @Override
    public Long tokensPerMinute() {
        return Objects.requireNonNull(tokensPerMinute);
    }

    private static void within(String name, long value, long least, long most) {
        if (value < least || value > most) {
            throw new IllegalArgumentException(name + " is " + value + "; write " + least + " to " + most);
        }
    }
}
