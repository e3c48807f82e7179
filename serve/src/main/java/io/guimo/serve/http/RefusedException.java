package io.guimo.serve.http;

/**
 * Carries a refusal out of nested parsing, where each caller in between could only pass it on. Caught in {@link Dispatcher} alone; without a
 * stack trace, since a refusal is an expected value.
 */
public final class RefusedException extends RuntimeException {
    private final transient Refusal refusal;

    public RefusedException(Refusal refusal) {
        super(refusal.message(), null, false, false);
        this.refusal = refusal;
    }

    public Refusal refusal() {
        return refusal;
    }

    public static RefusedException invalid(
            String message, @org.jspecify.annotations.Nullable String param, String code) {
        return new RefusedException(new Refusal.InvalidRequest(message, param, code));
    }
}
