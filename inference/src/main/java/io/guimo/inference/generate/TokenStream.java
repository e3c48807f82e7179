package io.guimo.inference.generate;

import java.util.Optional;

/**
 * The tokens of one sequence as they are computed. Read by one thread, which should be virtual: it waits.
 *
 * <p>Tokens that are not read yet are kept, so that a slow reader never holds up those who share its batch.
 */
public interface TokenStream extends AutoCloseable {
    /**
     * Waits for the next token.
     *
     * @return empty when the sequence has ended; {@link #end} then tells how
     * @throws InterruptedException when the waiting thread is interrupted; the sequence goes on until the stream is closed
     * @throws io.guimo.inference.EngineFailed when the engine died with this sequence; what was read before stays valid
     * @throws io.guimo.inference.Overloaded when the deadline passed before the sequence's turn had come
     */
    Optional<GeneratedToken> next() throws InterruptedException;

    /** Tokens of the prompt whose state was reused. Known when {@link #next} has returned for the first time. */
    int cachedTokens();

    /**
     * How it ended. After {@link #close} it waits for the step under way, which may still compute a token of this sequence.
     *
     * @throws IllegalStateException before {@link #next} returned empty or the stream was closed
     * @throws io.guimo.inference.EngineFailed as {@link #next}
     */
    GenerationEnd end();

    /** Ends the sequence within one step and frees its place. Waits for nothing. Harmless when it has ended. */
    @Override
    void close();
}
