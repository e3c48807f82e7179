package io.guimo.commerce.account;

import java.util.Optional;

/**
 * A new key with its secret.
 *
 * @param secret {@code sk-guimo-…}, shown this one time; empty when the same command was sent again, since it is not kept
 */
public record IssuedKey(ApiKey key, Optional<String> secret) {
    /** Without the secret: it must not reach a log. */
    @Override
    public String toString() {
        return "IssuedKey[" + key.id() + "]";
    }
}
