package io.guimo.serve.language;

import io.guimo.inference.generate.GeneratedToken;
import io.guimo.inference.generate.GenerationEnd;
import io.guimo.inference.generate.GenerationRequest;
import io.guimo.inference.generate.TokenStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** The sequences of one request while they are computed. Closing it cancels those that have not ended. */
final class Generation implements AutoCloseable {
    /** What came of one of the choices, or of all. */
    sealed interface Event {
        record Token(int choice, GeneratedToken token) implements Event {}

        record Ended(int choice, GenerationEnd.Reason reason) implements Event {}

        record Failed(int choice, RuntimeException failure) implements Event {}

        /** All choices were ended by {@link #cancel}. */
        record Cancelled() implements Event {}
    }

    private final Job job;
    private final List<TokenStream> streams = new ArrayList<>();

    /** Unbounded, like the streams behind it; it never holds more than the answers' tokens. */
    private final BlockingQueue<Event> events = new LinkedBlockingQueue<>();

    private Generation(Job job) {
        this.job = job;
    }

    /** @throws io.guimo.inference.InferenceRefusal if the engine does not take one of them; then none goes on */
    static Generation start(Job job) {
        Generation generation = new Generation(job);
        try {
            for (GenerationRequest request : job.requests()) {
                generation.streams.add(job.model().generate(request));
            }
        } catch (RuntimeException | Error e) {
            generation.close();
            throw e;
        }
        return generation;
    }

    /** Reads all streams side by side from now on, for {@link #next}. */
    void readSideBySide() {
        for (int i = 0; i < streams.size(); i++) {
            int choice = i;
            Thread.ofVirtual().name("tokens-" + choice).start(() -> read(choice));
        }
    }

    /** The next event of any choice, or null when nothing came within {@code patience}. */
    @Nullable
    Event next(Duration patience) throws InterruptedException {
        return events.poll(patience.toNanos(), TimeUnit.NANOSECONDS);
    }

    /** Ends all choices, from any thread; what was computed before is still read. */
    void cancel() {
        events.add(new Event.Cancelled());
    }

    TokenStream stream(int choice) {
        return streams.get(choice);
    }

    /** Of the prompts' tokens, those whose state was kept, as far as that is known of those that began. */
    long cachedTokens(boolean[] begun) {
        long cached = 0;
        for (int choice = 0; choice < streams.size(); choice += job.choicesPerPrompt()) {
            if (begun[choice]) cached += streams.get(choice).cachedTokens();
        }
        return cached;
    }

    /** Tokens that were computed for all choices, once it is closed. */
    long computedTokens() {
        return streams.stream().mapToLong(s -> s.end().generatedTokens()).sum();
    }

    @Override
    public void close() {
        streams.forEach(TokenStream::close);
    }

    private void read(int choice) {
        TokenStream stream = streams.get(choice);
        try {
            for (Optional<GeneratedToken> token = stream.next(); token.isPresent(); token = stream.next()) {
                events.add(new Event.Token(choice, token.get()));
            }
            events.add(new Event.Ended(choice, stream.end().reason()));
        } catch (RuntimeException e) {
            events.add(new Event.Failed(choice, e));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // nobody does; the request would end by its failed engine
            events.add(
                    new Event.Failed(choice, new IllegalStateException("the reader of a stream was interrupted", e)));
        }
    }
}
