/**
 * The document: what an organisation owes for a calendar month.
 *
 * <p>Read {@link io.guimo.commerce.invoice.Invoices} first: it draws up drafts from usage and makes them final once the organisation's clock
 * has passed the month. {@link io.guimo.commerce.invoice.Invoice} is the document, {@link io.guimo.commerce.invoice.InvoicePdf} prints it.
 *
 * <p>Owns the tables {@code invoice}, {@code invoice_line} and {@code invoice_counter}. Invariants: a final invoice never changes and is read
 * back from the terms frozen in it; numbers have no gaps; every line is rounded once, half even, and the difference is posted to
 * {@code rounding}; usage that arrives after its month was invoiced is a line of the next invoice; for each month, product, meter and price
 * version the invoiced quantity and exact amount equal the sums of the usage events that were there when it became final.
 *
 * <p>Elsewhere: the events ({@code meter}), the accounts ({@code ledger}), what a unit costs ({@code price}).
 */
@NullMarked
package io.guimo.commerce.invoice;

import org.jspecify.annotations.NullMarked;
