package io.guimo.inference;

import io.guimo.inference.FailedAttempt.Kind;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.atomic.LongAdder;
import javax.net.ssl.SSLSocketFactory;
import org.jspecify.annotations.Nullable;

/** Kept connections to one upstream. The last one given back is the first one taken, so that a lull lets the others age and close. */
final class KeptConnections implements AutoCloseable {
    /** Below the idle limits of common servers (uvicorn 5 s is the shortest): a longer kept connection is often a closed one. */
    private static final Duration MOST_IDLE = Duration.ofSeconds(4);

    private final URI target;
    private final @Nullable String apiKey;
    private final SSLSocketFactory tls;
    private final int connectTimeoutMillis;
    private final Watchdog watchdog;
    private final String headStart;
    private final ConcurrentLinkedDeque<UpstreamConnection> idle = new ConcurrentLinkedDeque<>();
    private final LongAdder opened = new LongAdder();
    private volatile boolean closed;

    /** @param target the address that every request goes to */
    KeptConnections(
            URI target, @Nullable String apiKey, SSLSocketFactory tls, Duration connectTimeout, Watchdog watchdog) {
        this.target = target;
        this.apiKey = apiKey;
        this.tls = tls;
        this.connectTimeoutMillis = (int) connectTimeout.toMillis();
        this.watchdog = watchdog;
        this.headStart = head("POST", target.getRawPath(), target, apiKey) + "content-type: application/json\r\n";
    }

    private static String head(String method, String path, URI target, @Nullable String apiKey) {
        return method + " " + path + " HTTP/1.1\r\nhost: " + target.getRawAuthority() + "\r\nuser-agent: guimo\r\n"
                + (apiKey == null ? "" : "authorization: Bearer " + apiKey + "\r\n");
    }

    /**
     * Sends a request and reads the head of its answer. A kept connection that the upstream closed in the meantime, seen by its end before the first
     * byte of an answer, is replaced once by a new one. Should the upstream have worked on the first request nevertheless, its work is lost; the
     * customer gets one answer and pays for one.
     *
     * @param accept   media type asked for
     * @param deadline {@link System#nanoTime} until which reads may wait
     * @return a connection that carries the answer's body; to be given to {@link #giveBack}
     */
    UpstreamConnection post(byte[] body, String accept, long deadline) throws IOException, FailedAttempt {
        byte[] head = (headStart + "accept: " + accept + "\r\ncontent-length: " + body.length + "\r\n\r\n")
                .getBytes(StandardCharsets.ISO_8859_1);
        @Nullable UpstreamConnection kept = takeIdle();
        if (kept != null) {
            try {
                kept.exchange(head, body, deadline);
                return kept;
            } catch (SocketTimeoutException e) {
                kept.close();
                throw e;
            } catch (IOException e) {
                kept.close();
                if (kept.anythingRead()) throw e;
            }
        }
        UpstreamConnection fresh = open(deadline);
        try {
            fresh.exchange(head, body, deadline);
            return fresh;
        } catch (SocketTimeoutException e) {
            fresh.close();
            throw e;
        } catch (IOException e) {
            fresh.close();
            if (fresh.anythingRead()) throw e;
            throw new FailedAttempt(Kind.UNANSWERED, String.valueOf(e.getMessage()));
        } catch (RuntimeException e) {
            fresh.close();
            throw e;
        }
    }

    private UpstreamConnection open(long deadline) throws IOException, FailedAttempt {
        long millis = Math.min(connectTimeoutMillis, (deadline - System.nanoTime()) / 1_000_000);
        if (millis <= 0) throw new SocketTimeoutException("no answer within the time limit");
        try {
            UpstreamConnection fresh = UpstreamConnection.open(target, tls, (int) millis, watchdog);
            opened.increment();
            return fresh;
        } catch (IOException e) {
            throw new FailedAttempt(Kind.UNREACHED, "no connection: " + e.getMessage());
        }
    }

    /**
     * Asks for something small over a connection of its own, as a new customer would.
     *
     * @return the status of the answer
     */
    int get(String path, long deadline) throws IOException, FailedAttempt {
        try (UpstreamConnection fresh = open(deadline)) {
            byte[] head = (head("GET", path, target, apiKey) + "connection: close\r\n\r\n")
                    .getBytes(StandardCharsets.ISO_8859_1);
            fresh.exchange(head, new byte[0], deadline);
            return fresh.status();
        }
    }

    private @Nullable UpstreamConnection takeIdle() {
        long oldest = System.nanoTime() - MOST_IDLE.toNanos();
        for (UpstreamConnection kept = idle.pollFirst(); kept != null; kept = idle.pollFirst()) {
            if (kept.idleSince() - oldest >= 0) return kept;
            kept.close();
        }
        return null;
    }

    /** Keeps the connection if its answer was read to the end, else closes it, which cancels the upstream's work. */
    void giveBack(UpstreamConnection connection) {
        if (closed || !connection.reusable()) {
            connection.close();
            return;
        }
        connection.idle();
        idle.addFirst(connection);
        closeAged();
        if (closed) closeAll();
    }

    private void closeAged() {
        @Nullable UpstreamConnection last = idle.peekLast();
        long oldest = System.nanoTime() - MOST_IDLE.toNanos();
        if (last == null || last.idleSince() - oldest >= 0) return;
        if (idle.removeLastOccurrence(last)) last.close();
    }

    /** How many connections were opened since the start: far fewer than exchanges when they are kept. */
    long opened() {
        return opened.sum();
    }

    @Override
    public void close() {
        closed = true;
        closeAll();
    }

    private void closeAll() {
        for (UpstreamConnection kept = idle.pollFirst(); kept != null; kept = idle.pollFirst()) kept.close();
    }
}
