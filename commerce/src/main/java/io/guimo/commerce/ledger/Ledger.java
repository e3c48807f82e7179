package io.guimo.commerce.ledger;

import io.guimo.commerce.account.Organization;
import io.guimo.commerce.account.Organizations;
import io.guimo.commerce.command.CommandKey;
import io.guimo.commerce.command.Commands;
import io.guimo.commerce.command.Outcome;
import io.guimo.commerce.command.Outcome.Done;
import io.guimo.commerce.command.Outcome.Refused;
import io.guimo.commerce.command.Refusal;
import io.guimo.postgres.Database;
import io.guimo.units.Cursor;
import io.guimo.units.Money;
import io.guimo.units.OrganizationId;
import io.guimo.units.Page;
import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Types;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Currency;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/** Wallets and the books. Thread-safe. */
public final class Ledger {
    private final Database database;
    private final Organizations organizations;

    public Ledger(Database database, Organizations organizations) {
        this.database = database;
        this.organizations = organizations;
    }

    /**
     * Puts money into an organisation's wallet: what was paid in (booked against cash), or a promotion (booked as a cost).
     *
     * @param amount more than zero, in the organisation's currency
     * @param kind CASH or PROMOTION
     * @param expiresAt by the organisation's clock
     */
    public Outcome<Grant> grant(
            OrganizationId organization, Money amount, GrantKind kind, Optional<Instant> expiresAt, CommandKey key) {
        if (kind == GrantKind.CREDIT_LINE) {
            throw new IllegalArgumentException("a credit line is set, not granted: setCreditLine");
        }
        if (amount.signum() <= 0) throw new IllegalArgumentException("a grant of " + amount + "; give more than 0");
        Optional<Organization> owner = organizations.find(organization);
        if (owner.isEmpty()) return unknown(organization);
        if (!owner.get().currency().equals(amount.currency())) return otherCurrency(owner.get(), amount);
        Instant now = organizations.now(organization);
        List<String> content = List.of(
                "grant",
                organization.value(),
                amount.toString(),
                kind.wireName(),
                expiresAt.map(Instant::toString).orElse(""));
        return database.transaction(connection -> Commands.once(
                connection,
                key,
                content,
                _ -> {
                    long wallet = lockWallet(connection, organization);
                    long grant = insertGrant(connection, wallet, kind, amount, now, expiresAt);
                    Account source = kind == GrantKind.CASH ? Account.CASH : Account.COST;
                    book(
                            connection,
                            NewEntry.of(
                                    organization,
                                    kind == GrantKind.CASH ? "payment" : "promotion",
                                    "grant " + grant,
                                    now,
                                    new Posting(source, amount),
                                    new Posting(Account.CUSTOMER_CREDIT, amount.negate())));
                    return new Done<>(Long.toString(grant), false);
                },
                Ledger::readGrant));
    }

    /**
     * How much an organisation may use before it pays. Lowering the limit below what is in use leaves nothing to reserve until enough is paid.
     *
     * @param limit zero or more, in the organisation's currency
     */
    public Outcome<Grant> setCreditLine(OrganizationId organization, Money limit, CommandKey key) {
        if (limit.signum() < 0) throw new IllegalArgumentException("a credit line of " + limit + "; give 0 or more");
        Optional<Organization> owner = organizations.find(organization);
        if (owner.isEmpty()) return unknown(organization);
        if (!owner.get().currency().equals(limit.currency())) return otherCurrency(owner.get(), limit);
        Instant now = organizations.now(organization);
        return database.transaction(connection -> Commands.once(
                connection,
                key,
                List.of("credit-line", organization.value(), limit.toString()),
                _ -> {
                    long wallet = lockWallet(connection, organization);
                    return new Done<>(Long.toString(putCreditLine(connection, wallet, limit, now)), false);
                },
                Ledger::readGrant));
    }

    /**
     * Books the payment of an invoice and lends the paid amount again.
     *
     * @param reference the invoice's number
     */
    public Outcome<Entry> receivePayment(OrganizationId organization, Money amount, String reference, CommandKey key) {
        if (amount.signum() <= 0) throw new IllegalArgumentException("a payment of " + amount + "; give more than 0");
        Optional<Organization> owner = organizations.find(organization);
        if (owner.isEmpty()) return unknown(organization);
        if (!owner.get().currency().equals(amount.currency())) return otherCurrency(owner.get(), amount);
        Instant now = organizations.now(organization);
        return database.transaction(connection -> Commands.once(
                connection,
                key,
                List.of("payment", organization.value(), amount.toString(), reference),
                _ -> {
                    long wallet = lockWallet(connection, organization);
                    lend(connection, wallet, amount.amount());
                    long entry = book(
                            connection,
                            NewEntry.of(
                                    organization,
                                    "payment",
                                    reference,
                                    now,
                                    new Posting(Account.CASH, amount),
                                    new Posting(Account.RECEIVABLE, amount.negate())));
                    return new Done<>(Long.toString(entry), false);
                },
                (reading, id) ->
                        readEntries(reading, "e.id = ?", Long.parseLong(id), 1).getFirst()));
    }

    /** What the organisation can spend at this instant of its clock. */
    public Balance balance(OrganizationId organization) {
        Organization owner = organizations.get(organization);
        Instant now = organizations.now(organization);
        List<Grant> grants = database.transaction(connection -> {
            try (PreparedStatement select = connection.prepareStatement(
                    "select g.* from wallet_grant g join wallet w on w.id = g.wallet_id where w.organization_id = ? "
                            + "and (g.remaining > 0 or g.kind = 'credit_line') order by priority, expires_at nulls last, g.id")) {
                select.setString(1, organization.value());
                return readGrants(select);
            }
        });
        Money remaining = Money.zero(owner.currency());
        Money reserved = remaining;
        Money available = remaining;
        for (Grant grant : grants) {
            reserved = reserved.plus(grant.reserved());
            boolean expired = grant.isExpired(now);
            remaining = remaining.plus(expired ? grant.reserved() : grant.remaining());
            if (!expired && grant.available().signum() > 0) available = available.plus(grant.available());
        }
        return new Balance(remaining, reserved, available, grants);
    }

    /** The balance of one of the operator's accounts for one organisation, as the sum of its postings. */
    public Money balance(OrganizationId organization, Account account) {
        Currency currency = organizations.get(organization).currency();
        return database.transaction(connection -> {
            try (PreparedStatement select = connection.prepareStatement(
                    "select coalesce(sum(amount), 0) from posting where organization_id = ? and account = ?::ledger_account")) {
                select.setString(1, organization.value());
                select.setString(2, account.wireName());
                try (ResultSet row = select.executeQuery()) {
                    row.next();
                    return new Money(currency, row.getBigDecimal(1));
                }
            }
        });
    }

    /** Entries of an organisation other than usage, in the order of their ids. */
    public Page<Entry> entries(OrganizationId organization, Cursor cursor) {
        long after = cursor.after().map(Long::parseLong).orElse(0L);
        List<Entry> found = database.transaction(connection -> readEntries(
                connection, "e.organization_id = ? and e.id > ?", organization.value(), after, cursor.limit() + 1));
        return Page.of(found, cursor, entry -> Long.toString(entry.id()));
    }

    /**
     * Reads all the books in one snapshot and lists what does not agree. Its time grows with the number of events: about a second for 200,000.
     */
    public LedgerReport verify() {
        return Audit.run(database);
    }

    /**
     * Books the unspent rest of grants that have expired by their organisations' clocks as revenue. What reservations hold stays.
     *
     * @return how many grants were closed
     */
    public int closeExpired() {
        List<OrganizationId> owners = database.transaction(connection -> {
            List<OrganizationId> found = new ArrayList<>();
            try (Statement statement = connection.createStatement();
                    ResultSet row = statement.executeQuery(
                            "select distinct w.organization_id from wallet_grant g join wallet w on w.id = g.wallet_id "
                                    + "where g.expires_at is not null and g.remaining > g.reserved order by 1")) {
                while (row.next()) found.add(new OrganizationId(row.getString(1)));
            }
            return found;
        });
        int closed = 0;
        for (OrganizationId owner : owners) {
            if (organizations.find(owner).isEmpty()) continue;
            Instant now = organizations.now(owner);
            closed += database.transaction(connection -> closeExpired(connection, owner, now));
        }
        return closed;
    }

    /**
     * Locks everything that the organisation has here until the transaction ends, and tells every lane that it changes. Makes the wallet where
     * there is none. A transaction that locks several does it in the order of their ids.
     *
     * @return the wallet's id
     */
    public static long lockWallet(Connection connection, OrganizationId organization) throws SQLException {
        try (PreparedStatement upsert = connection.prepareStatement(
                "insert into wallet (organization_id, version) values (?, 1) on conflict (organization_id) "
                        + "do update set version = wallet.version + 1 returning id")) {
            upsert.setString(1, organization.value());
            try (ResultSet row = upsert.executeQuery()) {
                row.next();
                return row.getLong(1);
            }
        }
    }

    /**
     * Writes an entry in the caller's transaction.
     *
     * @return the entry's id
     */
    public static long book(Connection connection, NewEntry entry) throws SQLException {
        long id = nextId(connection);
        try (PreparedStatement insert = connection.prepareStatement(
                "insert into ledger_entry (id, organization_id, kind, reference, corrects, booked_at) values (?, ?, ?, ?, ?, ?)")) {
            insert.setLong(1, id);
            insert.setString(2, entry.organization().value());
            insert.setString(3, entry.kind());
            insert.setString(4, entry.reference());
            if (entry.corrects().isPresent()) insert.setLong(5, entry.corrects().getAsLong());
            else insert.setNull(5, Types.BIGINT);
            insert.setObject(6, entry.bookedAt().atOffset(ZoneOffset.UTC));
            insert.executeUpdate();
        }
        try (PreparedStatement insert = connection.prepareStatement(
                "insert into posting (entry_id, line, organization_id, account, amount, currency, booked_at) "
                        + "values (?, ?, ?, ?::ledger_account, ?, ?, ?)")) {
            int line = 0;
            for (Posting posting : entry.postings()) {
                insert.setLong(1, id);
                insert.setInt(2, ++line);
                insert.setString(3, entry.organization().value());
                insert.setString(4, posting.account().wireName());
                insert.setBigDecimal(5, posting.amount().amount());
                insert.setString(6, posting.amount().currency().getCurrencyCode());
                insert.setObject(7, entry.bookedAt().atOffset(ZoneOffset.UTC));
                insert.addBatch();
            }
            insert.executeBatch();
        }
        return id;
    }

    private static int closeExpired(Connection connection, OrganizationId owner, Instant now) throws SQLException {
        long wallet = lockWallet(connection, owner);
        List<Grant> expired;
        try (PreparedStatement select = connection.prepareStatement(
                "select * from wallet_grant where wallet_id = ? and expires_at <= ? and remaining > reserved order by id")) {
            select.setLong(1, wallet);
            select.setObject(2, now.atOffset(ZoneOffset.UTC));
            expired = readGrants(select);
        }
        for (Grant grant : expired) {
            Money lapsed = grant.available();
            try (PreparedStatement update =
                    connection.prepareStatement("update wallet_grant set remaining = reserved where id = ?")) {
                update.setLong(1, grant.id());
                update.executeUpdate();
            }
            // A promotion that nobody used cost nothing; money that was paid in is earned.
            Account gains = grant.kind() == GrantKind.PROMOTION ? Account.COST : Account.REVENUE;
            book(
                    connection,
                    NewEntry.of(
                            owner,
                            "expiry",
                            "grant " + grant.id(),
                            now,
                            new Posting(Account.CUSTOMER_CREDIT, lapsed),
                            new Posting(gains, lapsed.negate())));
        }
        return expired.size();
    }

    private static long insertGrant(
            Connection connection, long wallet, GrantKind kind, Money amount, Instant now, Optional<Instant> expiresAt)
            throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement(
                "insert into wallet_grant (wallet_id, kind, priority, currency, granted, remaining, granted_at, expires_at) "
                        + "values (?, ?, ?, ?, ?, ?, ?, ?) returning id")) {
            insert.setLong(1, wallet);
            insert.setString(2, kind.wireName());
            insert.setInt(3, kind.priority());
            insert.setString(4, amount.currency().getCurrencyCode());
            insert.setBigDecimal(5, amount.amount());
            insert.setBigDecimal(6, amount.amount());
            insert.setObject(7, now.atOffset(ZoneOffset.UTC));
            insert.setObject(
                    8, expiresAt.map(at -> at.atOffset(ZoneOffset.UTC)).orElse(null), Types.TIMESTAMP_WITH_TIMEZONE);
            try (ResultSet row = insert.executeQuery()) {
                row.next();
                return row.getLong(1);
            }
        }
    }

    private static long putCreditLine(Connection connection, long wallet, Money limit, Instant now)
            throws SQLException {
        BigDecimal more = limit.amount();
        try (PreparedStatement select = connection.prepareStatement(
                "select granted from wallet_grant where wallet_id = ? and kind = 'credit_line'")) {
            select.setLong(1, wallet);
            try (ResultSet row = select.executeQuery()) {
                if (!row.next()) {
                    return insertGrant(connection, wallet, GrantKind.CREDIT_LINE, limit, now, Optional.empty());
                }
                more = more.subtract(row.getBigDecimal(1));
            }
        }
        try (PreparedStatement update = connection.prepareStatement(
                "update wallet_grant set granted = ? where wallet_id = ? and kind = 'credit_line'")) {
            update.setBigDecimal(1, limit.amount());
            update.setLong(2, wallet);
            update.executeUpdate();
        }
        return lend(connection, wallet, more);
    }

    /** Moves what a credit line still lends; what is in use stays in use and what is reserved stays reserved. */
    private static long lend(Connection connection, long wallet, BigDecimal more) throws SQLException {
        try (PreparedStatement update = connection.prepareStatement("""
                update wallet_grant g
                set remaining = least(greatest(granted, reserved), reserved + greatest(0, free)), over_limit = greatest(0, -free)
                from (select id, remaining - reserved - over_limit + ? as free from wallet_grant) next
                where next.id = g.id and g.wallet_id = ? and g.kind = 'credit_line' returning g.id
                """)) {
            update.setBigDecimal(1, more);
            update.setLong(2, wallet);
            try (ResultSet row = update.executeQuery()) {
                return row.next() ? row.getLong(1) : 0; // 0: a prepaid customer, who has no credit line
            }
        }
    }

    private static long nextId(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("select nextval('till_id')")) {
            row.next();
            return row.getLong(1);
        }
    }

    private static Grant readGrant(Connection connection, String id) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement("select * from wallet_grant where id = ?")) {
            select.setLong(1, Long.parseLong(id));
            return readGrants(select).getFirst();
        }
    }

    private static List<Grant> readGrants(PreparedStatement select) throws SQLException {
        List<Grant> grants = new ArrayList<>();
        try (ResultSet row = select.executeQuery()) {
            while (row.next()) {
                Currency currency = Currency.getInstance(row.getString("currency"));
                grants.add(new Grant(
                        row.getLong("id"),
                        GrantKind.ofWireName(row.getString("kind")),
                        new Money(currency, row.getBigDecimal("granted")),
                        new Money(currency, row.getBigDecimal("remaining")),
                        new Money(currency, row.getBigDecimal("reserved")),
                        row.getObject("granted_at", OffsetDateTime.class).toInstant(),
                        Optional.ofNullable(row.getObject("expires_at", OffsetDateTime.class))
                                .map(OffsetDateTime::toInstant)));
            }
        }
        return grants;
    }

    private static List<Entry> readEntries(Connection connection, String where, Object... parameters)
            throws SQLException {
        try (PreparedStatement select = connection.prepareStatement(
                "select e.id, e.organization_id, e.kind, e.reference, e.corrects, e.booked_at, p.account, p.amount, p.currency from "
                        + "(select * from ledger_entry e where " + where + " order by e.id limit ?) e "
                        + "join posting p on p.entry_id = e.id order by e.id, p.line")) {
            for (int i = 0; i < parameters.length; i++) select.setObject(i + 1, parameters[i]);
            Map<Long, Entry> heads = new LinkedHashMap<>();
            Map<Long, List<Posting>> postings = new LinkedHashMap<>();
            try (ResultSet row = select.executeQuery()) {
                while (row.next()) {
                    long id = row.getLong(1);
                    long corrects = row.getLong(5);
                    OptionalLong corrected = row.wasNull() ? OptionalLong.empty() : OptionalLong.of(corrects);
                    heads.put(
                            id,
                            new Entry(
                                    id,
                                    new OrganizationId(row.getString(2)),
                                    row.getString(3),
                                    row.getString(4),
                                    corrected,
                                    row.getObject(6, OffsetDateTime.class).toInstant(),
                                    List.of()));
                    postings.computeIfAbsent(id, _ -> new ArrayList<>())
                            .add(new Posting(
                                    Account.ofWireName(row.getString(7)),
                                    new Money(Currency.getInstance(row.getString(9)), row.getBigDecimal(8))));
                }
            }
            return heads.values().stream()
                    .map(e -> new Entry(
                            e.id(),
                            e.organization(),
                            e.kind(),
                            e.reference(),
                            e.corrects(),
                            e.bookedAt(),
                            postings.getOrDefault(e.id(), List.of())))
                    .toList();
        }
    }

    private static <T> Outcome<T> unknown(OrganizationId organization) {
        return new Refused<>(Refusal.NOT_FOUND, "no organisation has the id " + organization);
    }

    private static <T> Outcome<T> otherCurrency(Organization owner, Money amount) {
        return new Refused<>(
                Refusal.CURRENCY_MISMATCH,
                "the wallet of " + owner.id() + " is in " + owner.currency() + ", and " + amount + " is not");
    }
}
