package io.guimo.inference;

import java.net.URI;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * An upstream that speaks OpenAI's chat completions.
 *
 * @param baseUrl         http or https, with the path before {@code /chat/completions}, such as {@code http://10.0.0.7:8000/v1}
 * @param model           the name that the upstream knows the model by; the model's own name if left out
 * @param apiKey          sent as a bearer token; none if left out. Never shown.
 * @param connections     most exchanges at once, 1 to 10,000; 256 if left out. As many again may wait
 * @param connectTimeout  1 ms to 1 min; 5 s if left out
 * @param answerTimeout   for a whole answer, and between two chunks of a stream: 1 ms to 1 h; 5 min if left out
 * @param maxOutputTokens for a request that names no limit, 1 to 1,000,000; 4,096 if left out
 */
public record RemoteChatSettings(
        URI baseUrl,
        @Nullable String model,
        @Nullable String apiKey,
        @Nullable Integer connections,
        @Nullable Duration connectTimeout,
        @Nullable Duration answerTimeout,
        @Nullable Integer maxOutputTokens) {
    public RemoteChatSettings {
        if (connections == null) connections = 256;
        if (connectTimeout == null) connectTimeout = Duration.ofSeconds(5);
        if (answerTimeout == null) answerTimeout = Duration.ofMinutes(5);
        if (maxOutputTokens == null) maxOutputTokens = 4096;
        String scheme = String.valueOf(baseUrl.getScheme());
        if ((!scheme.equals("http") && !scheme.equals("https"))
                || baseUrl.getHost() == null
                || baseUrl.getQuery() != null) {
            throw new IllegalArgumentException(
                    "baseUrl: " + baseUrl + "; write http or https, a host, and the path before /chat/completions,"
                            + " such as http://10.0.0.7:8000/v1");
        }
        if (apiKey != null && !apiKey.chars().allMatch(c -> c > ' ' && c < 127)) {
            throw new IllegalArgumentException(
                    "apiKey: it has blanks or characters that a header cannot carry; copy it again");
        }
        if (connections < 1 || connections > 10_000) {
            throw new IllegalArgumentException("connections: " + connections + "; permitted are 1 to 10000");
        }
        if (maxOutputTokens < 1 || maxOutputTokens > 1_000_000) {
            throw new IllegalArgumentException("maxOutputTokens: " + maxOutputTokens + "; permitted are 1 to 1000000");
        }
        requireWithin("connectTimeout", connectTimeout, Duration.ofMinutes(1));
        requireWithin("answerTimeout", answerTimeout, Duration.ofHours(1));
    }

    /** Everything but the address as a default. */
    public static RemoteChatSettings of(String baseUrl) {
        return new RemoteChatSettings(URI.create(baseUrl), null, null, null, null, null, null);
    }

    /** Everything but the address and the upstream's name of the model as a default. */
    public static RemoteChatSettings of(URI baseUrl, String model) {
        return new RemoteChatSettings(baseUrl, model, null, null, null, null, null);
    }

    private static void requireWithin(String name, Duration value, Duration most) {
        if (value.toMillis() < 1 || value.compareTo(most) > 0) {
            throw new IllegalArgumentException(name + ": " + value + "; permitted are 1 ms to " + most);
        }
    }

    @Override
    @SuppressWarnings("NullAway") // the constructor filled it in
    public Integer connections() {
        return connections;
    }

    @Override
    @SuppressWarnings("NullAway") // the constructor filled it in
    public Duration connectTimeout() {
        return connectTimeout;
    }

    @Override
    @SuppressWarnings("NullAway") // the constructor filled it in
    public Duration answerTimeout() {
        return answerTimeout;
    }

    @Override
    @SuppressWarnings("NullAway") // the constructor filled it in
    public Integer maxOutputTokens() {
        return maxOutputTokens;
    }

    @Override
    public String toString() {
        return "RemoteChatSettings[baseUrl=" + baseUrl + ", model=" + model + ", apiKey="
                + (apiKey == null ? "none" : "***") + ", connections=" + connections + ", connectTimeout="
                + connectTimeout + ", answerTimeout=" + answerTimeout + ", maxOutputTokens=" + maxOutputTokens + "]";
    }
}
