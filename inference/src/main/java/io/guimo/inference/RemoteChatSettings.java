package io.guimo.inference;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A chat model on one or several servers that speak OpenAI's chat completions.
 *
 * @param upstreams       the servers, 1 to 64; requests go to the one with the least to do for its weight, a conversation's to the same as before
 * @param timeLimits      see {@link RemoteTimeLimits}
 * @param retries         see {@link RetrySettings}
 * @param breakAfter      of a server's last 20 exchanges as many failures take it out of use, 1 to 20; 5 if absent
 * @param restFor         how long it then rests before one request tries it, doubled with each try that fails up to 16 times as long: 10 ms to 10 min;
 *                        2 s if absent
 * @param probeEvery      how often a server that had nothing to do or rests is asked for {@code GET /models}: 10 ms to 1 h, or 0 for never; 10 s if absent
 * @param maxOutputTokens for a request that names no limit, 1 to 1,000,000; 4,096 if absent
 * @param tokenizer       a Hugging Face {@code tokenizer.json}: tokens are then counted and billed by our own count, else by the upstream's
 * @param fallback        another remote model of the business, which answers where this one cannot; billed at this model's price
 */
public record RemoteChatSettings(
        List<UpstreamSettings> upstreams,
        @Nullable RemoteTimeLimits timeLimits,
        @Nullable RetrySettings retries,
        @Nullable Integer breakAfter,
        @Nullable Duration restFor,
        @Nullable Duration probeEvery,
        @Nullable Integer maxOutputTokens,
        @Nullable String tokenizer,
        @Nullable String fallback) {
    /** Upstreams tried are kept as bits of a long. */
    static final int MOST_UPSTREAMS = Long.SIZE;

    public RemoteChatSettings {
        upstreams = List.copyOf(upstreams);
        if (timeLimits == null) timeLimits = RemoteTimeLimits.STANDARD;
        if (retries == null) retries = RetrySettings.STANDARD;
        if (breakAfter == null) breakAfter = 5;
        if (restFor == null) restFor = Duration.ofSeconds(2);
        if (probeEvery == null) probeEvery = Duration.ofSeconds(10);
        if (maxOutputTokens == null) maxOutputTokens = 4096;
        if (upstreams.isEmpty() || upstreams.size() > MOST_UPSTREAMS) {
            throw new IllegalArgumentException(
                    "upstreams has " + upstreams.size() + " servers; permitted are 1 to " + MOST_UPSTREAMS);
        }
        if (breakAfter < 1 || breakAfter > CircuitBreaker.REMEMBERED) {
            throw new IllegalArgumentException(
                    "breakAfter is " + breakAfter + "; permitted are 1 to " + CircuitBreaker.REMEMBERED);
        }
        if (restFor.toMillis() < 10 || restFor.compareTo(Duration.ofMinutes(10)) > 0) {
            throw new IllegalArgumentException("restFor is " + restFor + "; permitted are 10 ms to 10 min (PT10M)");
        }
        if (!probeEvery.isZero() && (probeEvery.toMillis() < 10 || probeEvery.compareTo(Duration.ofHours(1)) > 0)) {
            throw new IllegalArgumentException(
                    "probeEvery is " + probeEvery + "; permitted are 10 ms to 1 h (PT1H), or PT0S for never");
        }
        if (maxOutputTokens < 1 || maxOutputTokens > 1_000_000) {
            throw new IllegalArgumentException(
                    "maxOutputTokens is " + maxOutputTokens + "; permitted are 1 to 1000000");
        }
    }

    /** One server, and everything but its address as a default. */
    public static RemoteChatSettings of(String url) {
        return of(UpstreamSettings.of(url));
    }

    /** These servers, and everything else as a default. */
    public static RemoteChatSettings of(UpstreamSettings... upstreams) {
        return new RemoteChatSettings(List.of(upstreams), null, null, null, null, null, null, null, null);
    }

    /** The same with the names of files resolved against this folder. */
    public RemoteChatSettings withFilesIn(Path folder) {
        List<UpstreamSettings> resolved = upstreams.stream()
                .map(u -> u.ca() == null
                        ? u
                        : new UpstreamSettings(
                                u.url(),
                                u.model(),
                                u.weight(),
                                u.connections(),
                                u.key(),
                                folder.resolve(u.ca()).toString()))
                .toList();
        return new RemoteChatSettings(
                resolved,
                timeLimits,
                retries,
                breakAfter,
                restFor,
                probeEvery,
                maxOutputTokens,
                tokenizer == null ? null : folder.resolve(tokenizer).toString(),
                fallback);
    }

    @Override
    @SuppressWarnings("NullAway") // the constructor filled it in
    public RemoteTimeLimits timeLimits() {
        return timeLimits;
    }

    @Override
    @SuppressWarnings("NullAway") // the constructor filled it in
    public RetrySettings retries() {
        return retries;
    }

    @Override
    @SuppressWarnings("NullAway") // the constructor filled it in
    public Integer breakAfter() {
        return breakAfter;
    }

    @Override
    @SuppressWarnings("NullAway") // the constructor filled it in
    public Duration restFor() {
        return restFor;
    }

    @Override
    @SuppressWarnings("NullAway") // the constructor filled it in
    public Duration probeEvery() {
        return probeEvery;
    }

    @Override
    @SuppressWarnings("NullAway") // the constructor filled it in
    public Integer maxOutputTokens() {
        return maxOutputTokens;
    }
}
