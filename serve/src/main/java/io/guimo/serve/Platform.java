package io.guimo.serve;

import io.guimo.commerce.Till;
import io.guimo.commerce.account.Keys;
import io.guimo.commerce.account.Organizations;
import io.guimo.commerce.invoice.InvoicePdf;
import io.guimo.commerce.invoice.Invoices;
import io.guimo.commerce.ledger.Ledger;
import io.guimo.commerce.price.PriceBook;
import io.guimo.inference.ModelHost;
import io.guimo.postgres.Database;
import io.guimo.registry.PackageStore;
import io.guimo.registry.Registry;
import io.guimo.registry.TrustedKeys;
import java.time.InstantSource;

/**
 * What stands behind the API. All of it is opened and closed by whoever starts the server.
 *
 * @param world the clock that real organisations follow
 */
public record Platform(
        Database database,
        Organizations organizations,
        Keys keys,
        PriceBook prices,
        Till till,
        Ledger ledger,
        Invoices invoices,
        InvoicePdf invoicePdf,
        ModelHost models,
        Registry registry,
        PackageStore packages,
        TrustedKeys trustedKeys,
        InstantSource world) {}
