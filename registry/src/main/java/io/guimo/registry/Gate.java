package io.guimo.registry;

import io.guimo.evaluate.EvaluationReport;
import io.guimo.evaluate.EvaluationReport.BaselineResult;
import io.guimo.evaluate.Interval;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Decides whether a model is good enough to be promoted. */
public final class Gate {
    private Gate() {}

    /**
     * @param report what was measured on the test part; to beat a baseline is to lead by every metric that was compared, beyond chance: the lower bound
     *     of the paired bootstrap is above 0. A baseline that was compared by no interval is beaten by the primary metric's value.
     */
    public static GateResult check(GateSettings settings, EvaluationReport report) {
        List<GateResult.Check> checks = new ArrayList<>();
        for (GateSettings.Bound bound : settings.bounds()) {
            double value = report.metrics().getOrDefault(bound.metric(), Double.NaN);
            String rule = bound.metric() + " " + bound.relation().sign() + " " + bound.threshold();
            checks.add(new GateResult.Check(
                    rule, value, bound.threshold(), bound.relation().holds(value, bound.threshold())));
        }
        if (settings.beatsBaseline()) {
            for (Comparison comparison : comparisons(report)) checks.add(beats(comparison));
            // Asked to beat a baseline, with none measured, a model has not shown that it does.
            if (report.baselines().isEmpty()) checks.add(new GateResult.Check("beats baseline", Double.NaN, 0, false));
        }
        return new GateResult(checks);
    }

    /** The model beside each baseline, as a package's manifest keeps it. */
    public static List<Comparison> comparisons(EvaluationReport report) {
        List<Comparison> comparisons = new ArrayList<>();
        for (BaselineResult baseline : report.baselines()) {
            if (baseline.advantage().isEmpty()) comparisons.add(comparison(report, baseline, report.primary(), null));
            baseline.advantage().forEach((metric, lead) -> comparisons.add(comparison(report, baseline, metric, lead)));
        }
        return comparisons;
    }

    private static Comparison comparison(
            EvaluationReport report, BaselineResult baseline, String metric, @Nullable Interval lead) {
        return new Comparison(
                baseline.name(),
                metric,
                report.metrics().getOrDefault(metric, Double.NaN),
                baseline.metrics().getOrDefault(metric, Double.NaN),
                lead == null ? null : lead.lower());
    }

    private static GateResult.Check beats(Comparison comparison) {
        String rule = "beats " + comparison.baseline() + " by " + comparison.metric();
        Double lead = comparison.differenceLowerBound();
        if (lead != null) return new GateResult.Check(rule + ": lower bound of the lead > 0", lead, 0, lead > 0);
        return new GateResult.Check(
                rule,
                comparison.modelValue(),
                comparison.baselineValue(),
                comparison.modelValue() > comparison.baselineValue());
    }
}
