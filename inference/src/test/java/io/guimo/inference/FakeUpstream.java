package io.guimo.inference;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ServerSocketFactory;

/** A server whose every byte the test decides. */
final class FakeUpstream implements AutoCloseable {
    /** Writes an answer. */
    interface Script {
        /** @return whether the connection stays open for another request */
        boolean answer(String head, String body, OutputStream out) throws IOException;
    }

    final List<String> heads = new CopyOnWriteArrayList<>();
    final List<String> bodies = new CopyOnWriteArrayList<>();
    final AtomicInteger connections = new AtomicInteger();
    volatile Script script;
    /** Answers {@code GET}, which probes send. */
    volatile Script probe = json("{\"object\":\"list\",\"data\":[]}");

    final AtomicInteger probes = new AtomicInteger();

    private final ServerSocket listener;
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();
    private final Thread accepting;

    FakeUpstream(Script script) {
        this(script, ServerSocketFactory.getDefault());
    }

    /** @param sockets plain ones or those of TLS */
    FakeUpstream(Script script, ServerSocketFactory sockets) {
        this.script = script;
        try {
            listener = sockets.createServerSocket(0, 512, InetAddress.getLoopbackAddress());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        accepting = Thread.ofVirtual().start(this::acceptLoop);
    }

    /** The usual answer, whole. */
    static Script json(String body) {
        return (_, _, out) -> {
            out.write(whole("200 OK", "application/json", body));
            return true;
        };
    }

    static byte[] whole(String status, String type, String body) {
        byte[] content = body.getBytes(StandardCharsets.UTF_8);
        byte[] head = ("HTTP/1.1 " + status + "\r\ncontent-type: " + type + "\r\ncontent-length: " + content.length
                        + "\r\n\r\n")
                .getBytes(StandardCharsets.ISO_8859_1);
        byte[] answer = Arrays.copyOf(head, head.length + content.length);
        System.arraycopy(content, 0, answer, head.length, content.length);
        return answer;
    }

    static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    int port() {
        return listener.getLocalPort();
    }

    String baseUrl() {
        return "http://127.0.0.1:" + listener.getLocalPort() + "/v1";
    }

    private void acceptLoop() {
        while (true) {
            try {
                Socket socket = listener.accept();
                connections.incrementAndGet();
                open.add(socket);
                Thread.ofVirtual().start(() -> serve(socket));
            } catch (IOException closed) {
                return;
            }
        }
    }

    private void serve(Socket socket) {
        try (socket) {
            InputStream in = new BufferedInputStream(socket.getInputStream());
            while (true) {
                String head = head(in);
                if (head.isEmpty()) return;
                if (head.startsWith("GET ")) {
                    probes.incrementAndGet();
                    if (!probe.answer(head, "", socket.getOutputStream())) return;
                    continue;
                }
                int at = head.toLowerCase(Locale.ROOT).indexOf("content-length: ") + "content-length: ".length();
                int length = Integer.parseInt(head.substring(at, head.indexOf('\r', at)));
                String body = new String(in.readNBytes(length), StandardCharsets.UTF_8);
                heads.add(head);
                bodies.add(body);
                if (!script.answer(head, body, socket.getOutputStream())) return;
            }
        } catch (IOException left) {
            // The client closed: some tests are about that.
        } finally {
            open.remove(socket);
        }
    }

    private static String head(InputStream in) throws IOException {
        StringBuilder head = new StringBuilder();
        for (int c = in.read(); c >= 0; c = in.read()) {
            head.append((char) c);
            if (c == '\n'
                    && head.length() >= 4
                    && head.substring(head.length() - 4).equals("\r\n\r\n")) return head.toString();
        }
        return "";
    }

    /** Closes the kept connections, as a server does that was restarted. */
    void dropConnections() {
        for (Socket socket : open) {
            try {
                socket.close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    @Override
    public void close() {
        try {
            listener.close();
            // Only then does the system refuse further connections.
            accepting.join();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        dropConnections();
    }
}
