package io.guimo.serve.http;

import io.guimo.commerce.account.Caller;
import io.guimo.commerce.account.Role;
import io.guimo.postgres.DatabaseException;
import io.guimo.units.RequestId;
import io.helidon.common.buffers.DataReader;
import io.helidon.common.socket.SocketWriterException;
import io.helidon.http.BadRequestException;
import io.helidon.http.HeaderName;
import io.helidon.http.HeaderNames;
import io.helidon.http.HeaderValues;
import io.helidon.http.RequestException;
import io.helidon.http.Status;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.ServerConnectionException;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The way of every request: find its route, admit it, learn who calls, let the handler answer, send the answer. */
final class Dispatcher implements io.helidon.webserver.http.Handler {
    private static final Logger LOG = LoggerFactory.getLogger(Dispatcher.class);
    private static final HeaderName REQUEST_ID = HeaderNames.createFromLowercase("x-request-id");
    private static final String BEARER = "bearer ";

    /** An unread body up to this size is read and dropped to keep the connection; a larger one costs the client its connection. */
    private static final long CHEAP_TO_DROP_BYTES = 64 * 1024;

    private static final Duration DROP_LIMIT = Duration.ofSeconds(5);
    static final Duration WRITE_LIMIT = Duration.ofSeconds(30);
    private static final long SLOWEST_BYTES_PER_SECOND = 16 * 1024;

    private final RouteTable routes;
    private final Function<String, Optional<Caller>> authenticate;
    private final RateLimits rateLimits;
    private final BodyMemory bodyMemory;
    private final SlowClients slowClients;
    private final RequestMetrics metrics;
    private final Semaphore places;
    private final AtomicInteger underWay = new AtomicInteger();
    private volatile boolean draining;

    Dispatcher(
            RouteTable routes,
            Function<String, Optional<Caller>> authenticate,
            RateLimits rateLimits,
            BodyMemory bodyMemory,
            SlowClients slowClients,
            RequestMetrics metrics,
            int concurrentRequests) {
        this.routes = routes;
        this.authenticate = authenticate;
        this.rateLimits = rateLimits;
        this.bodyMemory = bodyMemory;
        this.slowClients = slowClients;
        this.metrics = metrics;
        this.places = new Semaphore(concurrentRequests);
    }

    @Override
    public void handle(ServerRequest request, ServerResponse response) {
        long started = System.nanoTime();
        RequestId id = RequestId.next();
        String method = request.prologue().method().text();
        underWay.incrementAndGet();
        String path = "none";
        int status = 0;
        try {
            RouteTable.Found found = found(method, request);
            if (found instanceof RouteTable.Found.Matched(Route route, Map<String, String> variables)) {
                path = route.path();
                try (Exchange exchange = new Exchange(id, route, variables, request, bodyMemory, slowClients)) {
                    status = serve(exchange, request, response);
                }
            } else {
                status = send(refusal(found, method, request), Map.of(), id, ErrorShape.OPENAI, request, response);
            }
        } finally {
            underWay.decrementAndGet();
            metrics.answered(method, path, status, System.nanoTime() - started);
        }
    }

    int underWay() {
        return underWay.get();
    }

    boolean isDraining() {
        return draining;
    }

    /** Refuses new requests from now on and waits for those under way. @return whether all ended within {@code limit} */
    boolean drain(Duration limit) {
        draining = true;
        long deadline = System.nanoTime() + limit.toNanos();
        while (underWay.get() > 0) {
            if (System.nanoTime() - deadline > 0) return false;
            try {
                TimeUnit.MILLISECONDS.sleep(10);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return false;
            }
        }
        return true;
    }

    private RouteTable.Found found(String method, ServerRequest request) {
        try {
            return routes.find(method, request.prologue().uriPath().rawPath());
        } catch (RefusedException e) {
            return new RouteTable.Found.Nowhere();
        }
    }

    private static Refusal refusal(RouteTable.Found found, String method, ServerRequest request) {
        return switch (found) {
            case RouteTable.Found.OtherMethods(Refusal.WrongMethod wrong) -> wrong;
            case RouteTable.Found.Matched _, RouteTable.Found.Nowhere _ ->
                new Refusal.NotFound(
                        "Unknown address: " + method + " "
                                + shortened(request.prologue().uriPath().rawPath())
                                + "; /openapi.json lists what there is",
                        null,
                        "unknown_url");
        };
    }

    /** A request keeps its place until its answer, or the last event of its stream, is sent. */
    private int serve(Exchange exchange, ServerRequest request, ServerResponse response) {
        boolean counted = exchange.route().access() != Access.PUBLIC;
        ErrorShape errors = exchange.route().errors();
        if (counted && draining) {
            return send(new Refusal.Draining(), Map.of(), exchange.id(), errors, request, response);
        }
        if (counted && !places.tryAcquire()) {
            Refusal busy = new Refusal.Overloaded("The server is busy; send the request again", Duration.ofSeconds(1));
            return send(busy, Map.of(), exchange.id(), errors, request, response);
        }
        try {
            Answer answer = answer(exchange);
            return send(answer, exchange.answerHeaders(), exchange.id(), errors, request, response);
        } finally {
            if (counted) places.release();
        }
    }

    private Answer answer(Exchange exchange) {
        Access access = exchange.route().access();
        try {
            if (access != Access.PUBLIC) admit(exchange, access);
            return exchange.route().handler().handle(exchange);
        } catch (RefusedException e) {
            return e.refusal();
        } catch (RequestException e) {
            return refusal(e, exchange.route());
        } catch (BadRequestException e) {
            return new Refusal.InvalidRequest("The request is not valid HTTP: " + e.getMessage(), null, "invalid_http");
        } catch (DataReader.InsufficientDataAvailableException | CloseConnectionException e) {
            throw new CloseConnectionException("The client left before its request was complete", e);
        } catch (DatabaseException e) {
            if (!e.isOutage()) return broken(exchange, e);
            LOG.warn("{} was refused: {}", exchange.id(), e.getMessage());
            return new Refusal.Overloaded(
                    "The database cannot be reached; send the request again", Duration.ofSeconds(1));
        } catch (Exception e) {
            return broken(exchange, e);
        }
    }

    private static Refusal broken(Exchange exchange, Exception e) {
        LOG.error(
                "{} {} {} failed",
                exchange.id(),
                exchange.route().method(),
                exchange.route().path(),
                e);
        return new Refusal.Broken(exchange.id());
    }

    private void admit(Exchange exchange, Access access) {
        Caller caller = authenticated(exchange);
        exchange.authenticated(caller);
        if (access == Access.OWNER && caller.role() != Role.OWNER) {
            throw new RefusedException(new Refusal.Forbidden("This needs the owner's key; yours is a customer's"));
        }
        if (access == Access.KEY && caller.role() != Role.OWNER) {
            try {
                rateLimits.takeRequest(caller.organization());
            } finally {
                rateLimits.describe(caller.organization(), exchange);
            }
        }
    }

    private Caller authenticated(Exchange exchange) {
        return authenticate
                .apply(key(exchange))
                .orElseThrow(() -> new RefusedException(new Refusal.Unauthenticated(
                        "The API key is not valid: unknown, or revoked", "invalid_api_key")));
    }

    /** From OpenAI's header, or from Anthropic's where that is not given. */
    private static String key(Exchange exchange) {
        String header = exchange.header("authorization").orElse("");
        if (header.regionMatches(true, 0, BEARER, 0, BEARER.length()))
            return header.substring(BEARER.length()).trim();
        if (!header.isEmpty()) {
            throw new RefusedException(
                    new Refusal.Unauthenticated("The header 'Authorization' must be 'Bearer KEY'", "invalid_api_key"));
        }
        return exchange.header("x-api-key")
                .map(String::trim)
                .filter(k -> !k.isEmpty())
                .orElseThrow(() -> new RefusedException(new Refusal.Unauthenticated(
                        "No API key; send the header 'Authorization: Bearer KEY'", "missing_api_key")));
    }

    private static Refusal refusal(RequestException e, Route route) {
        if (e.status().code() == Status.REQUEST_ENTITY_TOO_LARGE_413.code())
            return new Refusal.TooLarge(route.bodyLimit());
        return new Refusal.InvalidRequest("The request is not valid HTTP: " + e.getMessage(), null, "invalid_http");
    }

    private int send(
            Answer answer,
            Map<String, String> headers,
            RequestId id,
            ErrorShape errors,
            ServerRequest request,
            ServerResponse response) {
        boolean keep = keepsConnection(request, response);
        response.header(REQUEST_ID, id.value());
        headers.forEach((name, value) -> response.header(HeaderNames.createFromLowercase(name), value));
        try {
            int status =
                    switch (answer) {
                        case Content content -> sendContent(content, request, response);
                        case Refusal refusal -> sendContent(ErrorAnswers.of(refusal, errors, id), request, response);
                        case EventStream stream -> sendStream(stream, id, errors, request, response);
                    };
            if (keep) dropRest(request);
            return status;
        } catch (SocketWriterException | ServerConnectionException | UncheckedIOException e) {
            throw new CloseConnectionException("The client left before its answer was complete", e);
        }
    }

    private int sendContent(Content content, ServerRequest request, ServerResponse response) {
        response.status(Status.create(content.status()));
        response.header(HeaderNames.CONTENT_TYPE, content.mediaType());
        content.headers().forEach((name, value) -> response.header(HeaderNames.createFromLowercase(name), value));
        Duration limit = WRITE_LIMIT.plusSeconds(content.bytes().length / SLOWEST_BYTES_PER_SECOND);
        try (SlowClients.Watch _ = slowClients.watch(limit)) {
            if (request.prologue().method().text().equals("HEAD")) {
                response.header(HeaderNames.CONTENT_LENGTH, Integer.toString(content.bytes().length));
                response.send();
            } else {
                response.send(content.bytes());
            }
        }
        return content.status();
    }

    /** The head of a stream is sent with its first events, so that what fails before them is still answered as a refusal. */
    private int sendStream(
            EventStream stream, RequestId id, ErrorShape errors, ServerRequest request, ServerResponse response) {
        StreamSink sink = new StreamSink(stream, response, slowClients);
        try {
            stream.writer().write(sink);
            sink.close();
        } catch (RefusedException e) {
            if (!sink.isOpen()) return sendContent(ErrorAnswers.of(e.refusal(), errors, id), request, response);
            throw new CloseConnectionException("A stream was refused after it had begun", e);
        } catch (IOException e) {
            throw new CloseConnectionException("The client left its stream", e);
        }
        return 200;
    }

    /** Whether the connection can serve another request; if a large body is left unread, it cannot, and the answer says so. */
    private static boolean keepsConnection(ServerRequest request, ServerResponse response) {
        if (!request.content().hasEntity() || request.content().consumed()) return true;
        boolean http1 = GuardedConnection.CURRENT.isBound();
        boolean cheap = request.headers().contentLength().orElse(Long.MAX_VALUE) <= CHEAP_TO_DROP_BYTES
                && !request.headers().contains(HeaderNames.EXPECT);
        if (http1 && !cheap) {
            response.header(HeaderValues.CONNECTION_CLOSE);
            GuardedConnection.CURRENT.get().leaveBodyUnread();
            return false;
        }
        return cheap;
    }

    private void dropRest(ServerRequest request) {
        if (!request.content().hasEntity() || request.content().consumed()) return;
        try (SlowClients.Watch _ = slowClients.watch(DROP_LIMIT);
                InputStream in = request.content().inputStream()) {
            in.skipNBytes(CHEAP_TO_DROP_BYTES);
        } catch (IOException e) {
            return; // read to its end, or the client is gone
        }
    }

    private static String shortened(String path) {
        return path.length() > 100 ? path.substring(0, 100) + "…" : path;
    }
}
