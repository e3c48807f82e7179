package io.guimo.commerce;

/**
 * A caller's own name for a command, so that sending it again gives the first answer again. It counts within one organisation and one route.
 *
 * @param route method and path template, such as {@code POST /v1/embeddings}
 * @param key what the caller sent as {@code Idempotency-Key}, 1 to 255 characters
 * @param contentSha256 digest of the request's content in hexadecimal: the same key with other content is refused
 */
public record IdempotencyKey(String route, String key, String contentSha256) {
    public IdempotencyKey {
        if (key.isEmpty() || key.length() > 255) {
            throw new IllegalArgumentException(
                    "an Idempotency-Key of " + key.length() + " characters; give 1 to 255, such as a UUID");
        }
        if (!contentSha256.matches("[0-9a-f]{64}")) {
            throw new IllegalArgumentException("not a SHA-256 in lower-case hexadecimal: " + contentSha256);
        }
    }

    Holding.KeyName name() {
        return new Holding.KeyName(route, key);
    }
}
