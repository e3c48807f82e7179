package io.guimo.tensor;

/**
 * An operation that libtorch refused, or a libtorch that cannot be loaded. The message of an operation is the first line of libtorch's; its dump of
 * native frames is dropped.
 */
public final class TorchException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private TorchException(String message) {
        super(message);
    }

    TorchException(String message, Throwable cause) {
        super(message, cause);
    }

    /**
     * What an operation threw, shortened if libtorch wrote it.
     *
     * @return the same object when it did not come from libtorch
     */
    static RuntimeException shorten(RuntimeException thrown) {
        String message = thrown.getMessage();
        // JavaCPP turns every C++ exception into a plain RuntimeException whose message is c10::Error::what(): reason,
        // then frames
        if (thrown.getClass() != RuntimeException.class || message == null) return thrown;
        TorchException shortened =
                new TorchException(message.lines().findFirst().orElse(message));
        shortened.setStackTrace(thrown.getStackTrace());
        return shortened;
    }
}
