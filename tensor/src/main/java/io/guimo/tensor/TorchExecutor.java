package io.guimo.tensor;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.locks.ReentrantLock;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/**
 * Platform threads on which tensor operations run. libtorch keeps its gradient mode, its thread pool's size and its scopes per thread of the
 * operating system; a virtual thread changes that thread between two operations and corrupts them. So an operation elsewhere is refused.
 *
 * <p>The queue is unbounded: callers that take work from outside bound it before they come here.
 */
public final class TorchExecutor implements AutoCloseable {
    /** Setting the size of the pool is process-wide and only latched per thread by the thread's first parallel operation. */
    private static final ReentrantLock THREAD_COUNT = new ReentrantLock();

    private final LinkedBlockingQueue<Runnable> queue = new LinkedBlockingQueue<>();
    private final List<TorchThread> workers = new ArrayList<>();
    private volatile boolean closed;

    TorchExecutor(String name, int workers, int threadsPerOperation) {
        for (int i = 0; i < workers; i++) {
            TorchThread worker = new TorchThread(name + "-" + i, threadsPerOperation);
            this.workers.add(worker);
            worker.start();
        }
    }

    /**
     * Runs a job and waits for it. On a thread of this executor it runs at once. An interrupt of the waiting caller is passed on to the job and
     * the job's end is awaited, so that native memory is never in use by a job that nobody waits for; the caller stays interrupted.
     *
     * @throws TorchException when libtorch refuses an operation; what the job throws otherwise is thrown as it is
     */
    public <T extends @Nullable Object> T call(Callable<T> job) {
        if (Thread.currentThread() instanceof TorchThread worker && worker.executor() == this) return runHere(job);
        Job<T> task = new Job<>(job);
        enqueue(task);
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return task.get();
                } catch (InterruptedException request) {
                    interrupted = true;
                    task.interruptRunner();
                }
            }
        } catch (ExecutionException failed) {
            throw asUnchecked(failed.getCause());
        } finally {
            if (interrupted) Thread.currentThread().interrupt();
        }
    }

    public void run(Runnable job) {
        this.<@Nullable Void>call(() -> {
            job.run();
            return null;
        });
    }

    /** Queues a job. */
    public <T> CompletableFuture<T> submit(Callable<T> job) {
        CompletableFuture<T> result = new CompletableFuture<>();
        enqueue(() -> {
            try {
                result.complete(runHere(job));
            } catch (Throwable failed) { // handed to whoever waits, errors too
                result.completeExceptionally(failed);
            }
        });
        return result;
    }

    /** Processor time that this executor's threads have used, in nanoseconds. Threads inside an operation, if more than one, are not in it. */
    public long cpuNanos() {
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        long sum = 0;
        for (TorchThread worker : workers) {
            long nanos = threads.getThreadCpuTime(worker.threadId());
            sum += nanos >= 0 ? nanos : worker.cpuNanosAtEnd;
        }
        return sum;
    }

    /** Ends the threads when the queued jobs are done, and waits for them. */
    @Override
    public void close() {
        closed = true;
        for (int i = 0; i < workers.size(); i++) queue.add(TorchExecutor::leave);
        boolean interrupted = false;
        for (TorchThread worker : workers) {
            while (worker.isAlive()) {
                try {
                    worker.join();
                } catch (InterruptedException request) {
                    interrupted = true;
                    worker.interrupt();
                }
            }
        }
        if (interrupted) Thread.currentThread().interrupt();
    }

    /** The job that ends the thread which takes it. */
    private static void leave() {
        ((TorchThread) Thread.currentThread()).leaving = true;
    }

    private void enqueue(Runnable job) {
        if (closed) throw new IllegalStateException("this executor of tensor operations is closed");
        queue.add(job);
    }

    private static <T extends @Nullable Object> T runHere(Callable<T> job) {
        try {
            return job.call();
        } catch (RuntimeException thrown) {
            throw TorchException.shorten(thrown);
        } catch (Exception checked) {
            throw asUnchecked(checked);
        }
    }

    private static RuntimeException asUnchecked(@Nullable Throwable thrown) {
        return switch (thrown) {
            case RuntimeException unchecked -> TorchException.shorten(unchecked);
            case Error error -> throw error;
            case InterruptedException stopped -> {
                CancellationException cancelled = new CancellationException("interrupted");
                cancelled.initCause(stopped);
                yield cancelled;
            }
            case null, default -> new IllegalStateException(thrown);
        };
    }

    /** A queued job that knows its thread, so that an interrupt reaches the job and never the next one. */
    private static final class Job<T extends @Nullable Object> extends FutureTask<T> {
        private final ReentrantLock running = new ReentrantLock();
        private @Nullable Thread runner;
        private boolean interruptWanted;

        Job(Callable<T> job) {
            super(job);
        }

        @Override
        public void run() {
            running.lock();
            try {
                runner = Thread.currentThread();
                if (interruptWanted) runner.interrupt();
            } finally {
                running.unlock();
            }
            try {
                super.run();
            } finally {
                running.lock();
                try {
                    runner = null;
                    Thread.interrupted(); // a late interrupt belonged to this job: it must not reach the next
                } finally {
                    running.unlock();
                }
            }
        }

        void interruptRunner() {
            running.lock();
            try {
                interruptWanted = true;
                if (runner != null) runner.interrupt();
            } finally {
                running.unlock();
            }
        }
    }

    /** A platform thread that may hold native memory: it carries its own stack of scopes. */
    final class TorchThread extends Thread {
        private final int threadsPerOperation;
        private @Nullable TensorScope innermost;
        private volatile long cpuNanosAtEnd;
        private boolean leaving;

        TorchThread(String name, int threadsPerOperation) {
            super(null, null, name, 0, false);
            this.threadsPerOperation = threadsPerOperation;
            setDaemon(true);
        }

        @Override
        public void run() {
            THREAD_COUNT.lock();
            try {
                torch.set_num_threads(threadsPerOperation);
                torch.get_num_threads(); // latches the number for this thread before another thread can change it
            } finally {
                THREAD_COUNT.unlock();
            }
            while (!leaving) {
                Runnable job;
                try {
                    job = queue.take();
                } catch (InterruptedException stray) {
                    continue; // meant for a job that had just ended
                }
                job.run();
            }
            cpuNanosAtEnd = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
        }

        TorchExecutor executor() {
            return TorchExecutor.this;
        }

        @Nullable
        TensorScope innermost() {
            return innermost;
        }

        void innermost(@Nullable TensorScope scope) {
            innermost = scope;
        }
    }
}
