package io.guimo.launch;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Turns Ctrl-C and stop signals into an interrupt of the thread that works, and keeps the JVM alive until that thread has put everything away: training
 * writes a checkpoint, the server drains, the till finishes what was begun, the database stops.
 */
final class Interruption implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(40);

    private final CountDownLatch putAway = new CountDownLatch(1);
    private volatile boolean asked;

    private Interruption() {}

    /** For the calling thread; closed when it has put everything away. */
    static Interruption ofThisThread() {
        Interruption interruption = new Interruption();
        Thread worker = Thread.currentThread();
        Runtime.getRuntime()
                .addShutdownHook(Thread.ofPlatform().name("interruption").unstarted(() -> {
                    if (interruption.putAway.getCount() == 0) return;
                    interruption.asked = true;
                    worker.interrupt();
                    interruption.await();
                }));
        return interruption;
    }

    /** Whether the user asked for the end. */
    boolean asked() {
        return asked;
    }

    private void await() {
        try {
            boolean done = putAway.await(PATIENCE.toSeconds(), TimeUnit.SECONDS);
            if (!done)
                System.err.println("guimo: not everything was put away within " + PATIENCE.toSeconds()
                        + " s; the next start recovers it.");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        putAway.countDown();
    }
}
