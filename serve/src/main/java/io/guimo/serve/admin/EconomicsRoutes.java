package io.guimo.serve.admin;

import io.guimo.commerce.Commerce;
import io.guimo.commerce.meter.UsageFilter;
import io.guimo.economics.UnitEconomics;
import io.guimo.inference.ModelHost;
import io.guimo.serve.http.Access;
import io.guimo.serve.http.Content;
import io.guimo.serve.http.Listing;
import io.guimo.serve.http.Route;
import io.guimo.units.Money;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** What the business earns and what that costs. */
final class EconomicsRoutes {
    private static final String GROUP = "Economics";
    private final Supplier<List<UnitEconomics>> economics;
    private final Commerce commerce;
    private final ModelHost models;

    EconomicsRoutes(Supplier<List<UnitEconomics>> economics, Commerce commerce, ModelHost models) {
        this.economics = economics;
        this.commerce = commerce;
        this.models = models;
    }

    List<Route> routes() {
        return List.of(
                Route.get(
                        "/admin/v1/economics",
                        Access.OWNER,
                        Route.About.of(
                                        "listUnitEconomics",
                                        GROUP,
                                        "Price, measured cost, margin and break-even of each product")
                                .list(UnitView.class),
                        e -> Content.json(Listing.whole(economics.get(), UnitView::of))),
                Route.get(
                        "/admin/v1/overview",
                        Access.OWNER,
                        Route.About.of("getOverview", GROUP, "The business in a few numbers")
                                .answer(OverviewView.class),
                        e -> Content.json(overview())));
    }

    private OverviewView overview() {
        Map<String, Money> revenue = new TreeMap<>();
        commerce.usage()
                .sums(UsageFilter.all())
                .forEach(s -> revenue.merge(s.amount().currency().getCurrencyCode(), s.amount(), Money::plus));
        return new OverviewView(
                commerce.organizations().operator().map(o -> o.name()).orElse(""),
                models.all().size(),
                commerce.keys().livingCount(),
                revenue);
    }

    /**
     * @param modelsServing models that answer now
     * @param used exact amounts of all usage, by currency
     */
    record OverviewView(String operator, int modelsServing, int livingKeys, Map<String, Money> used) {}

    /**
     * @param unit what is sold, such as {@code image}
     * @param price earned with a unit; null if none was sold
     * @param cost of a unit at this utilisation; null if it was not measured
     * @param costAtFullUtilisation of a unit on a machine that is always fully used
     * @param margin share of the price that is left, 0 to 1, negative at a loss
     * @param breakEvenUnits units until the training is paid for; null if never
     * @param derivation each figure's formula with its numbers
     */
    record UnitView(
            String model,
            String unit,
            String meter,
            String currency,
            long unitsSold,
            Money revenue,
            @Nullable BigDecimal price,
            @Nullable BigDecimal cost,
            @Nullable BigDecimal costAtFullUtilisation,
            Money measuredCost,
            double utilisation,
            @Nullable Double margin,
            @Nullable Money trainingCost,
            @Nullable Long breakEvenUnits,
            @Nullable Long breakEvenUnitsAtFullUtilisation,
            List<String> derivation) {
        static UnitView of(UnitEconomics unit) {
            BigDecimal price = unit.unitPrice();
            BigDecimal cost = unit.unitCostNow();
            Double margin = price == null || cost == null || price.signum() == 0
                    ? null
                    : price.subtract(cost).divide(price, MathContext.DECIMAL32).doubleValue();
            return new UnitView(
                    unit.product(),
                    unit.meter().unit(),
                    unit.meter().wireName(),
                    unit.revenue().currency().getCurrencyCode(),
                    unit.unitsSold(),
                    unit.revenue(),
                    price,
                    cost,
                    unit.unitCostAtFull(),
                    unit.measuredCost(),
                    unit.utilisation(),
                    margin,
                    unit.trainingCost().signum() == 0 ? null : unit.trainingCost(),
                    unit.breakEvenUnits(),
                    unit.breakEvenUnitsAtFull(),
                    unit.derivation());
        }
    }
}
