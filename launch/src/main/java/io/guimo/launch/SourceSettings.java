package io.guimo.launch;

import java.net.URI;
import org.jspecify.annotations.Nullable;

/**
 * Where a model comes from that is not trained here.
 *
 * @param catalog name of an entry of the data catalogue
 * @param upstream base URL of an OpenAI-compatible server, with its {@code /v1}
 * @param upstreamModel the model's name there; this model's own name if absent
 */
record SourceSettings(
        @Nullable String catalog,
        @Nullable String upstream,
        @Nullable String upstreamModel) {
    SourceSettings {
        if ((catalog == null) == (upstream == null)) {
            throw new IllegalArgumentException(
                    "a source is either 'catalog' (a name from ./guimo data list) or 'upstream' (the base URL of an OpenAI-compatible server)");
        }
        if (upstream != null && !isHttp(upstream)) {
            throw new IllegalArgumentException(
                    "upstream '" + upstream + "' is not an address of the form http(s)://host[:port]/v1");
        }
        if (upstream == null && upstreamModel != null) {
            throw new IllegalArgumentException("upstreamModel belongs to upstream; leave it out");
        }
    }

    private static boolean isHttp(String text) {
        try {
            URI uri = URI.create(text);
            return uri.getHost() != null && ("http".equals(uri.getScheme()) || "https".equals(uri.getScheme()));
        } catch (IllegalArgumentException e) {
            return false;
        }
    }
}
