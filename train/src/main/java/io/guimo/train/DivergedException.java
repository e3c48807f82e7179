package io.guimo.train;

/** A loss, gradient or metric that is no number: the run cannot go on. No parameter was changed by it, and no checkpoint was written after it. */
public final class DivergedException extends RuntimeException {
    private static final long serialVersionUID = 1;

    DivergedException(String message) {
        super(message);
    }
}
