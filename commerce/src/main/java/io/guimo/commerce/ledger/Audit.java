package io.guimo.commerce.ledger;

import io.guimo.postgres.Database;
import io.guimo.units.Money;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Currency;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Checks the books against each other, in one snapshot. Each check is a query that finds what is wrong. */
final class Audit {
    private static final Map<String, String> CHECKS = checks();

    private Audit() {}

    static LedgerReport run(Database database) {
        return database.transaction(connection -> {
            try (Statement statement = connection.createStatement()) {
                statement.execute("set transaction isolation level repeatable read read only");
            }
            List<String> problems = new ArrayList<>();
            Map<Currency, Money> sums = sums(connection);
            sums.values().stream()
                    .filter(sum -> sum.signum() != 0)
                    .forEach(sum -> problems.add("all postings sum to " + sum + ", not to zero"));
            for (Map.Entry<String, String> check : CHECKS.entrySet()) {
                long wrong = count(connection, "select count(*) from (" + check.getValue() + ") wrong");
                if (wrong > 0) problems.add(wrong + " " + check.getKey());
            }
            return new LedgerReport(
                    sums,
                    count(connection, "select count(*) from posting"),
                    count(connection, "select count(*) from usage_event"),
                    count(connection, "select count(*) from reservation"),
                    problems);
        });
    }

    private static Map<String, String> checks() {
        Map<String, String> checks = new LinkedHashMap<>();
        checks.put(
                "entries whose postings do not sum to zero",
                "select entry_id from posting group by entry_id, currency having sum(amount) <> 0");
        checks.put("usage events that are not booked as revenue to the last digit", """
                select e.id from usage_event e
                left join posting p on p.entry_id = e.id and p.account = 'revenue'
                group by e.id, e.amount having e.amount <> -coalesce(sum(p.amount), 0)
                """);
        checks.put(
                "usage events whose lines do not sum to their amount",
                "select id from usage_event where amount <> (select coalesce(sum(a), 0) from unnest(amounts) a)");
        checks.put(
                "requests that were counted more than once",
                "select organization_id, request_id from usage_event group by 1, 2 having count(*) > 1");
        checks.put("wallets whose money differs from the balance of customer_credit", """
                select organization_id from (
                    select w.organization_id, g.remaining as amount from wallet_grant g join wallet w on w.id = g.wallet_id
                    where g.kind <> 'credit_line'
                    union all
                    select organization_id, amount from posting where account = 'customer_credit') both_sides
                group by organization_id having sum(amount) <> 0
                """);
        checks.put(
                "grants that are overdrawn", "select id from wallet_grant where reserved < 0 or remaining < reserved");
        checks.put("wallets that hold money for no reservation", """
                select g.id from wallet_grant g where g.reserved <> 0
                and not exists (select from reservation r where r.wallet_id = g.wallet_id)
                """);
        checks.put("counters whose open units differ from those of the open reservations", """
                select coalesce(c.wallet_id, r.wallet_id) from
                    (select wallet_id, meter, period_start, o.price, sum(o.quantity) as open
                     from usage_counter, unnest(open_prices, open_quantities) as o (price, quantity) group by 1, 2, 3, 4) c
                full join
                    (select wallet_id, o.meter, period_start, price_version as price, sum(o.quantity) as open
                     from reservation, unnest(meters, at_most) as o (meter, quantity) group by 1, 2, 3, 4) r
                using (wallet_id, meter, period_start, price)
                where coalesce(c.open, 0) <> coalesce(r.open, 0)
                """);
        checks.put("counters that differ from the sum of their events", """
                select organization_id, product, meter, period_start from
                    (select w.organization_id, c.product, c.meter, c.period_start, c.used as units
                     from usage_counter c join wallet w on w.id = c.wallet_id
                     union all
                     select organization_id, product, meter, period_start, -quantity from usage_line) both_sides
                group by 1, 2, 3, 4 having sum(units) <> 0
                """);
        checks.put("usage lines that leave a gap after the one before or overlap it", """
                select id from (
                    select id, before, lag(before + quantity, 1, 0) over (
                        partition by organization_id, product, meter, period_start order by before, before + quantity) as expected
                    from usage_line) lines
                where before <> expected
                """);
        return checks;
    }

    private static Map<Currency, Money> sums(Connection connection) throws SQLException {
        Map<Currency, Money> sums = new LinkedHashMap<>();
        try (Statement statement = connection.createStatement();
                ResultSet row =
                        statement.executeQuery("select currency, sum(amount) from posting group by 1 order by 1")) {
            while (row.next()) {
                Currency currency = Currency.getInstance(row.getString(1));
                sums.put(currency, new Money(currency, row.getBigDecimal(2)));
            }
        }
        return sums;
    }

    private static long count(Connection connection, String query) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(query)) {
            row.next();
            return row.getLong(1);
        }
    }
}
