package io.guimo.serve.http;

import io.helidon.common.buffers.BufferData;
import io.helidon.http.Headers;
import io.helidon.http.HttpPrologue;
import io.helidon.webserver.ConnectionContext;
import io.helidon.webserver.http1.Http1Config;
import io.helidon.webserver.http1.Http1ConnectionListener;
import io.helidon.webserver.http1.Http1ConnectionSelector;
import io.helidon.webserver.http2.Http2Config;
import io.helidon.webserver.http2.Http2ConnectionSelector;
import io.helidon.webserver.spi.ServerConnection;
import io.helidon.webserver.spi.ServerConnectionSelector;
import java.time.Duration;
import java.util.Map;
import java.util.Set;

/**
 * Chooses HTTP/1.1 or HTTP/2 for each connection and bounds how long a client may take to say what it wants. Helidon reads sockets without a
 * limit of time until a request's headers are complete, so that a client which sends one byte a minute, or none, would hold its thread and its
 * place among the connections for ever.
 */
final class ConnectionGuard implements ServerConnectionSelector {
    private final Http1ConnectionSelector http1;
    private final Http2ConnectionSelector http2;
    private final SlowClients slowClients;
    private final Duration headLimit;

    ConnectionGuard(SlowClients slowClients, Duration headLimit) {
        this.slowClients = slowClients;
        this.headLimit = headLimit;
        Http2Config http2Config = Http2Config.builder()
                .maxConcurrentStreams(256)
                .maxHeaderListSize(16_384)
                .build();
        http1 = Http1ConnectionSelector.builder()
                .config(Http1Config.builder()
                        .maxHeadersSize(16_384)
                        .maxPrologueLength(8_192)
                        .sendKeepAliveHeader(false)
                        .log(log -> log.receiveLog(false).sendLog(false))
                        .addReceiveListener(new HeadTimes())
                        .build())
                .addUpgraders(Map.of("h2c", new UpgradeWithoutLoss(http2Config)))
                .build();
        http2 = Http2ConnectionSelector.builder().http2Config(http2Config).build();
    }

    @Override
    public int bytesToIdentifyConnection() {
        return 0;
    }

    @Override
    public Support supports(BufferData data) {
        return Support.SUPPORTED;
    }

    @Override
    public Set<String> supportedApplicationProtocols() {
        return Set.of();
    }

    @Override
    public ServerConnection connection(ConnectionContext context) {
        return new GuardedConnection(context, http1, http2, slowClients, headLimit);
    }

    /** Tells the connection when the head of a request begins and ends. */
    private static final class HeadTimes implements Http1ConnectionListener {
        @Override
        public void prologue(ConnectionContext context, HttpPrologue prologue) {
            GuardedConnection.CURRENT.get().headBegins();
        }

        @Override
        public void headers(ConnectionContext context, Headers headers) {
            GuardedConnection.CURRENT.get().headEnds();
        }
    }
}
