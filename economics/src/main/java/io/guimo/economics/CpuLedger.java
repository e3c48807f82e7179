package io.guimo.economics;

import io.guimo.units.Meter;
import io.guimo.units.TimeWindow;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Measures, window by window, what the processes of an installation used and which product's engine used it. Thread-safe. */
public final class CpuLedger {
    /** Shorter windows would be mostly the rounding of the operating system's clock ticks. */
    private static final Duration SHORTEST = Duration.ofMillis(50);

    private record Point(
            Instant at,
            long serverNanos,
            OptionalLong database,
            long databaseNanos,
            Map<String, EngineReading> engines) {}

    private final InstantSource clock;
    private final Supplier<OptionalLong> databasePid;
    private final Supplier<List<EngineReading>> engines;
    private Point last;

    /**
     * Begins the first window.
     *
     * @param clock the world's
     * @param databasePid process of the embedded database server, another one after it was restarted; empty where the database is elsewhere
     * @param engines reads every engine that runs
     */
    public CpuLedger(InstantSource clock, Supplier<OptionalLong> databasePid, Supplier<List<EngineReading>> engines)
            throws IOException {
        this.clock = clock;
        this.databasePid = databasePid;
        this.engines = engines;
        this.last = read();
    }

    /** Ends the window that began at the last call and begins the next. */
    public synchronized CostWindow close() throws IOException {
        Point now = read();
        Point before = last;
        Instant end = now.at.isBefore(before.at.plus(SHORTEST)) ? before.at.plus(SHORTEST) : now.at;
        List<CostWindow.Share> shares = new ArrayList<>();
        long workerNanos = 0;
        for (Map.Entry<String, EngineReading> engine : now.engines.entrySet()) {
            EngineReading reading = engine.getValue();
            EngineReading from = from(before.engines.get(engine.getKey()), reading);
            shares.add(share(from, reading));
            workerNanos += reading.workerNanos() - from.workerNanos();
        }
        last = now;
        return new CostWindow(
                new TimeWindow(before.at, end),
                Runtime.getRuntime().availableProcessors(),
                now.serverNanos - before.serverNanos + workerNanos,
                databaseNanos(before, now),
                shares);
    }

    /** A server that was started anew counts from zero. */
    private static long databaseNanos(Point before, Point now) {
        boolean same = now.database.equals(before.database) && now.databaseNanos >= before.databaseNanos;
        return same ? now.databaseNanos - before.databaseNanos : now.databaseNanos;
    }

    private Point read() throws IOException {
        Map<String, EngineReading> readings = new HashMap<>();
        for (EngineReading reading : engines.get()) readings.put(reading.product() + " " + reading.version(), reading);
        // Engines are read first: what they do until the process is read counts as overhead of this window, never as
        // more than the whole.
        OptionalLong database = databasePid.get();
        return new Point(
                clock.instant(),
                ProcessTime.ofThisProcess(),
                database,
                database.isPresent() ? ProcessTime.ofTree(database.getAsLong()) : 0,
                readings);
    }

    /** Where the engine's counts stood when the window began; an engine that was loaded anew under the same version counts from zero again. */
    private static EngineReading from(@Nullable EngineReading before, EngineReading now) {
        boolean anew = before == null || now.cpuNanos() < before.cpuNanos() || now.requests() < before.requests();
        return anew
                ? new EngineReading(now.product(), now.version(), Map.of(), 0, 0, Map.of(), 0, 0)
                : Objects.requireNonNull(before);
    }

    private static CostWindow.Share share(EngineReading from, EngineReading now) {
        return new CostWindow.Share(
                now.product(),
                grown(from.units(), now.units()),
                now.requests() - from.requests(),
                now.cpuNanos() - from.cpuNanos(),
                grown(from.cpuNanosByMeter(), now.cpuNanosByMeter()),
                now.busyNanos() - from.busyNanos());
    }

    private static Map<Meter, Long> grown(Map<Meter, Long> before, Map<Meter, Long> now) {
        Map<Meter, Long> grown = new EnumMap<>(Meter.class);
        now.forEach((meter, count) -> {
            long done = count - before.getOrDefault(meter, 0L);
            if (done > 0) grown.put(meter, done);
        });
        return grown;
    }
}
