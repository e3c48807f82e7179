package io.guimo.registry;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Decides whether a model is good enough to be promoted. */
public final class Gate {
    private Gate() {}

    /**
     * @param metrics     what was measured on the test part
     * @param comparisons the model beside each baseline by each deciding metric; a bound that was computed decides, else the values themselves
     */
    public static GateResult check(GateSettings settings, Map<String, Double> metrics, List<Comparison> comparisons) {
        List<GateResult.Check> checks = new ArrayList<>();
        for (GateSettings.Bound bound : settings.bounds()) {
            double value = metrics.getOrDefault(bound.metric(), Double.NaN);
            String rule = bound.metric() + " " + bound.relation().sign() + " " + bound.threshold();
            checks.add(new GateResult.Check(
                    rule, value, bound.threshold(), bound.relation().holds(value, bound.threshold())));
        }
        if (settings.beatsBaseline()) {
            for (Comparison comparison : comparisons) checks.add(beats(comparison));
            // Asked to beat a baseline, with none measured, a model has not shown that it does.
            if (comparisons.isEmpty()) checks.add(new GateResult.Check("beats baseline", Double.NaN, 0, false));
        }
        return new GateResult(checks);
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
