package io.guimo.commerce;

import io.guimo.postgres.Database;
import io.guimo.postgres.DatabaseException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.YearMonth;
import java.time.ZoneOffset;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Makes next month's partition of the usage events in time, and removes keys that are no longer remembered. */
final class Housekeeping implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Housekeeping.class);
    private static final Duration INTERVAL = Duration.ofHours(1);
    private static final int MONTHS_AHEAD = 2;
    private static final long PARTITIONS_LOCK = 0x4755_494d_4f02L;

    private final Database database;
    private final InstantSource world;
    private final Duration countedFor;
    private final Thread thread;

    /** Makes the partitions before it returns. */
    Housekeeping(Database database, InstantSource world, Duration countedFor) {
        this.database = database;
        this.world = world;
        this.countedFor = countedFor;
        database.perform(connection -> addPartitions(connection, world.instant()));
        thread = Thread.ofVirtual().name("till-housekeeping").start(this::run);
    }

    @Override
    public void close() {
        thread.interrupt();
    }

    private void run() {
        while (true) {
            try {
                Thread.sleep(INTERVAL);
            } catch (InterruptedException e) {
                return;
            }
            try {
                Instant now = world.instant();
                database.perform(connection -> addPartitions(connection, now));
                int keys = remove(
                        "delete from request_key where created_at < ? and state <> 'running'",
                        now.minus(Till.KEY_LIFE));
                int requests = remove("delete from usage_request where recorded_at < ?", now.minus(countedFor));
                LOG.debug("removed {} idempotency keys and {} request ids", keys, requests);
            } catch (DatabaseException e) {
                LOG.warn("housekeeping has to wait: {}", e.getMessage());
            }
        }
    }

    private int remove(String delete, Instant before) {
        return database.transaction(connection -> {
            try (PreparedStatement statement = connection.prepareStatement(delete)) {
                statement.setObject(1, before.atOffset(ZoneOffset.UTC));
                return statement.executeUpdate();
            }
        });
    }

    private static void addPartitions(Connection connection, Instant now) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            // servers that start together take turns
            statement.execute("select pg_advisory_xact_lock(" + PARTITIONS_LOCK + ")");
            YearMonth first = YearMonth.from(now.atZone(ZoneOffset.UTC));
            for (int i = 0; i <= MONTHS_AHEAD; i++) {
                YearMonth month = first.plusMonths(i);
                statement.execute("create table if not exists usage_event_"
                        + month.toString().replace('-', '_')
                        + " partition of usage_event for values from ('" + month + "-01 00:00Z') to ('"
                        + month.plusMonths(1) + "-01 00:00Z')");
            }
        }
    }
}
