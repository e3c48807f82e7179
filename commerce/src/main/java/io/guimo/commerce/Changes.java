package io.guimo.commerce;

import io.guimo.commerce.Holding.Hold;
import io.guimo.commerce.Holding.KeyName;
import io.guimo.commerce.Wallet.Paid;
import io.guimo.commerce.Wallet.Purse;
import io.guimo.commerce.meter.UsageLine;
import io.guimo.units.Meter;
import io.guimo.units.RequestId;
import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;
import org.jspecify.annotations.Nullable;

/**
 * The rows that one batch writes, as arguments of the functions {@code till_…} of the schema: each argument a column, sent as one array. All
 * functions are called by one statement, which the server runs as one transaction.
 */
final class Changes {
    /** The arguments of one function. */
    private static final class Part {
        private final String function;
        private final List<Object> scalars;
        private final String[] types;
        private final List<List<@Nullable Object>> columns = new ArrayList<>();

        Part(String function, List<Object> scalars, String... types) {
            this.function = function;
            this.scalars = scalars;
            this.types = types;
            for (int i = 0; i < types.length; i++) columns.add(new ArrayList<>());
        }

        void add(@Nullable Object... values) {
            for (int i = 0; i < types.length; i++) columns.get(i).add(values[i]);
        }

        boolean isEmpty() {
            return columns.getFirst().isEmpty();
        }

        String call() {
            StringJoiner call = new StringJoiner(", ", function + "(", ")");
            for (int i = 0; i < scalars.size() + types.length; i++) call.add("?");
            return call.toString();
        }

        int bind(PreparedStatement statement, int first) throws SQLException {
            int index = first;
            for (Object scalar : scalars) statement.setObject(index++, scalar);
            Connection connection = statement.getConnection();
            for (int i = 0; i < types.length; i++) {
                List<@Nullable Object> column = columns.get(i);
                // arrays of their own class: the driver sends those of numbers in binary
                Object[] values =
                        switch (types[i]) {
                            case "int8" -> column.toArray(Long[]::new);
                            case "int4" -> column.toArray(Integer[]::new);
                            case "bool" -> column.toArray(Boolean[]::new);
                            case "numeric" -> column.toArray(BigDecimal[]::new);
                            case "bytea" -> column.toArray(byte[][]::new);
                            default -> column.toArray(String[]::new);
                        };
                statement.setArray(index++, connection.createArrayOf(types[i], values));
            }
            return index;
        }
    }

    private final Part begin = new Part("till_begin", List.of(), "int8", "int8");
    private final Part check = new Part("till_check", List.of(), "int8", "int8");
    private final Part grants = new Part("till_grants", List.of(), "int8", "numeric", "numeric");
    private final Part counters = new Part("till_counters", List.of(), "int8", "int8", "text", "text");
    private final Part newCounters =
            new Part("till_new_counters", List.of(), "int8", "int8", "text", "text", "int8", "int8", "text", "text");
    private final Part reserve;
    private final Part extend = new Part("till_extend", List.of(), "int8", "text", "text", "text", "text", "text");
    private final Part release = new Part("till_release", List.of(), "int8", "text");
    private final Part settle;
    private final Part endKeys =
            new Part("till_end_keys", List.of(), "text", "text", "text", "text", "int4", "text", "bytea");
    private final Part newKeys;
    private final Part lostKeys;
    private final List<Wallet> changedWallets = new ArrayList<>();

    /**
     * @param lease of this server
     * @param recordedAt in the world's time
     */
    Changes(long lease, Instant recordedAt) {
        long recorded = micros(recordedAt);
        reserve = new Part(
                "till_reserve",
                List.of(lease),
                "int8",
                "text",
                "text",
                "text",
                "text",
                "int8",
                "int8",
                "int8",
                "text",
                "text",
                "text",
                "text",
                "text",
                "text");
        settle = new Part(
                "till_settle",
                List.of(recorded),
                "int8",
                "int8",
                "text",
                "text",
                "text",
                "text",
                "text",
                "text",
                "int8",
                "int8",
                "text",
                "numeric",
                "numeric",
                "numeric",
                "numeric",
                "bool",
                "text",
                "text",
                "text",
                "text");
        newKeys = new Part("till_new_keys", List.of(recorded), "text", "text", "text", "text", "text");
        lostKeys = new Part("till_new_keys", List.of(recorded), "text", "text", "text", "text", "text");
    }

    void reserve(Wallet wallet, Holding holding) {
        Reservation reservation = holding.reservation();
        KeyName key = holding.key();
        reserve.add(
                wallet.id,
                reservation.request().value(),
                reservation.caller().project().value(),
                reservation.caller().key().value(),
                reservation.price().id().value(),
                micros(reservation.period().start()),
                micros(reservation.period().end()),
                micros(reservation.usedAt()),
                meters(reservation.atMost()),
                quantities(reservation.atMost()),
                grantsOf(holding.holds()),
                amountsOf(holding.holds()),
                key == null ? null : key.route(),
                key == null ? null : key.key());
        wallet.changed = true;
    }

    void extend(Wallet wallet, Holding holding) {
        Map<Meter, Long> atMost = holding.reservation().atMost();
        StringJoiner delivered = list();
        if (!holding.delivered().isEmpty()) {
            // aligned with the meters of atMost
            for (Meter meter : atMost.keySet()) {
                delivered.add(Long.toString(holding.delivered().getOrDefault(meter, 0L)));
            }
        }
        extend.add(
                wallet.id,
                holding.reservation().request().value(),
                quantities(atMost),
                delivered.toString(),
                grantsOf(holding.holds()),
                amountsOf(holding.holds()));
        wallet.changed = true;
    }

    void release(Wallet wallet, RequestId request) {
        release.add(wallet.id, request.value());
        wallet.changed = true;
    }

    void event(Wallet wallet, long id, Reservation reservation, Settlement settlement, Paid paid, boolean brokenOff) {
        StringJoiner meters = list();
        StringJoiner befores = list();
        StringJoiner quantities = list();
        StringJoiner amounts = list();
        for (UsageLine line : settlement.lines()) {
            meters.add(line.meter().wireName());
            befores.add(Long.toString(line.before()));
            quantities.add(Long.toString(line.quantity()));
            amounts.add(line.amount().toDecimalString());
        }
        settle.add(
                id,
                wallet.id,
                wallet.organization.value(),
                reservation.caller().project().value(),
                reservation.caller().key().value(),
                reservation.request().value(),
                reservation.price().product(),
                reservation.price().id().value(),
                micros(reservation.period().start()),
                micros(reservation.usedAt()),
                wallet.currency.getCurrencyCode(),
                settlement.amount().amount(),
                paid.fromCredit().amount(),
                paid.fromLine().amount(),
                paid.shortage().amount(),
                brokenOff,
                meters.toString(),
                befores.toString(),
                quantities.toString(),
                amounts.toString());
        wallet.changed = true;
    }

    void newKey(Wallet wallet, IdempotencyKey key, RequestId request) {
        newKeys.add(wallet.organization.value(), key.route(), key.key(), key.contentSha256(), request.value());
        wallet.changed = true;
    }

    /** A key that a crash of the database lost; it ends in the same batch. */
    void lostKey(Wallet wallet, IdempotencyKey key, RequestId request) {
        lostKeys.add(wallet.organization.value(), key.route(), key.key(), key.contentSha256(), request.value());
        wallet.changed = true;
    }

    /** @param state {@code completed} or {@code aborted}; null frees the key */
    void endKey(Wallet wallet, KeyName key, @Nullable String state, @Nullable StoredAnswer answer) {
        boolean kept = answer != null && answer.size() <= StoredAnswer.LARGEST_KEPT;
        endKeys.add(
                wallet.organization.value(),
                key.route(),
                key.key(),
                state,
                answer == null || !kept ? null : answer.status(),
                answer == null || !kept ? null : answer.contentType(),
                answer == null || !kept ? null : answer.bytes());
        wallet.changed = true;
    }

    /**
     * Adds what the commands left in the wallets themselves, and what was reserved in memory meanwhile: a wallet in the database never tells of
     * a reservation that is not there. From here on the wallets can change again, for the next batch.
     */
    void collect(Collection<Wallet> wallets) {
        for (Wallet wallet : wallets) {
            if (!wallet.changed) {
                check.add(wallet.id, wallet.version);
                continue;
            }
            changedWallets.add(wallet);
            begin.add(wallet.id, wallet.version);
            for (RequestId request : wallet.unwritten) reserve(wallet, wallet.holding(request));
            wallet.unwritten.clear();
            wallet.changed = false;
            for (Purse purse : wallet.purses()) {
                if (purse.changed) {
                    purse.changed = false;
                    grants.add(
                            purse.id,
                            purse.remaining().amount(),
                            purse.reserved().amount());
                }
            }
            for (Counter counter : wallet.counters.values()) if (counter.changed) collect(wallet, counter);
        }
    }

    private void collect(Wallet wallet, Counter counter) {
        counter.changed = false;
        StringJoiner prices = list();
        StringJoiner quantities = list();
        counter.open().forEach((price, open) -> {
            prices.add(price.value());
            quantities.add(Long.toString(open.quantity()));
        });
        if (counter.isNew) {
            counter.isNew = false;
            newCounters.add(
                    counter.id,
                    wallet.id,
                    counter.key.product(),
                    counter.key.meter().wireName(),
                    micros(counter.key.periodStart()),
                    counter.used(),
                    prices.toString(),
                    quantities.toString());
        } else {
            counters.add(counter.id, counter.used(), prices.toString(), quantities.toString());
        }
    }

    /** Whether nothing was changed, or only looked at. */
    boolean isReading() {
        return changedWallets.isEmpty();
    }

    /**
     * Writes everything, or throws and writes nothing.
     *
     * @param durable whether to wait until it is on the disk
     */
    void write(StatementCache statements, boolean durable) throws SQLException {
        List<Part> parts = new ArrayList<>();
        for (Part part : List.of(
                begin,
                check,
                grants,
                counters,
                newCounters,
                reserve,
                extend,
                settle,
                release,
                lostKeys,
                endKeys,
                newKeys)) {
            if (!part.isEmpty()) parts.add(part);
        }
        if (parts.isEmpty()) return;
        // One statement whose columns are the calls, evaluated from left to right; each call sees what those before it
        // wrote and, being
        // volatile, what others have committed when it starts.
        StringJoiner sql = new StringJoiner(", ", "select ", "");
        for (Part part : parts) sql.add(part == begin ? "till_begin(?, ?, " + durable + ")" : part.call());
        PreparedStatement statement = statements.prepare(sql.toString());
        int index = 1;
        for (Part part : parts) index = part.bind(statement, index);
        statement.execute();
        statement.clearParameters();
    }

    /** Tells the wallets that what was collected is now in the database. */
    void committed() {
        for (Wallet wallet : changedWallets) wallet.version++;
    }

    static long micros(Instant instant) {
        return ChronoUnit.MICROS.between(Instant.EPOCH, instant);
    }

    /** An array in PostgreSQL's text form; its elements need no quoting. */
    private static StringJoiner list() {
        return new StringJoiner(",", "{", "}");
    }

    private static String meters(Map<Meter, Long> counts) {
        StringJoiner list = list();
        for (Meter meter : counts.keySet()) list.add(meter.wireName());
        return list.toString();
    }

    private static String quantities(Map<Meter, Long> counts) {
        StringJoiner list = list();
        for (Long count : counts.values()) list.add(count.toString());
        return list.toString();
    }

    private static String grantsOf(List<Hold> holds) {
        StringJoiner list = list();
        for (Hold hold : holds) list.add(Long.toString(hold.grant()));
        return list.toString();
    }

    private static String amountsOf(List<Hold> holds) {
        StringJoiner list = list();
        for (Hold hold : holds) list.add(hold.amount().toDecimalString());
        return list.toString();
    }
}
