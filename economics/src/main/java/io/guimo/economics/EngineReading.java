package io.guimo.economics;

import io.guimo.units.Meter;
import java.util.Map;

/**
 * What one engine has done since it was loaded. Readings only grow; an engine that was loaded anew begins at zero.
 *
 * @param product name of the model
 * @param version its version: another version is another engine
 * @param units answered, by meter
 * @param requests calls answered
 * @param cpuNanos processor time of the threads that did it
 * @param cpuNanosByMeter what each meter's units took of it, where the engine can tell: tokens that are read cost less than tokens that are written.
 *     Empty where it cannot
 * @param workerNanos processor time of processes of the engine's own, which the server's time does not contain; 0 where it works inside the server
 * @param busyNanos time in which at least one batch was in work
 */
public record EngineReading(
        String product,
        String version,
        Map<Meter, Long> units,
        long requests,
        long cpuNanos,
        Map<Meter, Long> cpuNanosByMeter,
        long workerNanos,
        long busyNanos) {
    public EngineReading {
        units = Map.copyOf(units);
        cpuNanosByMeter = Map.copyOf(cpuNanosByMeter);
    }
}
