package io.guimo.commerce.price;

import io.guimo.commerce.account.Organization;
import io.guimo.commerce.account.Organizations;
import io.guimo.commerce.command.ChangeFeed;
import io.guimo.commerce.command.CommandKey;
import io.guimo.commerce.command.Commands;
import io.guimo.commerce.command.Outcome;
import io.guimo.commerce.command.Outcome.Done;
import io.guimo.commerce.command.Outcome.Refused;
import io.guimo.commerce.command.Refusal;
import io.guimo.postgres.Database;
import io.guimo.units.Ids;
import io.guimo.units.Meter;
import io.guimo.units.Money;
import io.guimo.units.OrganizationId;
import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.InstantSource;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.Currency;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Plans, the prices on them and who is on which plan. All of it is in memory, no older than a second; nothing of it is ever edited: what
 * changes is said by a later version. Thread-safe.
 */
public final class PriceBook {
    private final Database database;
    private final ChangeFeed feed;
    private final Organizations organizations;
    private final InstantSource world;
    private final Map<String, NavigableMap<Instant, Plan>> plans = new ConcurrentHashMap<>();
    private final Map<String, Map<String, NavigableMap<Instant, PriceVersion>>> prices = new ConcurrentHashMap<>();
    private final Map<PriceVersionId, PriceVersion> versions = new ConcurrentHashMap<>();
    private final Map<OrganizationId, NavigableMap<Instant, Subscription>> subscriptions = new ConcurrentHashMap<>();
    private long seenPlan;
    private long seenPrice;
    private long seenSubscription;

    /** @param world the clock by which prices begin to hold when they name no instant */
    public PriceBook(Database database, ChangeFeed feed, Organizations organizations, InstantSource world) {
        this.database = database;
        this.feed = feed;
        this.organizations = organizations;
        this.world = world;
        feed.follow(this::catchUp);
    }

    /**
     * What the product costs an organisation at an instant of its own clock, by the plan it is on then. Empty if it is on no plan, or its
     * plan does not sell the product: the product must be refused, it is not free.
     */
    public Optional<PriceVersion> find(OrganizationId organization, String product, Instant instant) {
        return planOf(organization, instant).flatMap(plan -> onPlan(plan, product, instant));
    }

    public Optional<PriceVersion> find(PriceVersionId id) {
        return Optional.ofNullable(versions.get(id));
    }

    /**
     * A version that something names, so that it must be there.
     *
     * @throws IllegalStateException if it is not
     */
    public PriceVersion get(PriceVersionId id) {
        Optional<PriceVersion> known = find(id);
        if (known.isPresent()) return known.get();
        // published on another server a moment ago
        feed.refresh();
        return find(id).orElseThrow(() -> new IllegalStateException("no price version has the id " + id));
    }

    /** Everything that an organisation's plan sells it at an instant of its own clock, by name of the product. */
    public List<PriceVersion> offered(OrganizationId organization, Instant instant) {
        return planOf(organization, instant).stream()
                .flatMap(plan -> prices.getOrDefault(plan, Map.of()).keySet().stream()
                        .sorted()
                        .flatMap(product -> onPlan(plan, product, instant).stream()))
                .toList();
    }

    /** Name of the plan that an organisation is on at an instant of its own clock. */
    public Optional<String> planOf(OrganizationId organization, Instant instant) {
        return floor(subscriptions.get(organization), instant).map(Subscription::plan);
    }

    /** The plan as it is at an instant. */
    public Optional<Plan> plan(String name, Instant instant) {
        return floor(plans.get(name), instant);
    }

    /** All plans as they are now, by name. */
    public List<Plan> plans() {
        Instant now = world.instant();
        return plans.keySet().stream()
                .sorted()
                .flatMap(name -> plan(name, now).stream())
                .toList();
    }

    /** All versions of a plan's prices, by product, the oldest first. */
    public List<PriceVersion> versions(String plan) {
        return prices.getOrDefault(plan, Map.of()).values().stream()
                .map(NavigableMap::values)
                .flatMap(Collection::stream)
                .sorted(Comparator.comparing(PriceVersion::product).thenComparing(PriceVersion::validFrom))
                .toList();
    }

    /** An organisation's plans, the first one first. */
    public List<Subscription> subscriptions(OrganizationId organization) {
        NavigableMap<Instant, Subscription> found = subscriptions.get(organization);
        return found == null ? List.of() : List.copyOf(found.values());
    }

    /** Organisations that are or were on a plan that has or had a fee. */
    public List<OrganizationId> subscribersOfPlansWithFee() {
        Set<String> withFee = plans.values().stream()
                .flatMap(versions -> versions.values().stream())
                .filter(plan -> plan.fee().signum() > 0)
                .map(Plan::name)
                .collect(Collectors.toSet());
        if (withFee.isEmpty()) return List.of();
        return subscriptions.entrySet().stream()
                .filter(e -> e.getValue().values().stream().anyMatch(s -> withFee.contains(s.plan())))
                .map(Map.Entry::getKey)
                .toList();
    }

    /** Makes a plan, or gives an existing one another fee from now on. */
    public Outcome<Plan> publishPlan(String name, Money fee, CommandKey key) {
        PlanSettings.checkName(name);
        Outcome<Plan> outcome = database.transaction(connection -> Commands.once(
                connection,
                key,
                List.of("plan.publish", name, fee.toString()),
                _ -> {
                    ChangeFeed.announce(connection);
                    Optional<Plan> latest = latestPlan(connection, name);
                    if (latest.isPresent() && !latest.get().currency().equals(fee.currency())) {
                        return new Refused<>(
                                Refusal.CURRENCY_MISMATCH,
                                "plan " + name + " is in " + latest.get().currency()
                                        + ", which is fixed for good; make another plan for " + fee.currency());
                    }
                    insert(connection, new Plan(name, fee, now(latest.map(Plan::validFrom))));
                    return new Done<>(name, false);
                },
                (_, id) -> latestPlan(connection, id).orElseThrow()));
        feed.refresh();
        return outcome;
    }

    /**
     * Publishes a price. Only the first price of a product on a plan may hold from an instant that has passed: a later one would change what
     * was already sold.
     */
    public Outcome<PriceVersion> publish(NewPrice price, CommandKey key) {
        Outcome<PriceVersion> outcome = database.transaction(connection -> Commands.once(
                connection,
                key,
                List.of(
                        "price.publish",
                        price.plan(),
                        price.product(),
                        PriceTerms.write(price.rules(), price.aborts()).toString(),
                        price.validFrom().map(Instant::toString).orElse("now")),
                _ -> insert(connection, price),
                (_, id) -> readPrices(connection, "id = ?", id).getFirst()));
        feed.refresh();
        return outcome;
    }

    /**
     * Publishes from now on what the plans of a business file say and the book does not: changed fees and prices, and the end of sale of
     * products that a plan no longer names. Applying the same plans again publishes nothing.
     *
     * @return the versions that were published
     * @throws IllegalArgumentException if a plan cannot be kept as written
     */
    public List<PriceVersion> apply(List<PlanSettings> wanted, Currency currency) {
        Map<String, PlanSettings> byName =
                wanted.stream().collect(Collectors.toMap(PlanSettings::name, Function.identity()));
        // all rules before the first write: a mistake in the last plan must not leave half of them published
        Map<String, Map<String, Map<Meter, TierRule>>> rules = new TreeMap<>();
        for (PlanSettings plan : wanted) {
            rules.put(plan.name(), plan.rules(currency, name -> Optional.ofNullable(byName.get(name))));
        }
        List<PriceVersion> published = database.transaction(connection -> {
            ChangeFeed.announce(connection);
            List<PriceVersion> made = new ArrayList<>();
            for (PlanSettings plan : wanted) {
                Money fee = new Money(currency, plan.fee());
                Optional<Plan> latest = latestPlan(connection, plan.name());
                if (latest.isPresent() && !latest.get().currency().equals(currency)) {
                    throw new IllegalArgumentException("plan " + plan.name() + " was published in "
                            + latest.get().currency() + "; it cannot be changed to " + currency
                            + ": give it another name");
                }
                if (latest.isEmpty() || !latest.get().fee().equals(fee)) {
                    insert(connection, new Plan(plan.name(), fee, now(latest.map(Plan::validFrom))));
                }
                Map<String, Map<Meter, TierRule>> products = rules.getOrDefault(plan.name(), Map.of());
                Set<String> named = new HashSet<>(products.keySet());
                named.addAll(soldProducts(connection, plan.name()));
                for (String product : named.stream().sorted().toList()) {
                    Map<Meter, TierRule> now = products.getOrDefault(product, Map.of());
                    Optional<PriceVersion> before = latestPrice(connection, plan.name(), product);
                    AbortPolicy aborts = plan.abortPolicy();
                    if (before.isPresent()
                            && before.get().rules().equals(now)
                            && before.get().aborts().equals(aborts)) {
                        continue;
                    }
                    NewPrice price = new NewPrice(plan.name(), product, now, aborts, Optional.empty());
                    String id = insert(connection, price).orThrow();
                    made.add(readPrices(connection, "id = ?", id).getFirst());
                }
            }
            return made;
        });
        feed.refresh();
        return published;
    }

    /** Puts an organisation on a plan from now on by its own clock; being on it already changes nothing. */
    public Outcome<Subscription> subscribe(OrganizationId organization, String plan, CommandKey key) {
        Outcome<Subscription> outcome = database.transaction(connection -> Commands.once(
                connection,
                key,
                List.of("subscription.start", organization.value(), plan),
                _ -> insertSubscription(connection, organization, plan),
                (_, id) -> readSubscriptions(connection, "id = ?", id).getFirst()));
        feed.refresh();
        return outcome;
    }

    private Outcome<String> insertSubscription(Connection connection, OrganizationId organization, String plan)
            throws SQLException {
        ChangeFeed.announce(connection);
        Optional<Organization> subscriber = organizations.find(organization);
        if (subscriber.isEmpty()) return new Refused<>(Refusal.NOT_FOUND, "no organisation has the id " + organization);
        Optional<Plan> found = latestPlan(connection, plan);
        if (found.isEmpty()) return new Refused<>(Refusal.NOT_FOUND, "there is no plan named " + plan);
        if (!found.get().currency().equals(subscriber.get().currency())) {
            return new Refused<>(
                    Refusal.CURRENCY_MISMATCH,
                    "plan " + plan + " is in " + found.get().currency() + ", organisation " + organization + " in "
                            + subscriber.get().currency() + "; choose a plan of its currency");
        }
        List<Subscription> before = readSubscriptions(
                connection, "organization_id = ? order by starts_at desc limit 1", organization.value());
        if (!before.isEmpty() && before.getFirst().plan().equals(plan)) {
            return new Done<>(before.getFirst().id(), true);
        }
        Instant startsAt = organizations.now(organization);
        // two changes within the clock's smallest step keep their order
        if (!before.isEmpty() && !startsAt.isAfter(before.getFirst().startsAt())) {
            startsAt = before.getFirst().startsAt().plus(1, ChronoUnit.MICROS);
        }
        String id = Ids.next("sub");
        try (PreparedStatement insert = connection.prepareStatement(
                "insert into subscription (id, organization_id, plan, starts_at) values (?, ?, ?, ?)")) {
            insert.setString(1, id);
            insert.setString(2, organization.value());
            insert.setString(3, plan);
            insert.setObject(4, startsAt.atOffset(ZoneOffset.UTC));
            insert.executeUpdate();
        }
        return new Done<>(id, false);
    }

    private Outcome<String> insert(Connection connection, NewPrice price) throws SQLException {
        ChangeFeed.announce(connection);
        Optional<Plan> plan = latestPlan(connection, price.plan());
        if (plan.isEmpty()) return new Refused<>(Refusal.NOT_FOUND, "there is no plan named " + price.plan());
        Currency currency = plan.get().currency();
        for (TierRule rule : price.rules().values()) {
            if (!rule.currency().equals(currency)) {
                return new Refused<>(
                        Refusal.CURRENCY_MISMATCH,
                        "plan " + price.plan() + " is in " + currency + ", the price of " + price.product() + " in "
                                + rule.currency() + "; write it in " + currency);
            }
        }
        Optional<PriceVersion> before = latestPrice(connection, price.plan(), price.product());
        Instant earliest =
                now(before.map(PriceVersion::validFrom)); // asked once: the next microsecond is another answer
        Instant validFrom =
                price.validFrom().map(i -> i.truncatedTo(ChronoUnit.MICROS)).orElse(earliest);
        if (before.isPresent() && validFrom.isBefore(earliest)) {
            return new Refused<>(
                    Refusal.PRICE_IN_THE_PAST,
                    "the price of " + price.product() + " on plan " + price.plan() + " was to hold from " + validFrom
                            + "; a later price can hold from " + earliest + " on");
        }
        PriceVersionId id = PriceVersionId.next();
        try (PreparedStatement insert = connection.prepareStatement("insert into price_version (id, plan, product,"
                + " currency, terms, valid_from) values (?, ?, ?, ?, ?::jsonb, ?)")) {
            insert.setString(1, id.value());
            insert.setString(2, price.plan());
            insert.setString(3, price.product());
            insert.setString(4, currency.getCurrencyCode());
            insert.setString(5, PriceTerms.write(price.rules(), price.aborts()).toString());
            insert.setObject(6, validFrom.atOffset(ZoneOffset.UTC));
            insert.executeUpdate();
        }
        return new Done<>(id.value(), false);
    }

    /** Now, or just after {@code previous} where that is not before now. */
    private Instant now(Optional<Instant> previous) {
        Instant now = world.instant().truncatedTo(ChronoUnit.MICROS);
        return previous.filter(p -> !p.isBefore(now))
                .map(p -> p.plus(1, ChronoUnit.MICROS))
                .orElse(now);
    }

    private Optional<PriceVersion> onPlan(String plan, String product, Instant instant) {
        Map<String, NavigableMap<Instant, PriceVersion>> products = prices.get(plan);
        if (products == null) return Optional.empty();
        return floor(products.get(product), instant).filter(v -> !v.rules().isEmpty());
    }

    private static <T> Optional<T> floor(@Nullable NavigableMap<Instant, T> byTime, Instant instant) {
        if (byTime == null) return Optional.empty();
        Map.Entry<Instant, T> entry = byTime.floorEntry(instant);
        return entry == null ? Optional.empty() : Optional.of(entry.getValue());
    }

    private synchronized void catchUp(Connection connection) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement(
                "select name, currency, fee, valid_from, change from plan_version where change > ? order by change")) {
            select.setLong(1, seenPlan);
            try (ResultSet row = select.executeQuery()) {
                while (row.next()) {
                    Plan plan = plan(row);
                    plans.computeIfAbsent(plan.name(), _ -> new ConcurrentSkipListMap<>())
                            .put(plan.validFrom(), plan);
                    seenPlan = row.getLong("change");
                }
            }
        }
        try (PreparedStatement select = connection.prepareStatement(
                "select id, plan, product, currency, terms, valid_from, change from price_version where change > ? order by change")) {
            select.setLong(1, seenPrice);
            try (ResultSet row = select.executeQuery()) {
                while (row.next()) {
                    PriceVersion price = price(row);
                    versions.put(price.id(), price);
                    prices.computeIfAbsent(price.plan(), _ -> new ConcurrentHashMap<>())
                            .computeIfAbsent(price.product(), _ -> new ConcurrentSkipListMap<>())
                            .put(price.validFrom(), price);
                    seenPrice = row.getLong("change");
                }
            }
        }
        try (PreparedStatement select = connection.prepareStatement(
                "select id, organization_id, plan, starts_at, change from subscription where change > ? order by change")) {
            select.setLong(1, seenSubscription);
            try (ResultSet row = select.executeQuery()) {
                while (row.next()) {
                    Subscription subscription = subscription(row);
                    subscriptions
                            .computeIfAbsent(subscription.organization(), _ -> new ConcurrentSkipListMap<>())
                            .put(subscription.startsAt(), subscription);
                    seenSubscription = row.getLong("change");
                }
            }
        }
    }

    private static void insert(Connection connection, Plan plan) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement(
                "insert into plan_version (name, currency, fee, valid_from) values (?, ?, ?, ?)")) {
            insert.setString(1, plan.name());
            insert.setString(2, plan.currency().getCurrencyCode());
            insert.setBigDecimal(3, plan.fee().amount());
            insert.setObject(4, plan.validFrom().atOffset(ZoneOffset.UTC));
            insert.executeUpdate();
        }
    }

    private static Optional<Plan> latestPlan(Connection connection, String name) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement(
                "select name, currency, fee, valid_from from plan_version where name = ? order by valid_from desc limit 1")) {
            select.setString(1, name);
            try (ResultSet row = select.executeQuery()) {
                return row.next() ? Optional.of(plan(row)) : Optional.empty();
            }
        }
    }

    private static Optional<PriceVersion> latestPrice(Connection connection, String plan, String product)
            throws SQLException {
        return readPrices(connection, "plan = ? and product = ? order by valid_from desc limit 1", plan, product)
                .stream()
                .findFirst();
    }

    private static List<String> soldProducts(Connection connection, String plan) throws SQLException {
        return readPrices(connection, "plan = ?", plan).stream()
                .map(PriceVersion::product)
                .distinct()
                .toList();
    }

    private static List<PriceVersion> readPrices(Connection connection, String where, String... values)
            throws SQLException {
        try (PreparedStatement select = connection.prepareStatement(
                "select id, plan, product, currency, terms, valid_from from price_version where " + where)) {
            for (int i = 0; i < values.length; i++) select.setString(i + 1, values[i]);
            List<PriceVersion> found = new ArrayList<>();
            try (ResultSet row = select.executeQuery()) {
                while (row.next()) found.add(price(row));
            }
            return found;
        }
    }

    private static List<Subscription> readSubscriptions(Connection connection, String where, String value)
            throws SQLException {
        try (PreparedStatement select = connection.prepareStatement(
                "select id, organization_id, plan, starts_at from subscription where " + where)) {
            select.setString(1, value);
            List<Subscription> found = new ArrayList<>();
            try (ResultSet row = select.executeQuery()) {
                while (row.next()) found.add(subscription(row));
            }
            return found;
        }
    }

    private static Plan plan(ResultSet row) throws SQLException {
        BigDecimal fee = row.getBigDecimal("fee");
        return new Plan(
                row.getString("name"),
                new Money(Currency.getInstance(row.getString("currency")), fee),
                instant(row, "valid_from"));
    }

    private static PriceVersion price(ResultSet row) throws SQLException {
        Currency currency = Currency.getInstance(row.getString("currency"));
        return new PriceVersion(
                new PriceVersionId(row.getString("id")),
                row.getString("plan"),
                row.getString("product"),
                currency,
                PriceTerms.read(row.getString("terms"), currency),
                PriceTerms.readAborts(row.getString("terms")),
                instant(row, "valid_from"));
    }

    private static Subscription subscription(ResultSet row) throws SQLException {
        return new Subscription(
                row.getString("id"),
                new OrganizationId(row.getString("organization_id")),
                row.getString("plan"),
                instant(row, "starts_at"));
    }

    private static Instant instant(ResultSet row, String column) throws SQLException {
        return row.getObject(column, OffsetDateTime.class).toInstant();
    }
}
