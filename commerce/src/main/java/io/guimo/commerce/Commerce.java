package io.guimo.commerce;

import io.guimo.commerce.account.Keys;
import io.guimo.commerce.account.Organization;
import io.guimo.commerce.account.Organizations;
import io.guimo.commerce.command.ChangeFeed;
import io.guimo.commerce.command.CommandKey;
import io.guimo.commerce.command.Outcome;
import io.guimo.commerce.command.Outcome.Done;
import io.guimo.commerce.command.Outcome.Refused;
import io.guimo.commerce.invoice.Invoices;
import io.guimo.commerce.ledger.Ledger;
import io.guimo.commerce.ledger.Receipts;
import io.guimo.commerce.meter.UsageLog;
import io.guimo.commerce.price.PriceBook;
import io.guimo.postgres.Database;
import io.guimo.units.OrganizationId;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Everything that has to do with money, on one database. Several servers may share it. Thread-safe. */
public final class Commerce implements AutoCloseable {
    private static final Duration LAST_USE_EVERY = Duration.ofSeconds(30);
    private static final Duration BOOKS_EVERY = Duration.ofMinutes(10);
    private static final Logger LOG = LoggerFactory.getLogger(Commerce.class);

    private final ChangeFeed changes;
    private final Organizations organizations;
    private final Keys keys;
    private final PriceBook prices;
    private final Ledger ledger;
    private final UsageLog usage;
    private final Receipts receipts;
    private final Till till;
    private final Invoices invoices;
    private final ScheduledExecutorService upkeep;

    private Commerce(ChangeFeed changes, Database database, InstantSource world, CommerceSettings settings) {
        this.changes = changes;
        organizations = new Organizations(database, changes, world);
        keys = new Keys(database, changes, organizations, world);
        prices = new PriceBook(database, changes, organizations, world);
        ledger = new Ledger(database, organizations);
        usage = new UsageLog(database);
        receipts = new Receipts(database, usage, prices);
        invoices = new Invoices(database, organizations, prices, settings.invoices());
        till = Till.open(database, organizations, prices, world, settings.till());
        upkeep = Executors.newSingleThreadScheduledExecutor(
                Thread.ofPlatform().daemon().name("guimo-upkeep").factory());
    }

    /** Brings the tables up to date and opens all of it, by the world's clock. */
    public static Commerce open(Database database, CommerceSettings settings) {
        return open(database, InstantSource.system(), settings);
    }

    /**
     * @param world the clock that real organisations follow
     * @throws io.guimo.postgres.DatabaseException if the database cannot be reached
     */
    public static Commerce open(Database database, InstantSource world, CommerceSettings settings) {
        database.migrate("commerce", "io/guimo/commerce/migrations");
        ChangeFeed changes = new ChangeFeed(database);
        try {
            Commerce commerce = new Commerce(changes, database, world, settings);
            commerce.startUpkeep();
            return commerce;
        } catch (RuntimeException e) {
            changes.close();
            throw e;
        }
    }

    public Organizations organizations() {
        return organizations;
    }

    public Keys keys() {
        return keys;
    }

    public PriceBook prices() {
        return prices;
    }

    public Ledger ledger() {
        return ledger;
    }

    public UsageLog usage() {
        return usage;
    }

    public Receipts receipts() {
        return receipts;
    }

    public Till till() {
        return till;
    }

    public Invoices invoices() {
        return invoices;
    }

    /** Turns a sandbox organisation's clock and does what is due by then: grants expire, months become invoices. */
    public Outcome<Organization> turnClock(OrganizationId organization, Instant target, CommandKey key) {
        Outcome<Organization> turned = organizations.turnClock(organization, target, key);
        switch (turned) {
            case Done<Organization> _ -> {
                ledger.closeExpired();
                invoices.finalizeDue(organization);
            }
            case Refused<Organization> _ -> {}
        }
        return turned;
    }

    /** Finishes what was begun at the till and refuses what comes later. The database stays open. */
    @Override
    public void close() {
        upkeep.shutdown();
        till.close();
        carryOut("store when keys were last used", keys::recordUse);
        changes.close();
    }

    private void startUpkeep() {
        every(LAST_USE_EVERY, "store when keys were last used", keys::recordUse);
        every(BOOKS_EVERY, "close expired grants", ledger::closeExpired);
        every(BOOKS_EVERY, "make passed months final", invoices::finalizeAllDue);
    }

    @SuppressWarnings("FutureReturnValueIgnored") // carryOut reports every failure
    private void every(Duration pause, String what, Runnable work) {
        upkeep.scheduleWithFixedDelay(
                () -> carryOut(what, work), pause.toMillis(), pause.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** One failure must not end the upkeep: a timer never runs a task again that threw. The next round finds the same work. */
    private static void carryOut(String what, Runnable work) {
        try {
            work.run();
        } catch (RuntimeException e) {
            LOG.error("cannot {}; it is tried again", what, e);
        }
    }
}
