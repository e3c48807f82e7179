package io.guimo.commerce.ledger;

import io.guimo.commerce.meter.UsageEvent;
import io.guimo.commerce.meter.UsageLine;
import io.guimo.commerce.meter.UsageLog;
import io.guimo.commerce.price.Derivation;
import io.guimo.commerce.price.PriceBook;
import io.guimo.commerce.price.PriceVersion;
import io.guimo.commerce.price.Pricing;
import io.guimo.commerce.price.TierRule;
import io.guimo.postgres.Database;
import io.guimo.units.Money;
import io.guimo.units.OrganizationId;
import io.guimo.units.RequestId;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Currency;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** Receipts of requests. Nothing of a receipt is stored for its own sake: it is the event, its entry and the price that never changes. */
public final class Receipts {
    private final Database database;
    private final UsageLog usage;
    private final PriceBook prices;

    public Receipts(Database database, UsageLog usage, PriceBook prices) {
        this.database = database;
        this.usage = usage;
        this.prices = prices;
    }

    /** The receipt of a request of this organisation; empty also where the request is another organisation's. */
    public Optional<Receipt> find(OrganizationId organization, RequestId request) {
        return usage.find(organization, request).map(this::of);
    }

    public Receipt of(UsageEvent event) {
        PriceVersion price = prices.find(event.price())
                .orElseThrow(() -> new IllegalStateException(
                        "the price " + event.price() + " of event " + event.id() + " is gone"));
        List<Receipt.Line> lines = new ArrayList<>();
        for (UsageLine line : event.lines()) lines.add(new Receipt.Line(line, derive(price, line)));
        List<Posting> postings = database.transaction(connection -> postings(connection, event.id()));
        return new Receipt(
                event,
                price,
                lines,
                new Entry(
                        event.id(),
                        event.organization(),
                        "usage",
                        event.request().value(),
                        OptionalLong.empty(),
                        event.usedAt(),
                        postings));
    }

    /** Computes the receipt again, from the counts and the price version alone, and compares with what was charged and booked. */
    public Replay verify(Receipt receipt) {
        UsageEvent event = receipt.event();
        List<String> differences = new ArrayList<>();
        Money amount = Money.zero(event.amount().currency());
        for (UsageLine line : event.lines()) {
            Money again = derive(receipt.price(), line).amount();
            if (!again.equals(line.amount())) {
                differences.add(line.quantity() + " " + line.meter().wireName() + " after " + line.before() + " cost "
                        + again + ", but " + line.amount() + " was charged");
            }
            amount = amount.plus(again);
        }
        if (!amount.equals(event.amount())) {
            differences.add("the lines cost " + amount + " together, but " + event.amount() + " was charged");
        }
        Money zero = Money.zero(event.amount().currency());
        Money sum = zero;
        Money revenue = zero;
        Money writtenOff = zero;
        for (Posting posting : receipt.entry().postings()) {
            sum = sum.plus(posting.amount());
            if (posting.account() == Account.REVENUE) revenue = revenue.minus(posting.amount());
            if (posting.account() == Account.WRITE_OFF) writtenOff = writtenOff.plus(posting.amount());
        }
        if (sum.signum() != 0) differences.add("the postings sum to " + sum + ", not to zero");
        if (!revenue.equals(amount)) differences.add(revenue + " was booked as revenue instead of " + amount);
        if (!writtenOff.equals(event.writtenOff())) {
            differences.add(writtenOff + " was booked as written off instead of " + event.writtenOff());
        }
        return new Replay(amount, differences);
    }

    private static Derivation derive(PriceVersion price, UsageLine line) {
        TierRule rule = price.rules().get(line.meter());
        if (rule == null) {
            throw new IllegalStateException("the price " + price.id() + " has no rule for "
                    + line.meter().wireName());
        }
        return Pricing.charge(rule, line.before(), line.quantity());
    }

    private static List<Posting> postings(Connection connection, long entry) throws SQLException {
        try (PreparedStatement select = connection.prepareStatement(
                "select account::text, amount, currency from posting where entry_id = ? order by line")) {
            select.setLong(1, entry);
            List<Posting> postings = new ArrayList<>();
            try (ResultSet row = select.executeQuery()) {
                while (row.next()) {
                    postings.add(new Posting(
                            Account.ofWireName(row.getString(1)),
                            new Money(Currency.getInstance(row.getString(3)), row.getBigDecimal(2))));
                }
            }
            return postings;
        }
    }
}
