package io.guimo.economics;

import io.guimo.units.Meter;
import io.guimo.units.Money;
import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Whether a product earns what it costs, per unit of the meter it is sold by. Costs are estimates from measured processor time, rounded half up to the
 * 12 places of {@link Money}; what was earned is exact.
 *
 * <p>A request uses its engine and a share of everything around it (HTTP, the till, the database, the runtime): overhead is shared among requests, since
 * it is work per request and not per unit. A product that is sold by several meters shares its cost among them ({@link CostWindow.Share#partOf}), so that
 * the rows of all meters add up to it. The machine is paid for while it idles too, so the cost of a unit at this run's utilisation is its cost on a
 * fully used machine divided by the utilisation.
 *
 * @param unitsSold billed in the span
 * @param revenue earned for them
 * @param unitPrice revenue / units sold; null if nothing was sold
 * @param unitCpuSeconds processor seconds of one unit, overhead included; null if the engine answered nothing
 * @param unitCostAtFull on a machine that is always fully used
 * @param unitCostNow at the utilisation of the span
 * @param measuredCost of the units sold, at the utilisation of the span
 * @param margin revenue less measured cost
 * @param utilisation of the machine in the span, 0 to 1
 * @param trainingCost of the version that serves, or this meter's part of it; zero for a model taken as it is
 * @param breakEvenUnits units until the margin has paid for the training at the utilisation of the span; null if it never does
 * @param breakEvenUnitsAtFull the same on a fully used machine; null if it never does
 * @param derivation each figure's formula with its numbers, for a person
 */
public record UnitEconomics(
        String product,
        Meter meter,
        long unitsSold,
        Money revenue,
        @Nullable BigDecimal unitPrice,
        @Nullable BigDecimal unitCpuSeconds,
        @Nullable BigDecimal unitCostAtFull,
        @Nullable BigDecimal unitCostNow,
        Money measuredCost,
        Money margin,
        double utilisation,
        Money trainingCost,
        @Nullable Long breakEvenUnits,
        @Nullable Long breakEvenUnitsAtFull,
        List<String> derivation) {
    private static final MathContext PRECISION = MathContext.DECIMAL64;
    private static final BigDecimal NANOS = BigDecimal.TEN.pow(9);
    private static final BigDecimal SECONDS_PER_HOUR = BigDecimal.valueOf(3600);

    public UnitEconomics {
        derivation = List.copyOf(derivation);
    }

    /** What was billed. */
    public record Sold(String product, Meter meter, long units, Money revenue) {}

    /**
     * The part of a product's training that one of its meters has to earn back: as much as it brings of the revenue, so that all meters are through at the
     * same time as long as customers go on buying in the same mix.
     *
     * @param revenue of the meter
     * @param all of all meters of the product
     */
    public static Money trainingPart(Money trainingCost, Money revenue, Money all) {
        if (all.signum() == 0) return trainingCost;
        return new Money(
                trainingCost.currency(),
                places(trainingCost.amount().multiply(revenue.amount()).divide(all.amount(), PRECISION)));
    }

    /**
     * @param sold what was billed in the span
     * @param window what was measured in the span
     * @param trainingCost of the version that serves; of a product that is sold by several meters, the {@linkplain #trainingPart part} of this one
     */
    public static UnitEconomics of(Sold sold, CostWindow window, CostSettings costs, Money trainingCost) {
        List<String> derivation = new ArrayList<>();
        BigDecimal unitPrice = sold.units() == 0
                ? null
                : places(sold.revenue().amount().divide(BigDecimal.valueOf(sold.units()), PRECISION));
        if (unitPrice != null) {
            derivation.add(
                    "price of a unit = " + sold.revenue() + " / " + sold.units() + " units sold = " + shown(unitPrice));
        }
        BigDecimal cpuSeconds = unitCpuSeconds(sold, window, derivation).orElse(null);
        BigDecimal atFull = null;
        BigDecimal now = null;
        Money cost = Money.zero(sold.revenue().currency());
        if (cpuSeconds != null) {
            BigDecimal perCoreSecond = costs.machine()
                    .perHour()
                    .divide(SECONDS_PER_HOUR.multiply(BigDecimal.valueOf(window.cores())), PRECISION);
            BigDecimal utilisation = BigDecimal.valueOf(Math.max(window.utilisation(), 1e-9));
            atFull = places(cpuSeconds.multiply(perCoreSecond, PRECISION));
            now = places(cpuSeconds.multiply(perCoreSecond, PRECISION).divide(utilisation, PRECISION));
            cost = new Money(sold.revenue().currency(), places(now.multiply(BigDecimal.valueOf(sold.units()))));
            derivation.add("cost of a core second = " + shown(costs.machine().perHour()) + " an hour / 3600 / "
                    + window.cores() + " cores");
            derivation.add(
                    "cost of a unit, machine fully used = " + shown(cpuSeconds) + " s × that = " + shown(atFull));
            derivation.add("cost of a unit now = that / utilisation "
                    + String.format(java.util.Locale.ROOT, "%.4f", window.utilisation()) + " = " + shown(now));
        }
        Long breakEven = breakEven(trainingCost, unitPrice, now);
        Long breakEvenAtFull = breakEven(trainingCost, unitPrice, atFull);
        derivation.add(describe("now", trainingCost, breakEven));
        derivation.add(describe("on a fully used machine", trainingCost, breakEvenAtFull));
        return new UnitEconomics(
                sold.product(),
                sold.meter(),
                sold.units(),
                sold.revenue(),
                unitPrice,
                cpuSeconds,
                atFull,
                now,
                cost,
                sold.revenue().minus(cost),
                window.utilisation(),
                trainingCost,
                breakEven,
                breakEvenAtFull,
                derivation);
    }

    private static Optional<BigDecimal> unitCpuSeconds(Sold sold, CostWindow window, List<String> derivation) {
        Optional<CostWindow.Share> found = window.shares().stream()
                .filter(s -> s.product().equals(sold.product()))
                .findFirst();
        if (found.isEmpty()) return Optional.empty();
        CostWindow.Share share = found.get();
        long units = share.units().getOrDefault(sold.meter(), 0L);
        if (units == 0) return Optional.empty();
        double part = share.partOf(sold.meter());
        BigDecimal overhead = BigDecimal.valueOf(Math.max(0, window.overheadNanos()))
                .multiply(BigDecimal.valueOf(share.requests()))
                .divide(BigDecimal.valueOf(Math.max(1, window.requests())), PRECISION);
        BigDecimal seconds = BigDecimal.valueOf(share.cpuNanos())
                .add(overhead)
                .multiply(BigDecimal.valueOf(part))
                .divide(NANOS.multiply(BigDecimal.valueOf(units)), PRECISION);
        String measuredBy = share.cpuNanosByMeter().isEmpty() ? "by units" : "by processor time";
        derivation.add("processor time of a unit = (engine " + seconds(share.cpuNanos()) + " s + overhead "
                + seconds(Math.max(0, window.overheadNanos())) + " s × " + share.requests() + " of " + window.requests()
                + " requests)"
                + (part == 1
                        ? ""
                        : String.format(
                                java.util.Locale.ROOT,
                                " × %.4f of it for %s (%s)",
                                part,
                                sold.meter().wireName(),
                                measuredBy))
                + " / " + units + " units = " + shown(seconds) + " s");
        return Optional.of(seconds);
    }

    private static @Nullable Long breakEven(Money trainingCost, @Nullable BigDecimal price, @Nullable BigDecimal cost) {
        if (price == null || cost == null) return null;
        if (trainingCost.signum() == 0) return 0L;
        BigDecimal margin = price.subtract(cost);
        return margin.signum() <= 0
                ? null
                : trainingCost
                        .amount()
                        .divide(margin, 0, RoundingMode.CEILING)
                        .min(BigDecimal.valueOf(Long.MAX_VALUE))
                        .longValueExact();
    }

    private static String describe(String when, Money trainingCost, @Nullable Long units) {
        return "training of " + trainingCost + " is earned back "
                + (units == null
                        ? "never " + when + ": a unit earns no more than it costs"
                        : when + " after " + units + " units");
    }

    private static BigDecimal places(BigDecimal value) {
        return value.setScale(Money.SCALE, RoundingMode.HALF_UP);
    }

    private static String shown(BigDecimal value) {
        return value.round(new MathContext(6)).stripTrailingZeros().toPlainString();
    }

    private static String seconds(long nanos) {
        return String.format(java.util.Locale.ROOT, "%.3f", nanos / 1e9);
    }
}
