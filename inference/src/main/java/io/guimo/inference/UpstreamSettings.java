package io.guimo.inference;

import java.net.URI;
import org.jspecify.annotations.Nullable;

/**
 * One server that speaks OpenAI's chat completions.
 *
 * @param url         http or https, with the path before {@code /chat/completions}, such as {@code http://10.0.0.7:8000/v1}
 * @param model       the name that the server knows the model by; the model's own name if absent
 * @param weight      its share beside the other servers of the same model, 1 to 1,000; 1 if absent
 * @param connections most exchanges with it at once, 1 to 10,000; 256 if absent. As many again may wait
 * @param key         where its API key is, sent as a bearer token; none if absent
 * @param ca          a file of PEM certificates that sign the server's own; what the JDK trusts if absent
 */
public record UpstreamSettings(
        URI url,
        @Nullable String model,
        @Nullable Integer weight,
        @Nullable Integer connections,
        @Nullable KeyReference key,
        @Nullable String ca) {
    public UpstreamSettings {
        if (weight == null) weight = 1;
        if (connections == null) connections = 256;
        String scheme = String.valueOf(url.getScheme());
        if ((!scheme.equals("http") && !scheme.equals("https"))
                || url.getHost() == null
                || url.getQuery() != null
                || url.getUserInfo() != null) {
            throw new IllegalArgumentException(
                    "url is " + withoutUser(url) + "; write http or https, a host, and the path before"
                            + " /chat/completions, such as http://10.0.0.7:8000/v1");
        }
        if (weight < 1 || weight > 1000) {
            throw new IllegalArgumentException("weight is " + weight + "; permitted are 1 to 1000");
        }
        if (connections < 1 || connections > 10_000) {
            throw new IllegalArgumentException("connections is " + connections + "; permitted are 1 to 10000");
        }
        if (ca != null && scheme.equals("http")) {
            throw new IllegalArgumentException("ca belongs to an https address, and url is " + url);
        }
    }

    /** Everything but the address as a default. */
    public static UpstreamSettings of(String url) {
        return new UpstreamSettings(URI.create(url), null, null, null, null, null);
    }

    /** A password in an address must not come back in a message. */
    private static String withoutUser(URI url) {
        return url.getRawUserInfo() == null ? url.toString() : "an address with a user; give its key by key";
    }

    @Override
    @SuppressWarnings("NullAway") // the constructor filled it in
    public Integer weight() {
        return weight;
    }

    @Override
    @SuppressWarnings("NullAway") // the constructor filled it in
    public Integer connections() {
        return connections;
    }
}
