package io.guimo.inference.generate;

/**
 * How far one answer has come within its {@link Constraint}, and which tokens may follow. Used by one thread.
 *
 * <p>The mask permits exactly the tokens after which the answer can still be finished: none leads into a dead end, none that could is missing.
 */
public interface ConstraintState {
    /**
     * The tokens that may follow: bit {@code t % 64} of word {@code t / 64} is token {@code t}. The tokens that end an answer are among them when
     * {@link #mayEnd}. Valid until the next {@link #accept} or {@link #setRemaining}; not to be written to. Never empty unless {@link #mustEnd}.
     */
    long[] allowed();

    /**
     * Goes on by a token.
     *
     * @throws IllegalArgumentException if {@link #allowed} does not have it
     */
    void accept(int token);

    /** Whether what was accepted is a whole answer. */
    boolean mayEnd();

    /** Whether what was accepted is a whole answer that nothing can follow, or an end token was accepted. */
    boolean mustEnd();

    /**
     * How many tokens may still follow, so that the answer is brought to its end in time: from here on the mask leaves out tokens after which a
     * whole answer is not known to fit, as long as one is known to fit now.
     *
     * @param tokens at least 1, not counting one that ends the answer
     */
    void setRemaining(int tokens);
}
