package io.guimo.commerce;

import io.guimo.postgres.Database;
import io.guimo.postgres.DatabaseException;
import io.guimo.units.OrganizationId;
import io.guimo.units.RequestId;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToIntFunction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps this server's lease alive and ends the reservations of servers that are gone.
 *
 * <p>A lease is dead {@link #LIFE} after its last renewal, by the database's clock, so that servers' clocks need not agree. A server that
 * finds its lease gone takes a new one; what it had reserved may be swept, and its settles then charge again. Nobody is declared dead by a
 * server that could not renew its own lease for as long: after an outage of the database everybody gets the time to come back.
 *
 * <p>While it is connected a server also holds an advisory lock named by its lease. A server that starts under the name of one whose lock is
 * free knows that that one is gone, and need not wait.
 */
final class Leases implements AutoCloseable {
    static final Duration LIFE = Duration.ofSeconds(10);

    private static final Logger LOG = LoggerFactory.getLogger(Leases.class);
    private static final Duration RENEWAL = Duration.ofSeconds(2);
    private static final Duration WATCH = Duration.ofMillis(500);
    private static final int LOCK_CLASS = 0x6775_696d; // "guim"
    private static final int SWEPT_AT_ONCE = 1000;

    private final Database database;
    private final String server;
    private final ToIntFunction<List<Command.Sweep>> sweeper;
    private final Thread thread;
    private volatile long current;
    private volatile boolean closed;

    private long renewedNanos;
    private long unbrokenSinceNanos;
    private long countedNanos;

    /**
     * Takes a lease and sweeps what an earlier run of this server left.
     *
     * @param sweeper carries the commands out before it returns how many ended a reservation
     */
    Leases(Database database, String server, ToIntFunction<List<Command.Sweep>> sweeper) {
        this.database = database;
        this.server = server;
        this.sweeper = sweeper;
        Connection connection = database.connect("till leases");
        try {
            int ended = endEarlierRuns(connection);
            acquire(connection);
            if (ended > 0 || hasOrphans(connection)) sweep(connection);
        } catch (SQLException e) {
            close(connection);
            throw new DatabaseException("cannot take a lease on the ledger", e);
        }
        unbrokenSinceNanos = System.nanoTime();
        thread = Thread.ofPlatform().daemon().name("till-leases").start(() -> run(connection));
    }

    /** This server's lease; 0 while it has none. */
    long current() {
        return current;
    }

    /** Gives the lease back and sweeps what is still reserved under it. */
    @Override
    public void close() {
        closed = true;
        thread.interrupt();
        try {
            thread.join(LIFE);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        try (Connection connection = database.connect("till leases")) {
            update(connection, "delete from lease where id = ?", current);
            sweep(connection);
        } catch (SQLException | RuntimeException e) {
            LOG.warn("the lease is left to expire: {}", e.getMessage());
        }
    }

    private void run(Connection first) {
        Connection connection = first;
        boolean lost = false;
        while (!closed) {
            try {
                if (connection.isClosed()) {
                    connection = database.connect("till leases");
                    unbrokenSinceNanos = System.nanoTime();
                }
                watch(connection);
                lost = false;
            } catch (SQLException | DatabaseException e) {
                if (!closed && !lost) LOG.warn("the lease cannot be renewed: {}", e.getMessage());
                lost = true;
                close(connection);
            }
            Lane.pause(WATCH);
            if (Thread.interrupted() && closed) break;
        }
        close(connection);
    }

    private void watch(Connection connection) throws SQLException {
        if (System.nanoTime() - renewedNanos > RENEWAL.toNanos()) {
            if (update(connection, "update lease set renewed_at = clock_timestamp() where id = ?", current) == 0) {
                LOG.warn("this server was taken for dead: it could not renew its lease for {} s", LIFE.toSeconds());
                acquire(connection);
            }
            long now = System.nanoTime();
            // A pause of this process is an outage too: others may have been as silent as we were.
            if (now - renewedNanos > LIFE.toNanos()) unbrokenSinceNanos = now;
            renewedNanos = now;
        }
        if (System.nanoTime() - unbrokenSinceNanos < LIFE.toNanos()) return;
        int ended = update(
                connection,
                "delete from lease where renewed_at < clock_timestamp() - ? * interval '1 second'",
                LIFE.toSeconds());
        if (ended > 0) LOG.info("{} servers are gone; what they reserved is given back", ended);
        boolean count = System.nanoTime() - countedNanos > LIFE.toNanos();
        if (count) countedNanos = System.nanoTime();
        if (ended > 0 || (count && hasOrphans(connection))) sweep(connection);
    }

    private int endEarlierRuns(Connection connection) throws SQLException {
        try (PreparedStatement delete = connection.prepareStatement(
                "delete from lease where id in (select id from lease where server = ?) and pg_try_advisory_lock(?, id::integer)")) {
            delete.setString(1, server);
            delete.setInt(2, LOCK_CLASS);
            return delete.executeUpdate();
        }
    }

    private void acquire(Connection connection) throws SQLException {
        current = 0;
        try (PreparedStatement insert = connection.prepareStatement(
                "insert into lease (server, renewed_at) values (?, clock_timestamp()) returning id")) {
            insert.setString(1, server);
            try (ResultSet row = insert.executeQuery()) {
                row.next();
                long id = row.getLong(1);
                try (Statement lock = connection.createStatement()) {
                    lock.execute("select pg_advisory_lock(" + LOCK_CLASS + ", " + (int) id + ")");
                }
                current = id;
            }
        }
        renewedNanos = System.nanoTime();
    }

    private static boolean hasOrphans(Connection connection) throws SQLException {
        return !orphans(connection, 1).isEmpty();
    }

    private static List<Command.Sweep> orphans(Connection connection, int most) throws SQLException {
        List<Command.Sweep> found = new ArrayList<>();
        try (PreparedStatement select = connection.prepareStatement(
                "select w.organization_id, r.request_id from reservation r join wallet w on w.id = r.wallet_id "
                        + "where not exists (select from lease where lease.id = r.lease_id) order by w.id, r.request_id limit ?")) {
            select.setInt(1, most);
            try (ResultSet row = select.executeQuery()) {
                while (row.next()) {
                    found.add(new Command.Sweep(new OrganizationId(row.getString(1)), new RequestId(row.getString(2))));
                }
            }
        }
        return found;
    }

    private void sweep(Connection connection) throws SQLException {
        int swept = 0;
        // One that a lane still has in memory as that of a live server is found to be an orphan the second time.
        for (int fruitless = 0; fruitless < 3; ) {
            List<Command.Sweep> found = orphans(connection, SWEPT_AT_ONCE);
            if (found.isEmpty()) break;
            int ended = sweeper.applyAsInt(found);
            swept += ended;
            fruitless = ended == 0 ? fruitless + 1 : 0;
        }
        if (swept > 0) LOG.info("{} reservations of servers that are gone were ended", swept);
    }

    private static int update(Connection connection, String sql, long parameter) throws SQLException {
        try (PreparedStatement update = connection.prepareStatement(sql)) {
            update.setLong(1, parameter);
            return update.executeUpdate();
        }
    }

    private static void close(Connection connection) {
        try {
            connection.close();
        } catch (SQLException e) {
            LOG.debug("closing the connection of the leases", e);
        }
    }
}
