package io.guimo.inference;

import java.io.IOException;
import java.net.Socket;
import java.time.Duration;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Closes a socket whose write or handshake takes too long: neither has a time limit of its own. One thread for a remote model, which also begins its
 * probes.
 */
final class Watchdog implements AutoCloseable {
    private final ScheduledThreadPoolExecutor timer;

    Watchdog(String model) {
        timer = new ScheduledThreadPoolExecutor(
                1, Thread.ofPlatform().daemon().name("watch-" + model).factory());
        timer.setRemoveOnCancelPolicy(true);
        timer.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
    }

    /** Watches until closed. */
    final class Watch implements AutoCloseable {
        private final Future<?> end;
        private volatile boolean fired;

        private Watch(Socket socket, long nanos) {
            end = timer.schedule(() -> close(socket), nanos, TimeUnit.NANOSECONDS);
        }

        private void close(Socket socket) {
            fired = true;
            try {
                socket.close();
            } catch (IOException alreadyBroken) {
                // Whoever works on it is told by its own failure.
            }
        }

        /** Whether the time passed and the socket was closed. */
        boolean fired() {
            return fired;
        }

        @Override
        public void close() {
            end.cancel(false);
        }
    }

    /** @param socket the lowest one: closing a TLS socket can itself wait for the other side */
    Watch watch(Socket socket, long nanos) {
        return new Watch(socket, nanos);
    }

    /** Runs it each period, the first time after one, beside all watching: so it must only begin what takes time. */
    void each(Duration period, Runnable begin) {
        var _ = timer.scheduleWithFixedDelay(begin, period.toNanos(), period.toNanos(), TimeUnit.NANOSECONDS);
    }

    @Override
    public void close() {
        timer.shutdownNow();
    }
}
