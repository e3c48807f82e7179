package io.guimo.inference.llama;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.guimo.inference.generate.DecoderBackend;
import io.guimo.inference.generate.DecoderBatch;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * A context of libllama: the state of many sequences in one cache of keys and values, whose cells sequences with the same beginning share.
 *
 * <p>One cache for all ({@code kv_unified}): the budget is one number, and a prefix is shared by marking its cells, without a copy. A token's
 * attention skips the cells of other sequences.
 *
 * <p>Used by one thread, except {@link #abort}.
 */
final class LlamaBackend implements DecoderBackend {
    /** llama_decode found no room in the cache; nothing has changed. */
    private static final int NO_ROOM = 1;

    private static final int ABORTED = 2;
    private static final int FLASH_ATTENTION = 1;
    /** How eagerly the threads of the pool look for the next step before they sleep, 0 to 100; llama.cpp's own programs take 50. */
    private static final int POLL = 50;

    private final LlamaModel model;
    private final LlamaLibrary library;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment context;
    private final MemorySegment memory;
    private final MemorySegment threadpool;
    private final MemorySegment adapter;
    private final int contextTokens;
    private final int cacheTokens;
    private final int maxSequences;
    private final int maxBatch;

    private final MemorySegment batch;
    private final MemorySegment tokens;
    private final MemorySegment positions;
    private final MemorySegment sequences;
    private final MemorySegment wantsLogits;
    /** A C string: empty, or not when the step under way shall be given up. */
    private final MemorySegment abort;

    private final ProcessorClock clock = new ProcessorClock();
    private final boolean threadsBeside;
    private long cpuNanosElsewhere;
    private volatile long stepBegan;
    private volatile boolean closed;

    /**
     * @param adapter GGUF file of a LoRA adapter that every sequence of this context is evaluated with; null: the model as it is
     * @throws IOException if there is not enough memory for the cache, or the adapter does not fit the model
     */
    LlamaBackend(LlamaModel model, LlamaSettings settings, @Nullable Path adapter) throws IOException {
        this.model = model;
        this.library = model.library;
        int trained = model.contextTrained;
        int wanted = settings.contextTokens() == 0 ? trained : settings.contextTokens();
        if (wanted > trained) {
            throw new IOException("contextTokens: " + wanted + "; the model was trained with " + trained
                    + " positions: give that or less");
        }
        contextTokens = wanted;
        maxSequences = settings.maxSequences();
        maxBatch = settings.batchTokens();
        threadsBeside = settings.threads() > 1;
        abort = arena.allocate(2);
        batch = arena.allocate(LlamaLibrary.Batch.LAYOUT);
        tokens = arena.allocate(JAVA_INT, maxBatch);
        positions = arena.allocate(JAVA_INT, maxBatch);
        sequences = arena.allocate(JAVA_INT, maxBatch);
        wantsLogits = arena.allocate(maxBatch);
        fillBatch();
        MemorySegment openedAdapter = MemorySegment.NULL;
        MemorySegment openedThreads = MemorySegment.NULL;
        MemorySegment openedContext = MemorySegment.NULL;
        boolean complete = false;
        try {
            if (adapter != null) openedAdapter = openAdapter(adapter);
            openedThreads = openThreadpool(settings.threads());
            openedContext = openContext(settings);
            library.attachThreadpool.invokeExact(openedContext, openedThreads, openedThreads);
            if (adapter != null) use(openedContext, openedAdapter);
            memory = (MemorySegment) library.getMemory.invokeExact(openedContext);
            cacheTokens = (int) library.contextCells.invokeExact(openedContext);
            complete = true;
        } catch (IOException known) {
            throw known;
        } catch (Throwable thrown) {
            throw LlamaLibrary.impossible(thrown);
        } finally {
            if (!complete) free(openedContext, openedThreads, openedAdapter);
        }
        context = openedContext;
        threadpool = openedThreads;
        this.adapter = openedAdapter;
    }

    private void fillBatch() {
        MemorySegment sequenceCounts = arena.allocate(JAVA_INT, maxBatch);
        MemorySegment sequenceAddresses = arena.allocate(ADDRESS, maxBatch);
        for (int i = 0; i < maxBatch; i++) {
            sequenceCounts.setAtIndex(JAVA_INT, i, 1);
            sequenceAddresses.setAtIndex(ADDRESS, i, sequences.asSlice(i * JAVA_INT.byteSize()));
        }
        batch.set(ADDRESS, LlamaLibrary.Batch.TOKEN, tokens);
        batch.set(ADDRESS, LlamaLibrary.Batch.POS, positions);
        batch.set(ADDRESS, LlamaLibrary.Batch.N_SEQ_ID, sequenceCounts);
        batch.set(ADDRESS, LlamaLibrary.Batch.SEQ_ID, sequenceAddresses);
        batch.set(ADDRESS, LlamaLibrary.Batch.LOGITS, wantsLogits);
    }

    private MemorySegment openContext(LlamaSettings settings) throws Throwable {
        MemorySegment params = (MemorySegment) library.contextDefaultParams.invokeExact((SegmentAllocator) arena);
        int cells = settings.cacheTokens() == 0 ? contextTokens : settings.cacheTokens();
        params.set(JAVA_INT, LlamaLibrary.ContextParams.N_CTX, cells);
        params.set(JAVA_INT, LlamaLibrary.ContextParams.N_BATCH, maxBatch);
        params.set(JAVA_INT, LlamaLibrary.ContextParams.N_UBATCH, maxBatch);
        params.set(JAVA_INT, LlamaLibrary.ContextParams.N_SEQ_MAX, maxSequences);
        // One place of a sequence is continued at a time: room for more logits would be 4 bytes x vocabulary x batch.
        params.set(JAVA_INT, LlamaLibrary.ContextParams.N_OUTPUTS_MAX, maxSequences);
        params.set(JAVA_INT, LlamaLibrary.ContextParams.N_THREADS, settings.threads());
        params.set(JAVA_INT, LlamaLibrary.ContextParams.N_THREADS_BATCH, settings.threads());
        params.set(JAVA_INT, LlamaLibrary.ContextParams.FLASH_ATTENTION, FLASH_ATTENTION);
        params.set(ADDRESS, LlamaLibrary.ContextParams.ABORT_CALLBACK, abortCallback());
        params.set(ADDRESS, LlamaLibrary.ContextParams.ABORT_CALLBACK_DATA, abort);
        params.set(JAVA_BYTE, LlamaLibrary.ContextParams.KV_UNIFIED, (byte) 1);
        LlamaLog.takeErrors();
        MemorySegment opened = (MemorySegment) library.initFromModel.invokeExact(model.address, params);
        if (opened.address() != 0) return opened;
        throw new IOException("a cache of " + cells + " positions cannot be opened: " + LlamaLog.takeErrors());
    }

    /**
     * {@code strlen}, asked by native code after each of a step's thousand operations whether to give up: of the empty string it is 0, false, else 1,
     * true. A method of ours would cost each time a passage from native code to Java, 1 % of a token.
     */
    private static MemorySegment abortCallback() {
        return Linker.nativeLinker().defaultLookup().findOrThrow("strlen");
    }

    /** Without a pool of its own each step would start and end its threads. */
    private MemorySegment openThreadpool(int threads) throws Throwable {
        MemorySegment params = arena.allocate(LlamaLibrary.ThreadpoolParams.BYTES, 8);
        library.threadpoolParamsInit.invokeExact(params, threads);
        params.set(JAVA_INT, LlamaLibrary.ThreadpoolParams.POLL, POLL);
        MemorySegment opened = (MemorySegment) library.threadpoolNew.invokeExact(params);
        if (opened.address() == 0) throw new IOException(threads + " threads cannot be started");
        return opened;
    }

    private MemorySegment openAdapter(Path file) throws Throwable {
        LlamaLog.takeErrors();
        MemorySegment opened = (MemorySegment) library.adapterInit.invokeExact(
                model.address, arena.allocateFrom(file.toAbsolutePath().toString()));
        if (opened.address() != 0) return opened;
        throw new IOException("adapter " + file.getFileName() + " does not fit the model: " + LlamaLog.takeErrors());
    }

    private void use(MemorySegment opened, MemorySegment openedAdapter) throws Throwable {
        MemorySegment adapters = arena.allocate(ADDRESS);
        adapters.set(ADDRESS, 0, openedAdapter);
        MemorySegment scales = arena.allocateFrom(JAVA_FLOAT, 1f);
        int status = (int) library.setAdapters.invokeExact(opened, adapters, 1L, scales);
        if (status != 0) throw new IOException("the adapter cannot be used: " + LlamaLog.takeErrors());
    }

    @Override
    public int vocabularySize() {
        return model.vocabularySize;
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
        return true;
    }

    /** Of the pool's threads; what other threads of this process did during a step is counted with it. */
    @Override
    public long cpuNanosElsewhere() {
        return cpuNanosElsewhere;
    }

    /**
     * @throws IllegalStateException when there is no room in the cache, the step was given up, or native code could not do it
     */
    @Override
    public void evaluate(DecoderBatch asked) {
        write(asked);
        model.step.lock();
        stepBegan = System.nanoTime();
        long elsewhereBefore = threadsBeside ? clock.process() - clock.thread() : 0;
        try {
            int status = (int) library.decode.invokeExact(context, batch);
            if (status != 0) throw failed(asked, status);
        } catch (Throwable thrown) {
            throw LlamaLibrary.impossible(thrown);
        } finally {
            if (threadsBeside) cpuNanosElsewhere += clock.process() - clock.thread() - elsewhereBefore;
            stepBegan = 0;
            model.step.unlock();
        }
    }

    private void write(DecoderBatch asked) {
        int size = asked.size();
        if (size == 0 || size > maxBatch) {
            throw new IllegalArgumentException("a batch of " + size + " tokens; permitted are 1 to " + maxBatch);
        }
        int outputs = 0;
        for (int i = 0; i < size; i++) {
            tokens.setAtIndex(JAVA_INT, i, asked.token(i));
            positions.setAtIndex(JAVA_INT, i, asked.position(i));
            sequences.setAtIndex(JAVA_INT, i, asked.sequence(i));
            wantsLogits.set(JAVA_BYTE, i, (byte) (asked.wantsLogits(i) ? 1 : 0));
            if (asked.wantsLogits(i)) outputs++;
        }
        if (outputs > maxSequences) { // native code would end the process
            throw new IllegalArgumentException(
                    "a batch asks for the logits of " + outputs + " tokens; permitted are " + maxSequences);
        }
        batch.set(JAVA_INT, LlamaLibrary.Batch.N_TOKENS, size);
    }

    private RuntimeException failed(DecoderBatch asked, int status) {
        String reason =
                switch (status) {
                    case NO_ROOM -> "the cache of " + cacheTokens + " positions has no room for it";
                    case ABORTED -> "it was given up";
                    default -> LlamaLog.takeErrors();
                };
        if (status != NO_ROOM) { // what was evaluated before the failure is in the cache
            for (int i = 0; i < asked.size(); i++) {
                boolean first = i == 0 || asked.sequence(i) != asked.sequence(i - 1);
                if (first) forget(asked.sequence(i), asked.position(i));
            }
        }
        return new IllegalStateException("a step of " + asked.size() + " tokens failed: " + reason);
    }

    @Override
    public MemorySegment logits(int index) {
        try {
            MemorySegment found = (MemorySegment) library.logitsAt.invokeExact(context, index);
            if (found.address() == 0) {
                throw new IllegalArgumentException("token " + index + " of the last batch asked for no logits");
            }
            return LlamaLibrary.floats(found, model.vocabularySize);
        } catch (Throwable thrown) {
            throw LlamaLibrary.impossible(thrown);
        }
    }

    @Override
    public void share(int from, int to, int positions) {
        try {
            library.sequenceCopy.invokeExact(memory, from, to, 0, positions);
        } catch (Throwable thrown) {
            throw LlamaLibrary.impossible(thrown);
        }
    }

    @Override
    public void forget(int sequence, int fromPosition) {
        try {
            boolean done = (boolean) library.sequenceRemove.invokeExact(memory, sequence, fromPosition, -1);
            if (!done) throw new IllegalStateException("this model cannot forget a part of a sequence");
        } catch (Throwable thrown) {
            throw LlamaLibrary.impossible(thrown);
        }
    }

    /** Positions of a sequence that are in the cache. */
    int positions(int sequence) {
        try {
            return (int) library.sequenceLast.invokeExact(memory, sequence) + 1;
        } catch (Throwable thrown) {
            throw LlamaLibrary.impossible(thrown);
        }
    }

    /** Has the step under way, and every later one, fail within one operation. From any thread. */
    void abort() {
        if (!closed) abort.set(JAVA_BYTE, 0, (byte) 1);
    }

    /** When the step under way began, by {@link System#nanoTime}; 0 between steps. From any thread. */
    long stepBegan() {
        return stepBegan;
    }

    @Override
    public void close() {
        if (closed) return;
        closed = true;
        free(context, threadpool, adapter);
    }

    private void free(MemorySegment context, MemorySegment threadpool, MemorySegment adapter) {
        try {
            if (context.address() != 0) library.free.invokeExact(context);
            if (threadpool.address() != 0) library.threadpoolFree.invokeExact(threadpool);
            if (adapter.address() != 0) library.adapterFree.invokeExact(adapter);
        } catch (Throwable thrown) {
            throw LlamaLibrary.impossible(thrown);
        }
        arena.close();
    }
}
