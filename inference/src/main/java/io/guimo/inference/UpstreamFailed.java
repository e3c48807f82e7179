package io.guimo.inference;

/** A remote model gave no whole answer. */
public final class UpstreamFailed extends InferenceRefusal {
    private static final long serialVersionUID = 1;

    private final boolean timedOut;
    private final boolean unanswered;

    /** An answer that did not come in time or broke off. */
    public UpstreamFailed(String model, boolean timedOut, String message) {
        this(model, timedOut, false, message);
    }

    UpstreamFailed(String model, boolean timedOut, boolean unanswered, String message) {
        super("the upstream of model " + model + " failed: " + message);
        this.timedOut = timedOut;
        this.unanswered = unanswered;
    }

    /** Whether a time limit passed, rather than the connection failing. */
    public boolean timedOut() {
        return timedOut;
    }

    /** Whether no upstream said anything: another model may be asked in its place. */
    public boolean unanswered() {
        return unanswered;
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
