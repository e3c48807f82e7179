package io.guimo.inference.generate;

import io.guimo.inference.InferenceRefusal;
import java.util.ArrayDeque;
import java.util.Optional;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/** Tokens on their way from the step thread to whoever reads them. Never more than the sequence may generate. */
public final class QueuedTokens implements TokenStream {
    private final Runnable onClose;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final ArrayDeque<GeneratedToken> unread = new ArrayDeque<>();
    private int cachedTokens;
    private boolean readToTheEnd;
    private @Nullable GenerationEnd end;
    private @Nullable InferenceRefusal failure;
    private volatile boolean closed;

    /** @param onClose called once, when the reader closes the stream before its end */
    public QueuedTokens(Runnable onClose) {
        this.onClose = onClose;
    }

    @Override
    public Optional<GeneratedToken> next() throws InterruptedException {
        lock.lockInterruptibly();
        try {
            while (unread.isEmpty() && !ended() && !closed) changed.await();
            if (!closed && !unread.isEmpty()) return Optional.of(unread.remove());
            if (failure != null) throw failure;
            readToTheEnd = true;
            return Optional.empty();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public int cachedTokens() {
        lock.lock();
        try {
            return cachedTokens;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public GenerationEnd end() {
        lock.lock();
        try {
            if (!readToTheEnd && !closed && failure == null) {
                throw new IllegalStateException("the sequence may go on: read it to its end or close it");
            }
            while (!ended()) changed.awaitUninterruptibly();
            if (failure != null) throw failure;
            if (end == null) throw new IllegalStateException("ended without an end");
            return end;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void close() {
        lock.lock();
        try {
            if (closed) return;
            closed = true;
            unread.clear();
            changed.signalAll();
            if (ended()) return;
        } finally {
            lock.unlock();
        }
        onClose.run();
    }

    /** Whether nobody reads on. */
    public boolean closed() {
        return closed;
    }

    public void begin(int reusedTokens) {
        lock.lock();
        try {
            cachedTokens = reusedTokens;
        } finally {
            lock.unlock();
        }
    }

    public void add(GeneratedToken token) {
        lock.lock();
        try {
            if (closed) return;
            unread.add(token);
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    public void end(GenerationEnd how) {
        lock.lock();
        try {
            if (ended()) throw new IllegalStateException("ended twice");
            end = how;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Harmless when it has ended. */
    public void fail(InferenceRefusal why) {
        lock.lock();
        try {
            if (ended()) return;
            failure = why;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private boolean ended() {
        return end != null || failure != null;
    }
}
