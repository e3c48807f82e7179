package io.guimo.serve.http;

import io.guimo.commerce.account.Caller;
import io.guimo.units.RequestId;
import io.helidon.http.HeaderNames;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.ServerRequest;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** One request and what is to be said with its answer. Used by one thread. */
public final class Exchange implements AutoCloseable {
    private static final Duration BODY_LIMIT = Duration.ofSeconds(30);

    /** A body may take longer the larger it is: this many bytes a second are waited for. */
    private static final long SLOWEST_BYTES_PER_SECOND = 64 * 1024;

    private final RequestId id;
    private final Route route;
    private final Map<String, String> variables;
    private final ServerRequest request;
    private final BodyMemory bodyMemory;
    private final SlowClients slowClients;
    private final Map<String, String> answerHeaders = new LinkedHashMap<>();
    private @Nullable Caller caller;
    private byte @Nullable [] body;
    private BodyMemory.@Nullable Loan loan;

    Exchange(
            RequestId id,
            Route route,
            Map<String, String> variables,
            ServerRequest request,
            BodyMemory bodyMemory,
            SlowClients slowClients) {
        this.id = id;
        this.route = route;
        this.variables = variables;
        this.request = request;
        this.bodyMemory = bodyMemory;
        this.slowClients = slowClients;
    }

    public RequestId id() {
        return id;
    }

    public Route route() {
        return route;
    }

    /** On whose behalf; present on every route that is not public. */
    public Caller caller() {
        if (caller == null) throw new IllegalStateException(route.path() + " is public: there is no caller");
        return caller;
    }

    /** The decoded value of a variable of the route's path. */
    public String variable(String name) {
        String value = variables.get(name);
        if (value == null) throw new IllegalStateException(route.path() + " has no variable " + name);
        return value;
    }

    public Optional<String> query(String name) {
        try {
            var query = request.query();
            return query.contains(name) ? Optional.of(query.get(name)) : Optional.empty();
        } catch (IllegalArgumentException e) {
            throw RefusedException.invalid("The query is not percent-encoded UTF-8", name, "invalid_query");
        }
    }

    /** A whole number in the query, or {@code otherwise} when it is not given. */
    public int query(String name, int least, int most, int otherwise) {
        Optional<String> given = query(name);
        if (given.isEmpty()) return otherwise;
        try {
            int value = Integer.parseInt(given.get());
            if (value >= least && value <= most) return value;
        } catch (NumberFormatException e) {
            // refused below, like a number out of range
        }
        throw RefusedException.invalid(
                "'" + name + "' is '" + given.get() + "'; write a whole number from " + least + " to " + most,
                name,
                "invalid_value");
    }

    /** @param name in lower case */
    public Optional<String> header(String name) {
        return request.headers().first(HeaderNames.createFromLowercase(name));
    }

    /** The content type without parameters, in lower case; JSON when none is given. */
    public String mediaType() {
        return header("content-type")
                .map(type -> type.split(";", 2)[0].trim().toLowerCase(java.util.Locale.ROOT))
                .orElse(Content.JSON);
    }

    /** The body as a record. */
    public <T extends Record> T json(Class<T> type) {
        requireMediaType(List.of(Content.JSON));
        return Json.read(body(), type);
    }

    /** Refuses the request unless its body is of one of these media types. */
    public void requireMediaType(List<String> accepted) {
        if (!accepted.contains(mediaType())) {
            throw new RefusedException(
                    new Refusal.WrongMediaType(header("content-type").orElse(""), accepted));
        }
    }

    /** The whole body, read on the first call; at most as long as the route allows. Not a copy. */
    public byte[] body() {
        byte[] read = body;
        if (read == null) {
            read = readBody();
            body = read;
        }
        return read;
    }

    /** Adds a header to whatever the answer will be. */
    public void answerHeader(String name, String value) {
        answerHeaders.put(name, value);
    }

    Map<String, String> answerHeaders() {
        return answerHeaders;
    }

    void authenticated(Caller by) {
        caller = by;
    }

    private byte[] readBody() {
        long limit = route.bodyLimit();
        OptionalLong declared = request.headers().contentLength();
        if (declared.orElse(0) > limit) throw new RefusedException(new Refusal.TooLarge(limit));
        if (!request.content().hasEntity()) return new byte[0];
        long expected = declared.orElse(limit);
        loan = bodyMemory.borrow(expected);
        Duration time = BODY_LIMIT.plusSeconds(expected / SLOWEST_BYTES_PER_SECOND);
        SlowClients.Watch watch = slowClients.watch(time);
        try (InputStream in = request.content().inputStream()) {
            byte[] read = declared.isPresent()
                    ? in.readNBytes((int) expected)
                    : in.readNBytes((int) Math.min(Integer.MAX_VALUE - 8, limit + 1));
            if (read.length > limit) throw new RefusedException(new Refusal.TooLarge(limit));
            return read;
        } catch (IOException e) {
            if (watch.isLate()) throw new RefusedException(new Refusal.TooSlow(time));
            throw new CloseConnectionException("The client left before its request was complete", e);
        } catch (UncheckedIOException | CloseConnectionException e) {
            if (watch.isLate()) throw new RefusedException(new Refusal.TooSlow(time));
            throw new CloseConnectionException("The client left before its request was complete", e);
        } finally {
            watch.close();
        }
    }

    /** Gives back the memory lent to the body. */
    @Override
    public void close() {
        if (loan != null) loan.close();
    }
}
