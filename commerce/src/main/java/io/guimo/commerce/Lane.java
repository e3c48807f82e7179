package io.guimo.commerce;

import io.guimo.commerce.Authorization.Granted;
import io.guimo.commerce.Holding.Hold;
import io.guimo.commerce.Refused.Code;
import io.guimo.commerce.WalletReader.PriceNotYetKnown;
import io.guimo.commerce.account.Organizations;
import io.guimo.commerce.price.PriceBook;
import io.guimo.postgres.Database;
import io.guimo.postgres.DatabaseException;
import io.guimo.units.Meter;
import io.guimo.units.OrganizationId;
import io.guimo.units.RequestId;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One thread that carries out commands in batches, each batch one transaction, and keeps the wallets that it works with in memory.
 *
 * <p>The usual batch is one message to the database: memory decides, the database checks that the wallets are at the versions that memory
 * has, and writes. If another writer was there first, the batch is decided again with the wallets locked before they are read. All writers
 * lock wallets in the order of their ids, so they wait for each other and never deadlock.
 *
 * <p>While the lane is alone with its wallets, {@link #grant} lets callers reserve in memory themselves, between two batches or while one is
 * being written; the database hears of it with the next batch that writes the wallet, at the latest after {@link #WRITE_AFTER}. Most requests
 * are settled by then, so that they cost one write instead of three (docs/decisions/0042).
 *
 * <p>After a lost connection nobody knows whether the batch was committed: it is decided again from what the database then says, where its
 * commands recognise their own traces.
 */
final class Lane implements AutoCloseable {
    static final Duration ANSWER_WITHIN = Duration.ofSeconds(30);
    static final Duration RECONNECT_AFTER = Duration.ofMillis(100);

    private static final Logger LOG = LoggerFactory.getLogger(Lane.class);
    /** How long a reservation may be known to this server alone; as much again can pass until the lane looks. */
    private static final Duration WRITE_AFTER = Duration.ofMillis(100);

    private static final int FEW = 8;
    private static final int CONTENDED_FOR = 16;
    private static final int MOST_WALLETS = 20_000;
    private static final int MOST_COUNTERS = 200;
    private static final int IDS_A_COMMAND = 1 + Meter.values().length; // an event and new counters
    private static final int ID_BLOCK = 1000; // "increment by" of the sequence till_id
    private static final String WALLET_CHANGED = "GM001"; // raised by till_begin and till_check
    private static final String EXISTS = "23505"; // unique_violation
    private static final Duration PRICE_WITHIN = Duration.ofSeconds(5);
    private static final Duration UNAVAILABLE_FOR = Duration.ofSeconds(1);

    private final Database database;
    private final Barrier barrier;
    private final Organizations organizations;
    private final InstantSource world;
    private final LongSupplier lease;
    private final int batchSize;
    private final Inbox<Command<?>> inbox = new Inbox<>();
    private final AtomicInteger waiting = new AtomicInteger();
    private final Thread thread;
    private volatile boolean closed;
    private volatile boolean stopsWaiting;

    /** Whether callers may reserve in memory: nobody else was at the wallets lately. */
    private volatile boolean alone;

    /** Guards what stands in memory; not held while the database writes. */
    private final ReentrantLock memory = new ReentrantLock();

    // Below: under the lock.
    private final Map<OrganizationId, Wallet> wallets = new LinkedHashMap<>(64, 0.75f, true);
    private final ArrayDeque<Remembered> remembered = new ArrayDeque<>();

    // Below: the lane's thread only.
    private final WalletReader reader;
    private @Nullable StatementCache statements;
    private final ArrayDeque<Long> idBlocks = new ArrayDeque<>();
    /** What the wallets of the batch being written held in memory alone; held again if the batch is decided anew. */
    private final Map<RequestId, Reservation> uncertain = new LinkedHashMap<>();

    private boolean lost;
    private long nextId;
    private long lastId = -1;

    /** Batches that begin with the lock, because another writer was there first lately. */
    private int contended;

    /** A reservation that was made in memory. */
    private record Remembered(Reservation reservation, long nanos) {}

    /** @param lease of this server, 0 while it has none */
    Lane(
            String name,
            Database database,
            Barrier barrier,
            Organizations organizations,
            PriceBook prices,
            InstantSource world,
            LongSupplier lease,
            int batchSize) {
        this.database = database;
        this.barrier = barrier;
        this.organizations = organizations;
        this.world = world;
        this.lease = lease;
        this.batchSize = batchSize;
        this.reader = new WalletReader(wallets, id -> organizations.get(id).currency(), prices::find, this::nextId);
        this.thread = Thread.ofPlatform().daemon().name(name).start(this::run);
    }

    /** How many commands wait. */
    int waiting() {
        return waiting.get();
    }

    void put(Command<?> command) {
        waiting.incrementAndGet();
        inbox.put(command);
    }

    /**
     * Reserves in memory, if that can be done here and now. A loss of it costs nothing as long as nothing leaves before the settle, which
     * charges without it or, if the money has gone meanwhile, withholds.
     *
     * @return null where only a batch can tell: memory lacks something, or says no, which the database has to confirm
     */
    @Nullable
    Granted grant(Reservation wanted) {
        if (!alone || wanted.idempotency() != null || !memory.tryLock()) return null;
        try {
            long current = lease.getAsLong();
            Wallet wallet = wallets.get(wanted.caller().organization());
            if (!alone
                    || current == 0
                    || wallet == null
                    || wallet.counters.size() > MOST_COUNTERS
                    || !wallet.hasCountersOf(wanted)
                    || wallet.holdings.containsKey(wanted.request())) return null;
            Optional<List<Hold>> holds = wallet.hold(wanted, Map.of(), wanted.atMost(), wanted.usedAt(), this::nextId);
            if (holds.isEmpty()) return null;
            wallet.holdings.put(wanted.request(), new Holding(wanted, current, true, Map.of(), holds.get(), null));
            wallet.unwritten.add(wanted.request());
            wallet.changed = true;
            remembered.add(new Remembered(wanted, System.nanoTime()));
            return new Granted(wanted);
        } finally {
            memory.unlock();
        }
    }

    /** From now on what the database cannot be reached for fails instead of waiting for it. */
    void stopWaiting() {
        stopsWaiting = true;
    }

    /** Carries out what it was given, then ends. */
    @Override
    public void close() {
        stopsWaiting = true;
        closed = true;
        inbox.wake();
        try {
            thread.join(ANSWER_WITHIN);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void run() {
        List<Command<?>> batch = new ArrayList<>();
        while (!closed || !inbox.isEmpty()) {
            inbox.take(batch, batchSize, WRITE_AFTER.toNanos());
            waiting.addAndGet(-batch.size());
            writeRemembered(batch);
            if (batch.isEmpty()) continue;
            carryOut(batch);
            uncertain.clear();
            alone = contended == 0 && statements != null;
            batch.clear();
        }
        disconnect();
    }

    /**
     * Puts the reservations that have been in memory alone for long enough in front of the batch: behind a settle or release of the same batch they would
     * be held anew, and by nobody.
     */
    private void writeRemembered(List<Command<?>> batch) {
        List<Command<?>> first = new ArrayList<>();
        long due = System.nanoTime() - WRITE_AFTER.toNanos();
        memory.lock();
        try {
            while (!remembered.isEmpty() && remembered.getFirst().nanos() - due <= 0) {
                Reservation oldest = remembered.removeFirst().reservation();
                Wallet wallet = wallets.get(oldest.caller().organization());
                if (wallet != null && wallet.unwritten.contains(oldest.request())) first.add(new Command.Hold(oldest));
            }
        } finally {
            memory.unlock();
        }
        batch.addAll(0, first);
    }

    private void carryOut(List<Command<?>> given) {
        List<Command<?>> batch = new ArrayList<>(given);
        boolean locked = contended > 0;
        if (locked) contended--;
        boolean thorough = false;
        for (Command<?> command : batch) thorough |= command.inDoubt;
        int failures = 0;
        long priceUntil = System.nanoTime() + PRICE_WITHIN.toNanos();
        while (!batch.isEmpty()) {
            try {
                StatementCache connected = connect();
                if (locked) transact(connected, batch, thorough);
                else attempt(connected, batch, thorough);
                return;
            } catch (PriceNotYetKnown e) {
                forget(batch);
                if (System.nanoTime() > priceUntil) {
                    failApart(batch, e);
                    return;
                }
                pause(RECONNECT_AFTER);
            } catch (DatabaseException e) {
                lose(batch, e);
                thorough = true;
            } catch (SQLException e) {
                forget(batch);
                if (WALLET_CHANGED.equals(e.getSQLState()) || DatabaseException.isConflict(e)) {
                    locked = true;
                    contended = CONTENDED_FOR;
                    alone = false;
                    holdAgain(batch);
                } else if (DatabaseException.isOutage(e)) {
                    lose(batch, e);
                    thorough = true;
                } else if (EXISTS.equals(e.getSQLState()) && failures++ < 3) {
                    locked = true;
                    thorough = true;
                } else {
                    failApart(batch, new IllegalStateException(e.getMessage(), e));
                    return;
                }
            } catch (RuntimeException e) {
                forget(batch);
                // What was read without a lock can contradict what memory holds of an earlier version.
                if (locked) {
                    failApart(batch, e);
                    return;
                }
                locked = true;
            }
        }
    }

    /** Decides from memory and writes if memory was right. */
    private void attempt(StatementCache connected, List<Command<?>> batch, boolean thorough) throws SQLException {
        Changes changes;
        memory.lock();
        try {
            reserveIds(connected, IDS_A_COMMAND * batch.size());
            reader.fill(connected, batch, thorough);
            unwritten(batch, uncertain);
            changes = decide(batch);
        } finally {
            memory.unlock();
        }
        // Few commands and nobody behind them: their own flush is cheaper than the barrier's, which would be a second
        // transaction.
        boolean flushed = batch.size() <= FEW && inbox.isEmpty() && isDurable(batch);
        changes.write(connected, flushed);
        changes.committed();
        uncertain.clear();
        answer(batch, flushed && !changes.isReading());
    }

    /** The same with the wallets locked first, so that nothing can have changed when it is written. */
    private void transact(StatementCache connected, List<Command<?>> batch, boolean thorough) throws SQLException {
        Connection connection = connected.connection();
        connection.setAutoCommit(false);
        try {
            Changes changes;
            memory.lock();
            try {
                reserveIds(connected, IDS_A_COMMAND * batch.size());
                lock(connected, batch);
                reader.fill(connected, batch, thorough);
                changes = decide(batch);
            } finally {
                memory.unlock();
            }
            changes.write(connected, false);
            connection.commit();
            changes.committed();
        } catch (SQLException | RuntimeException e) {
            rollBack(connection, e);
            throw e;
        }
        connection.setAutoCommit(true);
        answer(batch, false);
    }

    /** Locks all wallets of the batch in the order of their ids, and forgets those that memory is wrong about. */
    private void lock(StatementCache connected, List<Command<?>> batch) throws SQLException {
        PreparedStatement lock = connected.prepare(
                "select organization_id, version from wallet where organization_id = any (?) order by id for no key update");
        String[] owners = owners(batch).stream().map(OrganizationId::value).toArray(String[]::new);
        lock.setArray(1, connected.connection().createArrayOf("text", owners));
        try (ResultSet row = lock.executeQuery()) {
            while (row.next()) {
                OrganizationId owner = new OrganizationId(row.getString(1));
                Wallet wallet = wallets.get(owner);
                if (wallet != null && wallet.version != row.getLong(2)) wallets.remove(owner);
            }
        }
    }

    private Changes decide(List<Command<?>> batch) {
        long current = lease.getAsLong();
        Changes changes = new Changes(current, world.instant());
        Map<OrganizationId, Wallet> touched = new LinkedHashMap<>();
        for (OrganizationId owner : owners(batch)) {
            Wallet wallet = wallets.get(owner);
            if (wallet == null) throw new IllegalStateException("the wallet of " + owner + " was not read");
            touched.put(owner, wallet);
        }
        Teller teller = new Teller(touched, changes, current, world.instant(), organizations::now, this::nextId);
        for (Command<?> command : batch) {
            command.durable = false;
            if (current == 0 && command instanceof Command.Authorize authorize) authorize.outcome = unavailable();
            else teller.decide(command);
        }
        changes.collect(touched.values());
        return changes;
    }

    private static boolean isDurable(List<Command<?>> batch) {
        for (Command<?> command : batch) if (command.durable) return true;
        return false;
    }

    private void answer(List<Command<?>> batch, boolean flushed) {
        tidy(batch);
        for (Command<?> command : batch) {
            if (command.durable && !flushed) barrier.afterFlush(command);
            else command.complete();
        }
    }

    /** Forgets what was known for this batch only, and what would make memory grow. */
    private void tidy(List<Command<?>> batch) {
        memory.lock();
        try {
            for (Command<?> command : batch) {
                Wallet wallet = wallets.get(command.organization());
                if (wallet == null) continue;
                wallet.settled.clear();
                wallet.keys.clear();
                if (wallet.counters.size() > MOST_COUNTERS && wallet.unwritten.isEmpty()) {
                    wallets.remove(command.organization());
                }
            }
            Iterator<Wallet> oldest = wallets.values().iterator();
            for (int tooMany = wallets.size() - MOST_WALLETS; tooMany > 0 && oldest.hasNext(); ) {
                if (!oldest.next().unwritten.isEmpty()) continue;
                oldest.remove();
                tooMany--;
            }
        } finally {
            memory.unlock();
        }
    }

    /** One of them cannot be carried out: each alone, so that only that one fails. */
    private void failApart(List<Command<?>> batch, RuntimeException cause) {
        if (batch.size() == 1) {
            LOG.error("a command of {} failed", batch.getFirst().organization(), cause);
            batch.getFirst().fail(cause);
            return;
        }
        for (Command<?> command : batch) carryOut(List.of(command));
    }

    /**
     * After a lost connection: what may have been committed stays in the batch; those who only ask for permission are refused, and what they
     * may have reserved is released.
     */
    private void lose(List<Command<?>> batch, Exception cause) {
        boolean sent = statements != null;
        if (!lost) LOG.warn("the ledger cannot be reached, {} commands wait: {}", batch.size(), cause.getMessage());
        lost = true;
        if (sent) for (Command<?> command : batch) command.inDoubt = true;
        disconnect();
        int before = batch.size();
        inbox.take(batch, Integer.MAX_VALUE, 0);
        waiting.addAndGet(before - batch.size());
        List<Command<?>> left = new ArrayList<>();
        for (Command<?> command : batch) {
            if (command instanceof Command.Hold) continue; // forgotten with the wallet; its settle can do without
            if (command instanceof Command.Authorize authorize) {
                if (authorize.inDoubt) left.add(new Command.Release(authorize.organization(), authorize.request()));
                authorize.answer(unavailable());
            } else if (command instanceof Command.Extend extend) {
                extend.answer(unavailable());
            } else if (stopsWaiting) {
                command.fail(new IllegalStateException(
                        "closed while the ledger could not be reached: " + cause.getMessage()));
            } else {
                left.add(command);
            }
        }
        batch.clear();
        if (!stopsWaiting) batch.addAll(left);
        pause(RECONNECT_AFTER);
    }

    private static Refused unavailable() {
        return new Refused(
                Code.UNAVAILABLE, "the ledger cannot be reached; ask again in a moment", UNAVAILABLE_FOR, null);
    }

    private StatementCache connect() throws SQLException {
        if (statements != null) return statements;
        Connection connection = database.connect(thread.getName());
        connection.setNetworkTimeout(Runnable::run, (int) ANSWER_WITHIN.toMillis());
        try (Statement statement = connection.createStatement()) {
            statement.execute("set synchronous_commit = off");
            // Every statement of the batch is a walk along keys. Planned anew each time, planning takes longer than the
            // work; planned
            // once while a table is small, it would read the whole table for ever.
            statement.execute("set plan_cache_mode = force_generic_plan");
            statement.execute("set enable_seqscan = off; set enable_hashjoin = off; set enable_mergejoin = off");
        }
        if (lost) LOG.info("the ledger is reached again");
        lost = false;
        StatementCache connected = new StatementCache(connection);
        statements = connected;
        return connected;
    }

    /** Forgets all wallets too: a crash of the database can have taken commits back, and with them versions that would be given out again. */
    private void disconnect() {
        alone = false;
        memory.lock();
        try {
            wallets.clear();
            remembered.clear();
        } finally {
            memory.unlock();
        }
        if (statements == null) return;
        try {
            statements.close();
        } catch (SQLException e) {
            LOG.debug("closing a lost connection", e);
        }
        statements = null;
    }

    private void forget(List<Command<?>> batch) {
        memory.lock();
        try {
            unwritten(batch, uncertain); // what was reserved while the batch was being written
            for (OrganizationId owner : owners(batch)) wallets.remove(owner);
        } finally {
            memory.unlock();
        }
    }

    private void unwritten(List<Command<?>> batch, Map<RequestId, Reservation> found) {
        for (OrganizationId owner : owners(batch)) {
            Wallet wallet = wallets.get(owner);
            if (wallet == null) continue;
            for (RequestId request : wallet.unwritten) {
                found.put(request, wallet.holding(request).reservation());
            }
        }
    }

    /** Puts in front of the batch what its wallets held in memory, so that nothing of the batch takes that money. */
    private void holdAgain(List<Command<?>> batch) {
        List<Command<?>> first = new ArrayList<>();
        for (Reservation reservation : uncertain.values()) first.add(new Command.Hold(reservation));
        uncertain.clear();
        batch.addAll(0, first);
    }

    private static void rollBack(Connection connection, Exception cause) {
        try {
            connection.rollback();
            connection.setAutoCommit(true);
        } catch (SQLException e) {
            cause.addSuppressed(e);
        }
    }

    private static Set<OrganizationId> owners(List<Command<?>> batch) {
        Set<OrganizationId> owners = new LinkedHashSet<>();
        for (Command<?> command : batch) owners.add(command.organization());
        return owners;
    }

    /** A sequence's number stands for a block of ids, so that ids seldom need a message of their own. */
    private void reserveIds(StatementCache connected, int most) throws SQLException {
        long left = lastId - nextId + 1 + (long) idBlocks.size() * ID_BLOCK;
        if (left >= most) return;
        PreparedStatement draw = connected.prepare("select nextval('till_id') from generate_series(1, ?)");
        draw.setInt(1, (int) ((most - left) / ID_BLOCK) + 1);
        try (ResultSet row = draw.executeQuery()) {
            while (row.next()) idBlocks.add(row.getLong(1));
        }
    }

    private long nextId() {
        if (nextId > lastId) {
            nextId = idBlocks.remove();
            lastId = nextId + ID_BLOCK - 1;
        }
        return nextId++;
    }

    static void pause(Duration duration) {
        try {
            Thread.sleep(duration);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
