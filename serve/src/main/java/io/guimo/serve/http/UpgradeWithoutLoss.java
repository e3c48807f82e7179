package io.guimo.serve.http;

import io.helidon.http.HeaderName;
import io.helidon.http.HeaderNames;
import io.helidon.http.HttpPrologue;
import io.helidon.http.WritableHeaders;
import io.helidon.webserver.ConnectionContext;
import io.helidon.webserver.http1.spi.Http1Upgrader;
import io.helidon.webserver.http2.Http2Config;
import io.helidon.webserver.http2.Http2Upgrader;
import io.helidon.webserver.spi.ServerConnection;
import org.jspecify.annotations.Nullable;

/**
 * Upgrades to HTTP/2 only where nothing is lost by it, and answers the request as HTTP/1.1 otherwise, as RFC 7540 section 3.2 allows: Helidon 4.5
 * forgets the query of the upgraded request, and answers 500 when the settings are missing. (A request with a body it never upgrades.)
 */
final class UpgradeWithoutLoss implements Http1Upgrader {
    private static final HeaderName SETTINGS = HeaderNames.create("HTTP2-Settings");
    private final Http2Upgrader upgrader;

    UpgradeWithoutLoss(Http2Config config) {
        upgrader = Http2Upgrader.create(config);
    }

    @Override
    public String supportedProtocol() {
        return upgrader.supportedProtocol();
    }

    @Override
    @SuppressWarnings("NullAway") // null is how this interface says: not upgraded
    public @Nullable ServerConnection upgrade(
            ConnectionContext context, HttpPrologue prologue, WritableHeaders<?> headers) {
        boolean settings = headers.contains(SETTINGS)
                && headers.get(SETTINGS).allValues().size() == 1
                && headers.get(SETTINGS).get().matches("[A-Za-z0-9_-]{0,200}");
        if (!settings || !prologue.query().isEmpty()) return null;
        return upgrader.upgrade(context, prologue, headers);
    }
}
