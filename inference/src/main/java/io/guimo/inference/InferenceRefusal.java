package io.guimo.inference;

/**
 * An engine's expected refusal. Thrown, because it crosses the queue between a caller and the engine's threads; without a stack trace, because it
 * says nothing about the code. The closed set lets {@code serve} translate it in one exhaustive switch.
 */
public abstract sealed class InferenceRefusal extends RuntimeException
        permits Overloaded, InvalidInput, EngineClosed, EngineFailed, UpstreamFailed, UpstreamBusy {
    private static final long serialVersionUID = 1;

    InferenceRefusal(String message) {
        super(message, null, false, false);
    }

    /** Stable word for programs, such as {@code engine_overloaded}. */
    public abstract String code();

    /** Whether the same request can succeed later. */
    public abstract boolean retryable();
}
