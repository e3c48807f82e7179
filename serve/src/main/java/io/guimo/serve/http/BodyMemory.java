package io.guimo.serve.http;

import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * The memory lent to request bodies, for the whole server: a request borrows its body's size before it reads one byte of it, so that any number of
 * large uploads at once cannot exhaust the heap. Who gets none within a short wait is told to come again.
 */
final class BodyMemory {
    /** Bodies up to this size borrow nothing: all connections together are bounded by their number. */
    private static final long FREE_BYTES = 16 * 1024;

    private static final Duration WAIT = Duration.ofSeconds(2);
    private final int totalKibibytes;
    private final Semaphore kibibytes;

    BodyMemory(long bytes) {
        totalKibibytes = Math.toIntExact(Math.max(1, bytes / 1024));
        kibibytes = new Semaphore(totalKibibytes);
    }

    /** @throws RefusedException as overloaded if the memory stays lent to others */
    Loan borrow(long bytes) {
        if (bytes <= FREE_BYTES) return new Loan(0);
        // a body larger than the whole may still be read, alone
        int wanted = (int) Math.min(totalKibibytes, (bytes + 1023) / 1024);
        try {
            if (kibibytes.tryAcquire(wanted, WAIT.toMillis(), TimeUnit.MILLISECONDS)) return new Loan(wanted);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        throw new RefusedException(new Refusal.Overloaded(
                "Too many large request bodies are being read at once; send this one again", Duration.ofSeconds(1)));
    }

    final class Loan implements AutoCloseable {
        private int lent;

        private Loan(int lent) {
            this.lent = lent;
        }

        @Override
        public void close() {
            kibibytes.release(lent);
            lent = 0;
        }
    }
}
