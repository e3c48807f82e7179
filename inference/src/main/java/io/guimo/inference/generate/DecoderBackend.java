package io.guimo.inference.generate;

import java.lang.foreign.MemorySegment;

/**
 * What evaluates a decoder's network: the part below the scheduler, which llama.cpp and libtorch each bring. Used by one thread.
 *
 * <p>A sequence is a number from 0 to {@link #maxSequences} − 1 with state for the positions evaluated so far. The state of all sequences together has
 * room for {@link #cacheTokens} positions; positions that sequences share by {@link #share} count once where the backend can tell.
 */
public interface DecoderBackend extends AutoCloseable {
    /** Token ids are 0 to this less 1. */
    int vocabularySize();

    /** Most positions of one sequence. */
    int contextTokens();

    int maxSequences();

    /** Positions that there is room for, of all sequences together. */
    int cacheTokens();

    /** Most tokens of one batch. */
    int maxBatch();

    /** Whether positions that sequences share take the room of one. Where it is not known they are taken to be copied. */
    default boolean countsSharedOnce() {
        return false;
    }

    /** Processor time that evaluation took so far on other threads than the one that calls; 0 where there are none. */
    default long cpuNanosElsewhere() {
        return 0;
    }

    /**
     * Evaluates a batch.
     *
     * @throws RuntimeException when it could not be evaluated; no state has changed
     */
    void evaluate(DecoderBatch batch);

    /**
     * What may follow a token of the last batch: float32, {@link #vocabularySize} numbers, valid until the next {@link #evaluate}. May be written to.
     *
     * @param index of the token in the batch, which asked for logits
     */
    MemorySegment logits(int index);

    /** Gives a sequence the state of another one's first {@code positions} positions; it had none before. */
    void share(int from, int to, int positions);

    /** Forgets the state of a sequence from a position on; 0: all of it. */
    void forget(int sequence, int fromPosition);

    @Override
    void close();
}
