package io.guimo.train;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * One line of a run's curve ({@code curve.jsonl}): an epoch's end.
 *
 * @param epoch from 1 on
 * @param step steps done since the run began
 * @param examples examples seen since the run began
 * @param learningRate of the last step
 * @param trainLoss mean loss of the epoch's batches
 * @param metrics of the validation part, in the problem's order
 * @param seconds since the run began, over all its parts; the only figure here that differs when a run is repeated
 */
public record CurvePoint(
        int epoch,
        long step,
        long examples,
        double learningRate,
        double trainLoss,
        Map<String, Double> metrics,
        double seconds) {
    public CurvePoint {
        metrics = Collections.unmodifiableMap(new LinkedHashMap<>(metrics));
    }
}
