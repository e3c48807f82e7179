package io.guimo.serve.http;

import io.guimo.units.OrganizationId;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;

/**
 * How much an organisation may send a minute, in requests and in tokens: one bucket each, filled evenly, so that a whole minute's share can be
 * sent at once and then at the steady rate. Counted by each server for itself.
 */
public final class RateLimits {
    private final long requestsPerMinute;
    private final long tokensPerMinute;
    private final LongSupplier nanos;
    private final Map<OrganizationId, Buckets> organizations = new ConcurrentHashMap<>();

    /** @param nanos monotonic time, such as {@code System::nanoTime} */
    public RateLimits(long requestsPerMinute, long tokensPerMinute, LongSupplier nanos) {
        if (requestsPerMinute < 1 || tokensPerMinute < 1) {
            throw new IllegalArgumentException("rate limits are at least 1 a minute: " + requestsPerMinute
                    + " requests, " + tokensPerMinute + " tokens");
        }
        this.requestsPerMinute = requestsPerMinute;
        this.tokensPerMinute = tokensPerMinute;
        this.nanos = nanos;
    }

    /** Takes one request from the organisation's share. @throws RefusedException if there is none left */
    void takeRequest(OrganizationId organization) {
        buckets(organization).requests.take(1, nanos.getAsLong());
    }

    /**
     * Takes tokens from the organisation's share; a request larger than the whole share is let through when the share is full.
     *
     * @throws RefusedException if there are not enough left
     */
    public void takeTokens(OrganizationId organization, long tokens) {
        buckets(organization).tokens.take(tokens, nanos.getAsLong());
    }

    /** The six headers that tell a client what is left. */
    void describe(OrganizationId organization, Exchange exchange) {
        Buckets buckets = buckets(organization);
        long now = nanos.getAsLong();
        buckets.requests.describe(exchange, now);
        buckets.tokens.describe(exchange, now);
    }

    private Buckets buckets(OrganizationId organization) {
        return organizations.computeIfAbsent(
                organization,
                o -> new Buckets(
                        new Bucket("requests", requestsPerMinute, nanos.getAsLong()),
                        new Bucket("tokens", tokensPerMinute, nanos.getAsLong())));
    }

    private record Buckets(Bucket requests, Bucket tokens) {}

    private static final class Bucket {
        private static final double NANOS_PER_MINUTE = 60e9;
        private final String unit;
        private final long perMinute;
        private final double full;
        private final String limitHeader;
        private final String remainingHeader;
        private final String resetHeader;
        private final String limitText;
        private double available;
        private long filledAtNanos;

        Bucket(String unit, long perMinute, long now) {
            this.unit = unit;
            this.perMinute = perMinute;
            limitHeader = "x-ratelimit-limit-" + unit;
            remainingHeader = "x-ratelimit-remaining-" + unit;
            resetHeader = "x-ratelimit-reset-" + unit;
            limitText = Long.toString(perMinute);
            full = (double) perMinute;
            available = full;
            filledAtNanos = now;
        }

        synchronized void take(long amount, long now) {
            fill(now);
            double needed = Math.min((double) amount, full);
            if (available < needed) {
                Duration wait = Duration.ofNanos((long) ((needed - available) / full * NANOS_PER_MINUTE) + 1);
                throw new RefusedException(new Refusal.RateLimited(unit, perMinute, wait));
            }
            available = Math.max(0, available - (double) amount);
        }

        synchronized void describe(Exchange exchange, long now) {
            fill(now);
            exchange.answerHeader(limitHeader, limitText);
            exchange.answerHeader(remainingHeader, Long.toString((long) available));
            long resetMillis = (long) Math.ceil((full - available) / full * NANOS_PER_MINUTE / 1e6);
            exchange.answerHeader(resetHeader, duration(resetMillis));
        }

        private void fill(long now) {
            available = Math.min(full, available + (double) (now - filledAtNanos) / NANOS_PER_MINUTE * full);
            filledAtNanos = now;
        }

        /** As OpenAI writes it: {@code 6m0s}, {@code 1.2s}, {@code 12ms}. */
        private static String duration(long millis) {
            if (millis < 1000) return millis + "ms";
            if (millis < 60_000) return millis / 1000 + "." + millis % 1000 / 100 + "s";
            return millis / 60_000 + "m" + millis % 60_000 / 1000 + "s";
        }
    }
}
