package io.guimo.inference;

import io.guimo.units.Meter;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;

/**
 * A chat model behind an OpenAI-compatible server. Works on the caller's thread, made for virtual ones: an exchange is one write and a few reads on a
 * kept connection, and nothing is handed to another thread.
 */
public final class OpenAiRemoteChat implements RemoteChat {
    private static final Set<Meter> METERS = Set.of(Meter.INPUT_TOKENS, Meter.CACHED_INPUT_TOKENS, Meter.OUTPUT_TOKENS);
    /** Above the longest answer of today's models with log probabilities of every token. */
    private static final int MAX_ANSWER_BYTES = 64 << 20;

    private static final int MAX_EVENT_BYTES = 4 << 20;
    private static final byte[] NOTHING = {};
    private static final byte[] DATA = "data:".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] DONE = "[DONE]".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] USAGE = "\"usage\"".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] NO_CHOICES = "\"choices\":[]".getBytes(StandardCharsets.US_ASCII);

    private final String name;
    private final String version;
    private final RemoteChatSettings settings;
    private final UpstreamPool pool;
    private final Semaphore exchanges;
    private final Admission admission;
    private final UsageCounter counter = new UsageCounter(METERS);

    /** @param version shown to customers; an upstream has none of its own */
    public OpenAiRemoteChat(String name, String version, RemoteChatSettings settings) {
        this.name = name;
        this.version = version;
        this.settings = settings;
        String base = settings.baseUrl().toString();
        URI target =
                URI.create((base.endsWith("/") ? base.substring(0, base.length() - 1) : base) + "/chat/completions");
        this.pool = new UpstreamPool(target, settings.apiKey(), settings.connectTimeout());
        this.exchanges = new Semaphore(settings.connections());
        this.admission = new Admission(name, version, 2 * settings.connections(), Long.MAX_VALUE);
    }

    @Override
    public ChatReply complete(byte[] body) {
        ChatBody.Forwarded request = ChatBody.forward(body, settings.model(), maxOutputTokens(), false);
        return exchange(request.body(), "application/json", this::readReply);
    }

    private ChatReply readReply(UpstreamConnection connection) throws IOException {
        byte[] answer = connection.readBody(MAX_ANSWER_BYTES);
        boolean succeeded = connection.status() / 100 == 2;
        ChatUsage usage = succeeded ? ChatBody.usage(answer) : ChatUsage.NONE;
        if (succeeded) counter.answered(units(usage));
        return new ChatReply(connection.status(), connection.contentType(), answer, usage);
    }

    @Override
    public ChatStreamEnd stream(byte[] body, ChunkListener listener) {
        ChatBody.Forwarded request = ChatBody.forward(body, settings.model(), maxOutputTokens(), true);
        return exchange(
                request.body(),
                "text/event-stream",
                connection -> readStream(connection, listener, request.wantsUsage()));
    }

    private ChatStreamEnd readStream(UpstreamConnection connection, ChunkListener listener, boolean passUsage)
            throws IOException {
        if (connection.status() / 100 != 2 || !connection.contentType().startsWith("text/event-stream")) {
            byte[] answer = connection.readBody(MAX_ANSWER_BYTES);
            if (connection.status() / 100 == 2) {
                throw new IOException("it answered a stream with " + connection.contentType());
            }
            return new ChatStreamEnd(connection.status(), false, ChatUsage.NONE, connection.contentType(), answer);
        }
        StreamReader stream = new StreamReader(connection, listener, passUsage);
        boolean complete = stream.run();
        ChatUsage usage = stream.usage();
        counter.answered(units(usage));
        return new ChatStreamEnd(connection.status(), complete, usage, connection.contentType(), NOTHING);
    }

    private static Map<Meter, Long> units(ChatUsage usage) {
        return Map.of(
                Meter.INPUT_TOKENS, usage.inputTokens(),
                Meter.CACHED_INPUT_TOKENS, usage.cachedInputTokens(),
                Meter.OUTPUT_TOKENS, usage.outputTokens());
    }

    private interface Answer<T> {
        T read(UpstreamConnection connection) throws IOException;
    }

    private <T> T exchange(byte[] body, String accept, Answer<T> answer) {
        admission.enter(1, 0);
        long began = System.nanoTime();
        try {
            exchanges.acquireUninterruptibly();
            counter.batchBegan();
            @Nullable UpstreamConnection connection = null;
            try {
                connection = pool.post(body, accept, deadline());
                return answer.read(connection);
            } catch (SocketTimeoutException e) {
                throw new UpstreamFailed(name, true, e.getMessage() + " (" + settings.answerTimeout() + ")");
            } catch (IOException e) {
                throw new UpstreamFailed(name, false, String.valueOf(e.getMessage()));
            } finally {
                if (connection != null) pool.giveBack(connection);
                counter.batchEnded();
                exchanges.release();
            }
        } finally {
            admission.worked(1, (System.nanoTime() - began) / settings.connections());
            admission.leave(1, 0);
        }
    }

    private long deadline() {
        return System.nanoTime() + settings.answerTimeout().toNanos();
    }

    /** Server-sent events (HTML Living Standard, section 9.2.6), as far as completions use them: {@code data} fields; comments and others are skipped. */
    private final class StreamReader {
        private final UpstreamConnection connection;
        private final ChunkListener listener;
        private final boolean passUsage;
        private final ByteArrayOutputStream line = new ByteArrayOutputStream(512);
        private ChatUsage reported = ChatUsage.NONE;
        private long contentChunks;
        private boolean done;

        StreamReader(UpstreamConnection connection, ChunkListener listener, boolean passUsage) {
            this.connection = connection;
            this.listener = listener;
            this.passUsage = passUsage;
        }

        /** @return whether the upstream ended the stream itself */
        boolean run() throws IOException {
            byte[] block = new byte[8192];
            for (int n = connection.read(block, 0, block.length); n >= 0; n = connection.read(block, 0, block.length)) {
                connection.extendDeadline(deadline());
                int from = 0;
                for (int i = 0; i < n; i++) {
                    if (block[i] != '\n') continue;
                    line.write(block, from, i - from);
                    from = i + 1;
                    boolean goOn = done || take(line.toByteArray());
                    line.reset();
                    if (!goOn) return false;
                }
                line.write(block, from, n - from);
                if (line.size() > MAX_EVENT_BYTES)
                    throw new IOException("an event is longer than " + MAX_EVENT_BYTES + " bytes");
            }
            if (!done) throw new IOException("the stream broke off without [DONE]");
            return true;
        }

        private boolean take(byte[] text) {
            int end = text.length > 0 && text[text.length - 1] == '\r' ? text.length - 1 : text.length;
            if (end < DATA.length || !Arrays.equals(text, 0, DATA.length, DATA, 0, DATA.length)) return true;
            int begin = DATA.length < end && text[DATA.length] == ' ' ? DATA.length + 1 : DATA.length;
            byte[] data = Arrays.copyOfRange(text, begin, end);
            if (Arrays.equals(data, DONE)) {
                done = true;
                return true;
            }
            boolean contentless = indexOf(data, NO_CHOICES) >= 0;
            if (!contentless) contentChunks++;
            if (indexOf(data, USAGE) >= 0) {
                ChatUsage usage = ChatBody.usage(data);
                if (usage.reported()) {
                    reported = usage;
                    if (contentless && !passUsage) return true;
                }
            }
            return listener.chunk(data);
        }

        /** What the upstream reported last, else a count of chunks: servers send a token in each, so that an aborted stream is not free. */
        ChatUsage usage() {
            return reported.reported() ? reported : new ChatUsage(0, 0, contentChunks, false);
        }
    }

    private static int indexOf(byte[] text, byte[] wanted) {
        for (int i = 0; i <= text.length - wanted.length; i++) {
            if (Arrays.equals(text, i, i + wanted.length, wanted, 0, wanted.length)) return i;
        }
        return -1;
    }

    /** How many connections were opened since the start. */
    long connectionsOpened() {
        return pool.opened();
    }

    @Override
    public int maxOutputTokens() {
        return settings.maxOutputTokens();
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public String version() {
        return version;
    }

    @Override
    public Set<Meter> meters() {
        return METERS;
    }

    /** CPU time is 0: forwarding happens on the callers' threads and is part of the server's overhead; the model's work is done elsewhere. */
    @Override
    public EngineUsage usage() {
        return counter.read(0);
    }

    @Override
    public void close() {
        admission.closeAndDrain();
        pool.close();
    }
}
