package io.guimo.serve.admin;

import io.guimo.commerce.Commerce;
import io.guimo.serve.Platform;
import io.guimo.serve.http.Route;
import java.util.List;
import java.util.stream.Stream;

/** All routes of the owner's API, and those by which a customer sees its own business. */
public final class AdminRoutes {
    private AdminRoutes() {}

    public static List<Route> of(Platform platform) {
        Commerce commerce = platform.commerce();
        Once once = new Once(platform.database());
        return Stream.of(
                        new OrganizationRoutes(commerce).routes(),
                        new PlanRoutes(commerce.prices(), platform.world()).routes(),
                        new CreditRoutes(commerce.organizations(), commerce.ledger()).routes(),
                        new UsageRoutes(commerce.usage(), commerce.receipts(), commerce.organizations()).routes(),
                        new InvoiceRoutes(commerce.invoices(), platform.invoicePdf(), commerce.organizations(), once)
                                .routes(),
                        new EconomicsRoutes(platform.economics(), commerce, platform.models()).routes(),
                        new ModelRoutes(platform.registry(), once).routes(),
                        new PackageRoutes(platform.registry(), platform.packages(), platform.trustedKeys()).routes())
                .flatMap(List::stream)
                .toList();
    }
}
