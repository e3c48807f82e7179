package io.guimo.economics;

import io.guimo.units.Meter;
import io.guimo.units.TimeWindow;
import java.util.List;
import java.util.Map;

/**
 * Processor time of a span, whole and shared.
 *
 * @param time of the world's clock
 * @param cores of the machine
 * @param serverNanos processor time of the server process and of its engines' workers
 * @param databaseNanos processor time of the embedded database's processes; 0 where the database is not of this machine
 * @param shares what each product's engine used of the server's time
 */
public record CostWindow(TimeWindow time, int cores, long serverNanos, long databaseNanos, List<Share> shares) {
    /**
     * @param cpuNanos processor time of the product's engine
     * @param cpuNanosByMeter what each meter's units took of it; empty where the engine cannot tell
     */
    public record Share(
            String product,
            Map<Meter, Long> units,
            long requests,
            long cpuNanos,
            Map<Meter, Long> cpuNanosByMeter,
            long busyNanos) {
        public Share {
            units = Map.copyOf(units);
            cpuNanosByMeter = Map.copyOf(cpuNanosByMeter);
        }

        /**
         * The part of the product's cost that a meter's units are charged with, 0 to 1; all meters' parts together are 1. By measured processor time
         * where the engine tells it, else by the number of units.
         */
        double partOf(Meter meter) {
            Map<Meter, Long> measure = cpuNanosByMeter.isEmpty() ? units : cpuNanosByMeter;
            long all = measure.values().stream().mapToLong(Long::longValue).sum();
            return all == 0 ? 0 : (double) measure.getOrDefault(meter, 0L) / all;
        }
    }

    public CostWindow {
        shares = List.copyOf(shares);
        if (cores < 1) throw new IllegalArgumentException("a machine has at least 1 core, not " + cores);
    }

    /** Processor time of all processes. */
    public long totalNanos() {
        return serverNanos + databaseNanos;
    }

    public long engineNanos() {
        return shares.stream().mapToLong(Share::cpuNanos).sum();
    }

    /** What no engine used: HTTP, the till, the database, the runtime's compiler and collector. */
    public long overheadNanos() {
        return totalNanos() - engineNanos();
    }

    public long requests() {
        return shares.stream().mapToLong(Share::requests).sum();
    }

    /** Share of the machine's processor time that was used, 0 to 1. */
    public double utilisation() {
        return Math.min(1, (double) totalNanos() / ((double) time.length().toNanos() * cores));
    }
}
