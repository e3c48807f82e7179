package io.guimo.inference;

import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/** Kept connections to one upstream. The last one given back is the first one taken, so that a lull lets the others age and close. */
final class UpstreamPool implements AutoCloseable {
    /** Below the idle limits of common servers (uvicorn 5 s is the shortest): a longer kept connection is often a closed one. */
    private static final Duration MOST_IDLE = Duration.ofSeconds(4);

    private final URI target;
    private final int connectTimeoutMillis;
    private final String headStart;
    private final ConcurrentLinkedDeque<UpstreamConnection> idle = new ConcurrentLinkedDeque<>();
    private final LongAdder opened = new LongAdder();
    private volatile boolean closed;

    /** @param target the address that every request goes to */
    UpstreamPool(URI target, @Nullable String apiKey, Duration connectTimeout) {
        this.target = target;
        this.connectTimeoutMillis = (int) connectTimeout.toMillis();
        this.headStart = "POST " + target.getRawPath() + " HTTP/1.1\r\nhost: " + target.getRawAuthority()
                + "\r\ncontent-type: application/json\r\nuser-agent: guimo\r\n"
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
    UpstreamConnection post(byte[] body, String accept, long deadline) throws IOException {
        byte[] head = (headStart + "accept: " + accept + "\r\ncontent-length: " + body.length + "\r\n\r\n")
                .getBytes(StandardCharsets.ISO_8859_1);
        @Nullable UpstreamConnection kept = takeIdle();
        if (kept != null) {
            try {
                kept.exchange(head, body, deadline);
                return kept;
            } catch (IOException e) {
                kept.close();
                if (kept.anythingRead() || System.nanoTime() > deadline) throw e;
            }
        }
        UpstreamConnection fresh = UpstreamConnection.open(target, connectTimeoutMillis);
        opened.increment();
        try {
            fresh.exchange(head, body, deadline);
            return fresh;
        } catch (IOException | RuntimeException e) {
            fresh.close();
            throw e;
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
