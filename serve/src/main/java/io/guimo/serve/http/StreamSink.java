package io.guimo.serve.http;

import io.helidon.common.socket.SocketWriterException;
import io.helidon.http.HeaderNames;
import io.helidon.http.Status;
import io.helidon.webserver.ServerConnectionException;
import io.helidon.webserver.http.ServerResponse;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import org.jspecify.annotations.Nullable;

/** Sends a stream's events, its head with the first of them. */
final class StreamSink implements EventStream.Sink {
    private final EventStream stream;
    private final ServerResponse response;
    private final SlowClients slowClients;
    private @Nullable OutputStream out;

    StreamSink(EventStream stream, ServerResponse response, SlowClients slowClients) {
        this.stream = stream;
        this.response = response;
        this.slowClients = slowClients;
    }

    boolean isOpen() {
        return out != null;
    }

    @Override
    public void header(String name, String value) {
        if (isOpen()) throw new IllegalStateException("the header " + name + " comes after the stream's head was sent");
        response.header(HeaderNames.createFromLowercase(name), value);
    }

    @Override
    public void send(byte[] events) throws IOException {
        try (SlowClients.Watch _ = slowClients.watch(Dispatcher.WRITE_LIMIT)) {
            OutputStream to = opened();
            to.write(events);
            to.flush();
        } catch (SocketWriterException | ServerConnectionException | UncheckedIOException e) {
            throw new IOException("the client is gone", e);
        }
    }

    /** Ends the stream, which may have been empty. */
    void close() throws IOException {
        try (SlowClients.Watch _ = slowClients.watch(Dispatcher.WRITE_LIMIT)) {
            opened().close();
        } catch (SocketWriterException | ServerConnectionException | UncheckedIOException e) {
            throw new IOException("the client is gone", e);
        }
    }

    private OutputStream opened() {
        OutputStream opened = out;
        if (opened == null) {
            response.status(Status.OK_200);
            response.header(HeaderNames.CONTENT_TYPE, "text/event-stream; charset=utf-8");
            response.header(HeaderNames.CACHE_CONTROL, "no-cache");
            stream.headers().forEach((name, value) -> response.header(HeaderNames.createFromLowercase(name), value));
            opened = response.outputStream();
            out = opened;
        }
        return opened;
    }
}
