package io.guimo.serve.http;

import io.guimo.commerce.account.Caller;
import io.guimo.units.RequestId;
import io.helidon.http.DirectHandler;
import io.helidon.http.DirectHandler.EventType;
import io.helidon.http.HeaderNames;
import io.helidon.http.ServerResponseHeaders;
import io.helidon.http.Status;
import io.helidon.webserver.WebServer;
import io.helidon.webserver.http.DirectHandlers;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.UncheckedIOException;
import java.net.BindException;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Function;

/** The listening socket and its routes. */
public final class HttpServer implements AutoCloseable {
    /** Kept, since a logger that nobody holds forgets its level: Helidon tells at INFO when it starts and stops. */
    private static final java.util.logging.Logger HELIDON = java.util.logging.Logger.getLogger("io.helidon");
    /** Logs a failure to bind with a stack trace; {@link #start} throws it as one sentence instead. */
    private static final java.util.logging.Logger HELIDON_START =
            java.util.logging.Logger.getLogger("io.helidon.webserver.LoomServer");

    private static final Duration IDLE_LIMIT = Duration.ofSeconds(75);
    private final WebServer server;
    private final Dispatcher dispatcher;
    private final SlowClients slowClients;
    private final Duration drainLimit;

    private HttpServer(WebServer server, Dispatcher dispatcher, SlowClients slowClients, Duration drainLimit) {
        this.server = server;
        this.dispatcher = dispatcher;
        this.slowClients = slowClients;
        this.drainLimit = drainLimit;
    }

    /**
     * What the socket and its limits are.
     *
     * @param port 0 chooses a free one
     * @param connections most open connections
     * @param concurrentRequests most requests served at once
     * @param bodyMemoryBytes memory lent to all request bodies together
     * @param headLimit longest wait for a new connection's first bytes, and for a request's headers after its first line
     * @param drainLimit longest wait at the end for requests under way
     */
    public record Options(
            String host,
            int port,
            int connections,
            int concurrentRequests,
            long bodyMemoryBytes,
            Duration headLimit,
            Duration drainLimit) {}

    /** @throws UncheckedIOException with a {@link BindException} if the address cannot be listened on */
    public static HttpServer start(
            Options options,
            RouteTable routes,
            Function<String, Optional<Caller>> authenticate,
            RateLimits rateLimits,
            MeterRegistry registry) {
        HELIDON.setLevel(java.util.logging.Level.WARNING);
        HELIDON_START.setLevel(java.util.logging.Level.OFF);
        long largestBody =
                routes.routes().stream().mapToLong(Route::bodyLimit).max().orElse(0);
        SlowClients slowClients = new SlowClients();
        Dispatcher dispatcher = new Dispatcher(
                routes,
                authenticate,
                rateLimits,
                new BodyMemory(options.bodyMemoryBytes()),
                slowClients,
                new RequestMetrics(registry),
                options.concurrentRequests());
        registry.gauge("guimo.http.requests.under.way", dispatcher, Dispatcher::underWay);
        WebServer server = WebServer.builder()
                .host(options.host())
                .port(options.port())
                .connectionOptions(o -> o.tcpNoDelay(true))
                .maxTcpConnections(options.connections())
                .maxPayloadSize(largestBody + 1)
                .idleConnectionTimeout(IDLE_LIMIT)
                .idleConnectionPeriod(Duration.ofSeconds(15))
                .shutdownGracePeriod(Duration.ofMillis(500))
                .shutdownHook(false)
                .protocolsDiscoverServices(false)
                .featuresDiscoverServices(false)
                .addConnectionSelector(new ConnectionGuard(slowClients, options.headLimit()))
                .directHandlers(beforeRouting(largestBody))
                .routing(routing -> routing.any(dispatcher))
                .build();
        try {
            server.start();
            // Helidon 4.5 logs a failure to bind and returns as if it had started.
            if (!server.isRunning() || server.port() < 1) {
                throw new IllegalStateException("the server did not start", new BindException("not bound"));
            }
        } catch (RuntimeException e) {
            slowClients.close();
            server.stop();
            throw listenFailure(options, e);
        }
        return new HttpServer(server, dispatcher, slowClients, options.drainLimit());
    }

    public int port() {
        return server.port();
    }

    /** Whether requests are taken; false once the server is stopping. */
    public boolean isTaking() {
        return server.isRunning() && !dispatcher.isDraining();
    }

    /** Refuses new requests, waits for those under way, closes the socket. */
    @Override
    public void close() {
        dispatcher.drain(drainLimit);
        server.stop();
        slowClients.close();
    }

    private static RuntimeException listenFailure(Options options, RuntimeException e) {
        for (Throwable cause = e; cause != null; cause = cause.getCause()) {
            if (cause instanceof BindException || cause instanceof java.nio.channels.UnresolvedAddressException) {
                BindException bind = new BindException("cannot listen on " + options.host() + ":" + options.port()
                        + " (" + cause.getMessage() + "); end the program that holds the port or choose another one");
                bind.initCause(cause);
                return new UncheckedIOException(bind);
            }
        }
        return e;
    }

    /** Answers for requests that are refused before they have a route: malformed, or with a body that no route takes. */
    private static DirectHandlers beforeRouting(long largestBody) {
        DirectHandlers.Builder handlers = DirectHandlers.builder();
        for (EventType type : EventType.values()) {
            handlers.addHandler(type, (request, event, status, headers, message) -> {
                RequestId id = RequestId.next();
                Refusal refusal = refusal(status, message, largestBody, id);
                if (refusal instanceof Refusal.TooLarge && GuardedConnection.CURRENT.isBound()) {
                    GuardedConnection.CURRENT.get().leaveBodyUnread();
                }
                Content content = ErrorAnswers.of(refusal);
                ServerResponseHeaders answerHeaders = ServerResponseHeaders.create();
                answerHeaders.set(HeaderNames.CONTENT_TYPE, content.mediaType());
                answerHeaders.set(HeaderNames.createFromLowercase("x-request-id"), id.value());
                return DirectHandler.TransportResponse.builder()
                        .status(Status.create(content.status()))
                        .headers(answerHeaders)
                        .keepAlive(false)
                        .entity(content.bytes())
                        .build();
            });
        }
        return handlers.build();
    }

    private static Refusal refusal(Status status, String message, long largestBody, RequestId id) {
        return switch (status.code()) {
            case 413 -> new Refusal.TooLarge(largestBody);
            case 500 -> new Refusal.Broken(id);
            default ->
                new Refusal.InvalidRequest(
                        "The request is not valid HTTP" + (message == null ? "" : ": " + message),
                        null,
                        "invalid_http");
        };
    }
}
