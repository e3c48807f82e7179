package io.guimo.commerce.invoice;

import io.guimo.commerce.price.PriceVersion;
import io.guimo.units.Money;
import io.guimo.units.OrganizationId;
import io.guimo.units.TimeWindow;
import java.time.Instant;
import java.time.ZoneId;
import java.util.Currency;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What an organisation owes for a calendar month.
 *
 * @param number of a final invoice, without gaps in the order in which they became final; a draft has none
 * @param organizationName as it was when the invoice became final
 * @param period the month in {@code zone}
 * @param paidFromCredit the part of the total that the organisation's credit has paid already. Credit pays exact amounts as they arise; of an
 *     invoice that it has paid alone this is the whole total
 * @param writtenOff the part of the total that is not asked for: delivered while the wallet could not pay
 * @param prices the price versions that the lines name, as they were agreed
 * @param finalizedAt by the organisation's clock
 */
public record Invoice(
        InvoiceId id,
        Status status,
        Optional<String> number,
        Seller seller,
        OrganizationId organization,
        String organizationName,
        boolean sandbox,
        TimeWindow period,
        ZoneId zone,
        Currency currency,
        List<InvoiceLine> lines,
        Money paidFromCredit,
        Money writtenOff,
        List<PriceVersion> prices,
        Optional<Instant> finalizedAt) {
    /** Whether it can still change. */
    public enum Status {
        /** Drawn up from the usage so far. */
        DRAFT,
        /** Owed; never changes again. */
        FINAL
    }

    /** Who sends the invoice. */
    public record Seller(
            String name, List<String> address, @Nullable String taxId) {
        public Seller {
            address = List.copyOf(address);
        }
    }

    public Invoice {
        lines = List.copyOf(lines);
        prices = List.copyOf(prices);
        if ((status == Status.FINAL) != (number.isPresent() && finalizedAt.isPresent())) {
            throw new IllegalArgumentException(
                    "invoice " + id + ": a final one has a number and a time, a draft neither");
        }
    }

    /** Sum of the lines' rounded amounts: what the invoice is about. */
    public Money total() {
        return lines.stream().map(InvoiceLine::amount).reduce(Money.zero(currency), Money::plus);
    }

    /** Sum of the lines' exact amounts. */
    public Money exactTotal() {
        return lines.stream().map(InvoiceLine::exact).reduce(Money.zero(currency), Money::plus);
    }

    /** What rounding the lines added, negative where it took away. */
    public Money rounding() {
        return total().minus(exactTotal());
    }

    /** What is left to pay. */
    public Money due() {
        return total().minus(paidFromCredit).minus(writtenOff);
    }
}
