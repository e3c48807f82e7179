package io.guimo.commerce.command;

import io.guimo.postgres.Database;
import io.guimo.postgres.DatabaseException;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.postgresql.PGConnection;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps things that change rarely and are read with every request in memory, no older than a second on any server of the database.
 *
 * <p>A writer takes a number from one sequence for each row that it changes and notifies; followers ask for rows with numbers above the
 * last one they saw. Numbers are taken under an advisory lock held to the end of the transaction: without it a transaction could commit a
 * lower number after a follower had seen a higher one, and its change would stay unseen. Notifications only make it faster: a server whose
 * notification is lost asks again within {@link #POLL}.
 */
public final class ChangeFeed implements AutoCloseable {
    static final Duration POLL = Duration.ofMillis(400);
    private static final Duration RETRY = Duration.ofMillis(200);
    private static final Duration SILENCE = Duration.ofSeconds(5);
    private static final Duration STOP = Duration.ofSeconds(10);
    private static final String CHANNEL = "guimo_directory";
    // any fixed number that no other code of this database takes
    private static final long WRITERS_LOCK = 0x4755_494d_4f01L;
    private static final Logger LOG = LoggerFactory.getLogger(ChangeFeed.class);

    private final Database database;
    private final List<Follower> followers = new CopyOnWriteArrayList<>();
    private final Thread thread;
    private volatile boolean closed;

    /** Something in memory that can be brought up to date. */
    @FunctionalInterface
    public interface Follower {
        /** Reads what changed since the last call. Called by several threads. */
        void catchUp(Connection connection) throws SQLException;
    }

    /** Starts to follow the database. */
    public ChangeFeed(Database database) {
        this.database = database;
        this.thread = Thread.ofPlatform().daemon().name("guimo-changes").start(this::run);
    }

    /**
     * Announces that this transaction is going to change rows. Call it before the first of them is written with a number from the sequence
     * {@code directory_change}; other writers wait until the transaction ends.
     */
    public static void announce(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute("select pg_advisory_xact_lock(" + WRITERS_LOCK + ")");
            statement.execute("notify " + CHANNEL);
        }
    }

    /** Fills the follower now and keeps it up to date. */
    public void follow(Follower follower) {
        database.perform(follower::catchUp);
        followers.add(follower);
    }

    /** Brings this server up to date at once: after a command of its own, so that its caller sees the effect. */
    public void refresh() {
        database.perform(connection -> {
            for (Follower follower : followers) follower.catchUp(connection);
        });
    }

    @Override
    public void close() {
        closed = true;
        thread.interrupt();
        try {
            thread.join(STOP);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void run() {
        boolean lost = false;
        while (!closed && !Thread.currentThread().isInterrupted()) {
            try (Connection connection = database.connect("changes")) {
                // a connection that died silently must not leave this server in the past
                connection.setNetworkTimeout(Runnable::run, (int) SILENCE.toMillis());
                try (Statement statement = connection.createStatement()) {
                    statement.execute("listen " + CHANNEL);
                }
                PGConnection notifications = connection.unwrap(PGConnection.class);
                while (!closed) {
                    for (Follower follower : followers) follower.catchUp(connection);
                    if (lost) LOG.info("following changes of keys, organisations and prices again");
                    lost = false;
                    notifications.getNotifications((int) POLL.toMillis());
                }
            } catch (SQLException | DatabaseException e) {
                if (closed) return;
                if (!lost) LOG.warn("changes of keys, organisations and prices are not followed: {}", e.getMessage());
                lost = true;
                pause();
            }
        }
    }

    private void pause() {
        try {
            Thread.sleep(RETRY);
        } catch (InterruptedException e) {
            // the loop sees it and ends
            Thread.currentThread().interrupt();
        }
    }
}
