package io.guimo.commerce.invoice;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guimo.commerce.ScratchDatabase;
import io.guimo.commerce.account.NewOrganization;
import io.guimo.commerce.account.Organizations;
import io.guimo.commerce.command.ChangeFeed;
import io.guimo.commerce.command.CommandKey;
import io.guimo.commerce.invoice.Invoice.Status;
import io.guimo.commerce.invoice.InvoiceLine.Kind;
import io.guimo.commerce.ledger.Account;
import io.guimo.commerce.ledger.Ledger;
import io.guimo.commerce.price.NewPrice;
import io.guimo.commerce.price.PriceBook;
import io.guimo.commerce.price.PriceVersion;
import io.guimo.commerce.price.Pricing;
import io.guimo.commerce.price.Rate;
import io.guimo.commerce.price.Tier;
import io.guimo.commerce.price.TierRule;
import io.guimo.commerce.price.TierRule.Flat;
import io.guimo.commerce.price.TierRule.Graduated;
import io.guimo.commerce.price.TierRule.Volume;
import io.guimo.postgres.Database;
import io.guimo.units.Cursor;
import io.guimo.units.Ids;
import io.guimo.units.Meter;
import io.guimo.units.Money;
import io.guimo.units.OrganizationId;
import io.guimo.units.RequestId;
import io.guimo.units.TimeWindow;
import io.guimo.units.VirtualClock;
import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Currency;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class InvoicesTest {
    private static final Currency CNY = Currency.getInstance("CNY");
    private static final ZoneId SHANGHAI = ZoneId.of("Asia/Shanghai");
    private static final Instant NOVEMBER_20 = Instant.parse("2026-11-20T08:00:00Z");
    private static final Instant DECEMBER_1 = Instant.parse("2026-11-30T16:00:00Z");
    private static final TierRule IMAGES =
            new Graduated(List.of(Tier.upTo(100, Rate.each(cny("0.0021"))), Tier.rest(Rate.each(cny("0.001")))));

    private final VirtualClock world = new VirtualClock(InstantSource.fixed(NOVEMBER_20), Duration.ZERO);
    private Database database;
    private ChangeFeed feed;
    private Organizations organizations;
    private PriceBook book;
    private Ledger ledger;
    private Invoices invoices;

    @BeforeEach
    void open() {
        database = ScratchDatabase.open("invoices_test");
        feed = new ChangeFeed(database);
        organizations = new Organizations(database, feed, world);
        organizations.ensureOperator("规模云 Guimo Cloud", SHANGHAI, CNY);
        book = new PriceBook(database, feed, organizations, world);
        ledger = new Ledger(database, organizations);
        invoices = new Invoices(database, organizations, book, InvoiceSettings.defaults());
        book.publishPlan("payg", cny("0"), command()).orThrow();
        publish("labels", Meter.IMAGES, IMAGES);
        publish("search", Meter.INPUT_TOKENS, new Flat(new Rate(cny("0.50"), 1_000_000)));
    }

    @AfterEach
    void close() {
        feed.close();
        database.close();
    }

    @Test
    void finalizeDue_monthPassed_linesRoundedOnceAndDifferenceBooked() {
        OrganizationId organization = customer(true);
        onCreditLine(organization, "labels", Meter.IMAGES, 97);
        onCreditLine(organization, "labels", Meter.IMAGES, 8);
        onCreditLine(organization, "search", Meter.INPUT_TOKENS, 1_234_567);
        assertThat(invoices.finalizeDue(organization)).isEmpty();
        assertThat(invoices.draft(organization).status()).isEqualTo(Status.DRAFT);

        turn(organization, DECEMBER_1);
        Invoice invoice = invoices.finalizeDue(organization).getFirst();
        assertThat(invoice.number()).contains("TEST-INV-000001");
        assertThat(invoice.period()).isEqualTo(TimeWindow.monthOf(NOVEMBER_20, SHANGHAI));
        InvoiceLine images = invoice.lines().getFirst();
        assertThat(images.quantity()).isEqualTo(105);
        assertThat(images.exact()).isEqualTo(cny("0.215")); // 100 × .0021 + 5 × .001
        assertThat(images.amount()).isEqualTo(cny("0.22")); // half even: .215 is up to 2
        assertThat(images.walk()).extracting(s -> s.quantity()).containsExactly(100L, 5L);
        InvoiceLine tokens = invoice.lines().get(1);
        assertThat(tokens.exact()).isEqualTo(cny("0.6172835"));
        assertThat(tokens.amount()).isEqualTo(cny("0.62"));
        assertThat(invoice.total()).isEqualTo(cny("0.84"));
        assertThat(invoice.due()).isEqualTo(cny("0.84"));
        assertThat(invoice.rounding()).isEqualTo(cny("0.0077165"));
        assertBalances(
                organization,
                Map.of(
                        Account.RECEIVABLE, "0.84",
                        Account.UNBILLED, "0",
                        Account.ROUNDING, "-0.0077165",
                        Account.REVENUE, "-0.8322835",
                        Account.WRITE_OFF, "0"));
    }

    @Test
    void finalizeDue_again_changesNothingAndTheDocumentStays() {
        OrganizationId organization = customer(true);
        onCreditLine(organization, "labels", Meter.IMAGES, 50);
        turn(organization, DECEMBER_1);
        Invoice invoice = invoices.finalizeDue(organization).getFirst();
        assertThat(invoices.finalizeDue(organization)).isEmpty();
        // later prices and names do not reach it
        world.turnTo(DECEMBER_1.plusSeconds(10));
        publish("labels", Meter.IMAGES, new Flat(Rate.each(cny("9"))));
        assertThat(invoices.find(organization, invoice.id())).contains(invoice);
        assertThat(invoices.list(organization, Cursor.first(10)).items()).containsExactly(invoice);
        assertThat(invoice.prices()).hasSize(1);
        assertThat(InvoiceJson.read(InvoiceJson.write(invoice).toString())).isEqualTo(invoice);
    }

    @Test
    void finalizeDue_fromManyThreads_isOneInvoice() throws Exception {
        OrganizationId organization = customer(true);
        onCreditLine(organization, "labels", Meter.IMAGES, 50);
        turn(organization, DECEMBER_1);
        Callable<List<Invoice>> finalize = () -> invoices.finalizeDue(organization);
        List<Invoice> made = new ArrayList<>();
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (Future<List<Invoice>> future : threads.invokeAll(List.of(finalize, finalize, finalize, finalize))) {
                made.addAll(future.get());
            }
        }
        assertThat(made).hasSize(1);
        assertBalances(organization, Map.of(Account.RECEIVABLE, "0.1", Account.UNBILLED, "0"));
    }

    @Test
    void finalizeDue_usageThatCameLate_isALineOfTheNextInvoice() {
        OrganizationId organization = customer(true);
        onCreditLine(organization, "labels", Meter.IMAGES, 99);
        turn(organization, DECEMBER_1);
        Invoice november = invoices.finalizeDue(organization).getFirst();
        // authorised in November, settled when its invoice was final
        use(organization, "labels", Meter.IMAGES, 3, NOVEMBER_20, Payer.CREDIT_LINE);
        onCreditLine(organization, "labels", Meter.IMAGES, 10);
        assertThat(invoices.draft(organization).lines())
                .extracting(InvoiceLine::kind)
                .containsExactly(Kind.USAGE, Kind.ADJUSTMENT);
        assertThat(invoices.finalizeDue(organization)).isEmpty();

        turn(organization, Instant.parse("2026-12-31T16:00:00Z"));
        Invoice december = invoices.finalizeDue(organization).getFirst();
        InvoiceLine late = december.lines().get(1);
        assertThat(late.kind()).isEqualTo(Kind.ADJUSTMENT);
        assertThat(late.period()).isEqualTo(november.period());
        assertThat(late.quantity()).isEqualTo(3);
        assertThat(late.exact()).isEqualTo(cny("0.0041")); // the 100th at .0021, two at .001
        assertThat(december.number()).contains("TEST-INV-000002");
        assertThat(invoices.finalizeDue(organization)).isEmpty();
        assertThat(ledger.balance(organization, Account.UNBILLED)).isEqualTo(cny("0"));
    }

    @Test
    void finalizeDue_onlyLateUsage_isInvoicedWithTheNextMonth() {
        OrganizationId organization = customer(true);
        onCreditLine(organization, "labels", Meter.IMAGES, 1);
        turn(organization, DECEMBER_1);
        invoices.finalizeDue(organization);
        use(organization, "labels", Meter.IMAGES, 5, NOVEMBER_20, Payer.CREDIT_LINE);
        turn(organization, Instant.parse("2027-02-01T00:00:00Z"));
        Invoice next = invoices.finalizeDue(organization).getFirst();
        assertThat(next.period()).isEqualTo(TimeWindow.monthOf(Instant.parse("2027-01-10T00:00:00Z"), SHANGHAI));
        assertThat(next.lines()).extracting(InvoiceLine::kind).containsExactly(Kind.ADJUSTMENT);
    }

    @Test
    void finalizeDue_paidFromCredit_nothingIsDue() {
        OrganizationId organization = customer(true);
        use(organization, "labels", Meter.IMAGES, 105, NOVEMBER_20, Payer.CREDIT);
        turn(organization, DECEMBER_1);
        Invoice invoice = invoices.finalizeDue(organization).getFirst();
        assertThat(invoice.total()).isEqualTo(cny("0.22"));
        assertThat(invoice.paidFromCredit()).isEqualTo(cny("0.22"));
        assertThat(invoice.due()).isEqualTo(cny("0"));
        assertBalances(
                organization,
                Map.of(
                        Account.RECEIVABLE, "0",
                        Account.CUSTOMER_CREDIT, "0.215",
                        Account.ROUNDING, "-0.005",
                        Account.WRITE_OFF, "0.005"));
    }

    @Test
    void finalizeDue_partWrittenOff_isNotAskedFor() {
        OrganizationId organization = customer(true);
        onCreditLine(organization, "labels", Meter.IMAGES, 100);
        use(organization, "labels", Meter.IMAGES, 10, NOVEMBER_20, Payer.NOBODY);
        turn(organization, DECEMBER_1);
        Invoice invoice = invoices.finalizeDue(organization).getFirst();
        assertThat(invoice.total()).isEqualTo(cny("0.22"));
        assertThat(invoice.writtenOff()).isEqualTo(cny("0.01"));
        assertThat(invoice.due()).isEqualTo(cny("0.21"));
    }

    @Test
    void finalizeDue_priceChangedWithinTheMonth_oneLineForEachVersion() {
        OrganizationId organization = customer(true);
        onCreditLine(organization, "labels", Meter.IMAGES, 90);
        PriceVersion dearer = publish(
                "labels",
                Meter.IMAGES,
                new Volume(List.of(Tier.upTo(100, Rate.each(cny("0.01"))), Tier.rest(Rate.each(cny("0.005"))))));
        organizations
                .turnClock(organization, NOVEMBER_20.plusSeconds(60), command())
                .orThrow();
        onCreditLine(organization, "labels", Meter.IMAGES, 20);
        turn(organization, DECEMBER_1);
        Invoice invoice = invoices.finalizeDue(organization).getFirst();
        assertThat(invoice.lines()).extracting(InvoiceLine::quantity).containsExactlyInAnyOrder(90L, 20L);
        InvoiceLine second = invoice.lines().stream()
                .filter(l -> l.price().equals(Optional.of(dearer.id())))
                .findFirst()
                .orElseThrow();
        assertThat(second.exact()).isEqualTo(cny("-0.35")); // 110 × .005 − 90 × .01
        assertThat(invoice.prices()).hasSize(2);
    }

    @Test
    void finalizeDue_planWithFee_billsItEachMonthUsedOrNot() {
        book.publishPlan("pro", cny("299"), command()).orThrow();
        OrganizationId organization = customer(true);
        book.subscribe(organization, "pro", command()).orThrow();
        turn(organization, Instant.parse("2027-01-15T00:00:00Z"));
        List<Invoice> made = invoices.finalizeDue(organization);
        assertThat(made).hasSize(2);
        assertThat(made)
                .allSatisfy(
                        i -> assertThat(i.lines()).extracting(InvoiceLine::kind).containsExactly(Kind.FEE));
        assertBalances(organization, Map.of(Account.RECEIVABLE, "598", Account.REVENUE, "-598"));
        assertThat(invoices.finalizeDue(organization)).isEmpty();
    }

    @Test
    void numbers_whenOneIsRolledBack_haveNoGap() {
        OrganizationId first = customer(false);
        OrganizationId broken = customer(false);
        OrganizationId second = customer(false);
        for (OrganizationId organization : List.of(first, broken, second)) {
            onCreditLine(organization, "labels", Meter.IMAGES, 10);
        }
        // an event that was not charged what it costs: the books are not as they must be
        database.perform(c -> {
            try (var update =
                    c.prepareStatement("update usage_event set amounts = '{0.5}' where organization_id = ?")) {
                update.setString(1, broken.value());
                update.executeUpdate();
            }
        });
        world.turnTo(DECEMBER_1);
        assertThat(number(first)).isEqualTo("INV-000001");
        assertThatThrownBy(() -> invoices.finalizeDue(broken))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("nothing is invoiced until they agree");
        assertThat(number(second)).isEqualTo("INV-000002");
        OrganizationId sandbox = customer(true);
        onCreditLine(sandbox, "labels", Meter.IMAGES, 10);
        turn(sandbox, DECEMBER_1.plus(Duration.ofDays(31)));
        assertThat(number(sandbox)).isEqualTo("TEST-INV-000001");
        assertThat(invoices.listAll(Cursor.first(10)).items()).hasSize(3);
    }

    @Test
    void finalizeAllDue_oneOrganizationsBooksAreWrong_othersAreInvoiced() {
        OrganizationId right = customer(false);
        OrganizationId wrong = customer(false);
        OrganizationId idle = customer(false);
        onCreditLine(right, "labels", Meter.IMAGES, 10);
        onCreditLine(wrong, "labels", Meter.IMAGES, 10);
        database.perform(c -> {
            try (var update =
                    c.prepareStatement("update usage_event set amounts = '{0.5}' where organization_id = ?")) {
                update.setString(1, wrong.value());
                update.executeUpdate();
            }
        });
        book.publishPlan("pro", cny("299"), command()).orThrow();
        OrganizationId subscriber = customer(false);
        book.subscribe(subscriber, "pro", command()).orThrow();
        assertThat(invoices.finalizeAllDue()).isEmpty();
        world.turnTo(DECEMBER_1.plusSeconds(1));
        assertThat(invoices.finalizeAllDue())
                .extracting(Invoice::organization)
                .containsExactlyInAnyOrder(right, subscriber)
                .doesNotContain(idle);
        assertThat(invoices.finalizeAllDue()).isEmpty();
    }

    @Test
    void find_invoiceOfAnotherOrganization_isNotThere() {
        OrganizationId organization = customer(true);
        OrganizationId other = customer(true);
        onCreditLine(organization, "labels", Meter.IMAGES, 10);
        turn(organization, DECEMBER_1);
        Invoice invoice = invoices.finalizeDue(organization).getFirst();
        assertThat(invoices.find(other, invoice.id())).isEmpty();
        assertThat(invoices.list(other, Cursor.first(10)).items()).isEmpty();
        Invoice draft = invoices.draft(organization);
        assertThat(invoices.find(organization, draft.id())).contains(draft);
        assertThat(invoices.find(organization, new InvoiceId("inv_draft_1999-01")))
                .isEmpty();
        assertThat(invoices.find(organization, new InvoiceId("inv_draft_x"))).isEmpty();
    }

    @Test
    void finalizeDue_randomUsageOverMonths_invoicesExactlyWhatWasUsed() {
        long seed = 20_261_122;
        SplittableRandom random = new SplittableRandom(seed);
        OrganizationId organization = customer(true);
        Instant now = NOVEMBER_20;
        List<Instant> periods = new ArrayList<>(List.of(now));
        for (int round = 0; round < 12; round++) {
            for (int i = random.nextInt(6); i > 0; i--) {
                boolean images = random.nextBoolean();
                Instant at = random.nextInt(4) == 0 ? periods.get(random.nextInt(periods.size())) : now;
                Payer payer = Payer.values()[random.nextInt(Payer.values().length)];
                use(
                        organization,
                        images ? "labels" : "search",
                        images ? Meter.IMAGES : Meter.INPUT_TOKENS,
                        random.nextInt(1, 400),
                        at,
                        payer);
            }
            if (random.nextBoolean()) {
                now = now.plus(Duration.ofDays(random.nextLong(1, 40)));
                turn(organization, now);
                periods.add(now);
                invoices.finalizeDue(organization);
            }
        }
        turn(organization, now.plus(Duration.ofDays(62)));
        invoices.finalizeDue(organization);
        List<Invoice> all = invoices.list(organization, Cursor.first(100)).items();
        Map<String, BigDecimal> used =
                sums("select product, sum(quantity), sum(amount) from usage_line group by product");
        for (String product : List.of("labels", "search")) {
            Money exact = all.stream()
                    .flatMap(i -> i.lines().stream())
                    .filter(l -> l.product().equals(product))
                    .map(InvoiceLine::exact)
                    .reduce(cny("0"), Money::plus);
            assertThat(exact)
                    .as("seed %d, %s", seed, product)
                    .isEqualTo(new Money(CNY, requireNonNull(used.get(product))));
        }
        assertThat(ledger.balance(organization, Account.UNBILLED)).isEqualTo(cny("0"));
        Money due = all.stream().map(Invoice::due).reduce(cny("0"), Money::plus);
        assertThat(ledger.balance(organization, Account.RECEIVABLE)).isEqualTo(due);
        Money rounding = all.stream().map(Invoice::rounding).reduce(cny("0"), Money::plus);
        assertThat(ledger.balance(organization, Account.ROUNDING)).isEqualTo(rounding.negate());
        assertThat(sums("select currency::text, 0, sum(amount) from posting group by currency")
                        .values())
                .allSatisfy(sum -> assertThat(sum).isEqualByComparingTo("0"));
    }

    private enum Payer {
        CREDIT_LINE("unbilled"),
        CREDIT("customer_credit"),
        NOBODY("write_off");

        private final String account;

        Payer(String account) {
            this.account = account;
        }
    }

    private void onCreditLine(OrganizationId organization, String product, Meter meter, long quantity) {
        use(organization, product, meter, quantity, organizations.now(organization), Payer.CREDIT_LINE);
    }

    /** Writes what the till writes when it settles one request of one meter. */
    private void use(
            OrganizationId organization, String product, Meter meter, long quantity, Instant usedAt, Payer payer) {
        PriceVersion price = book.find(organization, product, usedAt).orElseThrow();
        TimeWindow month = TimeWindow.monthOf(usedAt, SHANGHAI);
        database.perform(c -> {
            long wallet = Ledger.lockWallet(c, organization);
            long before = count(c, wallet, product, meter, month, quantity);
            BigDecimal amount = Pricing.charge(requireNonNull(price.rules().get(meter)), before, quantity)
                    .amount()
                    .amount();
            long id = one(c, "select nextval('till_id')");
            try (PreparedStatement insert = c.prepareStatement(
                    "insert into usage_event (id, organization_id, project_id,"
                            + " key_id, request_id, product, price_version, period_start, used_at, recorded_at, currency, amount,"
                            + " written_off, broken_off, meters, befores, quantities, amounts) values (?, ?, 'proj_1', 'key_1', ?, ?, ?, ?,"
                            + " ?, ?, 'CNY', ?, 0, false, array[?], array[?::bigint], array[?::bigint], array[?::numeric])")) {
                insert.setLong(1, id);
                insert.setString(2, organization.value());
                insert.setString(3, RequestId.next().value());
                insert.setString(4, product);
                insert.setString(5, price.id().value());
                insert.setObject(6, month.start().atOffset(ZoneOffset.UTC));
                insert.setObject(7, usedAt.atOffset(ZoneOffset.UTC));
                insert.setObject(8, world.instant().atOffset(ZoneOffset.UTC));
                insert.setBigDecimal(9, amount);
                insert.setString(10, meter.wireName());
                insert.setLong(11, before);
                insert.setLong(12, quantity);
                insert.setBigDecimal(13, amount);
                insert.executeUpdate();
            }
            try (PreparedStatement insert = c.prepareStatement("insert into posting (entry_id, line, organization_id,"
                    + " account, amount, currency, booked_at) values (?, ?, ?, ?::ledger_account, ?, 'CNY', ?)")) {
                for (int line = 1; line <= 2; line++) {
                    insert.setLong(1, id);
                    insert.setInt(2, line);
                    insert.setString(3, organization.value());
                    insert.setString(4, line == 1 ? payer.account : "revenue");
                    insert.setBigDecimal(5, line == 1 ? amount : amount.negate());
                    insert.setObject(6, usedAt.atOffset(ZoneOffset.UTC));
                    insert.addBatch();
                }
                insert.executeBatch();
            }
        });
    }

    private static long count(Connection c, long wallet, String product, Meter meter, TimeWindow month, long quantity)
            throws SQLException {
        try (PreparedStatement upsert = c.prepareStatement("insert into usage_counter (id, wallet_id, product, meter,"
                + " period_start, used, open_prices, open_quantities) values (nextval('till_id'), ?, ?, ?, ?, ?, '{}', '{}')"
                + " on conflict (wallet_id, product, meter, period_start) do update"
                + " set used = usage_counter.used + excluded.used returning used")) {
            upsert.setLong(1, wallet);
            upsert.setString(2, product);
            upsert.setString(3, meter.wireName());
            upsert.setObject(4, month.start().atOffset(ZoneOffset.UTC));
            upsert.setLong(5, quantity);
            try (ResultSet row = upsert.executeQuery()) {
                row.next();
                return row.getLong(1) - quantity;
            }
        }
    }

    private static long one(Connection c, String query) throws SQLException {
        try (PreparedStatement select = c.prepareStatement(query);
                ResultSet row = select.executeQuery()) {
            row.next();
            return row.getLong(1);
        }
    }

    private Map<String, BigDecimal> sums(String query) {
        return database.transaction(c -> {
            Map<String, BigDecimal> sums = new TreeMap<>();
            try (PreparedStatement select = c.prepareStatement(query);
                    ResultSet row = select.executeQuery()) {
                while (row.next()) sums.put(row.getString(1), row.getBigDecimal(3));
            }
            return sums;
        });
    }

    private OrganizationId customer(boolean sandbox) {
        OrganizationId id = organizations
                .create(new NewOrganization("Qinghe", sandbox, SHANGHAI, CNY), command())
                .orThrow()
                .id();
        book.subscribe(id, "payg", command()).orThrow();
        return id;
    }

    private PriceVersion publish(String product, Meter meter, TierRule rule) {
        return book.publish(new NewPrice("payg", product, Map.of(meter, rule), Optional.empty()), command())
                .orThrow();
    }

    private void turn(OrganizationId organization, Instant target) {
        organizations.turnClock(organization, target, command()).orThrow();
    }

    private String number(OrganizationId organization) {
        return invoices.finalizeDue(organization).getFirst().number().orElseThrow();
    }

    private void assertBalances(OrganizationId organization, Map<Account, String> expected) {
        expected.forEach((account, amount) -> assertThat(ledger.balance(organization, account))
                .as(account.name())
                .isEqualTo(cny(amount)));
    }

    private static CommandKey command() {
        return new CommandKey("test", Ids.next("cmd"));
    }

    private static Money cny(String amount) {
        return Money.of(CNY, amount);
    }
}
