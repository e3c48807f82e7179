package io.guimo.inference;

import io.guimo.units.Meter;
import java.io.IOException;
import java.net.ProtocolException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A chat model behind OpenAI-compatible servers. Works on the caller's thread, made for virtual ones: an exchange is one write and a few reads on a
 * kept connection, and nothing is handed to another thread. Answers carry this model's name, whatever its upstreams call it.
 */
public final class OpenAiRemoteChat implements RemoteChat {
    private static final Set<Meter> METERS = Set.of(Meter.INPUT_TOKENS, Meter.CACHED_INPUT_TOKENS, Meter.OUTPUT_TOKENS);
    /** Above the longest answer of today's models with log probabilities of every token. */
    private static final int MAX_ANSWER_BYTES = 64 << 20;

    private static final int MAX_EVENT_BYTES = 4 << 20;
    private static final byte[] NOTHING = {};
    private static final byte[] DATA = "data:".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] DONE = "[DONE]".getBytes(StandardCharsets.US_ASCII);

    private final String name;
    private final byte[] quotedName;
    private final String version;
    private final RemoteChatSettings settings;
    private final @Nullable TokenCount tokens;
    private final UpstreamPool pool;
    private final int places;
    private final Admission admission;
    private final UsageCounter counter = new UsageCounter(METERS);
    private final CountComparison comparison;

    /** @param version shown to customers; an upstream has none of its own */
    public OpenAiRemoteChat(String name, String version, RemoteChatSettings settings) {
        this(name, version, settings, KeyReference.NONE, Optional.empty());
    }

    /**
     * @param keys   reads the keys of the settings, now
     * @param tokens our own count, billed instead of the upstream's
     * @throws IllegalArgumentException if there is no such key, or a file of certificates cannot be used
     */
    public OpenAiRemoteChat(
            String name,
            String version,
            RemoteChatSettings settings,
            KeyReference.Resolver keys,
            Optional<TokenCount> tokens) {
        this.name = name;
        this.quotedName = ChatBody.quoted(name);
        this.version = version;
        this.settings = settings;
        this.tokens = tokens.orElse(null);
        this.pool = new UpstreamPool(name, settings, keys);
        this.places = settings.upstreams().stream()
                .mapToInt(UpstreamSettings::connections)
                .sum();
        this.admission = new Admission(name, version, 2 * places, Long.MAX_VALUE);
        this.comparison = new CountComparison(name);
    }

    @Override
    public ChatReply complete(byte[] body) {
        ChatBody.Request request = ChatBody.read(body, maxOutputTokens(), false, pool.chooses());
        return exchange(
                request,
                "application/json",
                settings.timeLimits().total(),
                connection -> readReply(connection, request));
    }

    private ChatReply readReply(UpstreamConnection connection, ChatBody.Request request) throws IOException {
        byte[] answer = connection.readBody(MAX_ANSWER_BYTES);
        if (connection.status() / 100 != 2)
            return new ChatReply(connection.status(), connection.contentType(), answer, ChatUsage.NONE);
        ChatScan scan = new ChatScan();
        if (!isJson(connection.contentType()) || !scan.read(answer, 0, answer.length) || !scan.choices())
            throw new ProtocolException("its answer of " + answer.length + " bytes, of type '"
                    + head(connection.contentType()) + "', is no chat completion");
        ChatUsage usage = scan.usage();
        TokenCount count = tokens;
        if (count != null) {
            TokenCount.Answer texts = count.answer();
            texts.add(answer);
            usage = ours(count, request, texts, usage);
        }
        counter.answered(units(usage));
        return new ChatReply(connection.status(), connection.contentType(), scan.under(quotedName, 0), usage);
    }

    /** Servers that name no type are believed. */
    private static boolean isJson(String contentType) {
        return contentType.isEmpty() || contentType.toLowerCase(Locale.ROOT).contains("json");
    }

    private static String head(String text) {
        return text.length() > 80 ? text.substring(0, 80) + "…" : text;
    }

    @Override
    public ChatStreamEnd stream(byte[] body, ChunkListener listener) {
        ChatBody.Request request = ChatBody.read(body, maxOutputTokens(), true, pool.chooses());
        return exchange(
                request,
                "text/event-stream",
                settings.timeLimits().firstByte(),
                connection -> readStream(connection, listener, request));
    }

    private ChatStreamEnd readStream(UpstreamConnection connection, ChunkListener listener, ChatBody.Request request)
            throws IOException {
        if (connection.status() / 100 != 2) {
            byte[] answer = connection.readBody(MAX_ANSWER_BYTES);
            return new ChatStreamEnd(connection.status(), false, ChatUsage.NONE, connection.contentType(), answer);
        }
        if (!connection.contentType().startsWith("text/event-stream"))
            throw new ProtocolException("it answered a stream with '" + head(connection.contentType()) + "'");
        StreamReader stream = new StreamReader(connection, listener, request);
        boolean complete = stream.run();
        ChatUsage usage = stream.usage(complete);
        counter.answered(units(usage));
        return new ChatStreamEnd(connection.status(), complete, usage, connection.contentType(), NOTHING);
    }

    /** Our own count of an answer; what the upstream had cached only it can know. */
    private ChatUsage ours(TokenCount count, ChatBody.Request request, TokenCount.Answer texts, ChatUsage theirs) {
        long input = count.prompt(request.asSent());
        long cached = Math.min(input, theirs.cachedInputTokens());
        ChatUsage ours = new ChatUsage(input - cached, cached, texts.tokens(), true);
        if (theirs.reported()) comparison.compare(ours, theirs);
        return ours;
    }

    private static Map<Meter, Long> units(ChatUsage usage) {
        return Map.of(
                Meter.INPUT_TOKENS, usage.inputTokens(),
                Meter.CACHED_INPUT_TOKENS, usage.cachedInputTokens(),
                Meter.OUTPUT_TOKENS, usage.outputTokens());
    }

    private <T> T exchange(ChatBody.Request request, String accept, Duration firstByte, Upstream.Reader<T> reader) {
        admission.enter(1, 0);
        long began = System.nanoTime();
        counter.batchBegan();
        try {
            return pool.exchange(request, accept, firstByte, reader);
        } finally {
            counter.batchEnded();
            admission.worked(1, (System.nanoTime() - began) / places);
            admission.leave(1, 0);
        }
    }

    /** Server-sent events (HTML Living Standard, section 9.2.6), as far as completions use them: {@code data} fields; comments and others are skipped. */
    private final class StreamReader {
        private final UpstreamConnection connection;
        private final ChunkListener listener;
        private final ChatBody.Request request;
        private final long end;
        private final ChatScan scan = new ChatScan();
        private final TokenCount.@Nullable Answer texts = tokens == null ? null : tokens.answer();
        private byte[] line = new byte[1024];
        private int length;
        private ChatUsage reported = ChatUsage.NONE;
        private long contentChunks;
        private boolean done;

        StreamReader(UpstreamConnection connection, ChunkListener listener, ChatBody.Request request) {
            this.connection = connection;
            this.end = connection.deadline();
            this.listener = listener;
            this.request = request;
        }

        /** @return whether the upstream ended the stream itself */
        boolean run() throws IOException {
            byte[] block = new byte[8192];
            long between = settings.timeLimits().betweenChunks().toNanos();
            connection.extendDeadline(Math.min(end, System.nanoTime() + between));
            for (int n = connection.read(block, 0, block.length); n >= 0; n = connection.read(block, 0, block.length)) {
                int from = 0;
                for (int i = 0; i < n; i++) {
                    if (block[i] != '\n') continue;
                    append(block, from, i);
                    from = i + 1;
                    boolean goOn = done || take();
                    length = 0;
                    if (!goOn) return false;
                }
                append(block, from, n);
                // After what the client took, however long that was.
                connection.extendDeadline(Math.min(end, System.nanoTime() + between));
            }
            if (!done) throw new IOException("the stream broke off without [DONE]");
            return true;
        }

        private void append(byte[] block, int from, int to) throws IOException {
            if (length + to - from > MAX_EVENT_BYTES)
                throw new IOException("an event is longer than " + MAX_EVENT_BYTES + " bytes");
            if (length + to - from > line.length) line = Arrays.copyOf(line, 2 * (length + to - from));
            System.arraycopy(block, from, line, length, to - from);
            length += to - from;
        }

        private boolean take() throws IOException {
            int to = length > 0 && line[length - 1] == '\r' ? length - 1 : length;
            if (to < DATA.length || !Arrays.equals(line, 0, DATA.length, DATA, 0, DATA.length)) return true;
            int from = DATA.length < to && line[DATA.length] == ' ' ? DATA.length + 1 : DATA.length;
            if (Arrays.equals(line, from, to, DONE, 0, DONE.length)) {
                done = true;
                return true;
            }
            if (!scan.read(line, from, to)) throw new ProtocolException("an event of its stream is no JSON object");
            if (scan.error()) throw new IOException("it reported an error within the stream");
            if (scan.hasUsage()) {
                ChatUsage usage = scan.usage();
                if (usage.reported()) {
                    reported = usage;
                    if (scan.noChoices() && !request.wantsUsage()) return true;
                }
            }
            byte[] data = scan.under(quotedName, from);
            if (!listener.chunk(data)) return false;
            if (!scan.noChoices()) contentChunks++;
            if (texts != null) texts.add(data);
            return true;
        }

        /**
         * By our own count where there is one. Else what the upstream reported last, or a count of chunks: servers send a token in each, so that an
         * aborted stream is not free.
         */
        ChatUsage usage(boolean complete) {
            TokenCount count = tokens;
            if (count != null && texts != null) {
                return complete
                        ? ours(count, request, texts, reported)
                        : new ChatUsage(count.prompt(request.asSent()), 0, texts.tokens(), true);
            }
            return complete && reported.reported() ? reported : new ChatUsage(0, 0, contentChunks, false);
        }
    }

    /** How many connections were opened since the start: far fewer than exchanges when they are kept. */
    long connectionsOpened() {
        return state().upstreams().stream().mapToLong(UpstreamState::opened).sum();
    }

    @Override
    public int maxOutputTokens() {
        return settings.maxOutputTokens();
    }

    @Override
    public RemoteState state() {
        return new RemoteState(pool.states(), pool.retries(), 0, comparison.tokens(), comparison.differed());
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
