package io.guimo.inference;

import io.guimo.inference.generate.GenerationRequest;
import io.guimo.inference.generate.Scheduler;
import io.guimo.inference.generate.SchedulerState;
import io.guimo.inference.generate.TokenStream;
import io.guimo.text.ChatTemplate;
import io.guimo.text.Tokenizer;
import io.guimo.text.Vocabulary;
import io.guimo.units.Meter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A language model that is evaluated in this process. Each adapter has a scheduler of its own, since a step evaluates with one set of weights; prefixes
 * that were read with one are of no use to another.
 */
public final class InProcessTextGenerator implements TextGenerator {
    private static final Set<Meter> METERS = Set.of(Meter.INPUT_TOKENS, Meter.CACHED_INPUT_TOKENS, Meter.OUTPUT_TOKENS);

    private final String name;
    private final String version;
    private final Tokenizer tokenizer;
    private final Vocabulary vocabulary;
    private final Optional<ChatTemplate> chatTemplate;
    private final Set<Integer> endTokens;
    private final Scheduler base;

    private final ReentrantLock lock = new ReentrantLock();
    private final Map<String, Scheduler> adapters = new HashMap<>();
    /** Every scheduler there ever was: what it has done stays counted. */
    private final List<Scheduler> all = new ArrayList<>();

    private boolean closed;

    /**
     * @param tokenizer belongs to the engine from here on
     * @param chatTemplate empty for a model that only continues text
     * @param endTokens with which the model ends an answer
     * @param base over a backend without an adapter; belongs to the engine from here on
     */
    public InProcessTextGenerator(
            String name,
            String version,
            Tokenizer tokenizer,
            Vocabulary vocabulary,
            Optional<ChatTemplate> chatTemplate,
            Set<Integer> endTokens,
            Scheduler base) {
        this.name = name;
        this.version = version;
        this.tokenizer = tokenizer;
        this.vocabulary = vocabulary;
        this.chatTemplate = chatTemplate;
        this.endTokens = Set.copyOf(endTokens);
        this.base = base;
        all.add(base);
    }

    /**
     * Serves requests that name the adapter from here on.
     *
     * @param scheduler over a backend with the adapter; belongs to the engine if it is taken
     * @throws EngineClosed after {@link #close}
     * @throws IllegalArgumentException an adapter of that name is there
     */
    public void loadAdapter(String adapter, Scheduler scheduler) {
        lock.lock();
        try {
            if (closed) throw new EngineClosed(name, version);
            if (adapters.containsKey(adapter)) {
                throw new IllegalArgumentException("adapter " + adapter + " of " + name + " is loaded; drop it first");
            }
            adapters.put(adapter, scheduler);
            all.add(scheduler);
        } finally {
            lock.unlock();
        }
    }

    /** Answers what the adapter has accepted, then frees its memory. Harmless if there is none of that name. */
    public void dropAdapter(String adapter) {
        Scheduler dropped;
        lock.lock();
        try {
            dropped = adapters.remove(adapter);
        } finally {
            lock.unlock();
        }
        if (dropped != null) dropped.close();
    }

    @Override
    public TokenStream generate(GenerationRequest request) {
        return scheduler(request.adapter()).generate(request);
    }

    private Scheduler scheduler(@Nullable String adapter) {
        if (adapter == null) return base;
        lock.lock();
        try {
            Scheduler found = adapters.get(adapter);
            if (found == null && closed) throw new EngineClosed(name, version);
            if (found == null) {
                throw new InvalidInput(
                        -1, "model " + name + " has no adapter " + adapter + "; it has " + adapters.keySet());
            }
            return found;
        } finally {
            lock.unlock();
        }
    }

    /** What the model and each of its adapters hold and have done, those dropped included. */
    public List<SchedulerState> states() {
        lock.lock();
        try {
            return all.stream().map(Scheduler::state).toList();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public GeneratorState state() {
        GeneratorState sum = GeneratorState.NOTHING;
        for (SchedulerState each : states()) sum = sum.plus(each);
        return sum;
    }

    @Override
    public EngineUsage usage() {
        long input = 0;
        long cached = 0;
        long output = 0;
        long requests = 0;
        long batches = 0;
        long inputCpu = 0;
        long outputCpu = 0;
        long busy = 0;
        for (SchedulerState state : states()) {
            input += state.inputTokens();
            cached += state.cachedInputTokens();
            output += state.outputTokens();
            requests += state.ended();
            batches += state.steps();
            inputCpu += state.inputCpuNanos();
            outputCpu += state.outputCpuNanos();
            busy += state.busyNanos(); // more than the time that passed, where adapters work beside one another
        }
        return new EngineUsage(
                Map.of(Meter.INPUT_TOKENS, input, Meter.CACHED_INPUT_TOKENS, cached, Meter.OUTPUT_TOKENS, output),
                requests,
                batches,
                inputCpu + outputCpu,
                Map.of(Meter.INPUT_TOKENS, inputCpu, Meter.OUTPUT_TOKENS, outputCpu),
                0,
                busy);
    }

    @Override
    public Tokenizer tokenizer() {
        return tokenizer;
    }

    @Override
    public Vocabulary vocabulary() {
        return vocabulary;
    }

    @Override
    public Optional<ChatTemplate> chatTemplate() {
        return chatTemplate;
    }

    @Override
    public int contextTokens() {
        return base.contextTokens();
    }

    @Override
    public Set<Integer> endTokens() {
        return endTokens;
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

    @Override
    public void close() {
        List<Scheduler> open;
        lock.lock();
        try {
            closed = true;
            adapters.clear();
            open = List.copyOf(all);
        } finally {
            lock.unlock();
        }
        for (Scheduler scheduler : open) scheduler.close();
        tokenizer.close();
    }
}
