package io.guimo.serve.http;

import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Ends waits on clients that take too long. A blocking read or write of a socket has no limit of time of its own here; a virtual thread that is
 * interrupted in one closes the socket and goes on with an exception. Limits are looked at twice a second.
 */
final class SlowClients implements AutoCloseable {
    private static final long PERIOD_MILLIS = 500;
    private final Set<Watch> watches = ConcurrentHashMap.newKeySet();
    private final Thread watcher;
    private volatile boolean closed;

    SlowClients() {
        watcher = Thread.ofPlatform().name("slow-clients").daemon().start(this::watchAll);
    }

    /** The calling thread is interrupted unless the watch is closed within {@code limit}. */
    Watch watch(Duration limit) {
        Watch watch = new Watch(Thread.currentThread(), System.nanoTime() + limit.toNanos());
        watches.add(watch);
        return watch;
    }

    private void watchAll() {
        while (!closed) {
            try {
                Thread.sleep(PERIOD_MILLIS);
            } catch (InterruptedException e) {
                return;
            }
            long now = System.nanoTime();
            for (Watch watch : watches) watch.endIfLate(now);
        }
    }

    @Override
    public void close() {
        closed = true;
        watcher.interrupt();
    }

    /** One wait on a client. */
    final class Watch implements AutoCloseable {
        private final Thread waiting;
        private final long deadlineNanos;
        private boolean over;
        private boolean late;

        private Watch(Thread waiting, long deadlineNanos) {
            this.waiting = waiting;
            this.deadlineNanos = deadlineNanos;
        }

        private synchronized void endIfLate(long now) {
            if (over || late || now - deadlineNanos < 0) return;
            late = true;
            waiting.interrupt();
        }

        synchronized boolean isLate() {
            return late;
        }

        /** After it no interruption comes from here, nor is one left behind. */
        @Override
        public synchronized void close() {
            if (over) return;
            over = true;
            watches.remove(this);
            if (late) Thread.interrupted();
        }
    }
}
