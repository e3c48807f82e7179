package io.guimo.commerce;

import static java.util.Objects.requireNonNull;

import io.guimo.commerce.invoice.InvoiceSettings;
import org.jspecify.annotations.Nullable;

/** @param invoices what stands on invoices; see {@link InvoiceSettings#defaults} */
public record CommerceSettings(TillSettings till, @Nullable InvoiceSettings invoices) {
    public CommerceSettings {
        if (invoices == null) invoices = InvoiceSettings.defaults();
    }

    /** @param server name of this server; see {@link TillSettings#server} */
    public static CommerceSettings of(String server) {
        return new CommerceSettings(TillSettings.of(server), null);
    }

    /** The defaults where none were given. */
    @Override
    public InvoiceSettings invoices() {
        return requireNonNull(invoices);
    }
}
