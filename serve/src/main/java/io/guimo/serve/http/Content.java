package io.guimo.serve.http;

import java.util.Map;

/**
 * An answer whose body is known before its first byte is sent.
 *
 * @param status HTTP status
 * @param mediaType content type
 * @param bytes body; not copied, so the giver must not change it afterwards
 * @param headers further headers, names in lower case
 */
@SuppressWarnings("ArrayRecordComponent") // handed over, never compared: a copy per answer would only cost
public record Content(int status, String mediaType, byte[] bytes, Map<String, String> headers) implements Answer {
    public static final String JSON = "application/json";

    public Content {
        headers = Map.copyOf(headers);
    }

    /** A 200 answer with {@code value} as JSON. */
    public static Content json(Object value) {
        return json(200, value);
    }

    public static Content json(int status, Object value) {
        return new Content(status, JSON, Json.write(value), Map.of());
    }

    public static Content text(int status, String mediaType, String text) {
        return new Content(status, mediaType, text.getBytes(java.nio.charset.StandardCharsets.UTF_8), Map.of());
    }
}
