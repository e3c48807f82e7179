package io.guimo.inference;

import io.guimo.inference.CircuitBreaker.Pass;
import io.guimo.inference.FailedAttempt.Kind;
import java.io.IOException;
import java.io.InputStream;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;

/** One server of a remote model: its connections, how much it has to do, and whether it is in use. Thread-safe. */
final class Upstream implements AutoCloseable {
    private static final Duration UNSAID_RETRY = Duration.ofSeconds(1);
    /** A server that asks for more is asked again after this: it may have been wrong about itself. */
    private static final Duration LONGEST_RETRY = Duration.ofMinutes(1);

    private static final Duration SHORTEST_RETRY = Duration.ofMillis(10);

    private static final int MAX_REFUSAL_BYTES = 64 << 10;
    private static final Duration PROBE_LIMIT = Duration.ofSeconds(5);

    private final UpstreamSettings settings;
    private final RemoteTimeLimits limits;
    private final byte[] quotedModel;
    private final String modelsPath;
    private final KeptConnections connections;
    private final Semaphore slots;
    private final CircuitBreaker breaker;
    private final long seed;
    private final AtomicInteger outstanding = new AtomicInteger();
    private final LongAdder exchanges = new LongAdder();
    private final LongAdder failures = new LongAdder();
    private volatile long busyUntil = System.nanoTime();
    private volatile long lastAnswer = System.nanoTime();

    /** @param model the name it is asked for where the settings name none */
    Upstream(
            String model,
            UpstreamSettings settings,
            RemoteChatSettings pool,
            KeyReference.Resolver keys,
            Watchdog dog) {
        this.settings = settings;
        this.limits = pool.timeLimits();
        String upstreamName = settings.model() == null ? model : settings.model();
        this.quotedModel = ChatBody.quoted(upstreamName);
        String base = settings.url().toString();
        if (base.endsWith("/")) base = base.substring(0, base.length() - 1);
        this.modelsPath = URI.create(base + "/models").getRawPath();
        this.connections = new KeptConnections(
                URI.create(base + "/chat/completions"),
                settings.key() == null ? null : keys.resolve(settings.key()),
                trusting(settings.ca()),
                limits.connect(),
                dog);
        this.slots = new Semaphore(settings.connections());
        this.breaker = new CircuitBreaker(pool.breakAfter(), pool.restFor());
        this.seed = Prefixes.hash((base + ' ' + upstreamName).getBytes(StandardCharsets.UTF_8));
    }

    private static SSLSocketFactory trusting(@Nullable String ca) {
        if (ca == null) return (SSLSocketFactory) SSLSocketFactory.getDefault();
        try (InputStream in = Files.newInputStream(Path.of(ca))) {
            KeyStore authorities = KeyStore.getInstance(KeyStore.getDefaultType());
            authorities.load(null, null);
            for (Certificate each : CertificateFactory.getInstance("X.509").generateCertificates(in)) {
                authorities.setCertificateEntry("ca-" + authorities.size(), each);
            }
            if (authorities.size() == 0) throw new IllegalArgumentException("ca: " + ca + " holds no certificate");
            TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            trust.init(authorities);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, trust.getTrustManagers(), null);
            return context.getSocketFactory();
        } catch (IOException e) {
            throw new IllegalArgumentException("ca: " + ca + " cannot be read: " + e.getMessage(), e);
        } catch (GeneralSecurityException e) {
            throw new IllegalArgumentException("ca: " + ca + " holds no PEM certificates: " + e.getMessage(), e);
        }
    }

    /** The name that it knows the model by, as JSON text. */
    byte[] quotedModel() {
        return quotedModel;
    }

    int weight() {
        return settings.weight();
    }

    /** Tells upstreams apart in the same way in every process. */
    long seed() {
        return seed;
    }

    /** Requests that it works on or that wait for a connection to it. */
    int outstanding() {
        return outstanding.get();
    }

    /** Whether it can be asked now. */
    boolean usable(long now) {
        return busyUntil - now <= 0 && breaker.wouldPass(now);
    }

    /** How long until it said that it can be asked again; 0 or less: it said nothing of the kind. */
    long nanosBusy(long now) {
        return busyUntil - now;
    }

    /** How long until it can be asked, for whatever reason it cannot. */
    long nanosToUse(long now) {
        return Math.max(busyUntil - now, breaker.nanosToTrial(now));
    }

    /** Reads an answer whose head has been read. */
    interface Reader<T> {
        T read(UpstreamConnection connection) throws IOException;
    }

    /** It could not be asked after all: another request took the trial, or it broke while this one waited for a connection. */
    static final class NotNow extends Exception {
        private static final long serialVersionUID = 1;

        NotNow() {
            super(null, null, false, false);
        }
    }

    /**
     * One try of a request.
     *
     * @param accept media type asked for
     * @param firstByte within which the answer must have begun
     * @param end       {@link System#nanoTime} until which it must be complete
     */
    <T> T exchange(byte[] body, String accept, Duration firstByte, long end, Reader<T> reader)
            throws FailedAttempt, NotNow {
        outstanding.incrementAndGet();
        try {
            if (!slots.tryAcquire()) waitForSlot(end);
            try {
                Pass pass = breaker.pass(System.nanoTime());
                if (pass == Pass.REFUSED) throw new NotNow();
                return exchangeNow(body, accept, System.nanoTime() + firstByte.toNanos(), end, reader, pass);
            } finally {
                slots.release();
            }
        } finally {
            outstanding.decrementAndGet();
        }
    }

    private void waitForSlot(long end) throws FailedAttempt {
        try {
            if (slots.tryAcquire(end - System.nanoTime(), TimeUnit.NANOSECONDS)) return;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        throw new FailedAttempt(Kind.TIMED_OUT, "no connection became free within the time limit");
    }

    private <T> T exchangeNow(byte[] body, String accept, long head, long end, Reader<T> reader, Pass pass)
            throws FailedAttempt {
        exchanges.increment();
        boolean decided = false;
        UpstreamConnection connection = null;
        try {
            connection = connections.post(body, accept, Math.min(head, end));
            int status = connection.status();
            if (status == 429 || status == 502 || status == 503) throw refusal(connection, status, end);
            connection.extendDeadline(end);
            T answer = reader.read(connection);
            decided = true;
            if (speaksAgainstUpstream(status)) failed(pass);
            else succeeded(pass);
            return answer;
        } catch (FailedAttempt e) {
            if (e.kind() == Kind.LIMITED) breaker.undecided(pass);
            else failed(pass);
            decided = true;
            throw e;
        } catch (SocketTimeoutException e) {
            failed(pass);
            decided = true;
            throw new FailedAttempt(Kind.TIMED_OUT, String.valueOf(e.getMessage()));
        } catch (IOException e) {
            failed(pass);
            decided = true;
            throw new FailedAttempt(Kind.BROKEN, String.valueOf(e.getMessage()));
        } finally {
            if (!decided) breaker.undecided(pass);
            if (connection != null) connections.giveBack(connection);
        }
    }

    /** A wrong key or an unknown model is between it and us, like its own failures; the rest of 4xx is the client's. */
    private static boolean speaksAgainstUpstream(int status) {
        return status >= 500 || status == 401 || status == 403 || status == 404;
    }

    private void succeeded(Pass pass) {
        lastAnswer = System.nanoTime();
        breaker.succeeded(pass);
    }

    private void failed(Pass pass) {
        failures.increment();
        breaker.failed(pass, System.nanoTime());
    }

    private FailedAttempt refusal(UpstreamConnection connection, int status, long end) {
        try {
            connection.extendDeadline(
                    Math.min(end, System.nanoTime() + limits.connect().toNanos()));
            connection.readBody(MAX_REFUSAL_BYTES); // so that the connection can be kept
        } catch (IOException notWhole) {
            connection.close();
        }
        String reason = status + " from " + settings.url().getRawAuthority();
        if (status == 502) return new FailedAttempt(Kind.BAD_GATEWAY, reason);
        busyUntil = System.nanoTime() + retryAfter(connection.retryAfter()).toNanos();
        return new FailedAttempt(status == 429 ? Kind.LIMITED : Kind.UNAVAILABLE, reason);
    }

    /** Seconds or a date (RFC 9110, section 10.2.3). */
    static Duration retryAfter(String header) {
        Duration said = UNSAID_RETRY;
        if (!header.isEmpty()) {
            try {
                said = Duration.ofMillis((long) (1000 * Double.parseDouble(header)));
            } catch (NumberFormatException aDate) {
                try {
                    said = Duration.between(
                            Instant.now(),
                            ZonedDateTime.parse(header, DateTimeFormatter.RFC_1123_DATE_TIME)
                                    .toInstant());
                } catch (DateTimeException neither) {
                    said = UNSAID_RETRY;
                }
            }
        }
        if (said.compareTo(SHORTEST_RETRY) < 0) return SHORTEST_RETRY;
        return said.compareTo(LONGEST_RETRY) > 0 ? LONGEST_RETRY : said;
    }

    /**
     * Asks for its list of models, if nothing else has shown for the period that it lives. An answer, whatever it says short of a failure, lets one
     * request try a resting upstream; silence takes one out of use before a request finds out.
     */
    void probe(Duration period) {
        long now = System.nanoTime();
        if (breaker.state(now) == CircuitBreaker.State.CLOSED
                && (outstanding.get() > 0 || now - lastAnswer < period.toNanos())) return;
        boolean alive;
        try {
            alive = connections.get(modelsPath, now + PROBE_LIMIT.toNanos()) < 500;
        } catch (IOException | FailedAttempt e) {
            alive = false;
        }
        if (alive) breaker.rested(System.nanoTime());
        else breaker.open(System.nanoTime());
    }

    UpstreamState state() {
        return new UpstreamState(
                settings.url().getRawAuthority(),
                breaker.state(System.nanoTime()).name().toLowerCase(Locale.ROOT),
                outstanding.get(),
                exchanges.sum(),
                failures.sum(),
                connections.opened());
    }

    @Override
    public void close() {
        connections.close();
    }
}
