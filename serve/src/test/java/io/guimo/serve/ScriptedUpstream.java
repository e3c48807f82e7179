package io.guimo.serve;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** A chat server whose every byte the test decides. */
final class ScriptedUpstream implements AutoCloseable {
    /** Writes an answer. */
    interface Script {
        /**
         * @param id the text of the last message
         * @return whether the connection stays open for another request
         */
        boolean answer(String id, boolean stream, OutputStream out) throws IOException;
    }

    private final Script script;
    private final ServerSocket listener;
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();

    ScriptedUpstream(Script script) {
        this.script = script;
        try {
            listener = new ServerSocket(0, 512, InetAddress.getLoopbackAddress());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Thread.ofVirtual().start(() -> {
            while (true) {
                try {
                    Socket socket = listener.accept();
                    open.add(socket);
                    Thread.ofVirtual().start(() -> serve(socket));
                } catch (IOException closed) {
                    return;
                }
            }
        });
    }

    String baseUrl() {
        return "http://127.0.0.1:" + listener.getLocalPort() + "/v1";
    }

    private void serve(Socket socket) {
        try (socket) {
            InputStream in = new BufferedInputStream(socket.getInputStream());
            while (true) {
                StringBuilder head = new StringBuilder();
                while (head.indexOf("\r\n\r\n") < 0) {
                    int c = in.read();
                    if (c < 0) return;
                    head.append((char) c);
                }
                if (head.toString().startsWith("GET ")) {
                    whole(socket.getOutputStream(), "200 OK", "{\"data\":[]}");
                    continue;
                }
                String length =
                        head.toString().toLowerCase(Locale.ROOT).replaceAll("(?s).*content-length: (\\d+).*", "$1");
                String body = new String(in.readNBytes(Integer.parseInt(length)), StandardCharsets.UTF_8);
                String id = body.replaceAll("(?s).*\"content\": ?\"([^\"]*)\".*", "$1");
                boolean stream = body.replace(" ", "").contains("\"stream\":true");
                if (!script.answer(id, stream, socket.getOutputStream())) return;
            }
        } catch (IOException left) {
            // The other side closed: some tests are about that.
        } finally {
            open.remove(socket);
        }
    }

    /** @param status with further headers behind it, if any */
    static void whole(OutputStream out, String status, String json) throws IOException {
        byte[] body = json.getBytes(StandardCharsets.UTF_8);
        out.write(("HTTP/1.1 " + status + "\r\ncontent-type: application/json\r\ncontent-length: " + body.length
                        + "\r\n\r\n" + json)
                .getBytes(StandardCharsets.UTF_8));
    }

    static void head(OutputStream out) throws IOException {
        out.write("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
                .getBytes(StandardCharsets.US_ASCII));
    }

    static void event(OutputStream out, String data) throws IOException {
        byte[] event = ("data: " + data + "\n\n").getBytes(StandardCharsets.UTF_8);
        out.write((Integer.toHexString(event.length) + "\r\n" + new String(event, StandardCharsets.UTF_8) + "\r\n")
                .getBytes(StandardCharsets.UTF_8));
    }

    static void end(OutputStream out) throws IOException {
        event(out, "[DONE]");
        out.write("0\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
    }

    @Override
    public void close() {
        try {
            listener.close();
            for (Socket socket : open) socket.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
