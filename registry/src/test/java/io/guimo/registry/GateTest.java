package io.guimo.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guimo.evaluate.EvaluationReport;
import io.guimo.evaluate.EvaluationReport.BaselineResult;
import io.guimo.evaluate.Interval;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class GateTest {
    @ParameterizedTest
    @CsvSource({
        ">= 0.92, 0.92, true",
        ">= 0.92, 0.9199, false",
        "> 0.92, 0.92, false",
        "<= .3, 0.3, true",
        "< 3e-1, 0.3, false",
        "<0.3, 0.2, true",
        ">=-1, -1, true",
        ">= 0.92, NaN, false",
        "<= 0.92, NaN, false",
    })
    void check_bound_comparesAsWritten(String rule, double value, boolean passes) {
        GateResult result = Gate.check(GateSettings.of(Map.of("accuracy", rule)), report(value, List.of()));

        assertThat(result.passed()).isEqualTo(passes);
        assertThat(result.checks()).singleElement().satisfies(check -> assertThat(check.value())
                .isEqualTo(Double.valueOf(value)));
    }

    @Test
    void check_metricNotMeasured_fails() {
        GateResult result = Gate.check(GateSettings.of(Map.of("recall", ">= 0")), report(0.9, List.of()));

        assertThat(result.passed()).isFalse();
    }

    @Test
    void check_beatsBaseline_everyLeadMustBeBeyondChance() {
        BaselineResult beaten = baseline("popularity", 0.50, new Interval(.07, .05, .09, .95));
        BaselineResult close = baseline("co-occurrence", 0.55, new Interval(.02, -.001, .04, .95));
        GateSettings settings = GateSettings.of(Map.of("beats", "baseline"));

        assertThat(Gate.check(settings, report(.57, List.of(beaten))).passed()).isTrue();
        GateResult both = Gate.check(settings, report(.57, List.of(beaten, close)));
        assertThat(both.passed()).isFalse();
        assertThat(both.checks()).extracting(GateResult.Check::passed).containsExactly(true, false);
        assertThat(both.checks().get(1).value()).isEqualTo(-.001);
    }

    @Test
    void check_beatsBaselineWithoutInterval_valuesDecide() {
        BaselineResult small =
                new BaselineResult("logistic regression", Map.of("accuracy", .84), Map.of(), 1, List.of());
        GateSettings settings = GateSettings.of(Map.of("beats", "baseline"));

        assertThat(Gate.check(settings, report(.85, List.of(small))).passed()).isTrue();
        assertThat(Gate.check(settings, report(.84, List.of(small))).passed()).isFalse();
    }

    @Test
    void check_beatsBaselineWithNoneMeasured_fails() {
        assertThat(Gate.check(GateSettings.of(Map.of("beats", "baseline")), report(.9, List.of()))
                        .passed())
                .isFalse();
    }

    @Test
    void check_nothingAsked_passes() {
        assertThat(Gate.check(GateSettings.NONE, report(.1, List.of())).passed())
                .isTrue();
    }

    @ParameterizedTest
    @CsvSource({"accuracy, 0.92", "accuracy, >= high", "accuracy, => 0.9", "accuracy, >= 1e999", "beats, everybody"})
    void settings_notARule_refusedWithWhatToWrite(String metric, String rule) {
        assertThatThrownBy(() -> GateSettings.of(Map.of(metric, rule)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(metric);
    }

    @Test
    void settings_metricOfAnotherTask_refusedWithTheNearest() {
        assertThatThrownBy(() ->
                        GateSettings.of(Map.of("acuracy", ">= 0.9")).requireMeasured(List.of("accuracy", "macroF1")))
                .hasMessageContaining("did you mean accuracy?");
    }

    private static BaselineResult baseline(String name, double value, Interval lead) {
        return new BaselineResult(name, Map.of("accuracy", value), Map.of("accuracy", lead), 1, List.of());
    }

    private static EvaluationReport report(double accuracy, List<BaselineResult> baselines) {
        return new EvaluationReport(
                "accuracy", 100, Map.of("accuracy", accuracy), Map.of(), baselines, null, List.of(), List.of());
    }
}
