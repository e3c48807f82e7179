package io.guimo.serve.admin;

import io.guimo.commerce.account.Organizations;
import io.guimo.commerce.ledger.Receipt;
import io.guimo.commerce.ledger.Receipts;
import io.guimo.commerce.ledger.Replay;
import io.guimo.commerce.meter.UsageEvent;
import io.guimo.commerce.meter.UsageFilter;
import io.guimo.commerce.meter.UsageLine;
import io.guimo.commerce.meter.UsageLog;
import io.guimo.commerce.meter.UsageSum;
import io.guimo.commerce.price.Derivation;
import io.guimo.serve.http.Access;
import io.guimo.serve.http.Content;
import io.guimo.serve.http.Exchange;
import io.guimo.serve.http.Listing;
import io.guimo.serve.http.RefusedException;
import io.guimo.serve.http.Route;
import io.guimo.units.Cursor;
import io.guimo.units.Meter;
import io.guimo.units.Money;
import io.guimo.units.OrganizationId;
import io.guimo.units.RequestId;
import io.guimo.units.TimeWindow;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What was used and what each request cost, for the owner of all organisations and for each organisation its own. */
final class UsageRoutes {
    private static final String GROUP = "Usage";
    private static final String OWN = "Your account";
    private static final int USUAL_DAYS = 14;
    private static final int MOST_DAYS = 62;
    private static final Route.Parameter[] FILTERS = {
        new Route.Parameter("product", "string", "name of a model"),
        new Route.Parameter("from", "string", "first instant, such as 2026-11-01T00:00:00Z"),
        new Route.Parameter("to", "string", "first instant after it"),
    };
    private static final Route.Parameter ORGANIZATION =
            new Route.Parameter("organization", "string", "id of an organisation; all unless given");
    private static final Route.Parameter DAYS =
            new Route.Parameter("days", "integer", "how many, up to today; 14 unless given, at most " + MOST_DAYS);
    private final UsageLog usage;
    private final Receipts receipts;
    private final Organizations organizations;

    UsageRoutes(UsageLog usage, Receipts receipts, Organizations organizations) {
        this.usage = usage;
        this.receipts = receipts;
        this.organizations = organizations;
    }

    List<Route> routes() {
        return List.of(
                Route.get(
                        "/admin/v1/usage",
                        Access.OWNER,
                        Route.About.of("listUsage", GROUP, "Usage events, the newest first")
                                .query(ORGANIZATION)
                                .query(FILTERS)
                                .list(EventView.class),
                        e -> Content.json(events(e, named(e)))),
                Route.get(
                        "/admin/v1/usage/sums",
                        Access.OWNER,
                        Route.About.of("sumUsage", GROUP, "Usage by product and meter")
                                .query(ORGANIZATION)
                                .query(FILTERS)
                                .list(SumView.class),
                        e -> Content.json(sums(e, named(e)))),
                Route.get(
                        "/admin/v1/usage/days",
                        Access.OWNER,
                        Route.About.of(
                                        "sumUsageByDay",
                                        GROUP,
                                        "Usage by day and product, in the operator's or the organisation's zone")
                                .query(ORGANIZATION, DAYS)
                                .list(DayView.class),
                        e -> Content.json(days(e, named(e)))),
                Route.get(
                        "/admin/v1/receipts/{request}",
                        Access.OWNER,
                        Route.About.of("getReceipt", GROUP, "What a request cost, and why")
                                .answer(ReceiptView.class),
                        e -> Content.json(view(any(e)))),
                Route.post(
                        "/admin/v1/receipts/{request}/verify",
                        Access.OWNER,
                        1024,
                        Route.About.of("verifyReceipt", GROUP, "Computes a receipt again and compares; changes nothing")
                                .request(Nothing.class)
                                .answer(ReplayView.class),
                        e -> Content.json(ReplayView.of(receipts.verify(any(e))))),
                Route.get(
                        "/v1/usage",
                        Access.KEY,
                        Route.About.of("listOwnUsage", OWN, "Your usage events, the newest first")
                                .query(FILTERS)
                                .list(EventView.class),
                        e -> Content.json(events(e, Optional.of(e.caller().organization())))),
                Route.get(
                        "/v1/usage/sums",
                        Access.KEY,
                        Route.About.of("sumOwnUsage", OWN, "Your usage by product and meter")
                                .query(FILTERS)
                                .list(SumView.class),
                        e -> Content.json(sums(e, Optional.of(e.caller().organization())))),
                Route.get(
                        "/v1/usage/days",
                        Access.KEY,
                        Route.About.of("sumOwnUsageByDay", OWN, "Your usage by day and product")
                                .query(DAYS)
                                .list(DayView.class),
                        e -> Content.json(days(e, Optional.of(e.caller().organization())))),
                Route.get(
                        "/v1/receipts/{request}",
                        Access.KEY,
                        Route.About.of("getOwnReceipt", OWN, "What one of your requests cost, and why")
                                .answer(ReceiptView.class),
                        e -> Content.json(view(own(e)))));
    }

    private static Optional<OrganizationId> named(Exchange exchange) {
        return exchange.query("organization")
                .filter(o -> !o.isEmpty())
                .map(o -> Answers.checked("organization", () -> new OrganizationId(o)));
    }

    private Listing events(Exchange exchange, Optional<OrganizationId> organization) {
        return Listing.of(usage.list(filter(exchange, organization), numbered(exchange)), EventView::of);
    }

    private Listing sums(Exchange exchange, Optional<OrganizationId> organization) {
        return Listing.whole(usage.sums(filter(exchange, organization)), SumView::of);
    }

    /** One day after another, the oldest first; days without usage are left out. */
    private Listing days(Exchange exchange, Optional<OrganizationId> organization) {
        int count = exchange.query("days", 1, MOST_DAYS, USUAL_DAYS);
        OrganizationId clock = organization
                .or(() -> organizations.operator().map(o -> o.id()))
                .orElse(exchange.caller().organization());
        ZoneId zone = organizations
                .find(clock)
                .orElseThrow(() -> Answers.notFound("organization", clock.value()))
                .zone();
        LocalDate today = LocalDate.ofInstant(organizations.now(clock), zone);
        List<DayView> days = new ArrayList<>();
        for (LocalDate day = today.minusDays(count - 1L); !day.isAfter(today); day = day.plusDays(1)) {
            TimeWindow window = TimeWindow.dayOf(day.atStartOfDay(zone).toInstant(), zone);
            days.addAll(
                    DayView.of(day, usage.sums(new UsageFilter(organization, Optional.empty(), Optional.of(window)))));
        }
        return Listing.whole(days, d -> d);
    }

    private static UsageFilter filter(Exchange exchange, Optional<OrganizationId> organization) {
        Optional<Instant> from = instant(exchange, "from");
        Optional<Instant> to = instant(exchange, "to");
        Optional<TimeWindow> window = from.isEmpty() && to.isEmpty()
                ? Optional.empty()
                : Optional.of(Answers.checked(
                        "to",
                        () -> new TimeWindow(
                                from.orElse(Instant.EPOCH), to.orElse(Instant.parse("9999-01-01T00:00:00Z")))));
        return new UsageFilter(organization, exchange.query("product").filter(p -> !p.isEmpty()), window);
    }

    private static Optional<Instant> instant(Exchange exchange, String name) {
        return exchange.query(name).filter(v -> !v.isEmpty()).map(v -> Answers.checked(name, () -> Instant.parse(v)));
    }

    private static Cursor numbered(Exchange exchange) {
        Cursor cursor = Listing.cursor(exchange);
        if (cursor.after().isPresent() && !cursor.after().get().matches("\\d{1,18}")) {
            throw RefusedException.invalid("'after' is no next_cursor of this list", "after", "invalid_value");
        }
        return cursor;
    }

    private Receipt any(Exchange exchange) {
        RequestId id = Answers.id(exchange, "request", RequestId::new);
        return usage.findAny(id).map(receipts::of).orElseThrow(() -> Answers.notFound("receipt", id.value()));
    }

    private Receipt own(Exchange exchange) {
        RequestId id = Answers.id(exchange, "request", RequestId::new);
        return receipts.find(exchange.caller().organization(), id)
                .orElseThrow(() -> Answers.notFound("receipt", id.value()));
    }

    private ReceiptView view(Receipt receipt) {
        String name = organizations
                .find(receipt.organization())
                .map(o -> o.name())
                .orElse(receipt.organization().value());
        return ReceiptView.of(receipt, name);
    }

    /** An empty object. */
    record Nothing() {}

    /**
     * @param usedAt by the organisation's clock
     * @param writtenOff the part that the wallet could not pay
     * @param brokenOff whether the answer was cut off
     */
    record EventView(
            String requestId,
            String organization,
            String project,
            String key,
            Instant usedAt,
            String product,
            List<UsageLineView> lines,
            Money amount,
            Money writtenOff,
            boolean brokenOff,
            String currency) {
        static EventView of(UsageEvent event) {
            return new EventView(
                    event.request().value(),
                    event.organization().value(),
                    event.project().value(),
                    event.key().value(),
                    event.usedAt(),
                    event.product(),
                    event.lines().stream().map(UsageLineView::of).toList(),
                    event.amount(),
                    event.writtenOff(),
                    event.brokenOff(),
                    event.amount().currency().getCurrencyCode());
        }
    }

    /** @param before units of the month before this request */
    record UsageLineView(Meter meter, long before, long quantity, Money amount) {
        static UsageLineView of(UsageLine line) {
            return new UsageLineView(line.meter(), line.before(), line.quantity(), line.amount());
        }
    }

    record SumView(String product, Meter meter, long quantity, Money amount, String currency, long requests) {
        static SumView of(UsageSum sum) {
            return new SumView(
                    sum.product(),
                    sum.meter(),
                    sum.quantity(),
                    sum.amount(),
                    sum.amount().currency().getCurrencyCode(),
                    sum.events());
        }
    }

    /** @param quantities units by meter */
    record DayView(
            LocalDate day, String product, long requests, Map<Meter, Long> quantities, Money amount, String currency) {
        /** A request with several meters is counted once. */
        static List<DayView> of(LocalDate day, List<UsageSum> sums) {
            Map<String, DayView> byProduct = new LinkedHashMap<>();
            for (UsageSum sum : sums) {
                String currency = sum.amount().currency().getCurrencyCode();
                byProduct.merge(
                        sum.product() + " " + currency,
                        new DayView(
                                day,
                                sum.product(),
                                sum.events(),
                                Map.of(sum.meter(), sum.quantity()),
                                sum.amount(),
                                currency),
                        DayView::with);
            }
            return List.copyOf(byProduct.values());
        }

        private DayView with(DayView other) {
            Map<Meter, Long> all = new LinkedHashMap<>(quantities);
            all.putAll(other.quantities);
            return new DayView(
                    day, product, Math.max(requests, other.requests), all, amount.plus(other.amount), currency);
        }
    }

    /** @param priceVersion the version that was pinned when the request was authorised */
    record ReceiptView(
            String requestId,
            String organization,
            String organizationName,
            Instant usedAt,
            String product,
            String plan,
            String priceVersion,
            Money amount,
            Money writtenOff,
            boolean brokenOff,
            String currency,
            List<ReceiptLineView> lines,
            List<CreditRoutes.PostingView> postings) {
        static ReceiptView of(Receipt receipt, String organizationName) {
            UsageEvent event = receipt.event();
            List<CreditRoutes.PostingView> postings = new ArrayList<>();
            for (int i = 0; i < receipt.entry().postings().size(); i++) {
                postings.add(CreditRoutes.PostingView.of(
                        receipt.entry().postingId(i), receipt.entry().postings().get(i)));
            }
            return new ReceiptView(
                    event.request().value(),
                    event.organization().value(),
                    organizationName,
                    event.usedAt(),
                    event.product(),
                    receipt.price().plan(),
                    receipt.price().id().value(),
                    event.amount(),
                    event.writtenOff(),
                    event.brokenOff(),
                    event.amount().currency().getCurrencyCode(),
                    receipt.lines().stream().map(ReceiptLineView::of).toList(),
                    postings);
        }
    }

    /** @param steps the walk through the tiers */
    record ReceiptLineView(Meter meter, long before, long quantity, Money amount, List<StepView> steps) {
        static ReceiptLineView of(Receipt.Line line) {
            return new ReceiptLineView(
                    line.usage().meter(),
                    line.usage().before(),
                    line.usage().quantity(),
                    line.usage().amount(),
                    line.derivation().steps().stream().map(StepView::of).toList());
        }
    }

    /** @param after units of the month before the first of these */
    record StepView(int tier, long after, long quantity, RateView rate, Money amount) {
        static StepView of(Derivation.Step step) {
            return new StepView(
                    step.tier(),
                    step.after(),
                    step.quantity(),
                    new RateView(step.rate().amount(), step.rate().per()),
                    step.amount());
        }
    }

    /** @param amount price of {@code per} units */
    record RateView(Money amount, long per) {}

    /** @param differences from what is stored; empty where the receipt is right */
    record ReplayView(boolean agrees, Money amount, List<String> differences) {
        static ReplayView of(Replay replay) {
            return new ReplayView(replay.agrees(), replay.amount(), replay.differences());
        }
    }
}
