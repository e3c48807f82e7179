package io.guimo.inference;

import io.guimo.inference.generate.GenerationRequest;
import io.guimo.inference.generate.TokenStream;
import io.guimo.text.ChatTemplate;
import io.guimo.text.Tokenizer;
import io.guimo.text.Vocabulary;
import java.util.Optional;
import java.util.Set;

/** A language model that is evaluated here: continues token sequences. */
public non-sealed interface TextGenerator extends HostedModel {
    /** Text to tokens and back. */
    Tokenizer tokenizer();

    /** What each token stands for: the pieces of an answer are made of it. */
    Vocabulary vocabulary();

    /** How a conversation becomes the prompt; empty for a model that only continues text. */
    Optional<ChatTemplate> chatTemplate();

    /** Most tokens of prompt and answer together. */
    int contextTokens();

    /** Tokens with which the model ends an answer. */
    Set<Integer> endTokens();

    /** What is under way; where the model is evaluated in another process, as it was a moment ago. */
    GeneratorState state();

    /**
     * Begins a sequence. Returns at once; the first token comes when its turn has come and its prompt has been read.
     *
     * @throws Overloaded   too many sequences wait
     * @throws InvalidInput the prompt does not fit the context, a token is none, a constraint cannot be fulfilled or is too large, the adapter is unknown
     * @throws EngineFailed the engine is being started again
     * @throws EngineClosed the engine is closing
     */
    TokenStream generate(GenerationRequest request);
}
