package io.guimo.inference;

import java.time.Duration;

/** The queue is full. */
public final class Overloaded extends InferenceRefusal {
    private static final long serialVersionUID = 1;

    private final int waiting;
    private final Duration retryAfter;

    /** @param retryAfter how long the queue needs to drain at the present rate */
    public Overloaded(String model, int waiting, Duration retryAfter) {
        super("model " + model + " is busy: " + waiting
                + " units are waiting, which is all it lets wait; try again after " + retryAfter.toMillis() + " ms");
        this.waiting = waiting;
        this.retryAfter = retryAfter;
    }

    /** Units that wait, which is all that may. */
    public int waiting() {
        return waiting;
    }

    public Duration retryAfter() {
        return retryAfter;
    }

    @Override
    public String code() {
        return "engine_overloaded";
    }

    @Override
    public boolean retryable() {
        return true;
    }
}
