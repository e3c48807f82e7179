package io.guimo.commerce.price;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guimo.commerce.price.TierRule.Flat;
import io.guimo.commerce.price.TierRule.Graduated;
import io.guimo.commerce.price.TierRule.Volume;
import io.guimo.units.Money;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PricingTest {
    private static final TierRule FLAT = new Flat(Rate.each(cny("0.002")));
    private static final TierRule GRADUATED =
            new Graduated(List.of(Tier.upTo(10_000, Rate.each(cny("0.002"))), Tier.rest(Rate.each(cny("0.001")))));
    private static final TierRule VOLUME = new Volume(List.of(
            Tier.upTo(10, Rate.each(cny("1"))),
            Tier.upTo(20, Rate.each(cny("0.8"))),
            Tier.rest(Rate.each(cny("0.5")))));
    private static final TierRule TOKENS = new Flat(new Rate(cny("0.50"), 1_000_000));

    @ParameterizedTest(name = "{0}: {1} before, {2} used = {3} ({4})")
    @CsvSource({
        // rule, before, used, amount, steps as tier:after+quantity
        "FLAT,      0,     0,     0,          ''",
        "FLAT,      0,     7,     0.014,      1:0+7",
        "FLAT,      99999, 1,     0.002,      1:99999+1",
        "GRADUATED, 0,     9999,  19.998,     1:0+9999",
        "GRADUATED, 9999,  1,     0.002,      1:9999+1",
        "GRADUATED, 10000, 1,     0.001,      2:10000+1",
        "GRADUATED, 9990,  30,    0.040,      1:9990+10 2:10000+20",
        "VOLUME,    0,     10,    10,         1:0+10",
        "VOLUME,    10,    1,     -1.2,       1:0-10 2:0+11", // 11 × .8 − 10 × 1
        "VOLUME,    11,    9,     7.2,        2:11+9",
        "VOLUME,    20,    1,     -5.5,       2:0-20 3:0+21", // 21 × .5 − 20 × .8
        "VOLUME,    5,     20,    7.5,        1:0-5 3:0+25",
        "VOLUME,    20,    40,    14,         2:0-20 3:0+60",
        "TOKENS,    0,     1,     0.0000005,  1:0+1",
        "TOKENS,    17,    3,     0.0000015,  1:17+3",
    })
    void charge_byTable_amountAndSteps(String rule, long before, long used, String amount, String steps) {
        Derivation derivation = Pricing.charge(named(rule), before, used);
        assertThat(derivation.amount()).isEqualTo(cny(amount));
        assertThat(derivation.steps().stream()
                        .map(s -> s.tier() + ":" + s.after() + (s.quantity() < 0 ? "" : "+") + s.quantity())
                        .toList())
                .isEqualTo(steps.isEmpty() ? List.of() : List.of(steps.split(" ")));
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 20_261_122})
    void charge_anySplitOfUsage_sumsToTheChargeOfTheWhole(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        for (int round = 0; round < 500; round++) {
            TierRule rule = randomRule(random, 1_000);
            long before = random.nextLong(0, 1_500);
            long used = random.nextLong(1, 2_000);
            Money sum = Money.zero(rule.currency());
            long at = before;
            while (at < before + used) {
                long part = random.nextLong(1, before + used - at + 1);
                sum = sum.plus(Pricing.charge(rule, at, part).amount());
                at += part;
            }
            assertThat(sum)
                    .as("seed %d round %d: %s, %d before, %d used", seed, round, rule, before, used)
                    .isEqualTo(Pricing.charge(rule, before, used).amount());
            assertThat(Pricing.charge(rule, 0, before + used).amount()).isEqualTo(rule.total(before + used));
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {4, 5, 6})
    void ceiling_anyRule_equalsTheDearestChargeFoundByTryingAll(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        for (int round = 0; round < 300; round++) {
            TierRule rule = randomRule(random, 12);
            long before = random.nextLong(0, 40);
            long open = random.nextLong(0, 30);
            long atMost = random.nextLong(0, 15);
            Money most = Money.zero(rule.currency());
            for (long start = before; start <= before + open; start++) {
                for (long used = 0; used <= atMost; used++) {
                    Money cost = Pricing.charge(rule, start, used).amount();
                    if (cost.compareTo(most) > 0) most = cost;
                }
            }
            assertThat(Pricing.ceiling(rule, before, open, atMost))
                    .as("seed %d round %d: %s, before %d, open %d, at most %d", seed, round, rule, before, open, atMost)
                    .isEqualTo(most);
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {7, 8, 9})
    void exposure_anyOrderOfSettlements_isNeverExceeded(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        for (int round = 0; round < 300; round++) {
            TierRule rule = randomRule(random, 12);
            long before = random.nextLong(0, 40);
            List<Long> reservations = new ArrayList<>();
            for (int i = random.nextInt(1, 6); i > 0; i--) reservations.add(random.nextLong(0, 10));
            long open = reservations.stream().mapToLong(Long::longValue).sum();
            Money held = Pricing.exposure(rule, before, open);
            while (!reservations.isEmpty()) {
                long atMost = reservations.remove(random.nextInt(reservations.size()));
                long used = random.nextLong(0, atMost + 1);
                Money remaining = held.minus(Pricing.charge(rule, before, used).amount());
                before += used;
                open -= atMost;
                held = Pricing.exposure(rule, before, open);
                assertThat(remaining)
                        .as("seed %d round %d: %s", seed, round, rule)
                        .isGreaterThanOrEqualTo(held);
            }
        }
    }

    @Test
    void rate_finerThanTwelvePlacesAUnit_refusedWithTheReason() {
        assertThat(new Rate(cny("0.000001"), 1_000_000).each()).isEqualTo(cny("0.000000000001"));
        assertThatThrownBy(() -> new Rate(cny("0.0000001"), 1_000_000))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("0.0000001 CNY per 1000000 units is finer than 10^-12 CNY a unit");
        assertThatThrownBy(() -> new Rate(cny("1"), 3)).hasMessageContaining("finer than 10^-12");
    }

    @Test
    void rule_tiersOutOfOrderOrEndless_refusedWithTheReason() {
        Rate rate = Rate.each(cny("1"));
        assertThatThrownBy(() -> new Graduated(List.of())).hasMessageContaining("0 tiers");
        assertThatThrownBy(() -> new Graduated(List.of(Tier.upTo(10, rate))))
                .hasMessageContaining("leave out its upTo");
        assertThatThrownBy(() -> new Volume(List.of(Tier.rest(rate), Tier.rest(rate))))
                .hasMessageContaining("tier 1 of 2 has no upTo");
        assertThatThrownBy(() -> new Volume(List.of(Tier.upTo(10, rate), Tier.upTo(10, rate), Tier.rest(rate))))
                .hasMessageContaining("tier 2 ends at 10 units");
        assertThatThrownBy(() -> new Volume(List.of(Tier.upTo(10, rate), Tier.rest(Rate.each(Money.of("USD", "1"))))))
                .hasMessageContaining("one rule has one currency");
    }

    private static TierRule named(String name) {
        return switch (name) {
            case "FLAT" -> FLAT;
            case "GRADUATED" -> GRADUATED;
            case "VOLUME" -> VOLUME;
            case "TOKENS" -> TOKENS;
            default -> throw new IllegalArgumentException(name);
        };
    }

    /** Rates may rise, fall and be zero; tiers are up to {@code widest} units wide. */
    private static TierRule randomRule(SplittableRandom random, long widest) {
        List<Tier> tiers = new ArrayList<>();
        long bound = 0;
        for (int i = random.nextInt(0, 4); i > 0; i--) {
            bound += random.nextLong(1, widest);
            tiers.add(Tier.upTo(bound, randomRate(random)));
        }
        tiers.add(Tier.rest(randomRate(random)));
        return switch (random.nextInt(3)) {
            case 0 -> new Flat(randomRate(random));
            case 1 -> new Graduated(tiers);
            default -> new Volume(tiers);
        };
    }

    private static Rate randomRate(SplittableRandom random) {
        return new Rate(cny("0." + random.nextInt(0, 1_000)), random.nextBoolean() ? 1 : 1_000_000);
    }

    private static Money cny(String amount) {
        return Money.of("CNY", amount);
    }
}
