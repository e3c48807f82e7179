package io.guimo.train;

/** A loss or metric that is no number: the run cannot go on. Its folder keeps the last checkpoint before it. */
public final class DivergedException extends RuntimeException {
    private static final long serialVersionUID = 1;

    DivergedException(String message) {
        super(message);
    }
}
