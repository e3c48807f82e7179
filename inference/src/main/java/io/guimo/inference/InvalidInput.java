package io.guimo.inference;

/** The request holds something that the model cannot take. The message names the value, the permitted range and what to do. */
public final class InvalidInput extends InferenceRefusal {
    private static final long serialVersionUID = 1;

    private final int index;

    /** @param index which of the request's inputs, from 0; -1 when it is about the request as a whole */
    public InvalidInput(int index, String message) {
        super(message);
        this.index = index;
    }

    public int index() {
        return index;
    }

    @Override
    public String code() {
        return "invalid_input";
    }

    @Override
    public boolean retryable() {
        return false;
    }
}
