package io.guimo.registry;

import java.util.List;

/** What a gate found: every check with its value and threshold, passed or not. A gate without checks passes. */
public record GateResult(List<Check> checks) {
    /**
     * @param rule      what was asked, such as {@code accuracy >= 0.92} or {@code beats popularity by hitRateAt10}
     * @param value     what was measured; NaN when the metric was not measured
     * @param threshold what it was compared with
     */
    public record Check(String rule, double value, double threshold, boolean passed) {}

    public GateResult {
        checks = List.copyOf(checks);
    }

    public boolean passed() {
        return checks.stream().allMatch(Check::passed);
    }
}
