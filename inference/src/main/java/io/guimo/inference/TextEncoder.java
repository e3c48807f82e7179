package io.guimo.inference;

import java.util.List;

/** Turns text into vectors whose cosine is nearness of meaning. */
public non-sealed interface TextEncoder extends HostedModel {
    /**
     * Token ids as the model reads them, with its special tokens. Nothing is cut: a caller compares the length with {@link #maxTokens()}.
     *
     * @throws InvalidInput a text is empty or passes the bound on characters
     */
    List<int[]> tokenize(List<String> texts);

    /**
     * @param tokenIds per text its token ids as {@link #tokenize} gives them, 1 to {@link #maxTokens()} each, {@link #maxTexts()} texts at most
     * @return per text a vector of {@link #dimensions()} numbers with length 1 (Euclidean norm), equal within 1e-5 whatever else is in the batch
     * @throws InvalidInput an id is outside the vocabulary, or a bound is passed
     * @throws Overloaded   the queue is full
     * @throws EngineClosed the engine is closing
     */
    List<float[]> embed(List<int[]> tokenIds);

    /** The most tokens of one text, special tokens included. */
    int maxTokens();

    /** The most texts that one call may bring. */
    int maxTexts();

    /** Length of a vector. */
    int dimensions();
}
