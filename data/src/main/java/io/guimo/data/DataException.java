package io.guimo.data;

/** Data that is missing, unreachable or not what it claims to be. The message is one paragraph for the person who asked for the data. */
public final class DataException extends RuntimeException {
    /** Why, stable over releases. */
    public enum Code {
        /** No catalogue entry has that name. */
        UNKNOWN_NAME,
        /** Every place that could have it was tried in vain. */
        UNAVAILABLE,
        /** A file is not what the catalogue or its format says. */
        MALFORMED,
        /** More bytes, pixels or rows than are read. */
        TOO_LARGE
    }

    private final Code code;

    public DataException(Code code, String message) {
        super(message);
        this.code = code;
    }

    public DataException(Code code, String message, Throwable cause) {
        super(message, cause);
        this.code = code;
    }

    public Code code() {
        return code;
    }
}
