package io.guimo.commerce.invoice;

import io.guimo.commerce.account.Organization;
import io.guimo.commerce.account.Organizations;
import io.guimo.commerce.invoice.Invoice.Seller;
import io.guimo.commerce.invoice.Invoice.Status;
import io.guimo.commerce.invoice.InvoiceLine.Kind;
import io.guimo.commerce.ledger.Account;
import io.guimo.commerce.ledger.Ledger;
import io.guimo.commerce.ledger.NewEntry;
import io.guimo.commerce.ledger.Posting;
import io.guimo.commerce.price.Plan;
import io.guimo.commerce.price.PriceBook;
import io.guimo.commerce.price.PriceVersion;
import io.guimo.commerce.price.Subscription;
import io.guimo.postgres.Database;
import io.guimo.units.Cursor;
import io.guimo.units.Meter;
import io.guimo.units.Money;
import io.guimo.units.OrganizationId;
import io.guimo.units.Page;
import io.guimo.units.TimeWindow;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Types;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.YearMonth;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Draws up what organisations owe and makes it final when their month has passed.
 *
 * <p>A fee is that of the plan which the organisation is on when the month ends, without parts of months. Thread-safe.
 */
public final class Invoices {
    private static final int MOST_MONTHS = 1200;
    private static final Logger LOG = LoggerFactory.getLogger(Invoices.class);

    private final Database database;
    private final Organizations organizations;
    private final PriceBook prices;
    private final InvoiceSettings settings;

    public Invoices(Database database, Organizations organizations, PriceBook prices, InvoiceSettings settings) {
        this.database = database;
        this.organizations = organizations;
        this.prices = prices;
        this.settings = settings;
    }

    /** The usage so far of the month that the organisation's clock shows, with what came late for earlier ones. */
    public Invoice draft(OrganizationId organization) {
        Organization owner = organizations.get(organization);
        return draft(owner, TimeWindow.monthOf(organizations.now(organization), owner.zone()));
    }

    /**
     * Makes every month final that the organisation's clock has passed and that has something to invoice; months that are final already
     * stay as they are, so that this can be called at any time and by several servers.
     *
     * @return the invoices that became final now, the oldest first
     */
    public List<Invoice> finalizeDue(OrganizationId organization) {
        Organization owner = organizations.get(organization);
        List<Invoice> made = new ArrayList<>();
        for (TimeWindow month : dueMonths(owner)) {
            database.<Optional<Invoice>>transaction(connection -> finalizeMonth(connection, owner, month))
                    .ifPresent(made::add);
        }
        return made;
    }

    /**
     * {@link #finalizeDue(OrganizationId)} for every organisation that may have something due. One whose books are not right is reported and
     * keeps no other waiting.
     */
    public List<Invoice> finalizeAllDue() {
        List<Invoice> made = new ArrayList<>();
        for (OrganizationId organization : candidates()) {
            try {
                made.addAll(finalizeDue(organization));
            } catch (IllegalStateException disagreement) {
                // the message names amounts, which no log may hold
                LOG.error(
                        "the month of {} cannot be invoiced: its usage, prices and entries do not agree; its draft tells where",
                        organization);
            }
        }
        return made;
    }

    /** Organisations with usage that was not invoiced in a month that began long enough ago to have passed, or on a plan with a fee. */
    private Set<OrganizationId> candidates() {
        Set<OrganizationId> found = database.transaction(connection -> {
            try (PreparedStatement select = connection.prepareStatement("""
                    select distinct w.organization_id
                    from usage_counter c
                    join wallet w on w.id = c.wallet_id
                    join organization o on o.id = w.organization_id
                    where c.period_start <= ?::timestamptz + (o.clock_ahead_nanos / 1000) * interval '1 microsecond' - interval '27 days'
                        and c.used > coalesce((
                            select sum(l.quantity) from invoice_line l
                            where l.organization_id = w.organization_id and l.period_start = c.period_start
                                and l.product = c.product and l.meter = c.meter), 0)
                    """)) {
                select.setObject(1, organizations.worldNow().atOffset(ZoneOffset.UTC));
                Set<OrganizationId> organizations = new LinkedHashSet<>();
                try (ResultSet row = select.executeQuery()) {
                    while (row.next()) organizations.add(new OrganizationId(row.getString(1)));
                }
                return organizations;
            }
        });
        found.addAll(prices.subscribersOfPlansWithFee());
        return found;
    }

    /** An invoice of the organisation, final or a draft by its {@link InvoiceId#draft name}. */
    public Optional<Invoice> find(OrganizationId organization, InvoiceId id) {
        Optional<Organization> owner = organizations.find(organization);
        if (owner.isEmpty()) return Optional.empty();
        Optional<YearMonth> draft = id.draftMonth();
        if (draft.isPresent()) {
            // only the current month has a draft, so that a name somebody made up draws up nothing
            return Optional.of(draft(organization)).filter(i -> i.id().equals(id));
        }
        return database.transaction(connection -> {
            try (PreparedStatement select =
                    connection.prepareStatement("select document from invoice where organization_id = ? and id = ?")) {
                select.setString(1, organization.value());
                select.setString(2, id.value());
                return documents(select).stream().findFirst();
            }
        });
    }

    /** A final invoice of any organisation, for the operator. */
    public Optional<Invoice> findAny(InvoiceId id) {
        return database.transaction(connection -> {
            try (PreparedStatement select = connection.prepareStatement("select document from invoice where id = ?")) {
                select.setString(1, id.value());
                return documents(select).stream().findFirst();
            }
        });
    }

    /** The organisation's final invoices in the order in which they became final. */
    public Page<Invoice> list(OrganizationId organization, Cursor cursor) {
        List<Invoice> found = database.transaction(connection -> {
            try (PreparedStatement select = connection.prepareStatement(
                    "select document from invoice where organization_id = ? and id > ? order by id limit ?")) {
                select.setString(1, organization.value());
                select.setString(2, cursor.after().orElse(""));
                select.setInt(3, cursor.limit() + 1);
                return documents(select);
            }
        });
        return Page.of(found, cursor, i -> i.id().value());
    }

    /** All organisations' final invoices, for the operator, in the order in which they became final. */
    public Page<Invoice> listAll(Cursor cursor) {
        List<Invoice> found = database.transaction(connection -> {
            try (PreparedStatement select =
                    connection.prepareStatement("select document from invoice where id > ? order by id limit ?")) {
                select.setString(1, cursor.after().orElse(""));
                select.setInt(2, cursor.limit() + 1);
                return documents(select);
            }
        });
        return Page.of(found, cursor, i -> i.id().value());
    }

    private Invoice draft(Organization owner, TimeWindow month) {
        return database.transaction(connection -> {
            oneSnapshot(connection);
            Set<Instant> late = new TreeSet<>(monthsWithOpenUsage(connection, owner.id(), month.start()));
            late.retainAll(finalMonths(connection, owner.id()));
            return drawUp(connection, owner, month, late).invoice();
        });
    }

    /** Months that have passed, are not final and have something to invoice, the oldest first. */
    private List<TimeWindow> dueMonths(Organization owner) {
        Instant now = organizations.now(owner.id());
        TimeWindow current = TimeWindow.monthOf(now, owner.zone());
        return database.transaction(connection -> {
            oneSnapshot(connection);
            Set<Instant> finalized = finalMonths(connection, owner.id());
            Set<Instant> due = new TreeSet<>(monthsWithOpenUsage(connection, owner.id(), current.start()));
            boolean late = due.stream().anyMatch(finalized::contains);
            // what came late for a final month goes onto the invoice of the last month that has passed
            if (late) due.add(previous(owner, current).start());
            due.addAll(monthsWithFee(owner, current));
            due.removeAll(finalized);
            return due.stream()
                    .map(start -> TimeWindow.monthOf(start, owner.zone()))
                    .toList();
        });
    }

    private Set<Instant> monthsWithFee(Organization owner, TimeWindow current) {
        Set<Instant> months = new TreeSet<>();
        List<Subscription> subscriptions = prices.subscriptions(owner.id());
        if (subscriptions.isEmpty()) return months;
        TimeWindow month = TimeWindow.monthOf(subscriptions.getFirst().startsAt(), owner.zone());
        for (int i = 0; i < MOST_MONTHS && month.start().isBefore(current.start()); i++) {
            if (plan(owner, month).filter(p -> p.fee().signum() > 0).isPresent()) months.add(month.start());
            month = TimeWindow.monthOf(month.end(), owner.zone());
        }
        return months;
    }

    private Optional<Invoice> finalizeMonth(Connection connection, Organization owner, TimeWindow month)
            throws SQLException {
        // A lock taken before the snapshot: whoever waited for it sees what the one before has done.
        try (Statement lock = connection.createStatement()) {
            lock.execute("set transaction isolation level repeatable read");
            lock.execute("lock table invoice_counter in exclusive mode");
        }
        Instant now = organizations.now(owner.id());
        if (now.isBefore(month.end())) {
            throw new IllegalStateException("the clock of " + owner.id() + " shows " + now + "; the month to "
                    + month.end() + " has not passed");
        }
        Set<Instant> finalized = finalMonths(connection, owner.id());
        if (finalized.contains(month.start())) return Optional.empty();
        Set<Instant> late = new TreeSet<>(monthsWithOpenUsage(connection, owner.id(), month.start()));
        late.retainAll(finalized);
        DrawnUp drawn = drawUp(connection, owner, month, late);
        if (drawn.invoice().lines().isEmpty()) return Optional.empty();
        String series = owner.sandbox() ? "sandbox" : "real";
        long sequence = nextNumber(connection, series);
        String number = (owner.sandbox() ? "TEST-" : "") + settings.numberPrefix() + "%06d".formatted(sequence);
        Invoice invoice = finalized(drawn.invoice(), number, now);
        store(connection, invoice, series, sequence);
        Optional<NewEntry> entry = entry(invoice, drawn);
        if (entry.isPresent()) Ledger.book(connection, entry.get());
        return Optional.of(invoice);
    }

    /** A draft and the parts of it that were booked before. */
    private record DrawnUp(Invoice invoice, Money unbilled, Money fee) {}

    private DrawnUp drawUp(Connection connection, Organization owner, TimeWindow month, Set<Instant> late)
            throws SQLException {
        Set<Instant> months = new TreeSet<>(late);
        months.add(month.start());
        OpenUsage usage = OpenUsage.read(connection, owner.id(), months, owner.currency(), prices);
        List<InvoiceLine> lines = new ArrayList<>();
        Optional<Plan> plan = plan(owner, month).filter(p -> p.fee().signum() > 0);
        plan.ifPresent(p -> lines.add(feeLine(p, month)));
        for (OpenUsage.Part part : usage.parts()) {
            if (part.periodStart().equals(month.start()))
                lines.add(usageLine(lines.size() + 1, Kind.USAGE, part, owner));
        }
        for (OpenUsage.Part part : usage.parts()) {
            if (!part.periodStart().equals(month.start())) {
                lines.add(usageLine(lines.size() + 1, Kind.ADJUSTMENT, part, owner));
            }
        }
        Money fee = plan.map(Plan::fee).orElse(Money.zero(owner.currency()));
        Money total = lines.stream().map(InvoiceLine::amount).reduce(Money.zero(owner.currency()), Money::plus);
        // Credit has paid exact amounts: where it has paid all of it, rounding must not leave a remainder to pay.
        boolean nothingOpen = usage.unbilled().signum() == 0 && fee.signum() == 0;
        Money due = nothingOpen
                ? Money.zero(owner.currency())
                : total.minus(usage.fromCredit()).minus(usage.writtenOff()).roundToMinorUnit();
        List<PriceVersion> agreed = usage.parts().stream()
                .map(OpenUsage.Part::price)
                .distinct()
                .map(prices::get)
                .toList();
        Invoice invoice = new Invoice(
                InvoiceId.draft(YearMonth.from(month.start().atZone(owner.zone()))),
                Status.DRAFT,
                Optional.empty(),
                seller(),
                owner.id(),
                owner.name(),
                owner.sandbox(),
                month,
                owner.zone(),
                owner.currency(),
                lines,
                total.minus(due).minus(usage.writtenOff()),
                usage.writtenOff(),
                agreed,
                Optional.empty());
        return new DrawnUp(invoice, usage.unbilled(), fee);
    }

    /**
     * What the invoice books: what was unbilled, with the fee and what rounding the lines added, becomes receivable. Where credit has paid
     * exact amounts, what rounding added cannot be asked for and is written off.
     */
    private static Optional<NewEntry> entry(Invoice invoice, DrawnUp drawn) {
        Money rest = drawn.unbilled().plus(drawn.fee()).plus(invoice.rounding()).minus(invoice.due());
        List<Posting> postings = new ArrayList<>();
        add(postings, Account.RECEIVABLE, invoice.due());
        add(postings, Account.UNBILLED, drawn.unbilled().negate());
        add(postings, Account.REVENUE, drawn.fee().negate());
        add(postings, Account.ROUNDING, invoice.rounding().negate());
        add(postings, Account.WRITE_OFF, rest);
        if (postings.isEmpty()) return Optional.empty();
        return Optional.of(new NewEntry(
                invoice.organization(),
                "invoice",
                invoice.number().orElseThrow(),
                OptionalLong.empty(),
                invoice.finalizedAt().orElseThrow(),
                postings));
    }

    private static void add(List<Posting> postings, Account account, Money amount) {
        if (amount.signum() != 0) postings.add(new Posting(account, amount));
    }

    private static Invoice finalized(Invoice draft, String number, Instant now) {
        return new Invoice(
                InvoiceId.next(),
                Status.FINAL,
                Optional.of(number),
                draft.seller(),
                draft.organization(),
                draft.organizationName(),
                draft.sandbox(),
                draft.period(),
                draft.zone(),
                draft.currency(),
                draft.lines(),
                draft.paidFromCredit(),
                draft.writtenOff(),
                draft.prices(),
                Optional.of(now));
    }

    private static InvoiceLine feeLine(Plan plan, TimeWindow month) {
        return new InvoiceLine(
                1,
                Kind.FEE,
                plan.name(),
                Optional.empty(),
                Optional.empty(),
                month,
                1,
                plan.fee(),
                plan.fee().roundToMinorUnit(),
                List.of());
    }

    private static InvoiceLine usageLine(int position, Kind kind, OpenUsage.Part part, Organization owner) {
        return new InvoiceLine(
                position,
                kind,
                part.product(),
                Optional.of(part.meter()),
                Optional.of(part.price()),
                TimeWindow.monthOf(part.periodStart(), owner.zone()),
                part.quantity(),
                part.exact(),
                part.exact().roundToMinorUnit(),
                part.walk());
    }

    private Seller seller() {
        String name = settings.seller();
        if (name == null)
            name = organizations.operator().map(Organization::name).orElse("Guimo");
        return new Seller(name, settings.address(), settings.taxId());
    }

    /** The plan that the organisation is on when the month ends. */
    private Optional<Plan> plan(Organization owner, TimeWindow month) {
        Instant last = month.end().minusNanos(1_000);
        return prices.planOf(owner.id(), last).flatMap(name -> prices.plan(name, last));
    }

    private static TimeWindow previous(Organization owner, TimeWindow month) {
        return TimeWindow.monthOf(month.start().minusNanos(1_000), owner.zone());
    }

    private static void oneSnapshot(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute("set transaction isolation level repeatable read, read only");
        }
    }

    private static Set<Instant> monthsWithOpenUsage(Connection connection, OrganizationId organization, Instant before)
            throws SQLException {
        try (PreparedStatement select = connection.prepareStatement("""
                select distinct c.period_start
                from usage_counter c join wallet w on w.id = c.wallet_id
                where w.organization_id = ? and c.period_start < ? and c.used > coalesce((
                    select sum(l.quantity) from invoice_line l
                    where l.organization_id = w.organization_id and l.period_start = c.period_start
                        and l.product = c.product and l.meter = c.meter), 0)
                """)) {
            select.setString(1, organization.value());
            select.setObject(2, before.atOffset(ZoneOffset.UTC));
            return instants(select);
        }
    }

    private static Set<Instant> finalMonths(Connection connection, OrganizationId organization) throws SQLException {
        try (PreparedStatement select =
                connection.prepareStatement("select period_start from invoice where organization_id = ?")) {
            select.setString(1, organization.value());
            return instants(select);
        }
    }

    private static Set<Instant> instants(PreparedStatement select) throws SQLException {
        Set<Instant> found = new TreeSet<>();
        try (ResultSet row = select.executeQuery()) {
            while (row.next()) found.add(row.getObject(1, OffsetDateTime.class).toInstant());
        }
        return found;
    }

    private static long nextNumber(Connection connection, String series) throws SQLException {
        try (PreparedStatement update = connection.prepareStatement(
                "update invoice_counter set last = last + 1 where series = ? returning last")) {
            update.setString(1, series);
            try (ResultSet row = update.executeQuery()) {
                row.next();
                return row.getLong(1);
            }
        }
    }

    private static void store(Connection connection, Invoice invoice, String series, long sequence)
            throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement("insert into invoice (id, organization_id,"
                + " period_start, series, sequence, number, finalized_at, document) values (?, ?, ?, ?, ?, ?, ?, ?)")) {
            insert.setString(1, invoice.id().value());
            insert.setString(2, invoice.organization().value());
            insert.setObject(3, invoice.period().start().atOffset(ZoneOffset.UTC));
            insert.setString(4, series);
            insert.setLong(5, sequence);
            insert.setString(6, invoice.number().orElseThrow());
            insert.setObject(7, invoice.finalizedAt().orElseThrow().atOffset(ZoneOffset.UTC));
            insert.setString(8, InvoiceJson.write(invoice).toString());
            insert.executeUpdate();
        }
        try (PreparedStatement insert = connection.prepareStatement("insert into invoice_line (invoice_id, position,"
                + " organization_id, kind, period_start, product, meter, price_version, quantity, exact, amount)"
                + " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")) {
            for (InvoiceLine line : invoice.lines()) {
                insert.setString(1, invoice.id().value());
                insert.setInt(2, line.position());
                insert.setString(3, invoice.organization().value());
                insert.setString(4, line.kind().name());
                insert.setObject(5, line.period().start().atOffset(ZoneOffset.UTC));
                insert.setString(6, line.product());
                insert.setObject(7, line.meter().map(Meter::wireName).orElse(null), Types.VARCHAR);
                insert.setObject(8, line.price().map(p -> p.value()).orElse(null), Types.VARCHAR);
                insert.setLong(9, line.quantity());
                insert.setBigDecimal(10, line.exact().amount());
                insert.setBigDecimal(11, line.amount().amount());
                insert.addBatch();
            }
            insert.executeBatch();
        }
    }

    private static List<Invoice> documents(PreparedStatement select) throws SQLException {
        List<Invoice> found = new ArrayList<>();
        try (ResultSet row = select.executeQuery()) {
            while (row.next()) found.add(InvoiceJson.read(row.getString("document")));
        }
        return found;
    }
}
