package io.guimo.economics;

import io.guimo.postgres.Database;
import io.guimo.units.Meter;
import io.guimo.units.TimeWindow;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Keeps the windows that {@link CpuLedger} measured, of every server of the database. */
public final class CostLog {
    private final Database database;

    private CostLog(Database database) {
        this.database = database;
    }

    public static CostLog open(Database database) {
        database.migrate("economics", "io/guimo/economics/migrations");
        return new CostLog(database);
    }

    public void append(CostWindow window) {
        database.perform(connection -> {
            long id = insertWindow(connection, window);
            try (PreparedStatement share = connection.prepareStatement(
                    "insert into cost_share (window_id, product, meter, units, requests, cpu_nanos, busy_nanos, meter_cpu_nanos) values (?, ?, ?, ?, ?, ?, ?, ?)")) {
                for (CostWindow.Share s : window.shares()) {
                    boolean first = true;
                    Set<Meter> meters = EnumSet.noneOf(Meter.class);
                    meters.addAll(s.units().keySet());
                    meters.addAll(s.cpuNanosByMeter().keySet());
                    if (meters.isEmpty()) meters.add(Meter.REQUESTS);
                    // A row a meter; what is counted once an engine stands in its first row.
                    for (Meter meter : meters) {
                        share.setLong(1, id);
                        share.setString(2, s.product());
                        share.setString(3, meter.wireName());
                        share.setLong(4, s.units().getOrDefault(meter, 0L));
                        share.setLong(5, first ? s.requests() : 0);
                        share.setLong(6, first ? s.cpuNanos() : 0);
                        share.setLong(7, first ? s.busyNanos() : 0);
                        share.setLong(8, s.cpuNanosByMeter().getOrDefault(meter, 0L));
                        share.addBatch();
                        first = false;
                    }
                }
                share.executeBatch();
            }
        });
    }

    /**
     * All windows that began in the span, as one; empty if there is none. It is as long as they are together: the time in which no server ran, and
     * nothing was measured, is not in it.
     */
    public Optional<CostWindow> sum(TimeWindow span) {
        return database.transaction(connection -> {
            try (PreparedStatement select = connection.prepareStatement("""
                    select min(started_at), sum(extract(epoch from ended_at - started_at)), max(cores), sum(server_nanos)::bigint, sum(database_nanos)::bigint
                    from cost_window where started_at >= ? and started_at < ?""")) {
                select.setObject(1, at(span.start()));
                select.setObject(2, at(span.end()));
                try (ResultSet row = select.executeQuery()) {
                    row.next();
                    if (row.getObject(1) == null) return Optional.empty();
                    Instant start = instant(row, 1);
                    TimeWindow time = new TimeWindow(start, start.plusMillis(Math.round(row.getDouble(2) * 1000)));
                    return Optional.of(new CostWindow(
                            time, row.getInt(3), row.getLong(4), row.getLong(5), shares(connection, span)));
                }
            }
        });
    }

    private static List<CostWindow.Share> shares(Connection connection, TimeWindow span) throws SQLException {
        Map<String, CostWindow.Share> sums = new LinkedHashMap<>();
        try (PreparedStatement select = connection.prepareStatement("""
                select product, meter, sum(units)::bigint, sum(requests)::bigint, sum(cpu_nanos)::bigint, sum(busy_nanos)::bigint, sum(meter_cpu_nanos)::bigint
                from cost_share join cost_window on cost_window.id = window_id
                where started_at >= ? and started_at < ? group by product, meter order by product, meter""")) {
            select.setObject(1, at(span.start()));
            select.setObject(2, at(span.end()));
            try (ResultSet row = select.executeQuery()) {
                while (row.next()) {
                    Meter meter = Meter.ofWireName(row.getString(2)).orElseThrow();
                    var one = new CostWindow.Share(
                            row.getString(1),
                            unlessZero(meter, row.getLong(3)),
                            row.getLong(4),
                            row.getLong(5),
                            unlessZero(meter, row.getLong(7)),
                            row.getLong(6));
                    sums.merge(one.product(), one, CostLog::together);
                }
            }
        }
        return List.copyOf(sums.values());
    }

    private static CostWindow.Share together(CostWindow.Share a, CostWindow.Share b) {
        return new CostWindow.Share(
                a.product(),
                sum(a.units(), b.units()),
                a.requests() + b.requests(),
                a.cpuNanos() + b.cpuNanos(),
                sum(a.cpuNanosByMeter(), b.cpuNanosByMeter()),
                a.busyNanos() + b.busyNanos());
    }

    private static Map<Meter, Long> sum(Map<Meter, Long> a, Map<Meter, Long> b) {
        Map<Meter, Long> sum = new EnumMap<>(Meter.class);
        sum.putAll(a);
        b.forEach((meter, count) -> sum.merge(meter, count, Long::sum));
        return sum;
    }

    private static Map<Meter, Long> unlessZero(Meter meter, long count) {
        return count > 0 ? Map.of(meter, count) : Map.of();
    }

    private static long insertWindow(Connection connection, CostWindow window) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement(
                "insert into cost_window (started_at, ended_at, cores, server_nanos, database_nanos) values (?, ?, ?, ?, ?) returning id")) {
            insert.setObject(1, at(window.time().start()));
            insert.setObject(2, at(window.time().end()));
            insert.setInt(3, window.cores());
            insert.setLong(4, window.serverNanos());
            insert.setLong(5, window.databaseNanos());
            try (ResultSet row = insert.executeQuery()) {
                row.next();
                return row.getLong(1);
            }
        }
    }

    private static OffsetDateTime at(Instant instant) {
        return instant.atOffset(ZoneOffset.UTC);
    }

    private static Instant instant(ResultSet row, int column) throws SQLException {
        return row.getObject(column, OffsetDateTime.class).toInstant();
    }
}
