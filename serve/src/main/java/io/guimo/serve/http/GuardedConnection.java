package io.guimo.serve.http;

import io.helidon.common.buffers.DataReader;
import io.helidon.common.concurrency.limits.Limit;
import io.helidon.common.task.InterruptableTask;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.ConnectionContext;
import io.helidon.webserver.ServerConnectionException;
import io.helidon.webserver.http1.Http1ConnectionSelector;
import io.helidon.webserver.http2.Http2ConnectionSelector;
import io.helidon.webserver.spi.ServerConnection;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** One connection, from its first byte to its close, under {@link ConnectionGuard}'s limits. */
final class GuardedConnection implements ServerConnection, InterruptableTask<Void> {
    /** The connection whose thread this is; bound for HTTP/1.1, where requests are served on the connection's own thread. */
    static final ScopedValue<GuardedConnection> CURRENT = ScopedValue.newInstance();

    private static final Duration LINGER_LIMIT = Duration.ofSeconds(5);
    private static final long LINGER_BYTES = 1L << 30;
    private static final byte[] HTTP2_PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII);

    private final ConnectionContext context;
    private final Http1ConnectionSelector http1;
    private final Http2ConnectionSelector http2;
    private final SlowClients slowClients;
    private final Duration headLimit;
    private volatile @Nullable ServerConnection delegate;
    private SlowClients.@Nullable Watch head;
    private boolean bodyLeftUnread;

    GuardedConnection(
            ConnectionContext context,
            Http1ConnectionSelector http1,
            Http2ConnectionSelector http2,
            SlowClients slowClients,
            Duration headLimit) {
        this.context = context;
        this.http1 = http1;
        this.http2 = http2;
        this.slowClients = slowClients;
        this.headLimit = headLimit;
    }

    @Override
    public void handle(Limit limit) throws InterruptedException {
        try {
            ServerConnection chosen = identified();
            delegate = chosen;
            ScopedValue.where(CURRENT, this).call(() -> {
                chosen.handle(limit);
                return true;
            });
        } finally {
            headEnds();
            if (bodyLeftUnread) linger();
        }
    }

    void headBegins() {
        head = slowClients.watch(headLimit);
    }

    void headEnds() {
        SlowClients.Watch watch = head;
        head = null;
        if (watch != null) watch.close();
    }

    /** The answer went out before the body was read; the client may still be sending. */
    void leaveBodyUnread() {
        bodyLeftUnread = true;
    }

    private ServerConnection identified() {
        DataReader reader = context.dataReader();
        try (SlowClients.Watch _ = slowClients.watch(headLimit)) {
            reader.ensureAvailable();
            if (reader.lookup() != 'P' || !startsLikePreface(reader)) return http1.connection(context);
            return reader.startsWith(HTTP2_PREFACE) ? http2.connection(context) : http1.connection(context);
        } catch (DataReader.InsufficientDataAvailableException e) {
            throw new CloseConnectionException("The client closed the connection before it said anything", e);
        }
    }

    private static boolean startsLikePreface(DataReader reader) {
        // POST and PUT begin with P too: wait for 24 bytes only where the third one tells it is neither
        byte[] three = {'P', 'R', 'I'};
        return reader.startsWith(three);
    }

    /**
     * Reads and drops what the client still sends, for a while: closing a socket with unread bytes resets the connection, and the reset can
     * overtake the answer that tells the client why.
     */
    private void linger() {
        DataReader reader = context.dataReader();
        long dropped = 0;
        try (SlowClients.Watch _ = slowClients.watch(LINGER_LIMIT)) {
            while (dropped < LINGER_BYTES) {
                reader.ensureAvailable();
                int available = reader.available();
                reader.skip(available);
                dropped += available;
            }
        } catch (DataReader.InsufficientDataAvailableException | ServerConnectionException e) {
            return; // the client is gone, as it should be
        }
    }

    @Override
    public Duration idleTime() {
        ServerConnection chosen = delegate;
        return chosen == null ? Duration.ZERO : chosen.idleTime();
    }

    @Override
    public void close(boolean interrupt) {
        ServerConnection chosen = delegate;
        if (chosen != null) chosen.close(interrupt);
    }

    @Override
    public boolean canInterrupt() {
        return delegate instanceof InterruptableTask<?> task && task.canInterrupt();
    }
}
