package io.guimo.train;

import io.guimo.tensor.TorchEnvironment;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a finished run left.
 *
 * @param bestWeights safetensors file of the weights that validated best
 * @param bestEpoch the epoch that they are from, from 1 on
 * @param bestMetrics validation metrics of those weights
 * @param curve one point an epoch
 * @param stoppedEarly whether it ended before its last epoch, since it no longer improved
 * @param steps steps done
 * @param examplesPerSecond over the whole run, validation included
 * @param tokensPerSecond the same in tokens, null where examples are not made of them
 * @param seconds spent, over all parts of a run that was interrupted
 * @param cpuSeconds processor time of this process meanwhile, over all parts
 * @param peakMemoryBytes greatest resident memory of this process so far
 * @param cost seconds at the machine's rate, null if no rate was given
 * @param currency of the cost
 * @param environment what it ran on
 */
public record TrainingResult(
        Path bestWeights,
        int bestEpoch,
        Map<String, Double> bestMetrics,
        List<CurvePoint> curve,
        boolean stoppedEarly,
        long steps,
        double examplesPerSecond,
        @Nullable Double tokensPerSecond,
        double seconds,
        double cpuSeconds,
        long peakMemoryBytes,
        @Nullable BigDecimal cost,
        @Nullable String currency,
        TorchEnvironment environment) {
    public TrainingResult {
        bestMetrics = Collections.unmodifiableMap(new LinkedHashMap<>(bestMetrics));
        curve = List.copyOf(curve);
    }

    /** The same result where its folder stands now: a home folder may have been moved. */
    TrainingResult in(RunFolder folder) {
        return new TrainingResult(
                folder.bestWeights(),
                bestEpoch,
                bestMetrics,
                curve,
                stoppedEarly,
                steps,
                examplesPerSecond,
                tokensPerSecond,
                seconds,
                cpuSeconds,
                peakMemoryBytes,
                cost,
                currency,
                environment);
    }
}
