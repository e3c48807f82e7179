package io.guimo.commerce.invoice;

import io.guimo.units.Ids;

/** The technical name of an invoice; its number is the legal one. */
public record InvoiceId(String value) {
    public InvoiceId {
        if (!value.startsWith("inv_") || value.length() > 64) {
            throw new IllegalArgumentException("not an id of the form inv_…: " + value);
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
