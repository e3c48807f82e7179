package io.guimo.inference;

import io.guimo.units.Meter;
import java.util.Set;

/**
 * A model that answers. The kinds are closed, so that {@code serve} maps them to routes by one exhaustive switch; an engine implements one kind.
 * Every engine is safe for use by many threads, blocks its caller until the answer is there, and refuses by throwing an {@link InferenceRefusal}.
 */
public sealed interface HostedModel extends AutoCloseable
        permits ImageClassifier, ItemRecommender, TextEncoder, RemoteChat, TextGenerator {
    /** The name that requests use. */
    String name();

    /** The registry's version, such as {@code 3}; for a remote model what its settings say. */
    String version();

    /** What a request to this model can be charged for. */
    Set<Meter> meters();

    /** What this engine has done since it was loaded. */
    EngineUsage usage();

    /** Stops accepting, answers everything accepted before, then frees the engine's memory. Later calls are refused with {@link EngineClosed}. */
    @Override
    void close();
}
