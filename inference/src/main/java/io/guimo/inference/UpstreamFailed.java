package io.guimo.inference;

/** A remote model gave no whole answer. */
public final class UpstreamFailed extends InferenceRefusal {
    private static final long serialVersionUID = 1;

    private final boolean timedOut;

    public UpstreamFailed(String model, boolean timedOut, String message) {
        super("the upstream of model " + model + " failed: " + message);
        this.timedOut = timedOut;
    }

    /** Whether a time limit passed, rather than the connection failing. */
    public boolean timedOut() {
        return timedOut;
    }

    @Override
    public String code() {
        return timedOut ? "upstream_timeout" : "upstream_failed";
    }

    @Override
    public boolean retryable() {
        return true;
    }
}
