package io.guimo.serve.admin;

import io.guimo.serve.Platform;
import io.guimo.serve.http.Route;
import java.util.ArrayList;
import java.util.List;

/** All routes of the owner's API, and those by which a customer sees its own business. */
public final class AdminRoutes {
    private AdminRoutes() {}

    public static List<Route> of(Platform platform) {
        Once once = new Once(platform.database());
        List<Route> routes = new ArrayList<>();
        routes.addAll(new OrganizationRoutes(platform.organizations(), platform.keys()).routes());
        routes.addAll(new PlanRoutes(platform.prices(), platform.world()).routes());
        routes.addAll(new CreditRoutes(platform.organizations(), platform.ledger()).routes());
        routes.addAll(
                new InvoiceRoutes(platform.invoices(), platform.invoicePdf(), platform.organizations(), once).routes());
        routes.addAll(new ModelRoutes(platform.registry(), once).routes());
        routes.addAll(new PackageRoutes(platform.registry(), platform.packages(), platform.trustedKeys()).routes());
        return routes;
    }
}
