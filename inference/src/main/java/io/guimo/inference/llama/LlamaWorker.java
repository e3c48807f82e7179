package io.guimo.inference.llama;

import io.guimo.inference.EngineClosed;
import io.guimo.inference.EngineFailed;
import io.guimo.inference.InferenceRefusal;
import io.guimo.inference.InvalidInput;
import io.guimo.inference.Overloaded;
import io.guimo.inference.UpstreamBusy;
import io.guimo.inference.UpstreamFailed;
import io.guimo.inference.generate.GeneratedToken;
import io.guimo.inference.generate.GenerationRequest;
import io.guimo.inference.generate.Scheduler;
import io.guimo.inference.generate.SchedulerState;
import io.guimo.inference.generate.TokenStream;
import io.guimo.inference.llama.WorkerMessage.Order;
import io.guimo.inference.llama.WorkerMessage.Refusal;
import io.guimo.inference.llama.WorkerMessage.Report;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The main class of a worker: one model in GGUF, evaluated for the server that started it, and for adapters beside it a context each. Native code may
 * end this process at any moment; nothing is lost with it but the sequences under way.
 *
 * <p>Threads: one reads orders, one writes reports, all that have gathered while it wrote before at once; each context's scheduler has its own; a
 * virtual one for each sequence carries tokens from its scheduler to the writer.
 */
final class LlamaWorker {
    private static final Logger LOG = LoggerFactory.getLogger(LlamaWorker.class);
    /** A step that takes longer is taken for hung: the pulse stops, and with it the server's patience. */
    private static final Duration LONGEST_STEP = Duration.ofMinutes(2);

    private static final int DONE = 0;
    private static final int CANNOT_LOAD = 3;
    private static final int SERVER_GONE = 4;
    private static final int BROKEN = 5;
    /** Taken for the end of the reports by the thread that writes them. */
    private static final Report LAST = new Report.Loading(Float.NaN);

    /** A context with its scheduler. */
    private record Lane(LlamaBackend backend, Scheduler scheduler) {}

    /** A sequence, from its order on: its cancellation may come before the scheduler has it. */
    private static final class Sequence {
        private @Nullable TokenStream stream;
        private boolean cancelled;

        synchronized void begun(TokenStream begun) {
            stream = begun;
            if (cancelled) begun.close();
        }

        synchronized void cancel() {
            cancelled = true;
            if (stream != null) stream.close();
        }
    }

    private final DataInputStream orders;
    private final BlockingQueue<Report> reports = new LinkedBlockingQueue<>();
    private final Map<Long, Sequence> sequences = new ConcurrentHashMap<>();
    private final Map<String, Lane> adapters = new ConcurrentHashMap<>();
    private final ProcessorClock clock = new ProcessorClock();
    private Order.@Nullable Load load;
    /** Work for adapters that were dropped. */
    private volatile Report.Pulse retired = Report.Pulse.NONE;

    private @Nullable LlamaModel model;
    private @Nullable Lane base;

    /** @param arguments the path of the server's socket */
    public static void main(String[] arguments) {
        Thread.ofPlatform().daemon().name("server-lives").start(LlamaWorker::endWithServer);
        int code = BROKEN;
        try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(Path.of(arguments[0])))) {
            code = new LlamaWorker(channel).work(channel);
        } catch (IOException | RuntimeException | Error e) {
            LOG.error("the worker ends", e);
        }
        leave(code);
    }

    /** Standard input ends when the server does, however it does. */
    private static void endWithServer() {
        try {
            while (System.in.read() >= 0) {
                // nothing is ever sent here
            }
        } catch (IOException e) {
            LOG.debug("standard input ended: {}", e.toString());
        }
        leave(SERVER_GONE);
    }

    /**
     * {@code _exit} of the C library. {@link System#exit} and halt would first run the destructors of libraries whose threads are at work, which ends
     * in a fault. Nothing here needs to be saved or freed.
     */
    private static void leave(int code) {
        Linker linker = Linker.nativeLinker();
        LlamaLibrary.call(
                linker.downcallHandle(
                        linker.defaultLookup().findOrThrow("_exit"), FunctionDescriptor.ofVoid(ValueLayout.JAVA_INT)),
                code);
    }

    private LlamaWorker(SocketChannel channel) {
        orders = new DataInputStream(new BufferedInputStream(Channels.newInputStream(channel), 1 << 16));
    }

    private int work(SocketChannel channel) throws IOException {
        DataOutputStream out =
                new DataOutputStream(new BufferedOutputStream(Channels.newOutputStream(channel), 1 << 16));
        Thread writer = Thread.ofPlatform().daemon().name("reports").start(() -> writeReports(out));
        try {
            if (!(WorkerWire.readOrder(orders) instanceof Order.Load first)) {
                throw new IOException("the first order is to load");
            }
            try {
                load(first);
            } catch (IOException e) {
                reports.add(new Report.LoadFailed(String.valueOf(e.getMessage())));
                return CANNOT_LOAD;
            }
            Thread.ofPlatform().daemon().name("pulse").start(this::beat);
            obey();
            return DONE;
        } finally {
            flush(writer);
        }
    }

    private void load(Order.Load order) throws IOException {
        load = order;
        LlamaLibrary library = LlamaLibrary.open(order.library());
        int[] told = {-1};
        model = new LlamaModel(library, order.gguf(), fraction -> {
            int percent = (int) (100 * fraction);
            if (percent > told[0]) reports.add(new Report.Loading(fraction));
            told[0] = Math.max(percent, told[0]);
        });
        if (model.vocabularySize < order.vocabulary().size()) {
            throw new IOException("the tokenizer has " + order.vocabulary().size() + " tokens, the model "
                    + model.vocabularySize + ": they do not belong together");
        }
        base = open(model, order, null);
        reports.add(new Report.Ready(model.vocabularySize, base.backend().contextTokens()));
    }

    private static Lane open(LlamaModel model, Order.Load order, @Nullable Path adapter) throws IOException {
        LlamaBackend backend = new LlamaBackend(model, order.settings(), adapter);
        return new Lane(backend, new Scheduler(backend, order.vocabulary(), order.scheduling()));
    }

    private void obey() throws IOException {
        while (true) {
            Order order;
            try {
                order = WorkerWire.readOrder(orders);
            } catch (EOFException e) { // the server wants no more
                return;
            }
            switch (order) {
                case Order.Load second -> throw new IOException("a worker loads once");
                case Order.LoadAdapter adapter ->
                    Thread.ofPlatform().name("adapter").start(() -> loadAdapter(adapter));
                case Order.DropAdapter adapter -> {
                    Lane lane = adapters.remove(adapter.name());
                    if (lane != null) Thread.ofPlatform().name("adapter").start(() -> drop(lane));
                }
                case Order.Generate generate -> {
                    Sequence sequence = new Sequence();
                    sequences.put(generate.stream(), sequence);
                    Thread.ofVirtual().name("sequence").start(() -> generate(generate, sequence));
                }
                case Order.Cancel cancel -> {
                    Sequence sequence = sequences.get(cancel.stream());
                    if (sequence != null) sequence.cancel();
                }
            }
        }
    }

    private void loadAdapter(Order.LoadAdapter order) {
        try {
            adapters.put(order.name(), open(loaded(model), loaded(load), order.gguf()));
            reports.add(new Report.AdapterLoaded(order.name()));
        } catch (IOException | RuntimeException e) {
            reports.add(new Report.AdapterFailed(order.name(), String.valueOf(e.getMessage())));
        }
    }

    private void generate(Order.Generate order, Sequence sequence) {
        long number = order.stream();
        try (TokenStream stream = begin(order.request())) {
            reports.add(new Report.Accepted(number));
            sequence.begun(stream);
            Optional<GeneratedToken> token = stream.next();
            reports.add(new Report.Began(number, stream.cachedTokens()));
            for (; token.isPresent(); token = stream.next()) reports.add(new Report.Generated(number, token.get()));
            reports.add(pulse());
            reports.add(new Report.Ended(number, stream.end()));
        } catch (InferenceRefusal refusal) {
            reports.add(new Report.Refused(number, told(refusal)));
        } catch (RuntimeException | InterruptedException | Error e) {
            LOG.error("a sequence failed", e);
            reports.add(new Report.Refused(number, new Refusal.Broken(e.toString())));
        } finally {
            sequences.remove(number);
        }
    }

    private TokenStream begin(GenerationRequest request) {
        Lane lane = lane(request);
        try {
            return lane.scheduler().generate(request);
        } catch (EngineFailed dead) { // its steps have come to an end; the next worker's have not
            LOG.error("the worker ends: {}", dead.getMessage());
            leave(BROKEN);
            throw dead;
        }
    }

    private Lane lane(GenerationRequest request) {
        String name = request.adapter();
        if (name == null) return loaded(base);
        Lane lane = adapters.get(name);
        if (lane == null) throw new InvalidInput(-1, "adapter " + name + " is not loaded");
        return lane;
    }

    private static Refusal told(InferenceRefusal refusal) {
        return switch (refusal) {
            case Overloaded busy -> new Refusal.Busy(busy.waiting(), busy.retryAfter());
            case InvalidInput invalid -> new Refusal.Invalid(invalid.index(), String.valueOf(invalid.getMessage()));
            case EngineClosed closed -> new Refusal.Closing();
            case EngineFailed failed -> new Refusal.Broken(failed.reason());
            case UpstreamFailed failed -> new Refusal.Broken(String.valueOf(failed.getMessage()));
            case UpstreamBusy busy -> new Refusal.Broken(String.valueOf(busy.getMessage()));
        };
    }

    private void beat() {
        while (true) {
            try {
                Thread.sleep(Duration.ofSeconds(1));
            } catch (InterruptedException e) {
                throw new IllegalStateException("nobody interrupts this thread", e);
            }
            if (lanes().stream().noneMatch(LlamaWorker::hangs)) reports.add(pulse());
        }
    }

    private static boolean hangs(Lane lane) {
        long began = lane.backend().stepBegan();
        return began != 0 && System.nanoTime() - began > LONGEST_STEP.toNanos();
    }

    private List<Lane> lanes() {
        List<Lane> all = new ArrayList<>(adapters.values());
        all.add(loaded(base));
        return all;
    }

    private Report.Pulse pulse() {
        Report.Pulse sum = retired;
        for (Lane lane : lanes()) sum = sum(sum, lane.scheduler().state());
        return new Report.Pulse(
                sum.steps(), sum.busyNanos(), sum.inputCpuNanos(), sum.outputCpuNanos(), clock.process(), sum.state());
    }

    private static Report.Pulse sum(Report.Pulse sum, SchedulerState more) {
        return new Report.Pulse(
                sum.steps() + more.steps(),
                sum.busyNanos() + more.busyNanos(),
                sum.inputCpuNanos() + more.inputCpuNanos(),
                sum.outputCpuNanos() + more.outputCpuNanos(),
                0,
                sum.state().plus(more));
    }

    @SuppressWarnings("ReferenceEquality") // that one object
    private static boolean isLast(Report report) {
        return report == LAST;
    }

    private void writeReports(DataOutputStream out) {
        List<Report> gathered = new ArrayList<>();
        try {
            while (true) {
                gathered.add(reports.take());
                reports.drainTo(gathered);
                for (Report report : gathered) {
                    if (!isLast(report)) WorkerWire.write(out, report);
                }
                out.flush();
                if (isLast(gathered.getLast())) return;
                gathered.clear();
            }
        } catch (IOException e) {
            LOG.debug("the server hears no more: {}", e.toString());
        } catch (InterruptedException e) {
            throw new IllegalStateException("nobody interrupts this thread", e);
        }
    }

    /** Ends the sequences of an adapter that is dropped. */
    private void drop(Lane lane) {
        lane.backend().abort();
        lane.scheduler().close();
        retired = sum(retired, lane.scheduler().state()).buried();
    }

    private void flush(Thread writer) {
        reports.add(LAST);
        try {
            writer.join();
        } catch (InterruptedException e) {
            throw new IllegalStateException("nobody interrupts this thread", e);
        }
    }

    private static <T> T loaded(@Nullable T part) {
        if (part == null) throw new IllegalStateException("no model is loaded");
        return part;
    }
}
