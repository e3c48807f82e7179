package io.guimo.registry;

import io.guimo.units.Money;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A finished training run, as the registry keeps it.
 *
 * @param configuration    effective configuration, JSON
 * @param dataFingerprints SHA-256 of each data set by name
 * @param environment      machine, threads and library versions, JSON
 * @param curve            in order of epochs
 * @param evaluation       the whole evaluation report, JSON
 * @param seconds          wall-clock time of training, over all its resumed parts
 * @param cpuSeconds       CPU time of training
 * @param cost             null where no machine price was known
 */
public record RunRecord(
        String id,
        ModelOwner owner,
        String model,
        String task,
        String configuration,
        Map<String, String> dataFingerprints,
        String codeVersion,
        String environment,
        List<CurvePoint> curve,
        String evaluation,
        double seconds,
        double cpuSeconds,
        long peakMemoryBytes,
        @Nullable Money cost,
        Instant startedAt,
        Instant finishedAt) {
    /** What was measured after an epoch, such as {@code trainingLoss} or {@code accuracy}. */
    public record CurvePoint(int epoch, Map<String, Double> values) {
        public CurvePoint {
            values = Map.copyOf(values);
        }
    }

    public RunRecord {
        dataFingerprints = Map.copyOf(dataFingerprints);
        curve = List.copyOf(curve);
    }
}
