package io.guimo.units;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MoneyTest {
    @ParameterizedTest
    @CsvSource({"0.125, 0.12", "0.135, 0.14", "0.005, 0", "0.015, 0.02", "-0.125, -0.12", "2.5000000001, 2.5"})
    void roundToMinorUnit_halfEven(String exact, String rounded) {
        assertThat(Money.of("CNY", exact).roundToMinorUnit().toDecimalString()).isEqualTo(rounded);
    }

    @Test
    void roundToMinorUnit_currencyWithoutCents_wholeUnits() {
        assertThat(Money.of("JPY", "2.5").roundToMinorUnit()).isEqualTo(Money.of("JPY", "2"));
    }

    @Test
    void construct_moreThanTwelvePlaces_refused() {
        assertThatThrownBy(() -> Money.of("CNY", "0.0000000000001")).isInstanceOf(ArithmeticException.class);
    }

    @Test
    void construct_tooLarge_refused() {
        assertThatThrownBy(() -> Money.of("CNY", "1000000000000000000"))
                .isInstanceOf(ArithmeticException.class)
                .hasMessageContaining("10^18");
    }

    @Test
    void plus_otherCurrency_refused() {
        assertThatThrownBy(() -> Money.of("CNY", "1").plus(Money.of("USD", "1")))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void equals_ignoresTrailingZeros() {
        assertThat(Money.of("CNY", "1.50")).isEqualTo(Money.of("CNY", "1.5")).hasToString("1.5 CNY");
    }

    @ParameterizedTest
    @CsvSource({"0, 0.00", "3, 3.00", "0.002, 0.002", "1200, 1200.00"})
    void toDisplayString_keepsAtLeastTheMinorUnit(String amount, String shown) {
        assertThat(Money.of("CNY", amount).toDisplayString()).isEqualTo(shown);
    }

    @Test
    void monthOf_daylightSaving_lengthFollowsTheZone() {
        // Clocks in New York went back one hour on 2026-11-01.
        TimeWindow november = TimeWindow.monthOf(Instant.parse("2026-11-15T00:00:00Z"), ZoneId.of("America/New_York"));
        assertThat(november.start()).isEqualTo(Instant.parse("2026-11-01T04:00:00Z"));
        assertThat(november.length()).isEqualTo(Duration.ofDays(30).plusHours(1));
        assertThat(november.contains(november.end())).isFalse();
    }

    @Test
    void turnTo_past_refused() {
        Instant fixed = Instant.parse("2026-11-01T00:00:00Z");
        VirtualClock clock = new VirtualClock(() -> fixed, Duration.ZERO);
        clock.turnTo(fixed.plusSeconds(60));
        assertThat(clock.instant()).isEqualTo(fixed.plusSeconds(60));
        assertThatThrownBy(() -> clock.turnTo(fixed)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void nearestName_typo_found() {
        assertThat(NearestName.of("learningrat", List.of("learningRate", "batch")))
                .contains("learningRate");
        assertThat(NearestName.of("zzz", List.of("learningRate", "batch"))).isEmpty();
    }

    @Test
    void ids_distinctAndTyped() {
        Set<String> seen = new HashSet<>();
        for (int i = 0; i < 1000; i++) assertThat(seen.add(Ids.next("org"))).isTrue();
        assertThat(Ids.next("org")).matches("org_[0-9a-z]{26}");
        assertThatThrownBy(() -> new OrganizationId("key_x")).isInstanceOf(IllegalArgumentException.class);
    }
}
