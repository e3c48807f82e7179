package io.guimo.evaluate;

import io.guimo.evaluate.Metric.Better;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * How good a model was on its test part, beside models small enough to be the thing to beat. Written as JSON into the run and the model package.
 *
 * @param primary name of the metric that decides which baseline is the strongest
 * @param examples rows of the test part
 * @param metrics figures by metric name
 * @param intervals bootstrap intervals of those figures that are means over examples
 * @param baselines the small models on the same rows
 * @param confusion for classification
 * @param perClass for classification, in label order
 * @param notes what a reader must know: rows dropped, sampling, seeds
 */
public record EvaluationReport(
        String primary,
        int examples,
        Map<String, Double> metrics,
        Map<String, Interval> intervals,
        List<BaselineResult> baselines,
        @Nullable Confusion confusion,
        List<ClassScores> perClass,
        List<String> notes) {
    /**
     * A small model on the same rows.
     *
     * @param name such as {@code logistic regression}
     * @param metrics figures by metric name
     * @param advantage by metric name: by how much the model's figure is the better one, with a paired bootstrap interval over the same examples
     * @param seconds it took to train and judge
     * @param notes its settings, in words
     */
    public record BaselineResult(
            String name,
            Map<String, Double> metrics,
            Map<String, Interval> advantage,
            double seconds,
            List<String> notes) {
        public BaselineResult {
            metrics = ordered(metrics);
            advantage = ordered(advantage);
            notes = List.copyOf(notes);
        }

        /** Whether the model is better beyond chance on every metric compared: no interval of the advantage reaches down to 0. */
        public boolean beaten() {
            return !advantage.isEmpty() && advantage.values().stream().allMatch(interval -> interval.lower() > 0);
        }
    }

    /**
     * Figures of one class against all others.
     *
     * @param support true examples of the class
     */
    public record ClassScores(String label, double precision, double recall, double f1, long support) {}

    public EvaluationReport {
        metrics = ordered(metrics);
        intervals = ordered(intervals);
        baselines = List.copyOf(baselines);
        perClass = List.copyOf(perClass);
        notes = List.copyOf(notes);
    }

    /** The baseline that comes closest by the primary metric. */
    public Optional<BaselineResult> strongestBaseline() {
        boolean lower = Metrics.named(primary).map(Metric::better).orElse(Better.HIGHER) == Better.LOWER;
        return baselines.stream()
                .filter(baseline -> baseline.metrics().containsKey(primary))
                .max(Comparator.comparingDouble(
                        baseline -> (lower ? -1 : 1) * baseline.metrics().getOrDefault(primary, Double.NaN)));
    }

    /** Whether every baseline is beaten beyond chance; false if there is none. */
    public boolean beatsBaselines() {
        return !baselines.isEmpty() && baselines.stream().allMatch(BaselineResult::beaten);
    }

    private static <V> Map<String, V> ordered(Map<String, V> map) {
        return Collections.unmodifiableMap(new LinkedHashMap<>(map));
    }
}
