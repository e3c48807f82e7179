package io.guimo.train;

/** Hears how far a run is, about twice a second, on the training thread: must return at once. */
@FunctionalInterface
public interface ProgressListener {
    /** Hears nothing. */
    ProgressListener NONE = progress -> {};

    void progressed(Progress progress);
}
