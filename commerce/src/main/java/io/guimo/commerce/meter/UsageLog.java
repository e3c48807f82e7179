package io.guimo.commerce.meter;

import io.guimo.commerce.price.PriceVersionId;
import io.guimo.postgres.Database;
import io.guimo.units.Cursor;
import io.guimo.units.KeyId;
import io.guimo.units.Meter;
import io.guimo.units.Money;
import io.guimo.units.OrganizationId;
import io.guimo.units.Page;
import io.guimo.units.ProjectId;
import io.guimo.units.RequestId;
import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Currency;
import java.util.List;
import java.util.Optional;

/** Reads usage events. Thread-safe. */
public final class UsageLog {
    private static final String COLUMNS =
            "id, organization_id, project_id, key_id, request_id, product, price_version, period_start, used_at, recorded_at, currency, "
                    + "amount, written_off, broken_off, meters, befores, quantities, amounts";

    private final Database database;

    public UsageLog(Database database) {
        this.database = database;
    }

    /**
     * Events, the newest first. Their ids rise with the time at which they were settled on one lane; between lanes and servers they can be
     * out of order by a thousand events.
     */
    public Page<UsageEvent> list(UsageFilter filter, Cursor cursor) {
        List<Object> parameters = new ArrayList<>();
        String where = where(filter, parameters);
        parameters.add(cursor.after().map(UsageLog::id).orElse(Long.MAX_VALUE));
        List<UsageEvent> found = query(
                "select " + COLUMNS + " from usage_event where " + where + " and id < ? order by id desc limit "
                        + (cursor.limit() + 1),
                parameters);
        return Page.of(found, cursor, event -> Long.toString(event.id()));
    }

    /** The event of a request of this organisation, as long as its id is remembered ({@code TillSettings.countedFor}). */
    public Optional<UsageEvent> find(OrganizationId organization, RequestId request) {
        return query(
                        "select " + prefixed()
                                + " from wallet w join usage_request u on u.wallet_id = w.id join usage_event e on e.id = u.event_id "
                                + "and e.recorded_at = u.recorded_at where w.organization_id = ? and u.request_id = ?",
                        List.of(organization.value(), request.value()))
                .stream()
                .findFirst();
    }

    /** The event of a request of any organisation, for the operator. */
    public Optional<UsageEvent> findAny(RequestId request) {
        return query(
                        "select " + prefixed()
                                + " from wallet w join usage_request u on u.wallet_id = w.id join usage_event e on e.id = u.event_id "
                                + "and e.recorded_at = u.recorded_at where u.request_id = ?",
                        List.of(request.value()))
                .stream()
                .findFirst();
    }

    /** Sums by product and meter. */
    public List<UsageSum> sums(UsageFilter filter) {
        List<Object> parameters = new ArrayList<>();
        String where = where(filter, parameters);
        return database.transaction(connection -> {
            try (PreparedStatement select = connection.prepareStatement(
                    "select product, meter, currency, sum(quantity)::bigint, sum(amount), count(*) from usage_line where "
                            + where + " group by product, meter, currency order by product, meter, currency")) {
                bind(select, parameters);
                List<UsageSum> sums = new ArrayList<>();
                try (ResultSet row = select.executeQuery()) {
                    while (row.next()) {
                        sums.add(new UsageSum(
                                row.getString(1),
                                meter(row.getString(2)),
                                row.getLong(4),
                                new Money(Currency.getInstance(row.getString(3)), row.getBigDecimal(5)),
                                row.getLong(6)));
                    }
                }
                return sums;
            }
        });
    }

    private static String where(UsageFilter filter, List<Object> parameters) {
        StringBuilder where = new StringBuilder("true");
        filter.organization().ifPresent(organization -> {
            where.append(" and organization_id = ?");
            parameters.add(organization.value());
        });
        filter.product().ifPresent(product -> {
            where.append(" and product = ?");
            parameters.add(product);
        });
        filter.used().ifPresent(window -> {
            where.append(" and used_at >= ? and used_at < ?");
            parameters.add(window.start().atOffset(ZoneOffset.UTC));
            parameters.add(window.end().atOffset(ZoneOffset.UTC));
        });
        return where.toString();
    }

    private List<UsageEvent> query(String sql, List<Object> parameters) {
        return database.transaction(connection -> query(connection, sql, parameters));
    }

    private static List<UsageEvent> query(Connection connection, String sql, List<Object> parameters)
            throws SQLException {
        try (PreparedStatement select = connection.prepareStatement(sql)) {
            bind(select, parameters);
            List<UsageEvent> events = new ArrayList<>();
            try (ResultSet row = select.executeQuery()) {
                while (row.next()) events.add(event(row));
            }
            return events;
        }
    }

    private static UsageEvent event(ResultSet row) throws SQLException {
        Currency currency = Currency.getInstance(row.getString("currency"));
        String[] meters = (String[]) row.getArray("meters").getArray();
        Long[] befores = (Long[]) row.getArray("befores").getArray();
        Long[] quantities = (Long[]) row.getArray("quantities").getArray();
        BigDecimal[] amounts = (BigDecimal[]) row.getArray("amounts").getArray();
        List<UsageLine> lines = new ArrayList<>(meters.length);
        for (int i = 0; i < meters.length; i++) {
            lines.add(new UsageLine(meter(meters[i]), befores[i], quantities[i], new Money(currency, amounts[i])));
        }
        return new UsageEvent(
                row.getLong("id"),
                new OrganizationId(row.getString("organization_id")),
                new ProjectId(row.getString("project_id")),
                new KeyId(row.getString("key_id")),
                new RequestId(row.getString("request_id")),
                row.getString("product"),
                new PriceVersionId(row.getString("price_version")),
                row.getObject("period_start", OffsetDateTime.class).toInstant(),
                row.getObject("used_at", OffsetDateTime.class).toInstant(),
                row.getObject("recorded_at", OffsetDateTime.class).toInstant(),
                new Money(currency, row.getBigDecimal("amount")),
                new Money(currency, row.getBigDecimal("written_off")),
                row.getBoolean("broken_off"),
                lines);
    }

    private static void bind(PreparedStatement select, List<Object> parameters) throws SQLException {
        for (int i = 0; i < parameters.size(); i++) select.setObject(i + 1, parameters.get(i));
    }

    private static Meter meter(String name) {
        return Meter.ofWireName(name)
                .orElseThrow(() -> new IllegalStateException("the database names a meter that is not known: " + name));
    }

    private static String prefixed() {
        return "e." + COLUMNS.replace(", ", ", e.");
    }

    private static long id(String cursor) {
        try {
            return Long.parseLong(cursor);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("the cursor \"" + cursor + "\" is none that a page of usage gave", e);
        }
    }
}
