package io.guimo.inference.generate;

import io.guimo.inference.generate.StateCache.State;
import java.time.Instant;
import java.util.Arrays;
import java.util.Comparator;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A request on its way through the scheduler. While it waits it belongs to the scheduler's lock, while it runs to the step thread. */
final class Sequence {
    /**
     * How many later sequences of a priority lower by one, which are served first, may overtake a sequence. A count and not a time: it then bounds, on a
     * fast machine as on a slow one, how often anything is overtaken or set back, so that everything ends.
     */
    static final int OVERTAKERS = 256;

    static final Comparator<Sequence> ORDER =
            Comparator.<Sequence>comparingLong(s -> s.rank).thenComparingLong(s -> s.number);

    final GenerationRequest request;
    final QueuedTokens stream;
    /** Tokens of the prompt. */
    final int promptLength;
    /** Most tokens to generate: as asked, or as the context has room for. */
    final int limit;

    private final Supplier<Sampler> samplers;
    private long number;
    private long rank;

    private int[] tokens;
    private int length;
    private @Nullable Sampler sampler;

    /** Null while it waits. */
    @Nullable
    State state;
    /** An earlier sequence that runs and is about to evaluate what this one begins with; it then need not be evaluated twice. Null: none. */
    @Nullable
    Sequence leader;
    /** Positions that it has in common with the leader. */
    int commonWithLeader;
    /** Tokens of it in this step's batch. */
    int granted;
    /** Those of them that are the prompt's. */
    int grantedOfPrompt;
    /** Where in the batch its logits are asked for; −1: nowhere. */
    int logitsIndex;
    /** Of the prompt, how many tokens were evaluated or reused so far, however often. */
    int promptRead;

    int cachedTokens;
    int generated;
    long cpuNanos;

    /** @param capacity most tokens of prompt and answer */
    Sequence(GenerationRequest request, int capacity, Supplier<Sampler> samplers, Consumer<Sequence> onClose) {
        this.request = request;
        this.samplers = samplers;
        tokens = request.prompt();
        promptLength = tokens.length;
        length = promptLength;
        limit = Math.min(request.maxTokens(), capacity - promptLength);
        stream = new QueuedTokens(() -> onClose.accept(this));
    }

    /** @param arrival how many arrived before it */
    void arrived(long arrival) {
        number = arrival;
        rank = arrival + (long) request.priority() * OVERTAKERS;
    }

    boolean before(Sequence other) {
        return ORDER.compare(this, other) < 0;
    }

    int[] tokens() {
        return tokens;
    }

    /** Tokens of prompt and answer so far. */
    int length() {
        return length;
    }

    void append(int token) {
        if (length == tokens.length) tokens = Arrays.copyOf(tokens, length + Math.max(64, length / 2));
        tokens[length++] = token;
    }

    /** @throws IllegalStateException while it waits */
    State state() {
        if (state == null) throw new IllegalStateException("the sequence does not run");
        return state;
    }

    /** Tokens that must be evaluated before the next one can be drawn. */
    int pending() {
        return length - state().size();
    }

    /** Made when it first draws, not when it is asked for: it takes a few numbers for each token of the vocabulary. */
    Sampler sampler() {
        if (sampler == null) sampler = samplers.get();
        return sampler;
    }

    boolean expired(Instant now) {
        return request.deadline() != null && !now.isBefore(request.deadline());
    }

    GenerationEnd end(GenerationEnd.Reason reason) {
        return new GenerationEnd(reason, cachedTokens, generated, cpuNanos);
    }
}
