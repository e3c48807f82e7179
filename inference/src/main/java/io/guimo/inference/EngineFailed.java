package io.guimo.inference;

import java.time.Duration;

/** The process or the library that evaluates the model died, and is being started again. */
public final class EngineFailed extends InferenceRefusal {
    private static final long serialVersionUID = 1;

    private final String reason;
    private final Duration retryAfter;

    /** @param retryAfter when it is likely to be there again */
    public EngineFailed(String model, String reason, Duration retryAfter) {
        super("the engine of " + model + " failed: " + reason
                + "; it is being started again, send the request again in " + Math.max(1, retryAfter.toSeconds())
                + " s");
        this.reason = reason;
        this.retryAfter = retryAfter;
    }

    /** What happened to it. */
    public String reason() {
        return reason;
    }

    public Duration retryAfter() {
        return retryAfter;
    }

    @Override
    public String code() {
        return "engine_failed";
    }

    @Override
    public boolean retryable() {
        return true;
    }
}
