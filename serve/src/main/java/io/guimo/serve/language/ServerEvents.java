package io.guimo.serve.language;

import io.guimo.serve.http.Json;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/** Server-sent events as the wire formats here use them: one line of JSON each, with or without a name. */
final class ServerEvents {
    static final byte[] NONE = new byte[0];
    private static final byte[] EVENT = "event: ".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] DATA = "data: ".getBytes(StandardCharsets.US_ASCII);

    private ServerEvents() {}

    static byte[] data(Object value) {
        ByteArrayOutputStream event = new ByteArrayOutputStream(256);
        appendData(event, Json.write(value));
        return event.toByteArray();
    }

    /** @param json one line */
    static void appendData(ByteArrayOutputStream event, byte[] json) {
        event.writeBytes(DATA);
        event.writeBytes(json);
        event.write('\n');
        event.write('\n');
    }

    static void appendNamed(ByteArrayOutputStream events, String name, Object value) {
        events.writeBytes(EVENT);
        events.writeBytes(name.getBytes(StandardCharsets.US_ASCII));
        events.write('\n');
        appendData(events, Json.write(value));
    }
}
