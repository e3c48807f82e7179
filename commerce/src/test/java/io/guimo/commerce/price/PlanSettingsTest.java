package io.guimo.commerce.price;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guimo.commerce.price.PlanSettings.Every;
import io.guimo.units.Meter;
import io.guimo.units.Money;
import java.math.BigDecimal;
import java.util.Currency;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PlanSettingsTest {
    private static final Currency CNY = Currency.getInstance("CNY");

    @ParameterizedTest
    @CsvSource({
        "image,       0.002, IMAGES,       0.002",
        "1000 images, 2,     IMAGES,       0.002",
        "request,     0.01,  REQUESTS,     0.01",
        "1K tokens,   0.02,  INPUT_TOKENS, 0.00002",
        "1M tokens,   0.02,  INPUT_TOKENS, 0.00000002",
        "250 tokens,  1,     INPUT_TOKENS, 0.004",
    })
    void rules_oneEachPrice_isAFlatRateOfOneUnit(String per, BigDecimal each, Meter meter, String unitPrice) {
        Map<Meter, TierRule> rules = each(per, each).rules(CNY);
        assertThat(rules.keySet()).containsExactly(meter);
        assertThat(total(rules, meter, 1)).isEqualTo(Money.of("CNY", unitPrice));
    }

    @Test
    void rules_tiersOfTheBusinessFile_countSingleUnits() {
        ProductPrice price = tiered("image", null, tier(10_000L, "0.002"), tier(null, "0.001"));
        assertThat(total(price.rules(CNY), Meter.IMAGES, 10_005)).isEqualTo(Money.of("CNY", "20.005"));
        ProductPrice volume = tiered("image", TierMode.VOLUME, tier(10_000L, "0.002"), tier(null, "0.001"));
        assertThat(total(volume.rules(CNY), Meter.IMAGES, 10_005)).isEqualTo(Money.of("CNY", "10.005"));
    }

    @Test
    void rules_tokensWithoutACachedPrice_costAsTheyWereReadFirst() {
        ProductPrice price = tokens("0.50", null, "1.50");
        assertThat(total(price.rules(CNY), Meter.CACHED_INPUT_TOKENS, 1_000_000))
                .isEqualTo(Money.of("CNY", "0.5"));
        assertThat(total(tokens("0.50", "0.10", "1.50").rules(CNY), Meter.CACHED_INPUT_TOKENS, 1_000_000))
                .isEqualTo(Money.of("CNY", "0.1"));
    }

    @Test
    void rules_includedUsage_isFreeUpToItThenTheOveragePlansTiers() {
        PlanSettings payg = new PlanSettings(
                "payg",
                null,
                null,
                null,
                null,
                Map.of("labels", tiered("image", null, tier(10L, "2"), tier(null, "1"))),
                null);
        PlanSettings pro = new PlanSettings(
                "pro", Every.MONTH, new BigDecimal(299), Map.of("labels", Map.of("images", 100L)), "payg", null, null);
        Map<Meter, TierRule> rules =
                requireNonNull(pro.rules(CNY, name -> Optional.of(payg)).get("labels"));
        assertThat(total(rules, Meter.IMAGES, 100)).isEqualTo(Money.of("CNY", "0"));
        assertThat(total(rules, Meter.IMAGES, 110)).isEqualTo(Money.of("CNY", "20"));
        assertThat(total(rules, Meter.IMAGES, 111)).isEqualTo(Money.of("CNY", "21"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"pixel", "0 images", "1000000000000 images", "1G tokens", "2M images now", "", "9999999M tokens"
            })
    void productPrice_unknownUnit_refusedWithWhatIsPermitted(String per) {
        assertThatThrownBy(() -> each(per, BigDecimal.ONE))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("1M tokens");
    }

    @Test
    void rules_rateThatCannotBeKeptExactly_refused() {
        assertThatThrownBy(() -> each("1M tokens", new BigDecimal("0.0000001")).rules(CNY))
                .hasMessageContaining("finer than 10^-12");
        assertThatThrownBy(
                        () -> each("image", new BigDecimal("0.0000000000001")).rules(CNY))
                .hasMessageContaining("more than 12 decimal places");
        assertThatThrownBy(() -> each("image", new BigDecimal("-1")).rules(CNY)).hasMessageContaining("negative");
    }

    @Test
    void productPrice_severalOrNoForms_refused() {
        assertThatThrownBy(() -> new ProductPrice("image", null, null, null, null, null, null))
                .hasMessageContaining("in 0 forms");
        assertThatThrownBy(() -> new ProductPrice("image", BigDecimal.ONE, List.of(), null, null, null, null))
                .hasMessageContaining("in 2 forms");
        assertThatThrownBy(() -> new ProductPrice("image", null, null, null, BigDecimal.ONE, null, BigDecimal.ONE))
                .hasMessageContaining("prices of tokens");
    }

    @Test
    void plan_feeWithoutPeriodOrInclusionWithoutOverage_refused() {
        assertThatThrownBy(() -> new PlanSettings(
                        "pro", null, BigDecimal.ONE, null, null, Map.of("a", each("image", BigDecimal.ONE)), null))
                .hasMessageContaining("write every: month");
        assertThatThrownBy(() -> new PlanSettings(
                        "pro", Every.MONTH, BigDecimal.ONE, Map.of("a", Map.of("images", 1L)), null, null, null))
                .hasMessageContaining("overage");
        assertThatThrownBy(() -> new PlanSettings(
                        "pro", Every.MONTH, BigDecimal.ONE, Map.of("a", Map.of("pixels", 1L)), "p", null, null))
                .hasMessageContaining("no meter");
    }

    @ParameterizedTest
    @ValueSource(strings = {"delivered", "computed", "nothing under 20 tokens", "nothing under 1 tokens"})
    void aborts_asPeopleWriteThem_readAndWrittenAlike(String written) {
        assertThat(AbortPolicy.parse(written).text()).isEqualTo(written);
        assertThat(PriceTerms.readAborts(
                        PriceTerms.write(Map.of(), AbortPolicy.parse(written)).toString()))
                .isEqualTo(AbortPolicy.parse(written));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "free", "nothing under tokens", "nothing under 0 tokens", "nothing under 9999999999 tokens"})
    void aborts_anythingElse_refused(String written) {
        assertThatThrownBy(() -> new PlanSettings(
                        "pro", null, null, null, null, Map.of("a", each("image", BigDecimal.ONE)), written))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("aborts");
    }

    private static Money total(Map<Meter, TierRule> rules, Meter meter, long units) {
        return requireNonNull(rules.get(meter)).total(units);
    }

    private static ProductPrice each(String per, BigDecimal each) {
        return new ProductPrice(per, each, null, null, null, null, null);
    }

    private static ProductPrice tiered(String per, @Nullable TierMode mode, TierSettings... tiers) {
        return new ProductPrice(per, null, List.of(tiers), mode, null, null, null);
    }

    private static ProductPrice tokens(String input, @Nullable String cached, String output) {
        return new ProductPrice(
                "1M tokens",
                null,
                null,
                null,
                new BigDecimal(input),
                cached == null ? null : new BigDecimal(cached),
                new BigDecimal(output));
    }

    private static TierSettings tier(@Nullable Long upTo, String each) {
        return new TierSettings(upTo, new BigDecimal(each));
    }
}
