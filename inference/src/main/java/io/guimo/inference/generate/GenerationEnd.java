package io.guimo.inference.generate;

/**
 * How a sequence ended and what it took.
 *
 * @param reason why no further token comes
 * @param cachedTokens of the prompt, those whose state was kept from an earlier request of the same scope
 * @param generatedTokens tokens that were computed, whether or not anybody read them
 * @param cpuNanos processor time of its steps, a step's time shared by the tokens in it; 0 where the engine cannot tell
 */
public record GenerationEnd(Reason reason, int cachedTokens, int generatedTokens, long cpuNanos) {
    public enum Reason {
        /** The model ended its answer, or a constraint was fulfilled and permits nothing more. */
        STOP,
        /** {@code maxTokens} were generated, or the context is full. */
        LENGTH,
        /** The stream was closed before its end. */
        CANCELLED,
        /** The deadline passed while it was running. */
        DEADLINE
    }
}
