package io.guimo.commerce;

import io.guimo.postgres.Database;
import io.guimo.postgres.DatabaseException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes durable what lanes have committed without waiting for the disk. PostgreSQL writes its log in order, so one synchronous commit, of
 * anything, puts all earlier commits on the disk as well; while it waits for the disk, lanes commit the next batches. Row locks are held for
 * a batch, never for a flush.
 */
final class Barrier implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Barrier.class);
    private static final long IDLE_NANOS = TimeUnit.MILLISECONDS.toNanos(200);
    private static final int MOST = 1 << 20;

    // A commit that writes nothing waits for nothing: this writes a record of a few bytes, which no one reads.
    private static final String FLUSH = "select pg_logical_emit_message(true, 'guimo', '')";

    private final Database database;
    private final Consumer<List<Command<?>>> inDoubt;
    private final Inbox<Command<?>> inbox = new Inbox<>();
    private final Thread thread;
    private volatile boolean closed;

    /** @param inDoubt takes commands that may not have reached the disk */
    Barrier(Database database, Consumer<List<Command<?>>> inDoubt) {
        this.database = database;
        this.inDoubt = inDoubt;
        this.thread = Thread.ofPlatform().daemon().name("till-barrier").start(this::run);
    }

    /** Answers the command when everything that was committed before this call is on the disk. */
    void afterFlush(Command<?> command) {
        inbox.put(command);
    }

    /** Answers what it has, then ends. No lane may run any more. */
    @Override
    public void close() {
        closed = true;
        inbox.wake();
        try {
            thread.join(Duration.ofSeconds(30));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void run() {
        List<Command<?>> waiting = new ArrayList<>();
        while (!closed || !inbox.isEmpty()) {
            try (Connection connection = database.connect("till barrier");
                    PreparedStatement flush = connection.prepareStatement(FLUSH)) {
                connection.setNetworkTimeout(Runnable::run, (int) Lane.ANSWER_WITHIN.toMillis());
                while (!closed || !inbox.isEmpty()) {
                    inbox.take(waiting, MOST, IDLE_NANOS);
                    if (waiting.isEmpty()) continue;
                    flush.execute();
                    for (Command<?> command : waiting) command.complete();
                    waiting.clear();
                }
            } catch (SQLException | DatabaseException e) {
                LOG.warn("the flush of {} settled requests is in doubt: {}", waiting.size(), e.getMessage());
                inbox.take(waiting, MOST, 0);
                inDoubt.accept(List.copyOf(waiting));
                waiting.clear();
                Lane.pause(Lane.RECONNECT_AFTER);
            }
        }
    }
}
