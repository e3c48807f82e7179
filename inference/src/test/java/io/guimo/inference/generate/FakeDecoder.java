package io.guimo.inference.generate;

import io.guimo.text.Vocabulary;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * A decoder whose logits are a hash of every token and position of the state it was given, so that any token at a wrong place, missing, of another
 * sequence or left over changes the answer. Holds its user to every rule of {@link DecoderBackend} and counts cells as a unified cache does.
 */
public final class FakeDecoder implements DecoderBackend {
    /** More than {@link #WORDS} has, as models have ids that no text needs. */
    public static final int VOCABULARY = 200;

    /** A token for each ASCII character. */
    public static final Vocabulary WORDS = new Vocabulary(
            IntStream.range(0, 128).mapToObj(i -> new byte[] {(byte) i}).toArray(byte[][]::new), new boolean[128]);

    /** What one step was asked, by sequence: how many tokens. */
    record Step(Map<Integer, Integer> tokens) {
        int total() {
            return tokens.values().stream().mapToInt(Integer::intValue).sum();
        }
    }

    private record Cell(int token, int position) {}

    private final int contextTokens;
    private final int maxSequences;
    private final int cacheTokens;
    private final int maxBatch;
    private final boolean sharedOnce;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment row = arena.allocate(ValueLayout.JAVA_FLOAT, VOCABULARY);
    private final List<List<Cell>> sequences = new ArrayList<>();
    private final Map<Integer, Long> hashOfIndex = new HashMap<>();
    private @Nullable Thread user;
    /** Runs before each step, on the step thread; may wait or throw. */
    volatile Runnable beforeStep = () -> {};
    /** What goes wrong after {@link #beforeStep}; null: nothing. Once. */
    volatile @Nullable Throwable failure;
    /** A sequence that ends with this token gets logits that are no numbers; −1: none. */
    volatile int brokenToken = -1;

    volatile int evaluated;
    volatile boolean closed;
    /** What the user did wrong; also thrown. */
    final List<String> offences = new ArrayList<>();

    final List<Step> steps = new ArrayList<>();

    public FakeDecoder(int contextTokens, int maxSequences, int cacheTokens, int maxBatch, boolean sharedOnce) {
        this.contextTokens = contextTokens;
        this.maxSequences = maxSequences;
        this.cacheTokens = cacheTokens;
        this.maxBatch = maxBatch;
        this.sharedOnce = sharedOnce;
        for (int i = 0; i < maxSequences; i++) sequences.add(new ArrayList<>());
    }

    /** The logits that follow some tokens, computed from nothing else. */
    static float[] logits(int[] tokens, int length) {
        long hash = 0;
        for (int i = 0; i < length; i++) hash = mix(hash, tokens[i], i);
        return logits(hash);
    }

    private static long mix(long hash, int token, int position) {
        return new SplittableRandom(hash * 31 + token * 1_000_003L + position).nextLong();
    }

    private static float[] logits(long hash) {
        SplittableRandom random = new SplittableRandom(hash);
        float[] logits = new float[VOCABULARY];
        for (int i = 0; i < VOCABULARY; i++) logits[i] = (float) random.nextDouble(-4, 4);
        return logits;
    }

    @Override
    public int vocabularySize() {
        return VOCABULARY;
    }

    @Override
    public int contextTokens() {
        return contextTokens;
    }

    @Override
    public int maxSequences() {
        return maxSequences;
    }

    @Override
    public int cacheTokens() {
        return cacheTokens;
    }

    @Override
    public int maxBatch() {
        return maxBatch;
    }

    @Override
    public boolean countsSharedOnce() {
        return sharedOnce;
    }

    /** A microsecond a token, on threads that are imagined. */
    @Override
    public long cpuNanosElsewhere() {
        return evaluated * 1000L;
    }

    @Override
    public void evaluate(DecoderBatch batch) {
        beforeStep.run();
        synchronized (this) {
            check(batch);
            Throwable thrown = failure;
            failure = null;
            if (thrown instanceof RuntimeException known) throw known;
            if (thrown instanceof Error error) throw error;
            hashOfIndex.clear();
            Map<Integer, Integer> counts = new HashMap<>();
            for (int i = 0; i < batch.size(); i++) {
                List<Cell> state = sequences.get(batch.sequence(i));
                state.add(new Cell(batch.token(i), batch.position(i)));
                counts.merge(batch.sequence(i), 1, Integer::sum);
                if (batch.wantsLogits(i)) hashOfIndex.put(i, hash(state));
            }
            evaluated += batch.size();
            steps.add(new Step(counts));
            notifyAll();
        }
    }

    private void check(DecoderBatch batch) {
        usedBy();
        require(batch.size() > 0 && batch.size() <= maxBatch, "a batch of " + batch.size() + " tokens");
        int[] next = sequences.stream().mapToInt(List::size).toArray();
        Set<Integer> done = new HashSet<>();
        int wanted = 0;
        for (int i = 0; i < batch.size(); i++) {
            int sequence = batch.sequence(i);
            require(sequence >= 0 && sequence < maxSequences, "sequence " + sequence);
            if (i > 0 && batch.sequence(i - 1) != sequence) done.add(batch.sequence(i - 1));
            require(!done.contains(sequence), "sequence " + sequence + " in two parts");
            require(batch.token(i) >= 0 && batch.token(i) < VOCABULARY, "token " + batch.token(i));
            require(batch.position(i) == next[sequence]++, "position " + batch.position(i));
            require(batch.position(i) < contextTokens, "position " + batch.position(i) + " beyond the context");
            if (batch.wantsLogits(i)) wanted++;
        }
        require(wanted <= maxSequences, wanted + " logits");
        require(
                cells() + batch.size() <= cacheTokens,
                "no room: " + cells() + " cells and " + batch.size() + " tokens");
    }

    private static long hash(List<Cell> state) {
        long hash = 0;
        for (Cell cell : state) hash = mix(hash, cell.token(), cell.position());
        return hash;
    }

    @Override
    public synchronized MemorySegment logits(int index) {
        usedBy();
        require(hashOfIndex.containsKey(index), "logits of " + index + ", which did not ask for them");
        long hash = hashOfIndex.getOrDefault(index, 0L);
        float[] logits = logits(hash);
        for (List<Cell> state : sequences) {
            if (!state.isEmpty() && state.getLast().token() == brokenToken && hash(state) == hash) {
                Arrays.fill(logits, Float.NaN);
            }
        }
        MemorySegment.copy(logits, 0, row, ValueLayout.JAVA_FLOAT, 0, VOCABULARY);
        return row;
    }

    @Override
    public synchronized void share(int from, int to, int positions) {
        usedBy();
        require(from != to && sequences.get(to).isEmpty(), "share with " + to + ", which has a state");
        require(positions > 0 && positions <= sequences.get(from).size(), "share of " + positions + " positions");
        sequences.get(to).addAll(sequences.get(from).subList(0, positions)); // the same cells
        if (!sharedOnce) sequences.get(to).replaceAll(cell -> new Cell(cell.token(), cell.position()));
        require(cells() <= cacheTokens, "no room for what was shared: " + cells() + " cells");
    }

    @Override
    public synchronized void forget(int sequence, int fromPosition) {
        usedBy();
        List<Cell> state = sequences.get(sequence);
        require(
                fromPosition >= 0 && fromPosition < state.size(),
                "forget from " + fromPosition + " of " + state.size());
        state.subList(fromPosition, state.size()).clear();
    }

    @Override
    public synchronized void close() {
        require(!closed, "closed twice");
        closed = true;
        arena.close();
    }

    /** Distinct cells in use. */
    synchronized int cells() {
        IdentityHashMap<Cell, Boolean> distinct = new IdentityHashMap<>();
        for (List<Cell> state : sequences) for (Cell cell : state) distinct.put(cell, true);
        return distinct.size();
    }

    synchronized List<Step> steps() {
        return List.copyOf(steps);
    }

    synchronized void awaitSteps(int count) throws InterruptedException {
        while (steps.size() < count) wait();
    }

    private void usedBy() {
        if (user == null) user = Thread.currentThread();
        require(user.equals(Thread.currentThread()), "used by " + Thread.currentThread() + " and " + user);
        require(!user.isVirtual(), "used by a virtual thread");
        require(!closed, "used after it was closed");
    }

    private void require(boolean kept, String offence) {
        if (kept) return;
        offences.add(offence);
        throw new IllegalStateException(offence);
    }
}
