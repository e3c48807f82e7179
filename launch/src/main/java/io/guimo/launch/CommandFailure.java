package io.guimo.launch;

/** A failure that the user can act on: its message is one clear paragraph, printed without a stack trace unless {@code --debug} is given. */
final class CommandFailure extends RuntimeException {
    private static final long serialVersionUID = 1L;

    CommandFailure(String message) {
        super(message);
    }

    CommandFailure(String message, Throwable cause) {
        super(message, cause);
    }
}
