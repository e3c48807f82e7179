package io.guimo.inference;

import io.guimo.units.Meter;
import java.util.Map;

/**
 * What an engine has done since it was loaded; the difference of two readings is the work between them.
 *
 * @param units     units answered by meter
 * @param requests  calls answered
 * @param batches   runs of the network (for a remote model: exchanges)
 * @param cpuNanos  CPU time of the threads that did the work, native ones included
 * @param cpuNanosByMeter what each meter's units took of it, where the engine can tell; else empty
 * @param workerNanos processor time of processes of the engine's own; 0 where it works inside this process
 * @param busyNanos time in which the engine had at least one batch in work
 */
public record EngineUsage(
        Map<Meter, Long> units,
        long requests,
        long batches,
        long cpuNanos,
        Map<Meter, Long> cpuNanosByMeter,
        long workerNanos,
        long busyNanos) {
    public EngineUsage {
        units = Map.copyOf(units);
        cpuNanosByMeter = Map.copyOf(cpuNanosByMeter);
    }
}
