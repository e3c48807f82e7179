package io.guimo.inference.llama;

import io.guimo.inference.EngineClosed;
import io.guimo.inference.EngineFailed;
import io.guimo.inference.EngineUsage;
import io.guimo.inference.GeneratorState;
import io.guimo.inference.TextGenerator;
import io.guimo.inference.UsageCounter;
import io.guimo.inference.generate.GenerationEnd;
import io.guimo.inference.generate.GenerationRequest;
import io.guimo.inference.generate.SchedulerSettings;
import io.guimo.inference.generate.TokenStream;
import io.guimo.inference.llama.WorkerMessage.Report;
import io.guimo.text.ChatTemplate;
import io.guimo.text.Tokenizer;
import io.guimo.text.Vocabulary;
import io.guimo.units.Meter;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.DoubleConsumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A model in GGUF, evaluated by llama.cpp in a process of its own.
 *
 * <p>Native code that fails ends that process, never this one: its streams end with {@link EngineFailed} after the tokens that had arrived, and
 * another is started, at once if the dead one had brought any sequence to its end, else after a pause that doubles from one vain start to the next.
 * While there is none, requests are refused with the time after which there is likely to be one.
 */
public final class LlamaTextGenerator implements TextGenerator {
    private static final Logger LOG = LoggerFactory.getLogger(LlamaTextGenerator.class);
    private static final Set<Meter> METERS = Set.of(Meter.INPUT_TOKENS, Meter.CACHED_INPUT_TOKENS, Meter.OUTPUT_TOKENS);
    /** Far more than the second between two signs of life: a machine may be busy. */
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private static final Duration FIRST_PAUSE = Duration.ofMillis(250);
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(30);

    /**
     * What is evaluated and how.
     *
     * @param library folder with llama.cpp's shared libraries, version 0.5.0
     * @param scheduling names the model and its version
     * @param vocabulary of the model's tokenizer
     */
    public record Model(
            Path library, Path gguf, LlamaSettings settings, SchedulerSettings scheduling, Vocabulary vocabulary) {
        String name() {
            return scheduling.model();
        }

        String version() {
            return scheduling.version();
        }
    }

    private final Model model;
    private final Tokenizer tokenizer;
    private final Optional<ChatTemplate> chatTemplate;
    private final Set<Integer> endTokens;
    private final DoubleConsumer progress;
    private final Duration patience;
    private final UsageCounter counter = new UsageCounter(METERS);
    private final Map<String, Path> adapters = new ConcurrentHashMap<>();
    private final Thread supervisor;
    private final int contextTokens;
    private volatile @Nullable WorkerProcess worker;
    private volatile boolean closed;
    /** Work of workers that are dead. Written by the supervisor. */
    private volatile Report.Pulse buried = Report.Pulse.NONE;

    private volatile Duration startTook = Duration.ofSeconds(1);
    private volatile Duration pause = Duration.ZERO;

    /**
     * Starts the worker and waits until it has loaded the model.
     *
     * @param tokenizer belongs to the engine from here on
     * @param chatTemplate empty for a model that only continues text
     * @param endTokens with which the model ends an answer
     * @param progress told how much of the model is loaded, 0 to 1, by a thread of the engine's, also at later starts
     * @throws IOException if the worker cannot be started, or the model or the library is none that it can use
     * @throws InterruptedException when interrupted while waiting; nothing is left behind
     */
    public LlamaTextGenerator(
            Model model,
            Tokenizer tokenizer,
            Optional<ChatTemplate> chatTemplate,
            Set<Integer> endTokens,
            DoubleConsumer progress)
            throws IOException, InterruptedException {
        this(model, tokenizer, chatTemplate, endTokens, progress, PATIENCE);
    }

    /** @param patience how long the worker may be silent before it is taken for hung */
    LlamaTextGenerator(
            Model model,
            Tokenizer tokenizer,
            Optional<ChatTemplate> chatTemplate,
            Set<Integer> endTokens,
            DoubleConsumer progress,
            Duration patience)
            throws IOException, InterruptedException {
        this.model = model;
        this.patience = patience;
        this.tokenizer = tokenizer;
        this.chatTemplate = chatTemplate;
        this.endTokens = Set.copyOf(endTokens);
        this.progress = progress;
        WorkerProcess first = start();
        contextTokens = first.contextTokens();
        worker = first;
        supervisor = Thread.ofVirtual().name(model.name() + "-supervisor").start(() -> supervise(first));
    }

    private WorkerProcess start() throws IOException, InterruptedException {
        long began = System.nanoTime();
        WorkerProcess started = WorkerProcess.start(model, patience, new Listening());
        startTook = Duration.ofNanos(System.nanoTime() - began);
        LOG.info(
                "model {} version {} is served by process {}, loaded in {} ms",
                name(),
                version(),
                started.pid(),
                startTook.toMillis());
        return started;
    }

    private final class Listening implements WorkerProcess.Listener {
        @Override
        public void loading(float fraction) {
            progress.accept(fraction);
        }

        @Override
        public void ended(int promptTokens, GenerationEnd end) {
            counter.answered(Map.of(
                    Meter.INPUT_TOKENS, (long) promptTokens - end.cachedTokens(),
                    Meter.CACHED_INPUT_TOKENS, (long) end.cachedTokens(),
                    Meter.OUTPUT_TOKENS, (long) end.generatedTokens()));
        }

        @Override
        public Duration retryAfter() {
            return LlamaTextGenerator.this.retryAfter();
        }
    }

    private Duration retryAfter() {
        Duration likely = startTook.plus(pause);
        return likely.compareTo(Duration.ofSeconds(1)) < 0 ? Duration.ofSeconds(1) : likely;
    }

    /** Has a worker for as long as the engine is open. Ends by an interrupt. */
    private void supervise(WorkerProcess first) {
        WorkerProcess serving = first;
        try {
            while (true) {
                serving.awaitEnd();
                bury(serving);
                if (closed) return;
                pause = serving.served() ? Duration.ZERO : longer(pause);
                LOG.error("the worker of {} died: {}; starting another", name(), serving.deathReason());
                serving = startAgain();
                worker = serving;
            }
        } catch (InterruptedException closing) {
            LOG.debug("the supervisor of {} ends", name());
        }
    }

    private WorkerProcess startAgain() throws InterruptedException {
        while (true) {
            Thread.sleep(pause);
            try {
                WorkerProcess started = start();
                loadAdapters(started);
                return started;
            } catch (IOException e) {
                pause = longer(pause);
                LOG.error(
                        "{} cannot be served; the next attempt is in {} ms: {}",
                        name(),
                        pause.toMillis(),
                        e.getMessage());
            }
        }
    }

    private static Duration longer(Duration pause) {
        if (pause.isZero()) return FIRST_PAUSE;
        Duration doubled = pause.multipliedBy(2);
        return doubled.compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : doubled;
    }

    private void loadAdapters(WorkerProcess started) {
        adapters.forEach((name, gguf) -> {
            try {
                started.loadAdapter(name, gguf);
            } catch (IOException e) { // its requests are refused; the others need not suffer
                LOG.error("adapter {} of {} cannot be loaded again: {}", name, name(), e.getMessage());
            }
        });
    }

    private void bury(WorkerProcess dead) {
        worker = null;
        Report.Pulse last = dead.pulse();
        buried = new Report.Pulse(
                buried.steps() + last.steps(),
                buried.busyNanos() + last.busyNanos(),
                buried.inputCpuNanos() + last.inputCpuNanos(),
                buried.outputCpuNanos() + last.outputCpuNanos(),
                buried.processCpuNanos() + dead.processCpuNanos(),
                GeneratorState.NOTHING);
    }

    @Override
    public TokenStream generate(GenerationRequest request) {
        if (closed) throw new EngineClosed(name(), version());
        WorkerProcess serving = worker;
        if (serving == null) throw new EngineFailed(name(), "it has no worker", retryAfter());
        return serving.generate(request);
    }

    /**
     * Makes a LoRA adapter available to requests that name it, in a context and with a cache of its own. Kept over the worker's death.
     *
     * @param gguf the adapter's file, which must stay where it is
     * @throws IOException if it does not fit the model, is loaded already, or there is no worker
     */
    public void loadAdapter(String name, Path gguf) throws IOException {
        WorkerProcess serving = worker;
        if (serving == null)
            throw new IOException(name() + " has no worker at the moment; load adapter " + name + " again");
        if (adapters.putIfAbsent(name, gguf) != null) throw new IOException("adapter " + name + " is loaded already");
        try {
            serving.loadAdapter(name, gguf);
        } catch (IOException e) {
            adapters.remove(name);
            throw e;
        }
    }

    /** Ends the sequences of an adapter and frees its memory. Harmless if there is none of that name. */
    public void dropAdapter(String name) {
        WorkerProcess serving = worker;
        if (adapters.remove(name) != null && serving != null) serving.dropAdapter(name);
    }

    @Override
    public Tokenizer tokenizer() {
        return tokenizer;
    }

    @Override
    public Vocabulary vocabulary() {
        return model.vocabulary();
    }

    @Override
    public Optional<ChatTemplate> chatTemplate() {
        return chatTemplate;
    }

    @Override
    public int contextTokens() {
        return contextTokens;
    }

    @Override
    public Set<Integer> endTokens() {
        return endTokens;
    }

    @Override
    public String name() {
        return model.name();
    }

    @Override
    public String version() {
        return model.version();
    }

    @Override
    public Set<Meter> meters() {
        return METERS;
    }

    @Override
    public GeneratorState state() {
        WorkerProcess serving = worker;
        return serving == null ? GeneratorState.NOTHING : serving.pulse().state();
    }

    @Override
    public EngineUsage usage() {
        EngineUsage counted = counter.read(0);
        Report.Pulse past = buried;
        WorkerProcess serving = worker;
        Report.Pulse now = serving == null ? Report.Pulse.NONE : serving.pulse();
        long inputCpuNanos = past.inputCpuNanos() + now.inputCpuNanos();
        long outputCpuNanos = past.outputCpuNanos() + now.outputCpuNanos();
        return new EngineUsage(
                counted.units(),
                counted.requests(),
                past.steps() + now.steps(),
                inputCpuNanos + outputCpuNanos,
                Map.of(Meter.INPUT_TOKENS, inputCpuNanos, Meter.OUTPUT_TOKENS, outputCpuNanos),
                past.processCpuNanos() + (serving == null ? 0 : serving.processCpuNanos()),
                past.busyNanos() + now.busyNanos());
    }

    /** The process that evaluates; empty while there is none. */
    Optional<Long> workerPid() {
        return Optional.ofNullable(worker).map(WorkerProcess::pid);
    }

    @Override
    public void close() {
        closed = true;
        boolean interrupted = false;
        WorkerProcess serving = worker;
        if (serving != null) serving.awaitEmpty();
        supervisor.interrupt();
        while (true) {
            try {
                supervisor.join();
                // One that was being started meanwhile is gone with the supervisor, or became the worker.
                WorkerProcess last = worker;
                if (last != null) last.stop();
                worker = null;
                break;
            } catch (InterruptedException wish) {
                interrupted = true;
            }
        }
        tokenizer.close();
        if (interrupted) Thread.currentThread().interrupt();
    }
}
