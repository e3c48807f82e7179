package io.guimo.commerce.invoice;

import io.guimo.units.Ids;
import java.time.YearMonth;
import java.time.format.DateTimeParseException;
import java.util.Optional;

/** The technical name of an invoice; its number is the legal one. */
public record InvoiceId(String value) {
    private static final String DRAFT = "inv_draft_";

    public InvoiceId {
        if (!value.startsWith("inv_") || value.length() > 64) {
            throw new IllegalArgumentException("not an id of the form inv_…: " + value);
        }
    }

    /** The name of an organisation's draft for a month; the final invoice gets another one. */
    public static InvoiceId draft(YearMonth month) {
        return new InvoiceId(DRAFT + month);
    }

    /** The month of a draft's name; empty if it is no draft's. */
    public Optional<YearMonth> draftMonth() {
        if (!value.startsWith(DRAFT)) return Optional.empty();
        try {
            return Optional.of(YearMonth.parse(value.substring(DRAFT.length())));
        } catch (DateTimeParseException e) {
            return Optional.empty();
        }
    }

    public static InvoiceId next() {
        return new InvoiceId(Ids.next("inv"));
    }

    @Override
    public String toString() {
        return value;
    }
}
