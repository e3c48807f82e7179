package io.guimo.commerce;

import io.guimo.commerce.Authorization.Granted;
import io.guimo.commerce.UsageRequest.Delivery;
import io.guimo.commerce.account.Caller;
import io.guimo.commerce.account.NewOrganization;
import io.guimo.commerce.account.Organizations;
import io.guimo.commerce.account.Role;
import io.guimo.commerce.command.ChangeFeed;
import io.guimo.commerce.command.CommandKey;
import io.guimo.commerce.ledger.GrantKind;
import io.guimo.commerce.ledger.Ledger;
import io.guimo.commerce.meter.UsageLog;
import io.guimo.commerce.price.NewPrice;
import io.guimo.commerce.price.PriceBook;
import io.guimo.commerce.price.Rate;
import io.guimo.commerce.price.Tier;
import io.guimo.commerce.price.TierRule;
import io.guimo.postgres.Database;
import io.guimo.units.Ids;
import io.guimo.units.KeyId;
import io.guimo.units.Meter;
import io.guimo.units.Money;
import io.guimo.units.OrganizationId;
import io.guimo.units.ProjectId;
import io.guimo.units.RequestId;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.Statement;
import java.time.InstantSource;
import java.time.ZoneId;
import java.util.Currency;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What the till needs around it, on a real database: organisations, prices, the ledger. */
final class TillFixture implements AutoCloseable {
    static final Currency CNY = Currency.getInstance("CNY");
    static final String PLAN = "payg";

    final Database database;
    final Organizations organizations;
    final PriceBook prices;
    final Ledger ledger;
    final UsageLog usage;
    private final ChangeFeed feed;

    TillFixture(Database database) {
        this.database = database;
        InstantSource world = InstantSource.system();
        feed = new ChangeFeed(database);
        organizations = new Organizations(database, feed, world);
        prices = new PriceBook(database, feed, organizations, world);
        ledger = new Ledger(database, organizations);
        usage = new UsageLog(database);
    }

    static TillFixture scratch(String name) {
        TillFixture fixture = new TillFixture(ScratchDatabase.open(name));
        fixture.prices.publishPlan(PLAN, Money.zero(CNY), command()).orThrow();
        return fixture;
    }

    Till open(String server) {
        return open(TillSettings.of(server));
    }

    Till open(TillSettings settings) {
        return Till.open(database, organizations, prices, InstantSource.system(), settings);
    }

    static Money yuan(String amount) {
        return Money.of(CNY, amount);
    }

    static TierRule flat(String each) {
        return new TierRule.Flat(Rate.each(yuan(each)));
    }

    /** {@code upTo} units at one rate, the rest at another. */
    static TierRule graduated(long upTo, String first, String rest) {
        return new TierRule.Graduated(
                List.of(Tier.upTo(upTo, Rate.each(yuan(first))), Tier.rest(Rate.each(yuan(rest)))));
    }

    void sell(String product, Meter meter, TierRule rule) {
        sell(product, Map.of(meter, rule));
    }

    void sell(String product, Map<Meter, TierRule> rules) {
        prices.publish(new NewPrice(PLAN, product, rules, Optional.empty()), command())
                .orThrow();
    }

    /** A sandbox organisation on the plan, with nothing in its wallet. */
    Caller customer() {
        OrganizationId id = organizations
                .create(new NewOrganization("customer", true, ZoneId.of("Asia/Shanghai"), CNY), command())
                .orThrow()
                .id();
        prices.subscribe(id, PLAN, command()).orThrow();
        return new Caller(KeyId.next(), id, ProjectId.next(), Role.CUSTOMER);
    }

    Caller customer(String paidIn) {
        Caller caller = customer();
        pay(caller, paidIn);
        return caller;
    }

    void pay(Caller caller, String amount) {
        ledger.grant(caller.organization(), yuan(amount), GrantKind.CASH, Optional.empty(), command())
                .orThrow();
    }

    Money available(Caller caller) {
        return ledger.balance(caller.organization()).available();
    }

    static UsageRequest request(Caller caller, String product, Meter meter, long atMost) {
        return new UsageRequest(RequestId.next(), caller, product, Map.of(meter, atMost), null, Delivery.BEFORE_SETTLE);
    }

    /** One whose answer waits for the settle, so that its money may be held in memory for a while. */
    static UsageRequest brief(Caller caller, String product, Meter meter, long atMost) {
        return new UsageRequest(RequestId.next(), caller, product, Map.of(meter, atMost), null, Delivery.AFTER_SETTLE);
    }

    static Reservation granted(Authorization authorization) {
        if (authorization instanceof Granted(Reservation reservation)) return reservation;
        throw new AssertionError("not granted: " + authorization);
    }

    static Refused.Code refusal(Authorization authorization) {
        if (authorization instanceof Refused refused) return refused.code();
        throw new AssertionError("not refused: " + authorization);
    }

    long count(String query, Object... parameters) {
        return database.transaction(connection -> {
            try (PreparedStatement select = connection.prepareStatement(query)) {
                for (int i = 0; i < parameters.length; i++) select.setObject(i + 1, parameters[i]);
                try (ResultSet row = select.executeQuery()) {
                    row.next();
                    return row.getLong(1);
                }
            }
        });
    }

    void execute(String sql) {
        database.perform(connection -> {
            try (Statement statement = connection.createStatement()) {
                statement.execute(sql);
            }
        });
    }

    static CommandKey command() {
        return new CommandKey("test", Ids.next("cmd"));
    }

    @Override
    public void close() {
        feed.close();
        database.close();
    }
}
