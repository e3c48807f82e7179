package io.guimo.economics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guimo.units.Meter;
import io.guimo.units.Money;
import io.guimo.units.TimeWindow;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class UnitEconomicsTest {
    private static final Instant START = Instant.parse("2026-11-01T00:00:00Z");
    private static final CostSettings COSTS =
            new CostSettings(new CostSettings.MachineSettings(new BigDecimal("7.20")));

    /** 100 s on 2 cores: 40 of 200 core seconds used. Engines 30 s, overhead 10 s for 400 requests. */
    private static final CostWindow WINDOW = new CostWindow(
            new TimeWindow(START, START.plusSeconds(100)),
            2,
            34_000_000_000L,
            6_000_000_000L,
            List.of(
                    new CostWindow.Share("photos", Map.of(Meter.IMAGES, 1000L), 100, 20_000_000_000L, Map.of(), 0),
                    new CostWindow.Share("baskets", Map.of(Meter.REQUESTS, 300L), 300, 10_000_000_000L, Map.of(), 0)));

    private static UnitEconomics photos(String revenue, String training) {
        var sold = new UnitEconomics.Sold("photos", Meter.IMAGES, 1000, Money.of("CNY", revenue));
        return UnitEconomics.of(sold, WINDOW, COSTS, Money.of("CNY", training));
    }

    @Test
    void of_measuredWindow_sharesOverheadByRequests() {
        UnitEconomics economics = photos("2000", "50");
        // (20 s + 10 s × 100 / 400) / 1000 images
        assertThat(economics.unitCpuSeconds()).isEqualByComparingTo("0.0225");
        // 7.20 an hour on two cores: 0.001 a core second
        assertThat(economics.unitCostAtFull()).isEqualByComparingTo("0.0000225");
        // a fifth of the machine was used
        assertThat(economics.utilisation()).isEqualTo(.2);
        assertThat(economics.unitCostNow()).isEqualByComparingTo("0.0001125");
        assertThat(economics.measuredCost()).isEqualTo(Money.of("CNY", "0.1125"));
        assertThat(economics.margin()).isEqualTo(Money.of("CNY", "1999.8875"));
        assertThat(economics.unitPrice()).isEqualByComparingTo("2");
        // 50 / (2 − 0.0001125) = 25.0014…
        assertThat(economics.breakEvenUnits()).isEqualTo(26L);
        assertThat(economics.derivation()).anySatisfy(line -> assertThat(line).contains("100 of 400 requests"));
    }

    @Test
    void of_priceBelowCostNowAndAboveAtFull_breaksEvenOnlyAtFull() {
        UnitEconomics economics = photos("0.05", "0.01");
        assertThat(economics.margin().signum()).isNegative();
        assertThat(economics.breakEvenUnits()).isNull();
        // 0.01 / (0.00005 − 0.0000225) = 363.6…
        assertThat(economics.breakEvenUnitsAtFull()).isEqualTo(364L);
        assertThat(economics.derivation()).anySatisfy(line -> assertThat(line).contains("never now"));
    }

    @Test
    void of_severalMeters_shareTheProductsCostByMeasuredTimeElseByUnits() {
        Map<Meter, Long> units =
                Map.of(Meter.INPUT_TOKENS, 3000L, Meter.CACHED_INPUT_TOKENS, 500L, Meter.OUTPUT_TOKENS, 1000L);
        Map<Meter, Long> measured = Map.of(Meter.INPUT_TOKENS, 6_000_000_000L, Meter.OUTPUT_TOKENS, 18_000_000_000L);
        for (Map<Meter, Long> nanos : List.of(measured, Map.<Meter, Long>of())) {
            // 24 s of the engine and 6 s of overhead
            CostWindow window = new CostWindow(
                    new TimeWindow(START, START.plusSeconds(100)),
                    2,
                    30_000_000_000L,
                    0,
                    List.of(new CostWindow.Share("chat", units, 10, 24_000_000_000L, nanos, 0)));
            Map<Meter, BigDecimal> seconds = new java.util.EnumMap<>(Meter.class);
            units.forEach((meter, count) -> seconds.put(
                    meter,
                    UnitEconomics.of(
                                    new UnitEconomics.Sold("chat", meter, count, Money.of("CNY", "1")),
                                    window,
                                    COSTS,
                                    Money.of("CNY", "0"))
                            .unitCpuSeconds()));
            BigDecimal all = units.entrySet().stream()
                    .map(e -> seconds.getOrDefault(e.getKey(), BigDecimal.ZERO)
                            .multiply(BigDecimal.valueOf(e.getValue())))
                    .reduce(BigDecimal.ZERO, BigDecimal::add);
            assertThat(all)
                    .isCloseTo(new BigDecimal("30"), org.assertj.core.data.Offset.offset(new BigDecimal("1e-9")));
            if (nanos.isEmpty()) {
                // 30 s / 4,500 tokens
                assertThat(seconds.getOrDefault(Meter.OUTPUT_TOKENS, BigDecimal.ZERO)
                                .doubleValue())
                        .isCloseTo(30 / 4500., org.assertj.core.data.Offset.offset(1e-12));
            } else {
                // 30 s × 18 / 24 / 1,000 tokens
                assertThat(seconds.get(Meter.OUTPUT_TOKENS)).isEqualByComparingTo("0.0225");
                assertThat(seconds.get(Meter.CACHED_INPUT_TOKENS)).isEqualByComparingTo("0");
            }
        }
    }

    @Test
    void trainingPart_severalMeters_eachEarnsBackItsShareAtTheSameTime() {
        Money training = Money.of("CNY", "12");
        Money all = Money.of("CNY", "4");
        assertThat(UnitEconomics.trainingPart(training, Money.of("CNY", "1"), all))
                .isEqualTo(Money.of("CNY", "3"));
        assertThat(UnitEconomics.trainingPart(training, Money.of("CNY", "3"), all))
                .isEqualTo(Money.of("CNY", "9"));
        assertThat(UnitEconomics.trainingPart(training, Money.of("CNY", "0"), Money.of("CNY", "0")))
                .isEqualTo(training);
    }

    @Test
    void of_nothingSoldOrMeasured_saysSo() {
        var sold = new UnitEconomics.Sold("unused", Meter.REQUESTS, 0, Money.of("CNY", "0"));
        UnitEconomics economics = UnitEconomics.of(sold, WINDOW, COSTS, Money.of("CNY", "0"));
        assertThat(economics.unitPrice()).isNull();
        assertThat(economics.unitCostNow()).isNull();
        assertThat(economics.measuredCost().signum()).isZero();
    }

    @Test
    void window_sharesAndOverhead_addUpToTheProcesses() {
        assertThat(WINDOW.engineNanos() + WINDOW.overheadNanos()).isEqualTo(WINDOW.totalNanos());
    }

    @Test
    void settings_negativePrice_refused() {
        assertThatThrownBy(() -> new CostSettings.MachineSettings(new BigDecimal("-1")))
                .hasMessageContaining("perHour -1 is outside 0 to");
    }
}
