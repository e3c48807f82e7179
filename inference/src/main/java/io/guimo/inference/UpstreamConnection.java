package io.guimo.inference;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.ProtocolException;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;

/**
 * One kept connection that speaks HTTP/1.1 (RFC 9112), as much of it as answers to a POST need: a length, chunks, or the end of the connection.
 * Blocking, for one thread at a time; on a virtual thread it parks. The JDK's client costs six times the CPU per exchange (docs/log.md,
 * 2026-11-22).
 */
final class UpstreamConnection implements AutoCloseable {
    private static final int MAX_HEADER_BYTES = 64 << 10;
    private static final byte[] END_OF_CHUNKS = {};
    /** What a system takes from a writer at once, even if the other side reads nothing. */
    private static final int UNWATCHED_BYTES = 8 << 10;

    private final Socket plain;
    private final Socket socket;
    private final Watchdog watchdog;
    private final InputStream in;
    private final OutputStream out;
    private final byte[] buffer = new byte[16 << 10];
    private int position;
    private int limit;
    private long deadline;
    private long idleSince;
    private int headerBytesLeft;
    private boolean anythingRead;

    // The answer in work.
    private int status;
    private String contentType = "";
    private String retryAfter = "";
    private boolean chunked;
    private long bodyLeft; // of the body or of the chunk; -1: to the end of the connection
    private boolean bodyEnded;
    private boolean keepAlive;

    private UpstreamConnection(Socket plain, Socket socket, Watchdog watchdog) throws IOException {
        this.plain = plain;
        this.socket = socket;
        this.watchdog = watchdog;
        this.in = socket.getInputStream();
        this.out = socket.getOutputStream();
    }

    /** @param tls for an https address */
    static UpstreamConnection open(URI target, SSLSocketFactory tls, int connectTimeoutMillis, Watchdog watchdog)
            throws IOException {
        boolean secure = target.getScheme().equals("https");
        int port = target.getPort() >= 0 ? target.getPort() : secure ? 443 : 80;
        Socket plain = new Socket();
        try {
            plain.setTcpNoDelay(true);
            plain.connect(new InetSocketAddress(bare(target.getHost()), port), connectTimeoutMillis);
            Socket socket =
                    secure ? secured(plain, tls, bare(target.getHost()), port, connectTimeoutMillis, watchdog) : plain;
            return new UpstreamConnection(plain, socket, watchdog);
        } catch (IOException | RuntimeException e) {
            plain.close();
            throw e;
        }
    }

    /** An IPv6 address without its brackets. */
    private static String bare(String host) {
        return host.startsWith("[") ? host.substring(1, host.length() - 1) : host;
    }

    private static Socket secured(
            Socket plain, SSLSocketFactory tls, String host, int port, int timeoutMillis, Watchdog watchdog)
            throws IOException {
        SSLSocket secure = (SSLSocket) tls.createSocket(plain, host, port, true);
        SSLParameters parameters = secure.getSSLParameters();
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        secure.setSSLParameters(parameters);
        try (Watchdog.Watch watch = watchdog.watch(plain, timeoutMillis * 1_000_000L)) {
            try {
                secure.startHandshake();
            } catch (IOException e) {
                throw watch.fired() ? new SocketTimeoutException("no handshake within the time limit") : e;
            }
        }
        return secure;
    }

    /**
     * Sends a request and reads the head of its answer.
     *
     * @param head     request line and headers, the empty line included
     * @param deadline {@link System#nanoTime} until which reads and writes may wait
     */
    void exchange(byte[] head, byte[] body, long deadline) throws IOException {
        this.deadline = deadline;
        anythingRead = false;
        byte[] request = Arrays.copyOf(head, head.length + body.length);
        System.arraycopy(body, 0, request, head.length, body.length);
        if (request.length <= UNWATCHED_BYTES) out.write(request);
        else writeWatched(request);
        do {
            readHead();
        } while (status / 100 == 1); // interim answers, RFC 9110 section 15.2
    }

    private void writeWatched(byte[] request) throws IOException {
        try (Watchdog.Watch watch = watchdog.watch(plain, deadline - System.nanoTime())) {
            try {
                out.write(request);
            } catch (IOException e) {
                throw watch.fired() ? new SocketTimeoutException("the request was not read within the time limit") : e;
            }
        }
    }

    /** For a stream, whose limit is between two chunks. */
    void extendDeadline(long newDeadline) {
        deadline = newDeadline;
    }

    /** {@link System#nanoTime} until which reads may wait. */
    long deadline() {
        return deadline;
    }

    int status() {
        return status;
    }

    String contentType() {
        return contentType;
    }

    /** The header {@code retry-after} as it was sent; empty if it was not. */
    String retryAfter() {
        return retryAfter;
    }

    /** Whether the other side has said anything to the request in work: if not, a kept connection was closed while it lay idle. */
    boolean anythingRead() {
        return anythingRead;
    }

    /** Whether the answer was read to its end and the connection can carry another. */
    boolean reusable() {
        return bodyEnded && keepAlive && position == limit;
    }

    long idleSince() {
        return idleSince;
    }

    void idle() {
        idleSince = System.nanoTime();
    }

    private void readHead() throws IOException {
        headerBytesLeft = MAX_HEADER_BYTES;
        String line = readLine();
        // HTTP/1.1 200 OK
        if (!line.startsWith("HTTP/1.") || line.length() < 12)
            throw new ProtocolException("not an HTTP/1.1 answer: " + head(line));
        try {
            status = Integer.parseInt(line, 9, 12, 10);
        } catch (NumberFormatException e) {
            throw new ProtocolException("not an HTTP/1.1 answer: " + head(line));
        }
        keepAlive = line.charAt(7) != '0';
        contentType = "";
        retryAfter = "";
        chunked = false;
        long length = -1;
        for (line = readLine(); !line.isEmpty(); line = readLine()) {
            int colon = line.indexOf(':');
            if (colon <= 0) throw new ProtocolException("a header without a name: " + head(line));
            String value = line.substring(colon + 1).strip();
            if (isHeader(line, colon, "content-length")) length = parseLength(value);
            else if (isHeader(line, colon, "content-type")) contentType = value;
            else if (isHeader(line, colon, "retry-after")) retryAfter = value;
            else if (isHeader(line, colon, "transfer-encoding")) chunked = value.equalsIgnoreCase("chunked");
            else if (isHeader(line, colon, "connection") && value.equalsIgnoreCase("close")) keepAlive = false;
        }
        boolean bodiless = status / 100 == 1 || status == 204 || status == 304;
        bodyLeft = bodiless || chunked ? 0 : length;
        bodyEnded = bodiless || (!chunked && length == 0);
        if (bodyLeft < 0) keepAlive = false;
    }

    private static boolean isHeader(String line, int colon, String name) {
        return colon == name.length() && line.regionMatches(true, 0, name, 0, colon);
    }

    private static long parseLength(String value) throws IOException {
        try {
            long length = Long.parseLong(value);
            if (length >= 0) return length;
        } catch (NumberFormatException notANumber) {
            throw new ProtocolException("content-length is " + head(value));
        }
        throw new ProtocolException("content-length is " + head(value));
    }

    private static String head(String text) {
        return text.length() > 80 ? text.substring(0, 80) + "…" : text;
    }

    /** The whole rest of the body. */
    byte[] readBody(int most) throws IOException {
        byte[] body = END_OF_CHUNKS;
        if (!chunked && bodyLeft >= 0) {
            if (bodyLeft > most) throw tooLong(most);
            body = new byte[(int) bodyLeft];
            int filled = 0;
            while (filled < body.length) {
                int n = read(body, filled, body.length - filled);
                if (n < 0) throw new EOFException("the upstream closed the connection within an answer");
                filled += n;
            }
            return body;
        }
        int filled = 0;
        while (true) {
            if (filled == body.length) body = Arrays.copyOf(body, Math.max(4096, 2 * body.length));
            int n = read(body, filled, body.length - filled);
            if (n < 0) return Arrays.copyOf(body, filled);
            filled += n;
            if (filled > most) throw tooLong(most);
        }
    }

    private static ProtocolException tooLong(int most) {
        return new ProtocolException("the answer is longer than " + most + " bytes, the most that is read");
    }

    /** Some bytes of the body, as they arrive. @return how many; -1 at its end */
    int read(byte[] into, int offset, int length) throws IOException {
        if (bodyEnded) return -1;
        if (chunked && bodyLeft == 0 && !beginChunk()) return -1;
        int n = take(into, offset, bodyLeft < 0 ? length : (int) Math.min(length, bodyLeft));
        if (n < 0) {
            if (bodyLeft >= 0) throw new EOFException("the upstream closed the connection within an answer");
            bodyEnded = true;
            return -1;
        }
        if (bodyLeft > 0) {
            bodyLeft -= n;
            if (bodyLeft == 0) {
                if (chunked) {
                    if (!readLine().isEmpty()) throw new ProtocolException("a chunk is longer than it says");
                } else {
                    bodyEnded = true;
                }
            }
        }
        return n;
    }

    /** @return false at the last chunk, whose trailers are read and dropped */
    private boolean beginChunk() throws IOException {
        headerBytesLeft = MAX_HEADER_BYTES;
        String line = readLine();
        int end = line.indexOf(';');
        String size = (end < 0 ? line : line.substring(0, end)).strip();
        try {
            bodyLeft = Long.parseLong(size, 16);
        } catch (NumberFormatException e) {
            throw new ProtocolException("the length of a chunk is " + head(size));
        }
        if (bodyLeft < 0) throw new ProtocolException("the length of a chunk is " + head(size));
        if (bodyLeft > 0) return true;
        String trailer = readLine();
        while (!trailer.isEmpty()) trailer = readLine();
        bodyEnded = true;
        return false;
    }

    private int take(byte[] into, int offset, int length) throws IOException {
        if (position == limit && !fill()) return -1;
        int n = Math.min(length, limit - position);
        System.arraycopy(buffer, position, into, offset, n);
        position += n;
        return n;
    }

    /** A line in ISO 8859-1 without its end; counts against the bound of headers. */
    private String readLine() throws IOException {
        StringBuilder carried = null;
        while (true) {
            for (int i = position; i < limit; i++) {
                if (buffer[i] != '\n') continue;
                String part = new String(buffer, position, i - position, StandardCharsets.ISO_8859_1);
                headerBytesLeft -= i + 1 - position;
                position = i + 1;
                String line = carried == null ? part : carried.append(part).toString();
                return line.endsWith("\r") ? line.substring(0, line.length() - 1) : line;
            }
            if (carried == null) carried = new StringBuilder();
            carried.append(new String(buffer, position, limit - position, StandardCharsets.ISO_8859_1));
            headerBytesLeft -= limit - position;
            position = limit;
            if (headerBytesLeft < 0)
                throw new ProtocolException("the answer's headers are longer than " + MAX_HEADER_BYTES + " bytes");
            if (!fill()) throw new EOFException("the upstream closed the connection before its answer");
        }
    }

    private boolean fill() throws IOException {
        long millis = (deadline - System.nanoTime()) / 1_000_000;
        if (millis <= 0) throw new SocketTimeoutException("no answer within the time limit");
        socket.setSoTimeout((int) Math.min(millis, Integer.MAX_VALUE));
        int n = in.read(buffer, 0, buffer.length);
        position = 0;
        limit = Math.max(n, 0);
        if (n > 0) anythingRead = true;
        return n > 0;
    }

    @Override
    public void close() {
        try {
            plain.close();
        } catch (IOException alreadyBroken) {
            // Nothing is left to be lost: whoever closes a connection is done with it.
        }
    }
}
