package io.guimo.commerce.invoice;

import io.guimo.commerce.price.Derivation;
import io.guimo.commerce.price.Derivation.Step;
import io.guimo.commerce.price.PriceBook;
import io.guimo.commerce.price.PriceVersion;
import io.guimo.commerce.price.PriceVersionId;
import io.guimo.commerce.price.Pricing;
import io.guimo.commerce.price.TierRule;
import io.guimo.units.Meter;
import io.guimo.units.Money;
import io.guimo.units.OrganizationId;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Currency;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * An organisation's usage of some months that no invoice has yet.
 *
 * <p>Events become visible in the order of their counter, because each is written under its lock. So what was invoiced of a counter is its
 * beginning, and what is open is everything after it: no event needs a mark. What is read here is priced a second time from the counts, and
 * must give what the events say.
 *
 * @param parts by month, product, meter and price version
 * @param unbilled what of it was used on a credit line
 * @param fromCredit what of it credit has paid
 * @param writtenOff what of it nobody pays
 */
record OpenUsage(List<Part> parts, Money unbilled, Money fromCredit, Money writtenOff) {
    /** What is open: lines after the part of their counter that was invoiced. Its parameters: organisation, organisation, months. */
    private static final String OPEN_LINES = """
            with invoiced as (
                select period_start, product, meter, sum(quantity) as quantity
                from invoice_line
                where organization_id = ? and kind <> 'FEE'
                group by period_start, product, meter
            ), open as (
                select l.id, l.period_start, l.product, l.meter, l.price_version, l.before, l.quantity, l.amount
                from usage_line l left join invoiced i using (period_start, product, meter)
                where l.organization_id = ? and l.period_start = any (?) and l.quantity > 0 and l.before >= coalesce(i.quantity, 0)
            )
            """;

    /**
     * Usage of one meter at one price.
     *
     * @param walk its tiers; two runs of the counter where another price version came between
     */
    record Part(
            Instant periodStart,
            String product,
            Meter meter,
            PriceVersionId price,
            long quantity,
            Money exact,
            List<Step> walk) {}

    /** Both questions must see the same events: call it in a transaction that keeps one snapshot. */
    static OpenUsage read(
            Connection connection,
            OrganizationId organization,
            Collection<Instant> months,
            Currency currency,
            PriceBook prices)
            throws SQLException {
        List<Part> parts = parts(connection, organization, months, currency, prices);
        Money zero = Money.zero(currency);
        Map<String, Money> paid = new LinkedHashMap<>();
        try (PreparedStatement select = connection.prepareStatement(OPEN_LINES + """
                select account::text, sum(amount) from posting
                where entry_id in (select id from open) and account in ('unbilled', 'customer_credit', 'write_off')
                group by account
                """)) {
            bind(connection, select, organization, months);
            try (ResultSet row = select.executeQuery()) {
                while (row.next()) paid.put(row.getString(1), new Money(currency, row.getBigDecimal(2)));
            }
        }
        OpenUsage usage = new OpenUsage(
                parts,
                paid.getOrDefault("unbilled", zero),
                paid.getOrDefault("customer_credit", zero),
                paid.getOrDefault("write_off", zero));
        Money used = parts.stream().map(Part::exact).reduce(zero, Money::plus);
        Money booked = usage.unbilled.plus(usage.fromCredit).plus(usage.writtenOff);
        if (!used.equals(booked)) {
            throw new IllegalStateException("usage of " + organization + " in " + months + " sums to " + used
                    + ", but its entries to " + booked + "; nothing is invoiced until they agree");
        }
        return usage;
    }

    private static List<Part> parts(
            Connection connection,
            OrganizationId organization,
            Collection<Instant> months,
            Currency currency,
            PriceBook prices)
            throws SQLException {
        // Consecutive lines of a counter at one price are a run: "before" less what the run has counted so far is the
        // same for all of them.
        try (PreparedStatement select = connection.prepareStatement(OPEN_LINES + """
                , placed as (
                    select *, before - (sum(quantity) over (partition by period_start, product, meter, price_version order by before)
                        - quantity) as run
                    from open
                )
                select period_start, product, meter, price_version, min(before) as before, sum(quantity) as quantity, sum(amount) as amount
                from placed
                group by period_start, product, meter, price_version, run
                order by period_start, product, meter, price_version, before
                """)) {
            bind(connection, select, organization, months);
            Map<List<Object>, Part> parts = new LinkedHashMap<>();
            try (ResultSet row = select.executeQuery()) {
                while (row.next()) {
                    String meterName = row.getString("meter");
                    Part run = run(
                            prices.get(new PriceVersionId(row.getString("price_version"))),
                            row.getObject("period_start", OffsetDateTime.class).toInstant(),
                            row.getString("product"),
                            Meter.ofWireName(meterName)
                                    .orElseThrow(
                                            () -> new IllegalStateException("usage of an unknown meter " + meterName)),
                            row.getLong("before"),
                            row.getBigDecimal("quantity").longValueExact(),
                            new Money(currency, row.getBigDecimal("amount")));
                    parts.merge(List.of(run.periodStart, run.product, run.meter, run.price), run, OpenUsage::together);
                }
            }
            return List.copyOf(parts.values());
        }
    }

    private static Part run(
            PriceVersion price,
            Instant periodStart,
            String product,
            Meter meter,
            long before,
            long quantity,
            Money booked) {
        TierRule rule = price.rules().get(meter);
        if (rule == null) {
            throw new IllegalStateException("usage of " + product + " in " + meter.wireName() + " at price "
                    + price.id() + ", which does not sell it");
        }
        Derivation again = Pricing.charge(rule, before, quantity);
        if (!again.amount().equals(booked)) {
            throw new IllegalStateException(quantity + " " + meter.wireName() + " of " + product + " after " + before
                    + " in the month from " + periodStart + " were charged " + booked + ", but cost " + again.amount()
                    + " by price " + price.id() + "; nothing is invoiced until they agree");
        }
        return new Part(periodStart, product, meter, price.id(), quantity, booked, again.steps());
    }

    private static Part together(Part first, Part second) {
        List<Step> walk = new ArrayList<>(first.walk);
        walk.addAll(second.walk);
        return new Part(
                first.periodStart,
                first.product,
                first.meter,
                first.price,
                Math.addExact(first.quantity, second.quantity),
                first.exact.plus(second.exact),
                walk);
    }

    private static void bind(
            Connection connection, PreparedStatement select, OrganizationId organization, Collection<Instant> months)
            throws SQLException {
        select.setString(1, organization.value());
        select.setString(2, organization.value());
        select.setArray(
                3,
                connection.createArrayOf(
                        "timestamptz",
                        months.stream()
                                .map(m -> m.atOffset(ZoneOffset.UTC).toString())
                                .toArray()));
    }
}
