package io.guimo.inference;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/** One unit of a call on its way through an engine: an image, or a text. */
abstract class Pending<R> {
    private final CompletableFuture<R> result = new CompletableFuture<>();

    /** Whether its caller has gone, so that work on it would be for nobody. */
    final boolean abandoned() {
        return result.isCancelled();
    }

    final void complete(R value) {
        result.complete(value);
    }

    final void fail(Throwable cause) {
        result.completeExceptionally(cause);
    }

    /**
     * Waits for all units of a call. The first unit, in order, that failed decides; the others are then abandoned.
     *
     * @throws CancellationException if the waiting thread is interrupted; it stays so
     */
    static <R> List<R> await(List<? extends Pending<R>> units) {
        List<R> results = new ArrayList<>(units.size());
        try {
            for (Pending<R> unit : units) results.add(unit.result.get());
            return results;
        } catch (InterruptedException wish) {
            Thread.currentThread().interrupt();
            CancellationException cancelled =
                    new CancellationException("the caller was interrupted while the model worked");
            cancelled.initCause(wish);
            throw cancelled;
        } catch (ExecutionException failed) {
            throw switch (failed.getCause()) {
                case InferenceRefusal refusal -> refusal;
                case Error error -> error(error);
                case null -> new IllegalStateException(failed);
                default ->
                    new IllegalStateException(
                            "the engine failed: " + failed.getCause().getMessage(), failed.getCause());
            };
        } finally {
            if (results.size() < units.size()) for (Pending<R> unit : units) unit.result.cancel(false);
        }
    }

    private static RuntimeException error(Error error) {
        throw error;
    }
}
