package io.guimo.inference;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * When a request is sent again, always before a byte of an answer was seen: the connection was refused or ended, or the answer was 429, 502 or 503.
 *
 * @param attempts most tries of one request, the first included, 1 to 10; 3 if absent
 * @param longestWait most time that one request waits for upstreams that named a time by {@code retry-after}, 0 to 1 min; 2 s if absent
 */
public record RetrySettings(
        @Nullable Integer attempts, @Nullable Duration longestWait) {
    /** Those that count where nothing was said. */
    public static final RetrySettings STANDARD = new RetrySettings(null, null);

    public RetrySettings {
        if (attempts == null) attempts = 3;
        if (longestWait == null) longestWait = Duration.ofSeconds(2);
        if (attempts < 1 || attempts > 10) {
            throw new IllegalArgumentException("attempts is " + attempts + "; permitted are 1 to 10");
        }
        if (longestWait.isNegative() || longestWait.compareTo(Duration.ofMinutes(1)) > 0) {
            throw new IllegalArgumentException("longestWait is " + longestWait + "; permitted are 0 to 1 min (PT1M)");
        }
    }

    @Override
    @SuppressWarnings("NullAway") // the constructor filled it in
    public Integer attempts() {
        return attempts;
    }

    @Override
    @SuppressWarnings("NullAway") // the constructor filled it in
    public Duration longestWait() {
        return longestWait;
    }
}
