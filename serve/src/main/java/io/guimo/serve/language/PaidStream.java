package io.guimo.serve.language;

import io.guimo.commerce.Extension;
import io.guimo.commerce.Refused;
import io.guimo.commerce.Reservation;
import io.guimo.commerce.StoredAnswer;
import io.guimo.commerce.Till;
import io.guimo.commerce.price.AbortPolicy;
import io.guimo.commerce.price.PriceVersion;
import io.guimo.commerce.price.Rate;
import io.guimo.commerce.price.TierRule;
import io.guimo.inference.InferenceRefusal;
import io.guimo.inference.generate.GeneratedToken;
import io.guimo.inference.generate.GenerationEnd;
import io.guimo.serve.EngineRefusals;
import io.guimo.serve.http.EventStream;
import io.guimo.serve.http.Refusal;
import io.guimo.serve.http.RefusedException;
import io.guimo.units.Meter;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One streamed answer and its money. A block of tokens is paid for ahead of what is sent and extended as the stream goes on; where the money does not
 * reach for a whole block, the block is as long as it reaches, and then the answer ends with {@link Finish.Length}. What is charged in the end:
 *
 * <ul>
 *   <li>an answer that came to its end: all its tokens, those of a stop string included;
 *   <li>one that the client left: what the price's {@link AbortPolicy} says; sent is what the socket took without an error;
 *   <li>one that broke off by our fault: what was sent, and nothing where that is nothing.
 * </ul>
 *
 * The charge is durable before the last event leaves.
 */
final class PaidStream implements EventStream.Writer {
    private static final Logger LOG = LoggerFactory.getLogger(PaidStream.class);

    /** Tokens of each choice that are paid for at a time. */
    static final long BLOCK = 256;

    /** A client that left is seen only by writing to it: how long nothing is written at most. */
    private static final Duration SILENCE = Duration.ofSeconds(1);

    private static final byte[] STILL_HERE = ": still at work\n\n".getBytes(StandardCharsets.US_ASCII);
    private static final String MEDIA_TYPE = "text/event-stream; charset=utf-8";

    private final Till till;
    private final Job job;
    private final WireFormat format;
    private final String inputParam;
    private final @Nullable ByteArrayOutputStream kept;
    private final ChoiceText[] texts;
    private final boolean[] begun;
    private final @Nullable Finish[] finishes;
    private volatile @Nullable Generation running;
    private volatile boolean cancelled;
    private Reservation reservation;
    private int unfinished;

    /** Tokens of the answers that were taken from the engine and paid for. */
    private long taken;

    /** Of these, those all of whose text was written to the socket. */
    private long delivered;

    /** Whether anything was sent: an error can then no longer be an HTTP status. */
    private boolean open;

    private boolean answering;
    private boolean settled;
    private long cached;

    /**
     * @param inputParam the request's field that the engine's complaints are about
     * @param keepAnswer whether the stream is kept for a repetition of the request
     */
    PaidStream(Till till, Job job, WireFormat format, String inputParam, Reservation reservation, boolean keepAnswer) {
        this.till = till;
        this.job = job;
        this.format = format;
        this.inputParam = inputParam;
        this.reservation = reservation;
        kept = keepAnswer ? new ByteArrayOutputStream() : null;
        texts = new ChoiceText[job.choices()];
        for (int i = 0; i < texts.length; i++)
            texts[i] = new ChoiceText(job.model().vocabulary(), job.stops(), job.calls());
        begun = new boolean[texts.length];
        finishes = new Finish[texts.length];
        unfinished = texts.length;
    }

    /** What must be held before a stream begins: the prompt, and the first block of each choice. */
    static Map<Meter, Long> firstHold(Job job, Optional<PriceVersion> price) {
        return hold(job, Math.min(job.mostOutput(), BLOCK * job.choices()), price);
    }

    /**
     * Enough for the prompt and so many tokens, however much of the prompt turns out to be cached. The prompt is held once, as tokens that are not
     * cached, where a cached one never costs more.
     */
    static Map<Meter, Long> hold(Job job, long output, Optional<PriceVersion> price) {
        Map<Meter, Long> atMost =
                new TokenUsage(job.promptTokens(), 0, output).units(job.model().meters());
        if (!price.map(PaidStream::cachedIsNoDearer).orElse(false)) {
            atMost.computeIfPresent(Meter.CACHED_INPUT_TOKENS, (_, _) -> job.promptTokens());
        }
        return atMost;
    }

    private static boolean cachedIsNoDearer(PriceVersion price) {
        return price.rules().get(Meter.INPUT_TOKENS) instanceof TierRule.Flat(Rate fresh)
                && price.rules().get(Meter.CACHED_INPUT_TOKENS) instanceof TierRule.Flat(Rate cached)
                && cached.each().compareTo(fresh.each()) <= 0;
    }

    @Override
    public void write(EventStream.Sink sink) throws IOException {
        Generation generation;
        try {
            generation = Generation.start(job);
        } catch (InferenceRefusal e) {
            till.release(reservation);
            throw new RefusedException(EngineRefusals.refusal(e, inputParam));
        } catch (RuntimeException | Error e) {
            till.release(reservation);
            throw e;
        }
        running = generation;
        if (cancelled) generation.cancel();
        try (generation) {
            generation.readSideBySide();
            answer(generation, sink);
        } catch (ClientLeft e) {
            settleLeft(generation);
            throw e.failure;
        } catch (InferenceRefusal e) {
            broken(EngineRefusals.refusal(e, inputParam), sink);
        } catch (InterruptedException e) {
            settleOrRelease(delivered);
            Thread.currentThread().interrupt();
            throw new IOException("the server stops", e);
        } catch (RuntimeException | Error e) {
            if (!settled) settleOrRelease(delivered);
            throw e;
        }
    }

    /** Ends the answer where it stands, from any thread: the client gets its end, and pays for what came before. */
    void cancel() {
        cancelled = true;
        Generation generation = running;
        if (generation != null) generation.cancel();
    }

    private void answer(Generation generation, EventStream.Sink sink)
            throws InterruptedException, ClientLeft, IOException {
        ByteArrayOutputStream last = new ByteArrayOutputStream();
        while (unfinished > 0) {
            Generation.Event event = generation.next(SILENCE);
            switch (event) {
                case null -> send(sink, STILL_HERE);
                case Generation.Event.Token(int choice, GeneratedToken token) -> {
                    if (finishes[choice] == null) token(generation, sink, choice, token, last);
                }
                case Generation.Event.Ended(int choice, GenerationEnd.Reason reason) -> {
                    began(generation, choice);
                    if (finishes[choice] == null) {
                        write(sink, choice, texts[choice].end());
                        Finish over = texts[choice].over();
                        finish(sink, choice, over == null ? texts[choice].ended(reason) : over, last);
                    }
                }
                case Generation.Event.Cancelled _ -> finishAll(generation, sink, new Finish.Cancelled(), last);
                case Generation.Event.Failed(int choice, RuntimeException failure) -> {
                    if (finishes[choice] == null) throw failure;
                }
            }
        }
        TokenUsage usage = usageOf(taken);
        last.writeBytes(format.end(usage));
        byte[] events = last.toByteArray();
        keep(events);
        settle(usage, true);
        sink.send(events);
    }

    private void token(
            Generation generation, EventStream.Sink sink, int choice, GeneratedToken token, ByteArrayOutputStream last)
            throws ClientLeft {
        began(generation, choice);
        if (taken + 1 > paidFor() && !extended()) {
            finishAll(generation, sink, new Finish.Length(), last);
            return;
        }
        taken++;
        ChoiceText text = texts[choice];
        write(sink, choice, text.add(token));
        Finish over = text.over();
        if (over != null) {
            generation.stream(choice).close();
            finish(sink, choice, over, last);
        }
    }

    private void finishAll(Generation generation, EventStream.Sink sink, Finish finish, ByteArrayOutputStream last)
            throws ClientLeft {
        generation.close();
        for (int i = 0; i < texts.length; i++) {
            if (finishes[i] == null) finish(sink, i, finish, last);
        }
    }

    private void began(Generation generation, int choice) {
        if (begun[choice]) return;
        begun[choice] = true;
        cached = generation.cachedTokens(begun);
    }

    /** The last choice's end is written with the stream's, once all is charged. */
    private void finish(EventStream.Sink sink, int choice, Finish finish, ByteArrayOutputStream last)
            throws ClientLeft {
        write(sink, choice, texts[choice].end());
        finishes[choice] = finish;
        unfinished--;
        byte[] events = joined(beginningIfFirst(), format.finished(choice, finish));
        if (unfinished == 0) last.writeBytes(events);
        else sendKept(sink, events);
    }

    private void write(EventStream.Sink sink, int choice, ChoiceText.Delta delta) throws ClientLeft {
        if (delta.isEmpty()) return;
        sendKept(sink, joined(beginningIfFirst(), format.delta(choice, delta)));
        delivered += delta.tokens().size();
    }

    /** Sent with the first event that says something, so that what fails before is still answered by a status. */
    private byte[] beginningIfFirst() {
        if (answering) return new byte[0];
        answering = true;
        return format.begin(usageOf(0));
    }

    private static byte[] joined(byte[] first, byte[] second) {
        if (first.length == 0) return second;
        byte[] both = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, both, first.length, second.length);
        return both;
    }

    private void sendKept(EventStream.Sink sink, byte[] events) throws ClientLeft {
        if (events.length == 0) return;
        send(sink, events);
        keep(events);
    }

    private void send(EventStream.Sink sink, byte[] events) throws ClientLeft {
        try {
            sink.send(events);
            open = true;
        } catch (IOException e) {
            throw new ClientLeft(e);
        }
    }

    /** Pays for a further block, or for as much of one as the money reaches: halves are tried from the largest, so at most 9 more questions. */
    private boolean extended() {
        long wanted = Math.min(BLOCK * unfinished, job.mostOutput() - paidFor());
        if (wanted < 1) return false;
        if (held(wanted)) return true;
        boolean any = false;
        for (long part = Long.highestOneBit(wanted - 1); part >= 1; part /= 2) any |= held(part);
        return any;
    }

    private boolean held(long further) {
        Map<Meter, Long> atMost = new EnumMap<>(reservation.atMost());
        atMost.merge(Meter.OUTPUT_TOKENS, further, Long::sum);
        return switch (till.extend(reservation, units(usageOf(delivered)), atMost)) {
            case Extension.Extended(Reservation longer) -> {
                reservation = longer;
                yield true;
            }
            case Refused _ -> false;
        };
    }

    private long paidFor() {
        return reservation.atMost().getOrDefault(Meter.OUTPUT_TOKENS, Long.MAX_VALUE);
    }

    private TokenUsage usageOf(long output) {
        return new TokenUsage(job.promptTokens(), cached, output);
    }

    private Map<Meter, Long> units(TokenUsage usage) {
        return usage.units(job.model().meters());
    }

    private void settleLeft(Generation generation) {
        long charged =
                switch (reservation.price().aborts()) {
                    case AbortPolicy.Delivered _ -> delivered;
                    case AbortPolicy.NothingUnder(long tokens) -> delivered < tokens ? 0 : delivered;
                    case AbortPolicy.Computed _ -> Math.min(generation.computedTokens(), paidFor());
                };
        settleOrRelease(charged);
    }

    private void settleOrRelease(long output) {
        if (output == 0) {
            settled = true;
            till.release(reservation);
        } else {
            settle(usageOf(output), false);
        }
    }

    private void settle(TokenUsage usage, boolean completed) {
        settled = true;
        till.settleDelivered(reservation, units(usage), completed, completed ? storedAnswer() : null);
    }

    /** Our own failure: charged is what was sent, and the client is told, by a status where nothing was sent yet. */
    private void broken(Refusal refusal, EventStream.Sink sink) throws IOException {
        settleOrRelease(delivered);
        if (!open) throw new RefusedException(refusal);
        LOG.warn("a stream of {} broke off: {}", job.model().name(), refusal.message());
        sink.send(format.failed(refusal));
    }

    private void keep(byte[] events) {
        if (kept != null && kept.size() <= StoredAnswer.LARGEST_KEPT) kept.writeBytes(events);
    }

    private @Nullable StoredAnswer storedAnswer() {
        return kept == null || kept.size() > StoredAnswer.LARGEST_KEPT
                ? null
                : new StoredAnswer(200, MEDIA_TYPE, kept.toByteArray());
    }

    /** The socket did not take what was written. */
    private static final class ClientLeft extends Exception {
        private static final long serialVersionUID = 1;
        private final IOException failure;

        ClientLeft(IOException failure) {
            super(failure);
            this.failure = failure;
        }
    }
}
