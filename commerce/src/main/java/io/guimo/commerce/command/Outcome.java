package io.guimo.commerce.command;

/** What became of a command. */
public sealed interface Outcome<T> {
    /**
     * It is done.
     *
     * @param repeated whether it had been done before, under the same key
     */
    record Done<T>(T value, boolean repeated) implements Outcome<T> {}

    /**
     * It was not done, and trying again will not help.
     *
     * @param message the value, what is permitted and what to do
     */
    record Refused<T>(Refusal refusal, String message) implements Outcome<T> {}

    /**
     * For callers that know the command to be acceptable.
     *
     * @throws IllegalStateException if it was refused
     */
    default T orThrow() {
        return switch (this) {
            case Done<T>(T value, boolean _) -> value;
            case Refused<T>(Refusal refusal, String message) ->
                throw new IllegalStateException(refusal + ": " + message);
        };
    }
}
