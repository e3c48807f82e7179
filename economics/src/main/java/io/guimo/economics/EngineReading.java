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
 * @param busyNanos time in which at least one batch was in work
 */
public record EngineReading(
        String product, String version, Map<Meter, Long> units, long requests, long cpuNanos, long busyNanos) {
    public EngineReading {
        units = Map.copyOf(units);
    }
}
