package io.guimo.inference;

import java.time.Duration;

/** Every upstream of a remote model refuses for the moment, or rests after failures. */
public final class UpstreamBusy extends InferenceRefusal {
    private static final long serialVersionUID = 1;

    private final Duration retryAfter;

    /** @param retryAfter when one of them is likely to answer */
    public UpstreamBusy(String model, String reason, Duration retryAfter) {
        super("no upstream of model " + model + " takes the request: " + reason + "; send it again in "
                + Math.max(1, retryAfter.toSeconds()) + " s");
        this.retryAfter = retryAfter;
    }

    public Duration retryAfter() {
        return retryAfter;
    }

    @Override
    public String code() {
        return "upstream_busy";
    }

    @Override
    public boolean retryable() {
        return true;
    }
}
