package io.guimo.inference.torch;

import io.guimo.inference.generate.DecoderBackend;
import io.guimo.inference.generate.DecoderBatch;
import io.guimo.model.decoder.Decoder;
import io.guimo.model.decoder.DecoderStep;
import io.guimo.model.decoder.KeyValueCache;
import io.guimo.tensor.DType;
import io.guimo.tensor.TensorScope;
import io.guimo.tensor.TorchExecutor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A decoder of libtorch under the scheduler. Each step runs on the executor's thread; the caller waits for it.
 *
 * <p>V tokens known.
 */
public final class TorchDecoderBackend implements DecoderBackend {
    private static final int NO_LOGITS = -1;

    private final Decoder network;
    private final KeyValueCache cache;
    private final TorchExecutor executor;
    private final int contextTokens;
    private final int maxBatch;
    private final long rowBytes;

    private Arena memory = Arena.ofShared();
    private MemorySegment logits = MemorySegment.NULL; // rows of V, float32
    private int[] rowOfToken = {}; // of the last batch

    /**
     * @param network in evaluation mode; belongs to this backend from here on
     * @param executor with one worker and one thread per operation; belongs to this backend from here on
     * @throws IllegalArgumentException when the settings don't fit the network; network and executor stay the caller's then
     */
    public TorchDecoderBackend(Decoder network, TorchExecutor executor, TorchDecoderSettings settings) {
        this.network = network;
        this.executor = executor;
        this.contextTokens = settings.contextTokens(network.config());
        this.maxBatch = settings.batchTokens();
        this.rowBytes = (long) Float.BYTES * network.config().vocabularySize();
        this.cache = executor.call(() -> {
            try (TensorScope _ = TensorScope.open()) {
                DType type = network.parameters().values().iterator().next().dtype();
                return new KeyValueCache(
                        network.config(), settings.maxSequences(), settings.cacheTokens(network.config(), type), type);
            }
        });
    }

    @Override
    public int vocabularySize() {
        return network.config().vocabularySize();
    }

    @Override
    public int contextTokens() {
        return contextTokens;
    }

    @Override
    public int maxSequences() {
        return cache.maxSequences();
    }

    @Override
    public int cacheTokens() {
        return cache.capacity();
    }

    @Override
    public int maxBatch() {
        return maxBatch;
    }

    @Override
    public boolean countsSharedOnce() {
        return true;
    }

    @Override
    public long cpuNanosElsewhere() {
        return executor.cpuNanos();
    }

    /**
     * @throws IllegalArgumentException when the batch is empty or too large, a token is none, or positions don't follow what the cache holds
     * @throws io.guimo.model.decoder.CacheFull when the cache has no room for it
     */
    @Override
    public void evaluate(DecoderBatch batch) {
        int size = batch.size();
        if (size == 0 || size > maxBatch) {
            throw new IllegalArgumentException("a batch of " + size + " tokens; permitted are 1 to " + maxBatch);
        }
        int[] tokens = new int[size];
        int[] positions = new int[size];
        int[] sequences = new int[size];
        boolean[] wanted = new boolean[size];
        int[] rows = new int[size];
        int rowsWanted = 0;
        for (int i = 0; i < size; i++) {
            tokens[i] = batch.token(i);
            positions[i] = batch.position(i);
            sequences[i] = batch.sequence(i);
            wanted[i] = batch.wantsLogits(i);
            rows[i] = wanted[i] ? rowsWanted++ : NO_LOGITS;
            if (positions[i] >= contextTokens) {
                throw new IllegalArgumentException("position " + positions[i] + " of sequence " + sequences[i]
                        + " is beyond the context of " + contextTokens);
            }
        }
        MemorySegment target = room(rowsWanted);
        executor.run(() -> {
            try (TensorScope _ = TensorScope.openWithoutGradients()) {
                network.step(new DecoderStep(tokens, positions, sequences, wanted), cache)
                        .copyTo(target);
            }
        });
        rowOfToken = rows;
    }

    private MemorySegment room(int rows) {
        if (logits.byteSize() < rows * rowBytes) {
            memory.close();
            memory = Arena.ofShared();
            logits = memory.allocate(rows * rowBytes, Float.BYTES);
        }
        return logits.asSlice(0, rows * rowBytes);
    }

    @Override
    public MemorySegment logits(int index) {
        if (index < 0 || index >= rowOfToken.length || rowOfToken[index] == NO_LOGITS) {
            throw new IllegalArgumentException("token " + index + " of the last batch asked for no logits");
        }
        return logits.asSlice(rowOfToken[index] * rowBytes, rowBytes);
    }

    @Override
    public void share(int from, int to, int positions) {
        cache.share(from, to, positions);
    }

    @Override
    public void forget(int sequence, int fromPosition) {
        cache.forget(sequence, fromPosition);
    }

    @Override
    public void close() {
        executor.close();
        cache.close();
        network.close();
        memory.close();
    }
}
