package io.guimo.commerce.account;

import io.guimo.commerce.command.ChangeFeed;
import io.guimo.commerce.command.CommandKey;
import io.guimo.commerce.command.Commands;
import io.guimo.commerce.command.Outcome;
import io.guimo.commerce.command.Outcome.Done;
import io.guimo.commerce.command.Outcome.Refused;
import io.guimo.commerce.command.Refusal;
import io.guimo.postgres.Database;
import io.guimo.units.Cursor;
import io.guimo.units.OrganizationId;
import io.guimo.units.Page;
import io.guimo.units.ProjectId;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.OffsetDateTime;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Currency;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/** Organisations, their projects and their clocks. All organisations are in memory, no older than a second. Thread-safe. */
public final class Organizations {
    private static final String ORGANIZATION_COLUMNS =
            "id, name, sandbox, operator, zone, currency, clock_ahead_nanos, created_at";

    private static final Duration MOST_AHEAD = Duration.ofDays(36_500);

    private final Database database;
    private final ChangeFeed feed;
    private final InstantSource world;
    private final Map<OrganizationId, Organization> known = new ConcurrentHashMap<>();
    private volatile Optional<OrganizationId> operator = Optional.empty();
    private long seen;

    /** @param world the clock that real organisations follow */
    public Organizations(Database database, ChangeFeed feed, InstantSource world) {
        this.database = database;
        this.feed = feed;
        this.world = world;
        feed.follow(this::catchUp);
    }

    public Optional<Organization> find(OrganizationId id) {
        return Optional.ofNullable(known.get(id));
    }

    /** @throws IllegalArgumentException if there is none with this id */
    public Organization get(OrganizationId id) {
        return find(id).orElseThrow(() -> new IllegalArgumentException("no organisation has the id " + id));
    }

    /** What the organisation's clock shows, to the microsecond, which is what the database keeps. */
    public Instant now(OrganizationId id) {
        return world.instant().plus(get(id).clockOffset()).truncatedTo(ChronoUnit.MICROS);
    }

    /** What the clock of real organisations shows. */
    public Instant worldNow() {
        return world.instant().truncatedTo(ChronoUnit.MICROS);
    }

    /** The organisation's clock; it goes on to follow the organisation when that one's clock is turned. */
    public InstantSource clock(OrganizationId id) {
        return () -> now(id);
    }

    /** The organisation that runs this service. */
    public Optional<Organization> operator() {
        return operator.flatMap(this::find);
    }

    /**
     * The organisation that runs this service, made now if there is none; an existing one keeps its name, zone and currency.
     */
    public Organization ensureOperator(String name, ZoneId zone, Currency currency) {
        Optional<Organization> existing = operator();
        if (existing.isPresent()) return existing.get();
        Organization made = draft(new NewOrganization(name, false, zone, currency));
        // two servers that start together: the second finds the first one's
        database.perform(connection -> insert(connection, made, true));
        feed.refresh();
        return operator().orElseThrow(() -> new IllegalStateException("the operator's organisation was not stored"));
    }

    /** Makes an organisation with a project named {@code default}. */
    public Outcome<Organization> create(NewOrganization wanted, CommandKey key) {
        Organization made = draft(wanted);
        Outcome<Organization> outcome = database.transaction(connection -> Commands.once(
                connection,
                key,
                List.of("organization.create", wanted.toString()),
                _ -> {
                    insert(connection, made, false);
                    insert(connection, new Project(ProjectId.next(), made.id(), "default", made.createdAt()));
                    return new Done<>(made.id().value(), false);
                },
                (_, id) -> read(connection, new OrganizationId(id))));
        feed.refresh();
        return outcome;
    }

    /** Organisations in the order in which they were made, the operator's included. */
    public Page<Organization> list(Cursor cursor) {
        List<Organization> found = known.values().stream()
                .filter(o -> cursor.after().isEmpty()
                        || o.id().value().compareTo(cursor.after().get()) > 0)
                .sorted((a, b) -> a.id().value().compareTo(b.id().value()))
                .limit(cursor.limit() + 1L)
                .toList();
        return Page.of(found, cursor, o -> o.id().value());
    }

    /**
     * Turns a sandbox organisation's clock forward; on other servers of the database within a second.
     *
     * @return the organisation with its new clock, or CLOCK_NOT_TURNED
     */
    public Outcome<Organization> turnClock(OrganizationId id, Instant target, CommandKey key) {
        Outcome<Organization> outcome = database.transaction(connection -> Commands.once(
                connection,
                key,
                List.of("clock.turn", id.value(), target.toString()),
                _ -> turn(connection, id, target),
                (_, done) -> read(connection, new OrganizationId(done))));
        feed.refresh();
        return outcome;
    }

    public Outcome<Project> createProject(OrganizationId organization, String name, CommandKey key) {
        Optional<Organization> owner = find(organization);
        if (owner.isEmpty()) return new Refused<>(Refusal.NOT_FOUND, "no organisation has the id " + organization);
        Project made = new Project(ProjectId.next(), organization, name, now(organization));
        return database.transaction(connection -> Commands.once(
                connection,
                key,
                List.of("project.create", organization.value(), name),
                _ -> {
                    insert(connection, made);
                    return new Done<>(made.id().value(), false);
                },
                (_, id) -> readProjects(connection, "organization_id = ? and id = ?", organization.value(), id)
                        .getFirst()));
    }

    /** The organisation's projects in the order in which they were made. */
    public Page<Project> projects(OrganizationId organization, Cursor cursor) {
        List<Project> found = database.transaction(connection -> readProjects(
                connection,
                "organization_id = ? and id > ? order by id limit " + (cursor.limit() + 1),
                organization.value(),
                cursor.after().orElse("")));
        return Page.of(found, cursor, p -> p.id().value());
    }

    public Optional<Project> project(OrganizationId organization, ProjectId id) {
        return database.transaction(connection ->
                readProjects(connection, "organization_id = ? and id = ?", organization.value(), id.value()).stream()
                        .findFirst());
    }

    /** The organisation's oldest project, which each has from its first moment; made now for an operator that has none. */
    public Project defaultProject(OrganizationId organization) {
        Page<Project> first = projects(organization, Cursor.first(1));
        if (!first.items().isEmpty()) return first.items().getFirst();
        return createProject(organization, "default", new CommandKey(organization.value(), "default-project"))
                .orThrow();
    }

    private Organization draft(NewOrganization wanted) {
        return new Organization(
                OrganizationId.next(),
                wanted.name(),
                wanted.sandbox(),
                wanted.zone(),
                wanted.currency(),
                Duration.ZERO,
                world.instant().truncatedTo(ChronoUnit.MICROS));
    }

    private Outcome<String> turn(Connection connection, OrganizationId id, Instant target) throws SQLException {
        ChangeFeed.announce(connection);
        Optional<Organization> stored = readForUpdate(connection, id);
        if (stored.isEmpty()) return new Refused<>(Refusal.NOT_FOUND, "no organisation has the id " + id);
        Organization organization = stored.get();
        if (!organization.sandbox()) {
            return new Refused<>(
                    Refusal.CLOCK_NOT_TURNED,
                    "the clock of " + id + " follows the world's; only a sandbox organisation's clock can be turned");
        }
        Instant now = world.instant();
        Instant shown = now.plus(organization.clockOffset());
        if (target.isBefore(shown)) {
            return new Refused<>(
                    Refusal.CLOCK_NOT_TURNED,
                    "the clock of " + id + " shows " + shown + "; it cannot be turned back to " + target);
        }
        Duration ahead = Duration.between(now, target);
        if (ahead.compareTo(MOST_AHEAD) > 0) {
            return new Refused<>(
                    Refusal.CLOCK_NOT_TURNED,
                    "the clock of " + id + " cannot be turned to " + target + "; it can run up to "
                            + MOST_AHEAD.toDays() + " days ahead of the world's");
        }
        try (PreparedStatement update = connection.prepareStatement(
                "update organization set clock_ahead_nanos = ?, change = default where id = ?")) {
            update.setLong(1, ahead.toNanos());
            update.setString(2, id.value());
            update.executeUpdate();
        }
        return new Done<>(id.value(), false);
    }

    private synchronized void catchUp(Connection connection) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement(
                "select " + ORGANIZATION_COLUMNS + ", change from organization where change > ? order by change")) {
            select.setLong(1, seen);
            try (ResultSet row = select.executeQuery()) {
                while (row.next()) {
                    Organization organization = organization(row);
                    known.put(organization.id(), organization);
                    if (row.getBoolean("operator")) operator = Optional.of(organization.id());
                    seen = row.getLong("change");
                }
            }
        }
    }

    private static void insert(Connection connection, Organization made, boolean operator) throws SQLException {
        ChangeFeed.announce(connection);
        try (PreparedStatement insert = connection.prepareStatement("insert into organization (" + ORGANIZATION_COLUMNS
                + ") values (?, ?, ?, ?, ?, ?, ?, ?) on conflict (operator) where operator do nothing")) {
            insert.setString(1, made.id().value());
            insert.setString(2, made.name());
            insert.setBoolean(3, made.sandbox());
            insert.setBoolean(4, operator);
            insert.setString(5, made.zone().getId());
            insert.setString(6, made.currency().getCurrencyCode());
            insert.setLong(7, made.clockOffset().toNanos());
            insert.setObject(8, made.createdAt().atOffset(ZoneOffset.UTC));
            insert.executeUpdate();
        }
    }

    private static void insert(Connection connection, Project made) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement(
                "insert into project (id, organization_id, name, created_at) values (?, ?, ?, ?)")) {
            insert.setString(1, made.id().value());
            insert.setString(2, made.organization().value());
            insert.setString(3, made.name());
            insert.setObject(4, made.createdAt().atOffset(ZoneOffset.UTC));
            insert.executeUpdate();
        }
    }

    private static Organization read(Connection connection, OrganizationId id) throws SQLException {
        return read(connection, id, "").orElseThrow(() -> new IllegalStateException("organisation " + id + " is gone"));
    }

    private static Optional<Organization> readForUpdate(Connection connection, OrganizationId id) throws SQLException {
        return read(connection, id, " for update");
    }

    private static Optional<Organization> read(Connection connection, OrganizationId id, String lock)
            throws SQLException {
        try (PreparedStatement select = connection.prepareStatement(
                "select " + ORGANIZATION_COLUMNS + " from organization where id = ?" + lock)) {
            select.setString(1, id.value());
            try (ResultSet row = select.executeQuery()) {
                return row.next() ? Optional.of(organization(row)) : Optional.empty();
            }
        }
    }

    private static Organization organization(ResultSet row) throws SQLException {
        return new Organization(
                new OrganizationId(row.getString("id")),
                row.getString("name"),
                row.getBoolean("sandbox"),
                ZoneId.of(row.getString("zone")),
                Currency.getInstance(row.getString("currency")),
                Duration.ofNanos(row.getLong("clock_ahead_nanos")),
                row.getObject("created_at", OffsetDateTime.class).toInstant());
    }

    private static List<Project> readProjects(Connection connection, String where, String first, String second)
            throws SQLException {
        try (PreparedStatement select = connection.prepareStatement(
                "select id, organization_id, name, created_at from project where " + where)) {
            select.setString(1, first);
            select.setString(2, second);
            List<Project> found = new ArrayList<>();
            try (ResultSet row = select.executeQuery()) {
                while (row.next()) {
                    found.add(new Project(
                            new ProjectId(row.getString("id")),
                            new OrganizationId(row.getString("organization_id")),
                            row.getString("name"),
                            row.getObject("created_at", OffsetDateTime.class).toInstant()));
                }
            }
            return found;
        }
    }
}
