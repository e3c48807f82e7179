package io.guimo.inference.generate;

import io.guimo.inference.EngineClosed;
import io.guimo.inference.EngineFailed;
import io.guimo.inference.InvalidInput;
import io.guimo.inference.Overloaded;
import io.guimo.inference.constrain.CompiledConstraint;
import io.guimo.inference.constrain.ConstraintCompiler;
import io.guimo.inference.generate.GenerationEnd.Reason;
import io.guimo.inference.generate.StateCache.Prefix;
import io.guimo.inference.generate.StateCache.State;
import io.guimo.text.Vocabulary;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Continues many sequences at once on one backend, step by step. A step is one batch: the newest token of each sequence that writes, and a bounded part
 * of the prompts that are still read (continuous batching, Yu et al. 2022, "Orca", section 4; chunked prefill, Agrawal et al. 2024, "Sarathi-Serve",
 * section 4). One platform thread owns the backend; callers only queue up and read.
 *
 * <p><b>Order.</b> Sequences are served in the order of their arrival; a priority counts as so many arrivals more or fewer ({@link
 * Sequence#OVERTAKERS}). The order is total and never changes.
 *
 * <p><b>Room.</b> The first that waits runs as soon as its prompt has room beside what runs, with {@link #HEADROOM} for each to grow: not beside all
 * that they may come to, since most answers end long before their limit. Where the cache is full nevertheless, the last in the order is set back: it
 * waits, and goes on later from its tokens so far. The first in the order is never set back and fits alone, so it always comes to its end, and then
 * another is the first: nothing waits for ever. What has ended stays in the cache until its room is needed, for a sequence of the same scope that
 * begins alike ({@link StateCache}).
 *
 * <p><b>Prompts.</b> While others write, a step reads at most {@code prefillTokens} of prompts. The first in the order gets half of them, the others
 * share the rest, the shortest first: a short question does not wait for a long document, and the long document is read in bounded time.
 *
 * <p><b>Cost.</b> The processor time from the end of a step to the end of the next is shared by its tokens, to the nanosecond.
 */
public final class Scheduler implements AutoCloseable {
    /** Positions that each sequence may grow by before an admission can set it back. */
    private static final int HEADROOM = 32;
    /** Fewer positions than this are evaluated again rather than waited for. */
    private static final int WORTH_WAITING = 16;

    /** Compilers kept, each of which knows the vocabulary by its bytes: some megabytes. */
    private static final int COMPILERS = 4;

    private static final Duration FAILED_RETRY = Duration.ofSeconds(1);
    private static final Duration LEAST_RETRY = Duration.ofMillis(50);
    private static final Duration MOST_RETRY = Duration.ofSeconds(30);
    /** Weight of the newest sequence in the mean time between two that end: some ten are remembered. */
    private static final double NEWEST = .1;
    /** Tokens a second are a mean over the steps so far, in which one of so long ago weighs 1/e of the last one. */
    private static final double RATE_SECONDS = 5;

    private static final Logger LOG = LoggerFactory.getLogger(Scheduler.class);

    private final DecoderBackend backend;
    private final Vocabulary vocabulary;
    private final SchedulerSettings settings;
    private final InstantSource clock;
    private final int capacity;
    private final int maxRunning;
    private final Thread thread;

    /** By the tokens that end an answer: nearly always the model's own, and then one. */
    private final LinkedHashMap<Set<Integer>, ConstraintCompiler> compilers = new LinkedHashMap<>(16, .75f, true);

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final TreeSet<Sequence> waiting = new TreeSet<>(Sequence.ORDER);
    private long arrivals;
    private boolean closing;
    private @Nullable EngineFailed failure;

    // From here on: the step thread's.
    private final StateCache cache;
    private final DecoderBatch batch;
    /** In order. */
    private final List<Sequence> running = new ArrayList<>();

    private final ThreadMXBean cpuClock = ManagementFactory.getThreadMXBean();
    private final List<Sequence> inBatch = new ArrayList<>();
    /** By the last step. */
    private final List<Drawn> drawn = new ArrayList<>();

    private long cpuRead;
    private long endedNanos;
    private double recentTokens;
    private double recentSeconds;
    private long steps;
    private long ended;
    private long setBack;
    private long inputTokens;
    private long cachedInputTokens;
    private long outputTokens;
    private long inputCpuNanos;
    private long outputCpuNanos;
    private long busyNanos;

    private volatile SchedulerState published;
    private volatile double nanosBetweenEnds = 1e9;

    /**
     * @param backend belongs to the scheduler from here on: its thread evaluates with it and closes it
     * @param vocabulary of the model's tokenizer, for constraints
     */
    public Scheduler(DecoderBackend backend, Vocabulary vocabulary, SchedulerSettings settings) {
        this(backend, vocabulary, settings, InstantSource.system());
    }

    /** @param clock for deadlines */
    Scheduler(DecoderBackend backend, Vocabulary vocabulary, SchedulerSettings settings, InstantSource clock) {
        if (vocabulary.size() > backend.vocabularySize()) {
            throw new IllegalArgumentException("the tokenizer has " + vocabulary.size() + " tokens, the model only "
                    + backend.vocabularySize() + ": they do not belong together");
        }
        this.backend = backend;
        this.vocabulary = vocabulary;
        this.settings = settings;
        this.clock = clock;
        capacity = Math.min(backend.contextTokens(), backend.cacheTokens());
        maxRunning = Math.min(settings.maxRunning(), Math.min(backend.maxSequences(), backend.maxBatch()));
        cache = new StateCache(backend, settings.prefixTokens());
        batch = new DecoderBatch(backend.maxBatch());
        published = snapshot(0);
        thread = Thread.ofPlatform().daemon().name(settings.model() + "-steps").start(this::run);
    }

    /**
     * Queues a sequence up and returns at once. A constraint is compiled on the thread that calls. Which adapter the backend evaluates with is its
     * owner's business: the request's is not looked at.
     *
     * @throws Overloaded too many sequences wait, or the deadline has passed
     * @throws InvalidInput the prompt does not fit the context, a token is none, or the constraint is refused
     * @throws EngineFailed the backend died
     * @throws EngineClosed the scheduler is closing
     */
    public TokenStream generate(GenerationRequest request) {
        check(request);
        enter(null); // a constraint that would be refused anyway is not compiled
        CompiledConstraint constraint = compiled(request);
        Sequence sequence = new Sequence(request, capacity, () -> sampler(request, constraint), this::closed);
        enter(sequence);
        return sequence.stream;
    }

    /** @param sequence null: only asks */
    private void enter(@Nullable Sequence sequence) {
        lock.lock();
        try {
            if (failure != null) throw failure;
            if (closing) throw new EngineClosed(settings.model(), settings.version());
            if (waiting.size() >= settings.maxWaiting()) throw overloaded();
            if (sequence == null) return;
            if (sequence.expired(clock.instant())) throw overloaded();
            sequence.arrived(arrivals++);
            waiting.add(sequence);
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private void check(GenerationRequest request) {
        int[] prompt = request.prompt();
        if (prompt.length >= capacity) {
            throw new InvalidInput(
                    -1,
                    "the prompt has " + prompt.length + " tokens; " + settings.model() + " takes 1 to " + (capacity - 1)
                            + ", so that one more has room: shorten it");
        }
        for (int token : prompt) require("a token of the prompt", token, backend.vocabularySize());
        for (int token : request.sampling().logitBias().keySet()) {
            require("a token of logitBias", token, backend.vocabularySize());
        }
        for (int token : request.endTokens()) require("a token that ends the answer", token, vocabulary.size());
    }

    private void require(String what, int token, int tokens) {
        if (token >= 0 && token < tokens) return;
        throw new InvalidInput(-1, what + " is " + token + "; " + settings.model() + " has 0 to " + (tokens - 1));
    }

    private Overloaded overloaded() {
        Duration drained = Duration.ofNanos((long) (waiting.size() * nanosBetweenEnds));
        if (drained.compareTo(LEAST_RETRY) < 0) drained = LEAST_RETRY;
        if (drained.compareTo(MOST_RETRY) > 0) drained = MOST_RETRY;
        return new Overloaded(settings.model(), waiting.size(), drained);
    }

    private @Nullable CompiledConstraint compiled(GenerationRequest request) {
        if (request.constraint() == null) return null;
        ConstraintCompiler compiler;
        synchronized (compilers) {
            compiler = compilers.get(request.endTokens());
            if (compiler == null) {
                compiler = new ConstraintCompiler(vocabulary, request.endTokens());
                compilers.put(request.endTokens(), compiler);
                if (compilers.size() > COMPILERS) compilers.pollFirstEntry();
            }
        }
        return compiler.compile(request.constraint());
    }

    private Sampler sampler(GenerationRequest request, @Nullable CompiledConstraint constraint) {
        return new Sampler(
                request.sampling(),
                backend.vocabularySize(),
                request.prompt(),
                request.endTokens(),
                constraint == null ? null : constraint.start(),
                request.topLogprobs(),
                ThreadLocalRandom.current().nextLong());
    }

    /** The reader has gone. What runs is ended by the step thread, which looks before each step. */
    private void closed(Sequence sequence) {
        lock.lock();
        try {
            if (waiting.remove(sequence)) sequence.stream.end(sequence.end(Reason.CANCELLED));
        } finally {
            lock.unlock();
        }
    }

    /** Most tokens of prompt and answer together. */
    public int contextTokens() {
        return capacity;
    }

    /** What is held and was done, as of the last step. */
    public SchedulerState state() {
        return published;
    }

    /** Lets nothing in any more, ends what was let in, frees the backend, and returns then. */
    @Override
    public void close() {
        lock.lock();
        try {
            closing = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException wish) {
                interrupted = true;
            }
        }
        if (interrupted) Thread.currentThread().interrupt();
    }

    // ---- the step thread

    private void run() {
        try {
            cpuRead = cpuClock.getCurrentThreadCpuTime() + backend.cpuNanosElsewhere();
            while (awaitWork()) step();
        } catch (Throwable died) { // nobody else would hear of it; errors too
            LOG.error("the step thread of {} died", settings.model(), died);
            failAll(died);
        } finally {
            backend.close();
        }
    }

    /** @return false when the scheduler is closing and nothing is left to do */
    private boolean awaitWork() {
        lock.lock();
        try {
            if (running.isEmpty() && waiting.isEmpty()) {
                published = snapshot(0);
                while (waiting.isEmpty() && !closing) changed.awaitUninterruptibly();
                endedNanos = System.nanoTime(); // idle time is no time between two ends
            }
            return !running.isEmpty() || !waiting.isEmpty();
        } finally {
            lock.unlock();
        }
    }

    private void step() {
        long began = System.nanoTime();
        endUnwanted(clock.instant());
        admit();
        plan();
        makeRoom();
        drawn.clear();
        if (fillBatch()) {
            if (evaluate()) draw();
            steps++;
            shareCpu();
            for (Drawn each : drawn) if (each.reason() != null) park(each.sequence());
        }
        worked(System.nanoTime() - began, drawn.size());
        published = snapshot(waitingNow()); // before anybody hears of it
        for (Drawn each : drawn) deliver(each);
    }

    /** Ends what nobody waits for any more. */
    private void endUnwanted(Instant now) {
        for (Sequence sequence : List.copyOf(running)) {
            boolean closed = sequence.stream.closed();
            if (!closed && !sequence.expired(now)) continue;
            park(sequence);
            published = snapshot(published.waiting());
            sequence.stream.end(sequence.end(closed ? Reason.CANCELLED : Reason.DEADLINE));
        }
        lock.lock();
        try {
            for (Iterator<Sequence> queue = waiting.iterator(); queue.hasNext(); ) {
                Sequence sequence = queue.next();
                if (!sequence.expired(now)) continue;
                queue.remove();
                if (sequence.promptRead > 0) sequence.stream.end(sequence.end(Reason.DEADLINE)); // it was set back
                else sequence.stream.fail(overloaded());
            }
        } finally {
            lock.unlock();
        }
    }

    private void admit() {
        for (Sequence next = firstWaiting(); next != null && makePlace(next); next = firstWaiting()) {
            Prefix prefix = cache.find(next.request.scope(), next.tokens(), next.length());
            lock.lock();
            try {
                if (!waiting.remove(next)) continue; // closed meanwhile
                // At once, so that it hears of it if the backend dies before it runs.
                int place = 0;
                while (place < running.size() && running.get(place).before(next)) place++;
                running.add(place, next);
            } finally {
                lock.unlock();
            }
            next.state = cache.take(next.request.scope(), prefix);
            reused(next, next.state().size());
            follow(next);
        }
    }

    private @Nullable Sequence firstWaiting() {
        lock.lock();
        try {
            return waiting.isEmpty() ? null : waiting.first();
        } finally {
            lock.unlock();
        }
    }

    private int waitingNow() {
        lock.lock();
        try {
            return waiting.size();
        } finally {
            lock.unlock();
        }
    }

    /** Whether a sequence can run now. Sets back those that come after it in the order, if that helps. */
    private boolean makePlace(Sequence next) {
        int place = running.size();
        int room = cache.room();
        for (Sequence sequence : running) room -= claim(sequence);
        int reused = cache.pinned(cache.find(next.request.scope(), next.tokens(), next.length()));
        int wanted = next.length() - reused + headroom(next);
        while (place >= maxRunning || room < wanted) {
            if (place == 0 || running.get(place - 1).before(next)) return false;
            Sequence last = running.get(--place);
            room += claim(last) + last.state().size();
        }
        while (running.size() > place) setBack(running.getLast());
        return true;
    }

    /** Positions that a sequence which runs will take beyond those it has. */
    private static int claim(Sequence sequence) {
        return sequence.pending() + headroom(sequence);
    }

    private static int headroom(Sequence sequence) {
        return Math.min(HEADROOM, sequence.limit - sequence.generated);
    }

    private void setBack(Sequence sequence) {
        cache.park(sequence.state());
        sequence.state = null;
        sequence.leader = null;
        setBack++;
        lock.lock();
        try {
            running.remove(sequence);
            if (sequence.stream.closed()) sequence.stream.end(sequence.end(Reason.CANCELLED));
            else waiting.add(sequence);
        } finally {
            lock.unlock();
        }
    }

    private void reused(Sequence sequence, int positions) {
        int fresh = Math.min(positions, sequence.promptLength) - sequence.promptRead;
        if (fresh <= 0) return;
        sequence.promptRead += fresh;
        sequence.cachedTokens += fresh;
        cachedInputTokens += fresh;
        sequence.stream.begin(sequence.cachedTokens);
    }

    /** Looks for an earlier sequence that is about to evaluate what this one begins with. */
    private void follow(Sequence sequence) {
        sequence.leader = null;
        for (Sequence earlier : running) {
            if (!earlier.before(sequence)) return;
            if (!earlier.request.scope().equals(sequence.request.scope())) continue;
            int most = Math.min(earlier.length(), sequence.length() - 1);
            int mismatch = Arrays.mismatch(earlier.tokens(), 0, most, sequence.tokens(), 0, most);
            int common = mismatch < 0 ? most : mismatch;
            int have = Math.max(
                    sequence.state().size() + WORTH_WAITING - 1,
                    sequence.leader == null ? 0 : sequence.commonWithLeader);
            if (common > have && common > earlier.state().size()) {
                sequence.leader = earlier;
                sequence.commonWithLeader = common;
            }
        }
    }

    /** Whether the sequence still waits for its leader; takes over what that has evaluated otherwise. */
    private boolean followsStill(Sequence sequence) {
        Sequence leader = sequence.leader;
        if (leader == null) return false;
        if (leader.state != null && leader.state().size() < sequence.commonWithLeader) return true;
        Prefix prefix = cache.find(sequence.request.scope(), sequence.tokens(), sequence.length());
        if (prefix.size() > sequence.state().size()) {
            cache.drop(sequence.state());
            sequence.state = cache.take(sequence.request.scope(), prefix);
            reused(sequence, sequence.state().size());
        }
        follow(sequence);
        return sequence.leader != null;
    }

    /** How many tokens of each sequence this step evaluates. */
    private void plan() {
        List<Sequence> prompts = new ArrayList<>();
        int left = batch.capacity();
        for (Sequence sequence : running) {
            sequence.granted = 0;
            if (followsStill(sequence)) continue;
            if (sequence.pending() > 1) {
                prompts.add(sequence);
            } else {
                sequence.granted = 1;
                left--;
            }
        }
        if (prompts.isEmpty()) return;
        boolean othersWrite = left < batch.capacity();
        if (othersWrite) left = Math.min(left, settings.prefillTokens());
        Sequence first = prompts.getFirst();
        left -= grant(first, (left + 1) / 2);
        prompts.sort(Comparator.comparingInt(Sequence::pending)); // stable: equals stay in order
        for (Sequence sequence : prompts) if (sequence != first) left -= grant(sequence, left);
        grant(first, left);
    }

    private static int grant(Sequence sequence, int tokens) {
        int more = Math.min(tokens, sequence.pending() - sequence.granted);
        sequence.granted += more;
        return more;
    }

    /** Has the cache take what is planned; the last in the order are set back for it if need be. */
    private void makeRoom() {
        int wanted = 0;
        for (int i = 0; i < running.size(); i++) {
            wanted += running.get(i).granted;
            while (!cache.makeRoom(wanted)) {
                if (running.size() == 1) {
                    throw new IllegalStateException(
                            "a sequence of " + running.getFirst().length() + " tokens does not fit the empty cache of "
                                    + cache.capacity());
                }
                boolean itself = running.size() == i + 1;
                setBack(running.getLast());
                if (itself) return;
            }
        }
    }

    private boolean fillBatch() {
        batch.clear();
        inBatch.clear();
        for (Sequence sequence : running) {
            sequence.logitsIndex = -1;
            if (sequence.granted == 0) continue;
            inBatch.add(sequence);
            State state = sequence.state();
            sequence.grantedOfPrompt = Math.clamp(sequence.promptLength - state.size(), 0, sequence.granted);
            int end = state.size() + sequence.granted;
            boolean last = end == sequence.length();
            for (int position = state.size(); position < end; position++) {
                batch.add(sequence.tokens()[position], position, state.id, last && position == end - 1);
            }
            if (last) sequence.logitsIndex = batch.size() - 1;
        }
        return batch.size() > 0;
    }

    /** @return whether it could be evaluated; if not, all sequences of the batch have failed */
    private boolean evaluate() {
        try {
            backend.evaluate(batch);
        } catch (RuntimeException e) {
            LOG.error("a step of {} tokens of {} failed", batch.size(), settings.model(), e);
            for (Sequence sequence : inBatch) fail(sequence, e);
            return false;
        }
        for (Sequence sequence : inBatch) {
            cache.evaluated(
                    sequence.state(), sequence.tokens(), sequence.state().size(), sequence.granted);
            int read = Math.min(sequence.state().size(), sequence.promptLength) - sequence.promptRead;
            if (read > 0) {
                sequence.promptRead += read;
                inputTokens += read;
            }
        }
        return true;
    }

    /** @param reason null: it goes on */
    private record Drawn(
            Sequence sequence,
            @Nullable GeneratedToken token,
            @Nullable Reason reason) {}

    private void draw() {
        for (Sequence sequence : inBatch) {
            if (sequence.logitsIndex < 0) continue;
            try {
                drawn.add(draw(sequence));
            } catch (RuntimeException | StackOverflowError e) {
                // Such as logits that are no numbers, or a constraint that nests too deep: of this sequence only.
                LOG.error("no token could be drawn from the logits of {}", settings.model(), e);
                fail(sequence, e);
            }
        }
    }

    private Drawn draw(Sequence sequence) {
        Sampler sampler = sequence.sampler();
        sampler.setRemaining(sequence.limit - sequence.generated);
        GeneratedToken token = sampler.next(backend.logits(sequence.logitsIndex));
        sequence.generated++;
        outputTokens++;
        if (sequence.request.endTokens().contains(token.id())) return new Drawn(sequence, null, Reason.STOP);
        if (sampler.mustEnd()) return new Drawn(sequence, token, Reason.STOP);
        if (sequence.generated == sequence.limit) return new Drawn(sequence, token, Reason.LENGTH);
        sequence.append(token.id());
        return new Drawn(sequence, token, null);
    }

    /** Shares the processor time since the last step among the tokens of this one. */
    private void shareCpu() {
        long now = cpuClock.getCurrentThreadCpuTime() + backend.cpuNanosElsewhere();
        long nanos = now - cpuRead;
        cpuRead = now;
        long tokens = 0;
        long given = 0;
        for (Sequence sequence : inBatch) {
            // Up to this sequence's last token, less what was given before: no nanosecond is lost by rounding.
            tokens += sequence.granted;
            long own = nanos * tokens / batch.size() - given;
            given += own;
            sequence.cpuNanos += own;
            long input = own * sequence.grantedOfPrompt / sequence.granted;
            inputCpuNanos += input;
            outputCpuNanos += own - input;
        }
    }

    private static void deliver(Drawn drawn) {
        Sequence sequence = drawn.sequence();
        if (drawn.token() != null) sequence.stream.add(drawn.token());
        if (drawn.reason() != null) sequence.stream.end(sequence.end(drawn.reason()));
    }

    /** It runs no more, and its state is kept as long as there is room. */
    private void park(Sequence sequence) {
        cache.park(sequence.state());
        leave(sequence);
    }

    private void fail(Sequence sequence, Throwable cause) {
        cache.drop(sequence.state());
        leave(sequence);
        sequence.stream.fail(failed(cause));
    }

    private void leave(Sequence sequence) {
        running.remove(sequence);
        sequence.state = null;
        sequence.leader = null;
        ended++;
        long now = System.nanoTime();
        double mean = nanosBetweenEnds;
        nanosBetweenEnds = mean + NEWEST * (now - endedNanos - mean);
        endedNanos = now;
    }

    private EngineFailed failed(Throwable cause) {
        return new EngineFailed(settings.model(), String.valueOf(cause.getMessage()), FAILED_RETRY);
    }

    /** The step thread ends, and everybody hears of it. */
    private void failAll(Throwable cause) {
        lock.lock();
        try {
            failure = failed(cause);
            for (Sequence sequence : running) sequence.stream.fail(failure);
            for (Sequence sequence : waiting) sequence.stream.fail(failure);
            for (Drawn each : drawn) each.sequence().stream.fail(failure); // ended, and perhaps not told so
            running.clear();
            waiting.clear();
            published = snapshot(0);
        } finally {
            lock.unlock();
        }
    }

    private void worked(long nanos, int drawn) {
        busyNanos += nanos;
        double kept = Math.exp(-nanos / (RATE_SECONDS * 1e9));
        recentTokens = recentTokens * kept + drawn;
        recentSeconds = recentSeconds * kept + nanos / 1e9;
    }

    private SchedulerState snapshot(int waitingNow) {
        return new SchedulerState(
                running.size(),
                waitingNow,
                cache.parkedPositions(),
                cache.used(),
                cache.capacity(),
                recentSeconds == 0 ? 0 : recentTokens / recentSeconds,
                steps,
                ended,
                setBack,
                inputTokens,
                cachedInputTokens,
                outputTokens,
                inputCpuNanos,
                outputCpuNanos,
                busyNanos);
    }
}
