package io.guimo.commerce;

import io.guimo.commerce.Counter.Open;
import io.guimo.commerce.Holding.Hold;
import io.guimo.commerce.Holding.KeyName;
import io.guimo.commerce.Wallet.KeyState;
import io.guimo.commerce.Wallet.Purse;
import io.guimo.commerce.account.Caller;
import io.guimo.commerce.account.Role;
import io.guimo.commerce.ledger.GrantKind;
import io.guimo.commerce.meter.UsageLine;
import io.guimo.commerce.price.PriceVersion;
import io.guimo.commerce.price.PriceVersionId;
import io.guimo.commerce.price.TierRule;
import io.guimo.units.KeyId;
import io.guimo.units.Meter;
import io.guimo.units.Money;
import io.guimo.units.OrganizationId;
import io.guimo.units.ProjectId;
import io.guimo.units.RequestId;
import io.guimo.units.TimeWindow;
import java.math.BigDecimal;
import java.sql.Array;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Currency;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.StringJoiner;
import java.util.function.BiConsumer;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Brings what a batch needs from the database into a lane's memory. It reads without locks: the version of a wallet is read before anything
 * else of it, so that whatever changes meanwhile is found out when the batch is written, and the batch is decided again.
 */
final class WalletReader {
    private static final String WALLETS =
            "select id, organization_id, version from wallet where organization_id = any (?)";

    private static final String GRANTS = """
            select w.organization_id, g.id, g.kind, g.remaining, g.reserved, g.expires_at
            from wallet w join wallet_grant g on g.wallet_id = w.id
            where w.organization_id = any (?) and (g.remaining <> 0 or g.kind = 'credit_line'
                or g.id = (select max(id) from wallet_grant last where last.wallet_id = w.id))
            order by g.priority, g.expires_at nulls last, g.id""";

    private static final String COUNTERS = """
            select w.organization_id, c.id, c.product, c.meter, wanted.period_start, c.used, c.open_prices, c.open_quantities
            from unnest(?, ?, ?, ?) as wanted (organization, product, meter, period_start)
            join wallet w on w.organization_id = wanted.organization
            join usage_counter c on c.wallet_id = w.id and c.product = wanted.product and c.meter = wanted.meter
                and c.period_start = instant_of(wanted.period_start)""";

    private static final String HOLDINGS = """
            select w.organization_id, r.*, exists (select from lease where lease.id = r.lease_id) as alive
            from unnest(?, ?) as wanted (organization, request)
            join wallet w on w.organization_id = wanted.organization
            join reservation r on r.wallet_id = w.id and r.request_id = wanted.request""";

    private static final String SETTLED = """
            select e.organization_id, e.request_id, e.amount, e.written_off, e.meters, e.befores, e.quantities, e.amounts
            from unnest(?, ?) as wanted (organization, request)
            join wallet w on w.organization_id = wanted.organization
            join usage_request u on u.wallet_id = w.id and u.request_id = wanted.request
            join usage_event e on e.id = u.event_id and e.recorded_at = u.recorded_at""";

    private static final String KEYS = """
            select k.* from unnest(?, ?, ?) as wanted (organization, route, key)
            join request_key k on k.organization_id = wanted.organization and k.route = wanted.route and k.key = wanted.key""";

    private final Map<OrganizationId, Wallet> wallets;
    private final Function<OrganizationId, Currency> currencies;
    private final Function<PriceVersionId, Optional<PriceVersion>> prices;
    private final LongSupplier ids;

    /** A reservation under a price that this server has not heard of yet; it will within a second. */
    static final class PriceNotYetKnown extends RuntimeException {
        private static final long serialVersionUID = 1L;

        PriceNotYetKnown(PriceVersionId id) {
            super("the price " + id + " is not known here yet");
        }
    }

    /**
     * @param wallets what the lane has in memory; filled by this reader
     * @param ids for counters that are not there yet
     */
    WalletReader(
            Map<OrganizationId, Wallet> wallets,
            Function<OrganizationId, Currency> currencies,
            Function<PriceVersionId, Optional<PriceVersion>> prices,
            LongSupplier ids) {
        this.wallets = wallets;
        this.ids = ids;
        this.currencies = currencies;
        this.prices = prices;
    }

    /**
     * Reads what the commands need and memory lacks; nothing in the usual case.
     *
     * @param thorough whether to look for what is expected not to exist: earlier uses of new requests' ids and keys
     */
    void fill(StatementCache statements, Collection<Command<?>> commands, boolean thorough) throws SQLException {
        // What is read can show what else is needed: a reservation its counters.
        while (true) {
            Wanted wanted = new Wanted();
            for (Command<?> command : commands) wanted.add(command, thorough);
            if (wanted.isEmpty()) return;
            read(statements, wanted);
            if (!wanted.organizations.isEmpty()) addMissing(statements, wanted);
        }
    }

    private final class Wanted {
        final Set<OrganizationId> organizations = new LinkedHashSet<>();
        final Map<OrganizationId, Set<Counter.Key>> counters = new LinkedHashMap<>();
        final Map<OrganizationId, Set<RequestId>> requests = new LinkedHashMap<>();
        final Map<OrganizationId, Set<KeyName>> keys = new LinkedHashMap<>();

        void add(Command<?> command, boolean thorough) {
            OrganizationId organization = command.organization();
            Wallet wallet = wallets.get(organization);
            if (wallet == null) organizations.add(organization);
            switch (command) {
                case Command.Authorize authorize -> {
                    counters(wallet, authorize.wanted, authorize.wanted.atMost().keySet());
                    if (thorough) {
                        request(wallet, command);
                        key(wallet, authorize.wanted);
                    }
                }
                case Command.Settle settle -> {
                    Set<Meter> meters =
                            new HashSet<>(settle.reservation.atMost().keySet());
                    meters.addAll(settle.delivered.keySet());
                    counters(wallet, settle.reservation, meters);
                    if (thorough || settle.manner != Command.Manner.UNRESERVED) request(wallet, command);
                    if (thorough) key(wallet, settle.reservation);
                }
                case Command.Extend extend -> {
                    counters(
                            wallet,
                            extend.reservation,
                            extend.reservation.atMost().keySet());
                    request(wallet, command);
                }
                case Command.Hold hold ->
                    counters(wallet, hold.reservation, hold.reservation.atMost().keySet());
                case Command.Release _, Command.Sweep _ -> {
                    request(wallet, command);
                    Holding holding = wallet == null ? null : wallet.holdings.get(command.request());
                    if (holding != null) {
                        counters(
                                wallet,
                                holding.reservation(),
                                holding.reservation().atMost().keySet());
                    }
                }
            }
        }

        boolean isEmpty() {
            return organizations.isEmpty() && counters.isEmpty() && requests.isEmpty() && keys.isEmpty();
        }

        private void counters(@Nullable Wallet wallet, Reservation reservation, Set<Meter> meters) {
            for (Meter meter : meters) {
                Counter.Key key = new Counter.Key(
                        reservation.price().product(),
                        meter,
                        reservation.period().start());
                if (wallet == null || !wallet.counters.containsKey(key)) {
                    counters.computeIfAbsent(reservation.caller().organization(), _ -> new LinkedHashSet<>())
                            .add(key);
                }
            }
        }

        private void request(@Nullable Wallet wallet, Command<?> command) {
            RequestId request = command.request();
            if (wallet != null && (wallet.holdings.containsKey(request) || wallet.settled.containsKey(request))) return;
            requests.computeIfAbsent(command.organization(), _ -> new LinkedHashSet<>())
                    .add(request);
        }

        private void key(@Nullable Wallet wallet, Reservation reservation) {
            IdempotencyKey key = reservation.idempotency();
            if (key == null || (wallet != null && wallet.keys.containsKey(key.name()))) return;
            keys.computeIfAbsent(reservation.caller().organization(), _ -> new LinkedHashSet<>())
                    .add(key.name());
        }
    }

    /** All in one message to the server. */
    private void read(StatementCache statements, Wanted wanted) throws SQLException {
        StringJoiner sql = new StringJoiner(";\n");
        if (!wanted.organizations.isEmpty()) sql.add(WALLETS).add(GRANTS);
        if (!wanted.counters.isEmpty()) sql.add(COUNTERS);
        if (!wanted.requests.isEmpty()) sql.add(HOLDINGS).add(SETTLED);
        if (!wanted.keys.isEmpty()) sql.add(KEYS);
        PreparedStatement statement = statements.prepare(sql.toString());
        bind(statement, wanted);
        statement.execute();
        if (!wanted.organizations.isEmpty()) {
            Map<OrganizationId, Wallet> heads = readHeads(statement.getResultSet());
            readPurses(next(statement), heads);
            wallets.putAll(heads);
            statement.getMoreResults();
        }
        if (!wanted.counters.isEmpty()) {
            readCounters(statement.getResultSet(), wanted.counters);
            statement.getMoreResults();
        }
        if (!wanted.requests.isEmpty()) {
            each(wanted.requests, (wallet, request) -> wallet.settled.put(request, Optional.empty()));
            readHoldings(statement.getResultSet());
            readSettled(next(statement));
            statement.getMoreResults();
        }
        if (!wanted.keys.isEmpty()) {
            each(wanted.keys, (wallet, name) -> wallet.keys.put(name, Optional.empty()));
            readKeys(statement.getResultSet());
        }
    }

    private static void bind(PreparedStatement statement, Wanted wanted) throws SQLException {
        List<Object[]> columns = new ArrayList<>();
        String[] organizations =
                wanted.organizations.stream().map(OrganizationId::value).toArray(String[]::new);
        if (!wanted.organizations.isEmpty()) columns.addAll(List.of(organizations, organizations));
        if (!wanted.counters.isEmpty()) {
            columns.add(column(wanted.counters, (owner, _) -> owner.value()).toArray(String[]::new));
            columns.add(column(wanted.counters, (_, key) -> key.product()).toArray(String[]::new));
            columns.add(
                    column(wanted.counters, (_, key) -> key.meter().wireName()).toArray(String[]::new));
            columns.add(column(wanted.counters, (_, key) -> Changes.micros(key.periodStart()))
                    .toArray(Long[]::new));
        }
        if (!wanted.requests.isEmpty()) {
            String[] owners =
                    column(wanted.requests, (owner, _) -> owner.value()).toArray(String[]::new);
            String[] requests =
                    column(wanted.requests, (_, request) -> request.value()).toArray(String[]::new);
            columns.addAll(List.of(owners, requests, owners, requests));
        }
        if (!wanted.keys.isEmpty()) {
            columns.add(column(wanted.keys, (owner, _) -> owner.value()).toArray(String[]::new));
            columns.add(column(wanted.keys, (_, name) -> name.route()).toArray(String[]::new));
            columns.add(column(wanted.keys, (_, name) -> name.key()).toArray(String[]::new));
        }
        int index = 1;
        for (Object[] column : columns) {
            String type = column instanceof Long[] ? "int8" : "text";
            statement.setArray(index++, statement.getConnection().createArrayOf(type, column));
        }
    }

    private static <K, V> List<V> column(Map<OrganizationId, Set<K>> wanted, BiFunction<OrganizationId, K, V> value) {
        List<V> column = new ArrayList<>();
        wanted.forEach((owner, keys) -> keys.forEach(key -> column.add(value.apply(owner, key))));
        return column;
    }

    private <K> void each(Map<OrganizationId, Set<K>> wanted, BiConsumer<Wallet, K> action) {
        wanted.forEach((owner, keys) -> {
            Wallet wallet = wallets.get(owner);
            // one that is not in the database yet is made, and all is asked for again
            if (wallet != null) keys.forEach(key -> action.accept(wallet, key));
        });
    }

    private static ResultSet next(PreparedStatement statement) throws SQLException {
        statement.getMoreResults();
        return statement.getResultSet();
    }

    /** Organisations that never had money or usage have no wallet yet. */
    private void addMissing(StatementCache statements, Wanted wanted) throws SQLException {
        String[] missing = wanted.organizations.stream()
                .filter(id -> !wallets.containsKey(id))
                .map(OrganizationId::value)
                .sorted()
                .toArray(String[]::new);
        if (missing.length == 0) return;
        PreparedStatement insert =
                statements.prepare("insert into wallet (organization_id) select unnest(?) on conflict do nothing");
        insert.setArray(1, statements.connection().createArrayOf("text", missing));
        insert.executeUpdate();
    }

    private Map<OrganizationId, Wallet> readHeads(ResultSet row) throws SQLException {
        Map<OrganizationId, Wallet> heads = new LinkedHashMap<>();
        while (row.next()) {
            OrganizationId organization = new OrganizationId(row.getString("organization_id"));
            heads.put(
                    organization,
                    new Wallet(
                            row.getLong("id"),
                            organization,
                            currencies.apply(organization),
                            row.getLong("version"),
                            new ArrayList<>(2)));
        }
        return heads;
    }

    private static void readPurses(ResultSet row, Map<OrganizationId, Wallet> heads) throws SQLException {
        while (row.next()) {
            Wallet wallet = heads.get(new OrganizationId(row.getString("organization_id")));
            if (wallet == null) continue; // made between the two queries: read with the next round
            OffsetDateTime expiresAt = row.getObject("expires_at", OffsetDateTime.class);
            wallet.purses()
                    .add(new Purse(
                            row.getLong("id"),
                            GrantKind.ofWireName(row.getString("kind")),
                            new Money(wallet.currency, row.getBigDecimal("remaining")),
                            new Money(wallet.currency, row.getBigDecimal("reserved")),
                            expiresAt == null ? null : expiresAt.toInstant()));
        }
    }

    private void readCounters(ResultSet row, Map<OrganizationId, Set<Counter.Key>> wanted) throws SQLException {
        while (row.next()) {
            Wallet wallet = wallets.get(new OrganizationId(row.getString("organization_id")));
            if (wallet == null) continue;
            Meter meter = meter(row.getString("meter"));
            Counter.Key key = new Counter.Key(row.getString("product"), meter, instantOf(row.getLong("period_start")));
            String[] openPrices = texts(row.getArray("open_prices"));
            long[] openQuantities = numbers(row.getArray("open_quantities"));
            Map<PriceVersionId, Open> open = new LinkedHashMap<>();
            for (int i = 0; i < openPrices.length; i++) {
                PriceVersion price = price(openPrices[i]);
                TierRule rule = price.rules().get(meter);
                if (rule == null) throw new IllegalStateException(price.id() + " has no rule for " + meter);
                open.put(price.id(), new Open(rule, openQuantities[i]));
            }
            wallet.counters.put(
                    key, new Counter(row.getLong("id"), key, wallet.currency, row.getLong("used"), open, false));
        }
        each(
                wanted,
                (wallet, key) -> wallet.counters.computeIfAbsent(
                        key, _ -> new Counter(ids.getAsLong(), key, wallet.currency, 0, Map.of(), true)));
    }

    private void readHoldings(ResultSet row) throws SQLException {
        while (row.next()) {
            OrganizationId organization = new OrganizationId(row.getString("organization_id"));
            Wallet wallet = wallets.get(organization);
            if (wallet == null) continue;
            Meter[] meters = meters(row.getArray("meters"));
            Reservation reservation = new Reservation(
                    new RequestId(row.getString("request_id")),
                    // the role of whoever asked is not kept: nothing of what follows depends on it
                    new Caller(
                            new KeyId(row.getString("key_id")),
                            organization,
                            new ProjectId(row.getString("project_id")),
                            Role.CUSTOMER),
                    price(row.getString("price_version")),
                    new TimeWindow(instant(row, "period_start"), instant(row, "period_end")),
                    instant(row, "used_at"),
                    counts(meters, numbers(row.getArray("at_most"))),
                    null);
            long[] grants = numbers(row.getArray("hold_grants"));
            BigDecimal[] amounts = decimals(row.getArray("hold_amounts"));
            List<Hold> holds = new ArrayList<>(grants.length);
            for (int i = 0; i < grants.length; i++) {
                holds.add(new Hold(grants[i], new Money(wallet.currency, amounts[i])));
            }
            long[] delivered = numbers(row.getArray("delivered"));
            String route = row.getString("route");
            String key = row.getString("idempotency_key");
            wallet.holdings.put(
                    reservation.request(),
                    new Holding(
                            reservation,
                            row.getLong("lease_id"),
                            row.getBoolean("alive"),
                            delivered.length == 0 ? Map.of() : counts(meters, delivered),
                            holds,
                            route == null || key == null ? null : new KeyName(route, key)));
        }
    }

    private void readSettled(ResultSet row) throws SQLException {
        while (row.next()) {
            Wallet wallet = wallets.get(new OrganizationId(row.getString("organization_id")));
            if (wallet == null) continue;
            RequestId request = new RequestId(row.getString("request_id"));
            Meter[] meters = meters(row.getArray("meters"));
            long[] befores = numbers(row.getArray("befores"));
            long[] quantities = numbers(row.getArray("quantities"));
            BigDecimal[] amounts = decimals(row.getArray("amounts"));
            List<UsageLine> lines = new ArrayList<>(meters.length);
            for (int i = 0; i < meters.length; i++) {
                lines.add(new UsageLine(meters[i], befores[i], quantities[i], new Money(wallet.currency, amounts[i])));
            }
            boolean paid = row.getBigDecimal("written_off").signum() == 0;
            wallet.settled.put(
                    request,
                    Optional.of(new Settlement(
                            request,
                            paid ? Settlement.Outcome.CHARGED : Settlement.Outcome.WRITTEN_OFF,
                            new Money(wallet.currency, row.getBigDecimal("amount")),
                            lines)));
        }
    }

    private void readKeys(ResultSet row) throws SQLException {
        while (row.next()) {
            Wallet wallet = wallets.get(new OrganizationId(row.getString("organization_id")));
            if (wallet == null) continue;
            int status = row.getInt("status");
            byte[] answer = row.getBytes("answer");
            String contentType = row.getString("content_type");
            wallet.keys.put(
                    new KeyName(row.getString("route"), row.getString("key")),
                    Optional.of(new KeyState(
                            row.getString("content_sha256"),
                            new RequestId(row.getString("request_id")),
                            KeyState.State.valueOf(row.getString("state").toUpperCase(Locale.ROOT)),
                            answer == null || contentType == null
                                    ? null
                                    : new StoredAnswer(status, contentType, answer),
                            instant(row, "created_at"))));
        }
    }

    private PriceVersion price(String id) {
        PriceVersionId version = new PriceVersionId(id);
        return prices.apply(version).orElseThrow(() -> new PriceNotYetKnown(version));
    }

    private static Map<Meter, Long> counts(Meter[] meters, long[] counts) {
        EnumMap<Meter, Long> map = new EnumMap<>(Meter.class);
        for (int i = 0; i < meters.length; i++) map.put(meters[i], counts[i]);
        return map;
    }

    private static Meter meter(String name) {
        return Meter.ofWireName(name)
                .orElseThrow(() -> new IllegalStateException("the database names a meter that is not known: " + name));
    }

    private static Meter[] meters(Array array) throws SQLException {
        return Arrays.stream(texts(array)).map(WalletReader::meter).toArray(Meter[]::new);
    }

    private static String[] texts(Array array) throws SQLException {
        return (String[]) array.getArray();
    }

    private static long[] numbers(Array array) throws SQLException {
        return Arrays.stream((Long[]) array.getArray())
                .mapToLong(Long::longValue)
                .toArray();
    }

    private static BigDecimal[] decimals(Array array) throws SQLException {
        return (BigDecimal[]) array.getArray();
    }

    private static Instant instant(ResultSet row, String column) throws SQLException {
        return row.getObject(column, OffsetDateTime.class).toInstant();
    }

    private static Instant instantOf(long micros) {
        return Instant.EPOCH.plus(micros, ChronoUnit.MICROS);
    }
}
