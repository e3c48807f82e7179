package io.guimo.inference;

/** One try of a request at one upstream came to nothing. */
final class FailedAttempt extends Exception {
    private static final long serialVersionUID = 1;

    /** What became of it, which decides whether it may be tried again. */
    enum Kind {
        /** No connection: the request was not sent. */
        UNREACHED,
        /** The connection ended before the first byte of an answer. */
        UNANSWERED,
        /** 429: it does its work, for others. */
        LIMITED,
        /** 503. */
        UNAVAILABLE,
        /** 502: the upstream is itself a proxy, and what stands behind it gave no answer. */
        BAD_GATEWAY,
        /** A time limit passed: the upstream may be at work, and a second try would double the load just when there is too much of it. */
        TIMED_OUT,
        /** The answer broke off, or is none. */
        BROKEN
    }

    private final Kind kind;
    private final String reason;

    FailedAttempt(Kind kind, String reason) {
        super(reason, null, false, false);
        this.kind = kind;
        this.reason = reason;
    }

    Kind kind() {
        return kind;
    }

    String reason() {
        return reason;
    }

    /** Whether the upstream itself asked to come again later. */
    boolean later() {
        return kind == Kind.LIMITED || kind == Kind.UNAVAILABLE;
    }

    /** Whether no byte of an answer was seen that could have reached a client, and a repetition adds little to the load. */
    boolean repeatable() {
        return switch (kind) {
            case UNREACHED, UNANSWERED, LIMITED, UNAVAILABLE, BAD_GATEWAY -> true;
            case TIMED_OUT, BROKEN -> false;
        };
    }
}
