package io.guimo.inference;

/** What came of loading a version. */
public sealed interface LoadResult permits LoadResult.Loaded, LoadResult.Refused {
    /** The model is hosted. */
    record Loaded(HostedModel model) implements LoadResult {}

    /**
     * The package is not what was signed, or this build cannot run it; what was hosted under the name before still is.
     *
     * @param message what differs or is missing, and what to do
     */
    record Refused(String model, int version, String message) implements LoadResult {}
}
