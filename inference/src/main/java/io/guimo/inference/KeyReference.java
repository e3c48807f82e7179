package io.guimo.inference;

import org.jspecify.annotations.Nullable;

/**
 * Where a key is. Settings never hold the key itself, so that nothing that prints or stores them can show it.
 *
 * @param secret name under which {@code guimo secret set} keeps it, encrypted
 * @param env    name of an environment variable that holds it
 */
public record KeyReference(
        @Nullable String secret, @Nullable String env) {
    public KeyReference {
        if ((secret == null) == (env == null)) {
            throw new IllegalArgumentException(
                    "a key is either {secret: NAME}, kept by ./guimo secret set NAME, or {env: NAME}, an environment variable");
        }
    }

    /** Reads a key when an engine is opened. */
    @FunctionalInterface
    public interface Resolver {
        /** @throws IllegalArgumentException if there is no such key, or it cannot be sent in a header */
        String resolve(KeyReference reference);
    }

    /** For upstreams without keys. */
    public static final Resolver NONE = reference -> {
        throw new IllegalArgumentException("no keys are kept here, and " + reference + " is wanted");
    };
}
