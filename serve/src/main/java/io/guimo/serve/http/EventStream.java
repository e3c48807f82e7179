package io.guimo.serve.http;

import java.io.IOException;
import java.util.Map;

/**
 * An answer of server-sent events, written while it is being made.
 *
 * @param writer writes all events; called once, on the request's thread
 * @param headers further headers, names in lower case
 */
public record EventStream(Writer writer, Map<String, String> headers) implements Answer {
    public EventStream {
        headers = Map.copyOf(headers);
    }

    /** Writes the events of a stream. */
    @FunctionalInterface
    public interface Writer {
        void write(Sink sink) throws IOException;
    }

    /** The way to the client: bytes that were accepted without an error count as delivered. */
    public interface Sink {
        /**
         * A header that is known only now.
         *
         * @param name in lower case
         * @throws IllegalStateException after the first events: the head went with them
         */
        void header(String name, String value);

        /**
         * Sends whole events at once, past every buffer of this process.
         *
         * @param events UTF-8 text of server-sent events, blank lines included
         * @throws IOException if the client is gone or too slow
         */
        void send(byte[] events) throws IOException;
    }
}
