package io.guimo.inference;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Platform threads that do an engine's work. Platform, because the JDK measures the CPU time of those only, and because work of many milliseconds on
 * a virtual thread's carrier would keep the server's other requests waiting. Native code that they call must not start threads of its own: engines
 * pin intra-operation threads to one, so the clock of these threads is the whole cost.
 */
final class EngineThreads {
    private final List<Thread> threads = new ArrayList<>();
    private final AtomicLong endedCpuNanos = new AtomicLong();

    /** @param loop runs once on each thread, until the engine closes */
    EngineThreads(String name, int count, Runnable loop) {
        for (int i = 0; i < count; i++) {
            threads.add(Thread.ofPlatform().daemon().name(name + "-" + i).start(() -> {
                try {
                    loop.run();
                } finally {
                    endedCpuNanos.addAndGet(ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime());
                }
            }));
        }
    }

    /** CPU time of all threads, ended ones included. */
    long cpuNanos() {
        ThreadMXBean clock = ManagementFactory.getThreadMXBean();
        // A thread that ends between the two readings is missed once and counted at the next reading, never twice.
        long sum = endedCpuNanos.get();
        for (Thread thread : threads) sum += Math.max(0, clock.getThreadCpuTime(thread.threadId()));
        return sum;
    }

    void join() {
        boolean interrupted = false;
        for (Thread thread : threads) {
            while (thread.isAlive()) {
                try {
                    thread.join();
                } catch (InterruptedException wish) {
                    interrupted = true;
                }
            }
        }
        if (interrupted) Thread.currentThread().interrupt();
    }
}
