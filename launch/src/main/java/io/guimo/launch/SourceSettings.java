package io.guimo.launch;

import io.guimo.inference.RemoteChatSettings;
import io.guimo.inference.UpstreamSettings;
import java.net.URI;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Where a model comes from that is not trained here.
 *
 * @param catalog name of an entry of the data catalogue
 * @param upstream base URL of an OpenAI-compatible server, with its {@code /v1}: one without a key, and all else as {@code remote} has it by default
 * @param upstreamModel the model's name there; this model's own name if absent
 * @param remote one or several OpenAI-compatible servers, their keys and limits
 */
record SourceSettings(
        @Nullable String catalog,
        @Nullable String upstream,
        @Nullable String upstreamModel,
        @Nullable RemoteChatSettings remote) {
    SourceSettings {
        if ((catalog == null ? 0 : 1) + (upstream == null ? 0 : 1) + (remote == null ? 0 : 1) != 1) {
            throw new IllegalArgumentException(
                    "a source is either 'catalog' (a name from ./guimo data list), 'upstream' (the base URL of an OpenAI-compatible server)"
                            + " or 'remote' (several of them, their keys and limits)");
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

    /** The servers that answer for it, in whichever way they were written; empty for a model that runs here. */
    Optional<RemoteChatSettings> servers() {
        if (upstream == null) return Optional.ofNullable(remote);
        return Optional.of(RemoteChatSettings.of(
                new UpstreamSettings(URI.create(upstream), upstreamModel, null, null, null, null)));
    }
}
