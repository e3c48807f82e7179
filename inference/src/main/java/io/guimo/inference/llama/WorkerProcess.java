package io.guimo.inference.llama;

import io.guimo.inference.EngineClosed;
import io.guimo.inference.EngineFailed;
import io.guimo.inference.InferenceRefusal;
import io.guimo.inference.InvalidInput;
import io.guimo.inference.Overloaded;
import io.guimo.inference.generate.GenerationEnd;
import io.guimo.inference.generate.GenerationRequest;
import io.guimo.inference.generate.QueuedTokens;
import io.guimo.inference.generate.TokenStream;
import io.guimo.inference.llama.WorkerMessage.Order;
import io.guimo.inference.llama.WorkerMessage.Refusal;
import io.guimo.inference.llama.WorkerMessage.Report;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.BufferedReader;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One worker's life: a JVM of its own on the same class path, which ends when its standard input does, that is with this process at the latest. They
 * talk over a socket in a folder that only this user can enter and that is gone as soon as the worker has come.
 *
 * <p>Whatever ends the worker, a fault, a signal, a silence, comes to one place, {@link #ended}, which fails every live stream.
 */
final class WorkerProcess {
    private static final Logger LOG = LoggerFactory.getLogger(WorkerProcess.class);
    /** What a worker may be silent before it serves: to start a JVM, and between two hundredths of the model. */
    private static final Duration LOADING_PATIENCE = Duration.ofSeconds(60);

    private static final Duration FAREWELL = Duration.ofSeconds(10);
    /** What the last lines of a worker tell about its end goes into the message. */
    private static final int LINES_KEPT = 5;

    /** Told by the thread that reads what the worker says. */
    interface Listener {
        /** @param fraction of the model that is loaded, 0 to 1 */
        void loading(float fraction);

        /** @param promptTokens of a request of which at least the prompt was read */
        void ended(int promptTokens, GenerationEnd end);

        /** How long those should wait whose streams died with the worker. */
        Duration retryAfter();
    }

    /** A sequence that the worker continues. */
    private static final class Live {
        final QueuedTokens stream;
        final int promptTokens;
        final CompletableFuture<Void> accepted = new CompletableFuture<>();
        int arrivedTokens; // of the thread that reads reports

        Live(QueuedTokens stream, int promptTokens) {
            this.stream = stream;
            this.promptTokens = promptTokens;
        }

        void fail(InferenceRefusal reason) {
            if (!accepted.completeExceptionally(reason)) stream.fail(reason);
        }
    }

    private final LlamaTextGenerator.Model model;
    private final Duration patience;
    private final Listener listener;
    private final Process process;
    private final CompletableFuture<Report.Ready> ready = new CompletableFuture<>();
    private final CountDownLatch end = new CountDownLatch(1);
    private final ReentrantLock sending = new ReentrantLock();
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition emptied = lock.newCondition();
    private final Map<Long, Live> live = new HashMap<>();
    private final Map<String, CompletableFuture<Void>> adapters = new HashMap<>();
    private final List<String> lastLines = new ArrayList<>();
    private @Nullable SocketChannel channel;
    private @Nullable DataOutputStream toWorker;
    private long streams;
    private @Nullable String deathReason;
    private volatile long lastHeard = System.nanoTime();
    private volatile @Nullable String killedFor;
    private volatile boolean served;
    private volatile Report.Pulse pulse = Report.Pulse.NONE;

    /**
     * Starts a worker and waits until its model is loaded.
     *
     * @param patience how long a worker that serves may be silent, which tells each second that it lives, before it is taken for hung and killed
     * @throws IOException if the worker cannot be started, dies, or says that the model cannot be loaded
     * @throws InterruptedException when interrupted while waiting; the worker is gone then
     */
    static WorkerProcess start(LlamaTextGenerator.Model model, Duration patience, Listener listener)
            throws IOException, InterruptedException {
        Path folder = Files.createTempDirectory("guimo-llama");
        Path socket = folder.resolve("worker");
        try (ServerSocketChannel door = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            door.bind(UnixDomainSocketAddress.of(socket));
            WorkerProcess worker = new WorkerProcess(model, patience, listener, socket);
            try {
                worker.meet(door);
                worker.awaitReady();
                return worker;
            } catch (IOException | InterruptedException | RuntimeException | Error e) {
                worker.kill("it could not be started");
                throw e;
            }
        } finally {
            Files.deleteIfExists(socket);
            Files.delete(folder);
        }
    }

    private WorkerProcess(LlamaTextGenerator.Model model, Duration patience, Listener listener, Path socket)
            throws IOException {
        this.model = model;
        this.patience = patience;
        this.listener = listener;
        this.process =
                new ProcessBuilder(command(socket)).redirectErrorStream(true).start();
        Thread.ofVirtual().name("llama-lines-" + process.pid()).start(this::readLines);
        Thread.ofVirtual().name("llama-watch-" + process.pid()).start(this::watch);
    }

    private static List<String> command(Path socket) {
        return List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-Xms32m",
                "-Xmx512m",
                "-XX:-UsePerfData",
                "-XX:-CreateCoredumpOnCrash",
                "-XX:ErrorFile=" + Path.of(System.getProperty("java.io.tmpdir"), "guimo-llama-%p.log"),
                "--enable-native-access=ALL-UNNAMED",
                "-Dlogback.configurationFile=io/guimo/inference/llama/worker-logback.xml",
                "-cp",
                System.getProperty("java.class.path"),
                LlamaWorker.class.getName(),
                socket.toString());
    }

    private void meet(ServerSocketChannel door) throws IOException {
        CompletableFuture<Void> _ = process.onExit().thenRun(() -> closeQuietly(door));
        SocketChannel met;
        try {
            met = door.accept();
        } catch (IOException e) { // the process's end closed the door
            throw new IOException("the worker of " + model.name() + " ended before it began: " + howItEnded(), e);
        }
        channel = met;
        toWorker = new DataOutputStream(new BufferedOutputStream(Channels.newOutputStream(met), 1 << 16));
        DataInputStream fromWorker =
                new DataInputStream(new BufferedInputStream(Channels.newInputStream(met), 1 << 16));
        Thread.ofPlatform().daemon().name("llama-reports-" + process.pid()).start(() -> readReports(fromWorker));
        send(new Order.Load(model.library(), model.gguf(), model.settings(), model.scheduling(), model.vocabulary()));
    }

    private void awaitReady() throws IOException, InterruptedException {
        try {
            ready.get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof IOException reason) throw reason;
            throw new IllegalStateException(e.getCause());
        }
    }

    int contextTokens() {
        return ready.join().contextTokens();
    }

    /**
     * Begins a sequence.
     *
     * @throws InferenceRefusal as the worker says, or since it is dead
     */
    TokenStream generate(GenerationRequest request) {
        Live begun;
        long number;
        lock.lock();
        try {
            if (deathReason != null) throw failure(deathReason);
            number = ++streams;
            long cancelled = number;
            QueuedTokens stream = new QueuedTokens(() -> send(new Order.Cancel(cancelled)));
            begun = new Live(stream, request.prompt().length);
            live.put(number, begun);
        } finally {
            lock.unlock();
        }
        send(new Order.Generate(number, request));
        try {
            begun.accepted.join(); // the worker answers at once, or dies
        } catch (CompletionException e) {
            if (e.getCause() instanceof InferenceRefusal refusal) throw refusal;
            throw e;
        }
        return begun.stream;
    }

    /** @throws IOException if the adapter does not fit the model, or the worker is dead */
    void loadAdapter(String name, Path gguf) throws IOException {
        CompletableFuture<Void> loaded = new CompletableFuture<>();
        lock.lock();
        try {
            if (deathReason != null)
                throw new IOException("the worker of " + model.name() + " is dead: " + deathReason);
            if (adapters.putIfAbsent(name, loaded) != null)
                throw new IOException("adapter " + name + " is being loaded");
        } finally {
            lock.unlock();
        }
        send(new Order.LoadAdapter(name, gguf));
        try {
            loaded.get();
        } catch (ExecutionException e) {
            throw new IOException(Objects.requireNonNull(e.getCause()).getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while adapter " + name + " was being loaded", e);
        }
    }

    void dropAdapter(String name) {
        send(new Order.DropAdapter(name));
    }

    /** To a dead worker nothing is sent; the thread that reads from it finds out and fails the streams. */
    private void send(Order order) {
        sending.lock();
        try {
            if (toWorker == null) throw new IllegalStateException("nothing can be sent before the worker has come");
            WorkerWire.write(toWorker, order);
            toWorker.flush();
        } catch (IOException dead) {
            LOG.debug("worker {} of {} takes no orders any more: {}", process.pid(), model.name(), dead.toString());
        } finally {
            sending.unlock();
        }
    }

    private void readReports(DataInputStream in) {
        String reason;
        try {
            while (true) {
                Report report = WorkerWire.readReport(in);
                lastHeard = System.nanoTime();
                take(report);
            }
        } catch (IOException over) {
            reason = howItEnded();
        } catch (RuntimeException | Error broken) {
            LOG.error("worker {} of {} said what makes no sense", process.pid(), model.name(), broken);
            reason = "it said what makes no sense: " + broken;
        }
        ended(reason);
    }

    private void take(Report report) {
        switch (report) {
            case Report.Loading loading -> listener.loading(loading.fraction());
            case Report.LoadFailed failed -> ready.completeExceptionally(new IOException(failed.reason()));
            case Report.Ready loaded -> ready.complete(loaded);
            case Report.AdapterLoaded loaded -> adapter(loaded.name()).complete(null);
            case Report.AdapterFailed failed ->
                adapter(failed.name()).completeExceptionally(new IOException(failed.reason()));
            case Report.Accepted accepted -> live(accepted.stream()).accepted.complete(null);
            case Report.Refused refused -> refused(refused);
            case Report.Began began -> live(began.stream()).stream.begin(began.cachedTokens());
            case Report.Generated generated -> {
                Live sequence = live(generated.stream());
                sequence.arrivedTokens++;
                sequence.stream.add(generated.token());
            }
            case Report.Ended ended -> {
                served = true;
                Live over = remove(ended.stream());
                listener.ended(over.promptTokens, ended.end());
                over.stream.end(ended.end());
            }
            case Report.Pulse newest -> pulse = newest;
        }
    }

    private CompletableFuture<Void> adapter(String name) {
        lock.lock();
        try {
            CompletableFuture<Void> waiting = adapters.remove(name);
            if (waiting == null) throw new IllegalStateException("nobody waits for adapter " + name);
            return waiting;
        } finally {
            lock.unlock();
        }
    }

    private Live live(long number) {
        lock.lock();
        try {
            Live found = live.get(number);
            if (found == null) throw new IllegalStateException("there is no stream " + number);
            return found;
        } finally {
            lock.unlock();
        }
    }

    private Live remove(long number) {
        lock.lock();
        try {
            Live found = live.remove(number);
            if (found == null) throw new IllegalStateException("there is no stream " + number);
            if (live.isEmpty()) emptied.signalAll();
            return found;
        } finally {
            lock.unlock();
        }
    }

    private void refused(Report.Refused report) {
        Live over = remove(report.stream());
        count(over);
        over.fail(refusal(report.refusal()));
    }

    /** What was computed before a failure was computed. */
    private void count(Live failed) {
        if (failed.arrivedTokens == 0) return;
        listener.ended(
                failed.promptTokens,
                new GenerationEnd(
                        GenerationEnd.Reason.CANCELLED, failed.stream.cachedTokens(), failed.arrivedTokens, 0));
    }

    private InferenceRefusal refusal(Refusal refusal) {
        return switch (refusal) {
            case Refusal.Busy busy -> new Overloaded(model.name(), busy.waiting(), busy.retryAfter());
            case Refusal.Invalid invalid -> new InvalidInput(invalid.index(), invalid.message());
            case Refusal.Closing closing -> new EngineClosed(model.name(), model.version());
            case Refusal.Broken broken -> failure(broken.reason());
        };
    }

    private EngineFailed failure(String reason) {
        return new EngineFailed(model.name(), reason, listener.retryAfter());
    }

    private void ended(String reason) {
        process.destroyForcibly();
        List<Live> orphans;
        List<CompletableFuture<Void>> waiting;
        lock.lock();
        try {
            deathReason = reason;
            orphans = List.copyOf(live.values());
            waiting = List.copyOf(adapters.values());
            live.clear();
            adapters.clear();
            emptied.signalAll();
        } finally {
            lock.unlock();
        }
        IOException death = new IOException("the worker of " + model.name() + " ended: " + reason);
        ready.completeExceptionally(death);
        for (CompletableFuture<Void> adapter : waiting) adapter.completeExceptionally(death);
        EngineFailed failure = failure(reason);
        for (Live orphan : orphans) {
            count(orphan);
            orphan.fail(failure);
        }
        closeQuietly(channel);
        end.countDown();
    }

    private String howItEnded() {
        String killed = killedFor;
        if (killed != null) return killed;
        try {
            if (!process.waitFor(FAREWELL.toMillis(), TimeUnit.MILLISECONDS)) return "it fell silent";
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return "it ended";
        }
        int code = process.exitValue();
        String how = code > 128 ? "signal " + (code - 128) + " ended it" : "it ended with code " + code;
        String said;
        synchronized (lastLines) {
            said = String.join(" / ", lastLines);
        }
        return said.isEmpty() ? how : how + ", having said: " + said;
    }

    private void readLines() {
        try (BufferedReader lines = process.inputReader(StandardCharsets.UTF_8)) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (line.startsWith("DEBUG ")) {
                    LOG.debug("worker {}: {}", process.pid(), line);
                    continue;
                }
                LOG.info("worker {}: {}", process.pid(), line);
                synchronized (lastLines) {
                    if (lastLines.size() == LINES_KEPT) lastLines.removeFirst();
                    lastLines.add(line);
                }
            }
        } catch (IOException | UncheckedIOException over) {
            LOG.debug("worker {} prints no more: {}", process.pid(), over.toString());
        }
    }

    private void watch() {
        try {
            while (!process.waitFor(1, TimeUnit.SECONDS)) {
                Duration silence = Duration.ofNanos(System.nanoTime() - lastHeard);
                if (silence.compareTo(ready.isDone() ? patience : LOADING_PATIENCE) > 0)
                    kill("it was silent for " + silence.toSeconds() + " s");
            }
        } catch (InterruptedException e) {
            throw new IllegalStateException("nobody interrupts this thread", e);
        }
    }

    /** Ends the worker at once. */
    void kill(String reason) {
        killedFor = reason;
        process.destroyForcibly();
    }

    /** Waits until no stream is live, that is each has ended or the worker is dead. */
    void awaitEmpty() {
        lock.lock();
        try {
            while (!live.isEmpty()) emptied.awaitUninterruptibly();
        } finally {
            lock.unlock();
        }
    }

    /** Ends the worker, which keeps nothing that would have to be saved, and waits for its end. */
    void stop() throws InterruptedException {
        kill("it was stopped");
        end.await();
    }

    /** Waits for the end of the worker, when all of its streams have been failed. */
    void awaitEnd() throws InterruptedException {
        end.await();
    }

    /** Whether it brought at least one sequence to its end. */
    boolean served() {
        return served;
    }

    /** How it came to its end. */
    String deathReason() {
        lock.lock();
        try {
            if (deathReason == null) throw new IllegalStateException("worker " + process.pid() + " lives");
            return deathReason;
        } finally {
            lock.unlock();
        }
    }

    /** What it has last told of its work. */
    Report.Pulse pulse() {
        return pulse;
    }

    /** Its processor time, by the system's reading while it lives, in hundredths of a second, and by its own last one. */
    long processCpuNanos() {
        long told = pulse.processCpuNanos();
        return process.info()
                .totalCpuDuration()
                .map(now -> Math.max(now.toNanos(), told))
                .orElse(told);
    }

    long pid() {
        return process.pid();
    }

    private static void closeQuietly(@Nullable AutoCloseable channel) {
        if (channel == null) return;
        try {
            channel.close();
        } catch (Exception e) {
            LOG.debug("a socket could not be closed: {}", e.toString());
        }
    }
}
