package io.guimo.serve;

import io.guimo.commerce.Commerce;
import io.guimo.commerce.invoice.InvoicePdf;
import io.guimo.economics.UnitEconomics;
import io.guimo.inference.ModelHost;
import io.guimo.postgres.Database;
import io.guimo.registry.PackageStore;
import io.guimo.registry.Registry;
import io.guimo.registry.TrustedKeys;
import java.time.InstantSource;
import java.util.List;
import java.util.function.Supplier;

/**
 * What stands behind the API. All of it is opened and closed by whoever starts the server.
 *
 * @param economics measured anew for each call; empty where the machine's price is not known
 * @param world the clock that real organisations follow
 */
public record Platform(
        Database database,
        Commerce commerce,
        InvoicePdf invoicePdf,
        ModelHost models,
        Registry registry,
        PackageStore packages,
        TrustedKeys trustedKeys,
        Supplier<List<UnitEconomics>> economics,
        InstantSource world) {}
