package io.guimo.inference.llama;

/**
 * How a model in GGUF is held and evaluated.
 *
 * @param contextTokens most positions of one sequence, 16 or more; 0: what the model was trained with
 * @param cacheTokens positions that there is room for, of all sequences together, {@code contextTokens} or more; 0: as many as one context
 * @param maxSequences sequences with state at once, kept prefixes among them, 1 to {@value #MOST_SEQUENCES}
 * @param batchTokens most tokens of one step, {@code maxSequences} to 4,096: a longer prompt is read in several, between which others get their tokens
 * @param threads that evaluate a step, 1 to 64. They wait for each other in loops: on busy cores fewer are faster
 */
public record LlamaSettings(int contextTokens, int cacheTokens, int maxSequences, int batchTokens, int threads) {
    /** What libllama was built with. */
    static final int MOST_SEQUENCES = 256;

    /** Of the longest contexts the state alone would fill a desk's memory: who has more asks for it. */
    private static final int MOST_CONTEXT = 16_384;

    public LlamaSettings {
        if (contextTokens != 0) require("contextTokens", contextTokens, 16, 1 << 24);
        if (cacheTokens != 0) require("cacheTokens", cacheTokens, Math.max(16, contextTokens), 1 << 26);
        require("maxSequences", maxSequences, 1, MOST_SEQUENCES);
        require("batchTokens", batchTokens, maxSequences, 4096);
        require("threads", threads, 1, 64);
    }

    /**
     * For a machine that also serves: all processors but one, and room for two whole contexts, which are many conversations of the usual length.
     *
     * @param trainedTokens positions that the model was trained with
     */
    public static LlamaSettings standard(int trainedTokens) {
        int context = Math.clamp(trainedTokens, 16, MOST_CONTEXT);
        return new LlamaSettings(
                context, 2 * context, 48, 512, Math.clamp(Runtime.getRuntime().availableProcessors() - 1L, 1, 64));
    }

    private static void require(String name, int value, int least, int most) {
        if (value < least || value > most) {
            throw new IllegalArgumentException(name + ": " + value + "; permitted are " + least + " to " + most);
        }
    }
}
