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
import io.guimo.units.KeyId;
import io.guimo.units.OrganizationId;
import io.guimo.units.Page;
import io.guimo.units.ProjectId;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.InstantSource;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Issues, recognises and revokes keys. All living keys are in memory, so that recognising one costs a digest and a look-up, however many
 * there are; a revoked one is refused on every server of the database within a second. Thread-safe.
 */
public final class Keys {
    /** Begins every secret, so that people and scanners of source code recognise one. */
    public static final String PREFIX = "sk-guimo-";

    private static final int SECRET_BYTES = 32;
    private static final int SECRET_LENGTH = PREFIX.length() + (SECRET_BYTES * 8 + 5) / 6;
    private static final int HINT_LENGTH = 4;
    private static final String COLUMNS =
            "id, organization_id, project_id, role, name, hint, created_at, revoked_at, last_used_at";

    private final Database database;
    private final ChangeFeed feed;
    private final Organizations organizations;
    private final InstantSource world;
    private final SecureRandom random = new SecureRandom();
    private final Map<Digest, Living> living = new ConcurrentHashMap<>();
    private long seen;

    /** @param world the clock of {@link ApiKey#lastUsedAt} */
    public Keys(Database database, ChangeFeed feed, Organizations organizations, InstantSource world) {
        this.database = database;
        this.feed = feed;
        this.organizations = organizations;
        this.world = world;
        feed.follow(this::catchUp);
    }

    /**
     * Who presents this secret, or empty if no living key has it.
     *
     * <p>The map is searched by the secret's digest, which a guesser cannot steer, and the digests are compared in constant time, so the
     * time of an answer tells nothing of other secrets.
     */
    public Optional<Caller> authenticate(String secret) {
        if (secret.length() != SECRET_LENGTH || !secret.startsWith(PREFIX)) return Optional.empty();
        byte[] presented = sha256(secret);
        Living found = living.get(Digest.of(presented));
        if (found == null || !MessageDigest.isEqual(found.digest, presented)) return Optional.empty();
        found.lastUsedMillis = world.millis();
        return Optional.of(found.caller);
    }

    /** Issues a key of a project. The secret is in the answer and nowhere else. */
    public Outcome<IssuedKey> issue(
            OrganizationId organization, ProjectId project, Role role, String name, CommandKey key) {
        Names.check("key", name);
        if (organizations.project(organization, project).isEmpty()) {
            return new Refused<>(Refusal.NOT_FOUND, "organisation " + organization + " has no project " + project);
        }
        if (role == Role.OWNER
                && !organizations.operator().map(Organization::id).equals(Optional.of(organization))) {
            throw new IllegalArgumentException(
                    "a key of role OWNER belongs to the operator's organisation, not to " + organization);
        }
        Draft draft = draft(organization, project, role, name);
        Outcome<ApiKey> outcome = database.transaction(connection -> Commands.once(
                connection,
                key,
                List.of("key.issue", organization.value(), project.value(), role.name(), name),
                _ -> {
                    insert(connection, List.of(draft));
                    return new Done<>(draft.key().id().value(), false);
                },
                (_, id) -> read(connection, organization, new KeyId(id)).orElseThrow()));
        feed.refresh();
        return switch (outcome) {
            case Done<ApiKey>(ApiKey made, boolean repeated) ->
                new Done<>(new IssuedKey(made, repeated ? Optional.empty() : Optional.of(draft.secret())), repeated);
            case Refused<ApiKey>(Refusal refusal, String message) -> new Refused<>(refusal, message);
        };
    }

    /** Issues many keys of role CUSTOMER in one transaction, for a project that hands them to devices or people of its own. */
    public List<IssuedKey> issueAll(OrganizationId organization, ProjectId project, List<String> names) {
        for (String name : names) Names.check("key", name);
        List<Draft> drafts = names.stream()
                .map(name -> draft(organization, project, Role.CUSTOMER, name))
                .toList();
        database.perform(connection -> insert(connection, drafts));
        feed.refresh();
        return drafts.stream()
                .map(d -> new IssuedKey(d.key(), Optional.of(d.secret())))
                .toList();
    }

    /**
     * Refuses the key from now on: on this server when this returns, on others within a second. A request that was authorised before goes
     * on.
     *
     * @return the revoked key, or NOT_FOUND if the organisation has no such key; one that was revoked before stays as it was
     */
    public Outcome<ApiKey> revoke(OrganizationId organization, KeyId id) {
        Instant now = organizations.find(organization).isPresent() ? organizations.now(organization) : world.instant();
        Optional<ApiKey> revoked = database.transaction(connection -> {
            ChangeFeed.announce(connection);
            try (PreparedStatement update =
                    connection.prepareStatement("update api_key set revoked_at = ?, change = default"
                            + " where organization_id = ? and id = ? and revoked_at is null")) {
                update.setObject(1, now.atOffset(ZoneOffset.UTC));
                update.setString(2, organization.value());
                update.setString(3, id.value());
                update.executeUpdate();
            }
            return read(connection, organization, id);
        });
        feed.refresh();
        return revoked.<Outcome<ApiKey>>map(key -> new Done<>(key, false))
                .orElseGet(
                        () -> new Refused<>(Refusal.NOT_FOUND, "organisation " + organization + " has no key " + id));
    }

    /** The organisation's keys in the order in which they were issued, revoked ones included. */
    public Page<ApiKey> list(OrganizationId organization, Cursor cursor) {
        List<ApiKey> found = database.transaction(connection -> {
            try (PreparedStatement select = connection.prepareStatement(
                    "select " + COLUMNS + " from api_key where organization_id = ? and id > ? order by id limit ?")) {
                select.setString(1, organization.value());
                select.setString(2, cursor.after().orElse(""));
                select.setInt(3, cursor.limit() + 1);
                return keys(select);
            }
        });
        return Page.of(found, cursor, k -> k.id().value());
    }

    /** Keys that are recognised now. */
    public int livingCount() {
        return living.size();
    }

    /** Stores when keys were last used; called now and then, off the path of requests. */
    public void recordUse() {
        List<Living> used = living.values().stream()
                .filter(l -> l.lastUsedMillis > l.recordedMillis)
                .toList();
        if (used.isEmpty()) return;
        String[] ids = used.stream().map(l -> l.caller.key().value()).toArray(String[]::new);
        Long[] millis = used.stream().map(l -> l.lastUsedMillis).toArray(Long[]::new);
        database.perform(connection -> {
            try (PreparedStatement update = connection.prepareStatement("update api_key k set last_used_at ="
                    + " greatest(k.last_used_at, to_timestamp(u.millis / 1000.0))"
                    + " from unnest(?::text[], ?::bigint[]) as u (id, millis) where k.id = u.id")) {
                update.setArray(1, connection.createArrayOf("text", ids));
                update.setArray(2, connection.createArrayOf("bigint", millis));
                update.executeUpdate();
            }
        });
        for (int i = 0; i < used.size(); i++) used.get(i).recordedMillis = millis[i];
    }

    private Draft draft(OrganizationId organization, ProjectId project, Role role, String name) {
        byte[] bytes = new byte[SECRET_BYTES];
        random.nextBytes(bytes);
        String secret = PREFIX + Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
        String hint = secret.substring(secret.length() - HINT_LENGTH);
        ApiKey key = new ApiKey(
                KeyId.next(),
                organization,
                project,
                role,
                name,
                hint,
                organizations.now(organization),
                Optional.empty(),
                Optional.empty());
        return new Draft(key, secret);
    }

    private static void insert(Connection connection, List<Draft> drafts) throws SQLException {
        ChangeFeed.announce(connection);
        try (PreparedStatement insert = connection.prepareStatement("insert into api_key (id, organization_id,"
                + " project_id, role, name, secret_sha256, hint, created_at) values (?, ?, ?, ?, ?, ?, ?, ?)")) {
            for (Draft draft : drafts) {
                ApiKey key = draft.key();
                insert.setString(1, key.id().value());
                insert.setString(2, key.organization().value());
                insert.setString(3, key.project().value());
                insert.setString(4, key.role().name());
                insert.setString(5, key.name());
                insert.setBytes(6, sha256(draft.secret()));
                insert.setString(7, key.hint());
                insert.setObject(8, key.createdAt().atOffset(ZoneOffset.UTC));
                insert.addBatch();
            }
            insert.executeBatch();
        }
    }

    private synchronized void catchUp(Connection connection) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement(
                "select id, organization_id, project_id, role,"
                        + " secret_sha256, revoked_at is not null as revoked, change from api_key where change > ? order by change")) {
            select.setLong(1, seen);
            select.setFetchSize(10_000);
            try (ResultSet row = select.executeQuery()) {
                while (row.next()) {
                    byte[] digest = row.getBytes("secret_sha256");
                    if (row.getBoolean("revoked")) {
                        living.remove(Digest.of(digest));
                    } else {
                        Caller caller = new Caller(
                                new KeyId(row.getString("id")),
                                new OrganizationId(row.getString("organization_id")),
                                new ProjectId(row.getString("project_id")),
                                Role.valueOf(row.getString("role")));
                        living.put(Digest.of(digest), new Living(caller, digest));
                    }
                    seen = row.getLong("change");
                }
            }
        }
    }

    private static Optional<ApiKey> read(Connection connection, OrganizationId organization, KeyId id)
            throws SQLException {
        try (PreparedStatement select = connection.prepareStatement(
                "select " + COLUMNS + " from api_key where organization_id = ? and id = ?")) {
            select.setString(1, organization.value());
            select.setString(2, id.value());
            return keys(select).stream().findFirst();
        }
    }

    private static List<ApiKey> keys(PreparedStatement select) throws SQLException {
        List<ApiKey> found = new ArrayList<>();
        try (ResultSet row = select.executeQuery()) {
            while (row.next()) {
                found.add(new ApiKey(
                        new KeyId(row.getString("id")),
                        new OrganizationId(row.getString("organization_id")),
                        new ProjectId(row.getString("project_id")),
                        Role.valueOf(row.getString("role")),
                        row.getString("name"),
                        row.getString("hint"),
                        row.getObject("created_at", OffsetDateTime.class).toInstant(),
                        Optional.ofNullable(row.getObject("revoked_at", OffsetDateTime.class))
                                .map(OffsetDateTime::toInstant),
                        Optional.ofNullable(row.getObject("last_used_at", OffsetDateTime.class))
                                .map(OffsetDateTime::toInstant)));
            }
        }
        return found;
    }

    private static byte[] sha256(String secret) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(secret.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    private record Draft(ApiKey key, String secret) {}

    /** A SHA-256 digest as a key of a map. */
    private record Digest(long a, long b, long c, long d) {
        static Digest of(byte[] sha256) {
            ByteBuffer bytes = ByteBuffer.wrap(sha256);
            return new Digest(bytes.getLong(), bytes.getLong(), bytes.getLong(), bytes.getLong());
        }
    }

    private static final class Living {
        private final Caller caller;
        private final byte[] digest;
        private volatile long lastUsedMillis;
        private volatile long recordedMillis;

        Living(Caller caller, byte[] digest) {
            this.caller = caller;
            this.digest = digest;
        }
    }
}
