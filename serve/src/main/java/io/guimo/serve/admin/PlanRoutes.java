package io.guimo.serve.admin;

import io.guimo.commerce.price.AbortPolicy;
import io.guimo.commerce.price.NewPrice;
import io.guimo.commerce.price.Plan;
import io.guimo.commerce.price.PriceBook;
import io.guimo.commerce.price.PriceVersion;
import io.guimo.commerce.price.ProductPrice;
import io.guimo.commerce.price.Subscription;
import io.guimo.commerce.price.Tier;
import io.guimo.commerce.price.TierMode;
import io.guimo.commerce.price.TierRule;
import io.guimo.commerce.price.TierSettings;
import io.guimo.serve.http.Access;
import io.guimo.serve.http.Answer;
import io.guimo.serve.http.Content;
import io.guimo.serve.http.Exchange;
import io.guimo.serve.http.Listing;
import io.guimo.serve.http.Route;
import io.guimo.units.Meter;
import io.guimo.units.Money;
import io.guimo.units.OrganizationId;
import java.math.BigDecimal;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Currency;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Plans, the versions of their prices, and who is on which plan. */
final class PlanRoutes {
    private static final String GROUP = "Plans";
    private static final long BODY_LIMIT = 256 * 1024;
    private static final String PRICES = "/admin/v1/plans/{plan}/prices";
    private static final String SUBSCRIPTIONS = "/admin/v1/organizations/{organization}/subscriptions";
    private final PriceBook prices;
    private final InstantSource world;

    PlanRoutes(PriceBook prices, InstantSource world) {
        this.prices = prices;
        this.world = world;
    }

    List<Route> routes() {
        return List.of(
                Route.get(
                        "/admin/v1/plans",
                        Access.OWNER,
                        Route.About.of("listPlans", GROUP, "All plans as they are now")
                                .list(PlanView.class),
                        e -> Content.json(Listing.whole(prices.plans(), PlanView::of))),
                Route.post(
                        "/admin/v1/plans",
                        Access.OWNER,
                        BODY_LIMIT,
                        Route.About.of(
                                        "publishPlan",
                                        GROUP,
                                        "Makes a plan, or gives an existing one another fee from now on")
                                .request(PlanRequest.class)
                                .answer(PlanView.class),
                        this::publishPlan),
                Route.get(
                        PRICES,
                        Access.OWNER,
                        Route.About.of(
                                        "listPrices",
                                        GROUP,
                                        "All versions of a plan's prices, by product, the oldest first")
                                .list(PriceView.class),
                        e -> Content.json(Listing.whole(prices.versions(plan(e).name()), PriceView::of))),
                Route.post(
                        PRICES,
                        Access.OWNER,
                        BODY_LIMIT,
                        Route.About.of(
                                        "publishPrice",
                                        GROUP,
                                        "Publishes a version of a product's price; none is ever edited")
                                .request(PriceRequest.class)
                                .answer(PriceView.class),
                        this::publishPrice),
                Route.get(
                        SUBSCRIPTIONS,
                        Access.OWNER,
                        Route.About.of(
                                        "listSubscriptions",
                                        GROUP,
                                        "The plans an organisation was on, the first one first")
                                .list(SubscriptionView.class),
                        e -> Content.json(
                                Listing.whole(prices.subscriptions(Answers.organization(e)), SubscriptionView::of))),
                Route.post(
                        SUBSCRIPTIONS,
                        Access.OWNER,
                        BODY_LIMIT,
                        Route.About.of(
                                        "subscribe",
                                        GROUP,
                                        "Puts an organisation on a plan from now on by its own clock")
                                .request(SubscriptionRequest.class)
                                .answer(SubscriptionView.class),
                        e -> Answers.of(
                                prices.subscribe(
                                        Answers.organization(e),
                                        e.json(SubscriptionRequest.class).plan(),
                                        Answers.commandKey(e)),
                                SubscriptionView::of)));
    }

    private Plan plan(Exchange exchange) {
        String name = exchange.variable("plan");
        return prices.plan(name, world.instant()).orElseThrow(() -> Answers.notFound("plan", name));
    }

    private Answer publishPlan(Exchange exchange) {
        PlanRequest wanted = exchange.json(PlanRequest.class);
        Currency currency = Answers.checked("currency", () -> OrganizationRoutes.currency(wanted.currency()));
        BigDecimal fee = wanted.fee() == null ? BigDecimal.ZERO : wanted.fee();
        Money money = money(currency, fee, "fee");
        return Answers.of(
                Answers.checked("name", () -> {
                    new Plan(wanted.name(), money, world.instant()); // checks what the book would not refuse politely
                    return prices.publishPlan(wanted.name(), money, Answers.commandKey(exchange));
                }),
                PlanView::of);
    }

    /** An amount that can be kept exactly. */
    static Money money(Currency currency, BigDecimal amount, String param) {
        return Answers.checked(param, () -> {
            try {
                return new Money(currency, amount);
            } catch (ArithmeticException e) {
                throw new IllegalArgumentException(
                        "'" + param + "' is " + amount.toPlainString() + "; write at most " + Money.SCALE
                                + " decimal places and 18 digits before the point",
                        e);
            }
        });
    }

    private Answer publishPrice(Exchange exchange) {
        Plan plan = plan(exchange);
        PriceRequest wanted = exchange.json(PriceRequest.class);
        NewPrice price = Answers.checked("price", () -> {
            Map<Meter, TierRule> rules =
                    wanted.price() == null ? Map.of() : wanted.price().product().rules(plan.currency());
            AbortPolicy aborts = wanted.aborts() == null ? AbortPolicy.STANDARD : AbortPolicy.parse(wanted.aborts());
            return new NewPrice(plan.name(), wanted.product(), rules, aborts, Optional.ofNullable(wanted.validFrom()));
        });
        return Answers.of(prices.publish(price, Answers.commandKey(exchange)), PriceView::of);
    }

    /**
     * @param fee of a calendar month; 0 unless given
     * @param currency ISO 4217; fixed for good
     */
    record PlanRequest(String name, @Nullable BigDecimal fee, String currency) {}

    record PlanView(String name, Money fee, String currency, Instant validFrom) {
        static PlanView of(Plan plan) {
            return new PlanView(plan.name(), plan.fee(), plan.currency().getCurrencyCode(), plan.validFrom());
        }
    }

    /**
     * @param price null ends the sale of the product on this plan
     * @param aborts what a stream costs that is left before its end: {@code delivered} unless given, {@code computed}, or
     *     {@code nothing under 20 tokens}
     * @param validFrom now unless given
     */
    record PriceRequest(
            String product,
            @Nullable PriceTermsRequest price,
            @Nullable String aborts,
            @Nullable Instant validFrom) {}

    /** As in a business file: one of {@code each}, {@code tiers}, and {@code input} with {@code output}. */
    record PriceTermsRequest(
            String per,
            @Nullable BigDecimal each,
            @Nullable List<TierRequest> tiers,
            @Nullable TierMode mode,
            @Nullable BigDecimal input,
            @Nullable BigDecimal cachedInput,
            @Nullable BigDecimal output) {
        ProductPrice product() {
            List<TierSettings> steps = tiers == null
                    ? null
                    : tiers.stream()
                            .map(t -> new TierSettings(t.upTo(), t.each()))
                            .toList();
            return new ProductPrice(per, each, steps, mode, input, cachedInput, output);
        }
    }

    record TierRequest(@Nullable Long upTo, BigDecimal each) {}

    /** @param rules by meter; none: the product is not sold any more */
    record PriceView(
            String id,
            String plan,
            String product,
            String currency,
            Map<String, RuleView> rules,
            String aborts,
            Instant validFrom) {
        static PriceView of(PriceVersion version) {
            Map<String, RuleView> rules = new LinkedHashMap<>();
            version.rules().forEach((meter, rule) -> rules.put(meter.wireName(), RuleView.of(rule)));
            return new PriceView(
                    version.id().value(),
                    version.plan(),
                    version.product(),
                    version.currency().getCurrencyCode(),
                    rules,
                    version.aborts().text(),
                    version.validFrom());
        }
    }

    /** @param kind {@code flat}, {@code graduated} or {@code volume} */
    record RuleView(String kind, List<TierView> tiers) {
        static RuleView of(TierRule rule) {
            String kind =
                    switch (rule) {
                        case TierRule.Flat _ -> "flat";
                        case TierRule.Graduated _ -> "graduated";
                        case TierRule.Volume _ -> "volume";
                    };
            return new RuleView(kind, rule.tiers().stream().map(TierView::of).toList());
        }
    }

    /**
     * @param upTo last unit of the tier; null for the last tier
     * @param amount price of {@code per} units
     */
    record TierView(@Nullable Long upTo, Money amount, long per) {
        static TierView of(Tier tier) {
            return new TierView(
                    tier.upTo().isPresent() ? tier.upTo().getAsLong() : null,
                    tier.rate().amount(),
                    tier.rate().per());
        }
    }

    record SubscriptionRequest(String plan) {}

    /** @param startsAt by the organisation's clock */
    record SubscriptionView(String id, OrganizationId organization, String plan, Instant startsAt) {
        static SubscriptionView of(Subscription subscription) {
            return new SubscriptionView(
                    subscription.id(), subscription.organization(), subscription.plan(), subscription.startsAt());
        }
    }
}
