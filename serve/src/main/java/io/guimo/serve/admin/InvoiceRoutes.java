package io.guimo.serve.admin;

import io.guimo.commerce.account.Organizations;
import io.guimo.commerce.invoice.Invoice;
import io.guimo.commerce.invoice.InvoiceId;
import io.guimo.commerce.invoice.InvoiceLine;
import io.guimo.commerce.invoice.InvoicePdf;
import io.guimo.commerce.invoice.Invoices;
import io.guimo.commerce.price.Derivation;
import io.guimo.serve.http.Access;
import io.guimo.serve.http.Answer;
import io.guimo.serve.http.Content;
import io.guimo.serve.http.Exchange;
import io.guimo.serve.http.Listing;
import io.guimo.serve.http.Route;
import io.guimo.units.Meter;
import io.guimo.units.Money;
import io.guimo.units.OrganizationId;
import io.guimo.units.Page;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Invoices, for the owner of all organisations and for each organisation its own. */
final class InvoiceRoutes {
    private static final String GROUP = "Invoices";
    private static final String OWN = "Your account";
    private static final String PDF = "application/pdf";
    private static final long BODY_LIMIT = 64 * 1024;
    private static final Route.Parameter ORGANIZATION =
            new Route.Parameter("organization", "string", "id of an organisation; needed for a draft");
    private final Invoices invoices;
    private final InvoicePdf pdf;
    private final Organizations organizations;
    private final Once once;

    InvoiceRoutes(Invoices invoices, InvoicePdf pdf, Organizations organizations, Once once) {
        this.invoices = invoices;
        this.pdf = pdf;
        this.organizations = organizations;
        this.once = once;
    }

    List<Route> routes() {
        return List.of(
                Route.get(
                        "/admin/v1/invoices",
                        Access.OWNER,
                        Route.About.of(
                                        "listInvoices",
                                        GROUP,
                                        "Final invoices in their order, or one organisation's with its draft")
                                .query(ORGANIZATION)
                                .list(InvoiceView.class),
                        e -> Content.json(named(e).map(o -> listOf(o, e))
                                .orElseGet(() -> Listing.of(invoices.listAll(Listing.cursor(e)), InvoiceView::of)))),
                Route.get(
                        "/admin/v1/invoices/{invoice}",
                        Access.OWNER,
                        Route.About.of("getInvoice", GROUP, "An invoice")
                                .query(ORGANIZATION)
                                .answer(InvoiceView.class),
                        e -> Content.json(InvoiceView.of(any(e)))),
                Route.get(
                        "/admin/v1/invoices/{invoice}/pdf",
                        Access.OWNER,
                        Route.About.of("getInvoicePdf", GROUP, "An invoice as a document")
                                .query(ORGANIZATION)
                                .answerMediaType(PDF),
                        e -> document(any(e))),
                Route.post(
                        "/admin/v1/invoices/finalize",
                        Access.OWNER,
                        BODY_LIMIT,
                        Route.About.of(
                                        "finalizeInvoices",
                                        GROUP,
                                        "Makes every month final that the organisation's clock has passed")
                                .request(FinalizeRequest.class)
                                .list(InvoiceView.class),
                        this::finalizeDue),
                Route.get(
                        "/v1/invoices",
                        Access.KEY,
                        Route.About.of(
                                        "listOwnInvoices",
                                        OWN,
                                        "Your invoices, on the first page this month's draft before them")
                                .list(InvoiceView.class),
                        e -> Content.json(listOf(e.caller().organization(), e))),
                Route.get(
                        "/v1/invoices/{invoice}",
                        Access.KEY,
                        Route.About.of("getOwnInvoice", OWN, "One of your invoices")
                                .answer(InvoiceView.class),
                        e -> Content.json(InvoiceView.of(of(e.caller().organization(), e)))),
                Route.get(
                        "/v1/invoices/{invoice}/pdf",
                        Access.KEY,
                        Route.About.of("getOwnInvoicePdf", OWN, "One of your invoices as a document")
                                .answerMediaType(PDF),
                        e -> document(of(e.caller().organization(), e))));
    }

    private static Optional<OrganizationId> named(Exchange exchange) {
        return exchange.query("organization")
                .filter(o -> !o.isEmpty())
                .map(o -> Answers.checked("organization", () -> new OrganizationId(o)));
    }

    private Listing listOf(OrganizationId organization, Exchange exchange) {
        if (organizations.find(organization).isEmpty()) throw Answers.notFound("organization", organization.value());
        Page<Invoice> page = invoices.list(organization, Listing.cursor(exchange));
        boolean first = exchange.query("after").filter(a -> !a.isEmpty()).isEmpty();
        Invoice draft = invoices.draft(organization);
        boolean shown = first && !draft.lines().isEmpty();
        List<InvoiceView> views = Stream.concat(shown ? Stream.of(draft) : Stream.empty(), page.items().stream())
                .map(InvoiceView::of)
                .toList();
        return new Listing(views, page.next().isPresent(), page.next().orElse(null));
    }

    private Invoice any(Exchange exchange) {
        Optional<OrganizationId> organization = named(exchange);
        if (organization.isPresent()) return of(organization.get(), exchange);
        InvoiceId id = Answers.id(exchange, "invoice", InvoiceId::new);
        return invoices.findAny(id).orElseThrow(() -> Answers.notFound("invoice", id.value()));
    }

    private Invoice of(OrganizationId organization, Exchange exchange) {
        InvoiceId id = Answers.id(exchange, "invoice", InvoiceId::new);
        return organizations
                .find(organization)
                .flatMap(o -> invoices.find(organization, id))
                .orElseThrow(() -> Answers.notFound("invoice", id.value()));
    }

    private Answer document(Invoice invoice) {
        String name = invoice.number().orElse(invoice.id().value()).replaceAll("[^A-Za-z0-9._-]", "_");
        return new Content(
                200, PDF, pdf.print(invoice), Map.of("content-disposition", "inline; filename=\"" + name + ".pdf\""));
    }

    private Answer finalizeDue(Exchange exchange) {
        String organization = exchange.json(FinalizeRequest.class).organization();
        List<String> content = List.of("invoices.finalize", organization == null ? "" : organization);
        return once.answer(
                exchange,
                content,
                () -> made(organization).stream().map(i -> i.id().value()).collect(Collectors.joining(",")),
                ids -> Listing.whole(
                        Stream.of(ids.split(","))
                                .filter(id -> !id.isEmpty())
                                .map(id -> invoices.findAny(new InvoiceId(id)).orElseThrow())
                                .toList(),
                        InvoiceView::of));
    }

    private List<Invoice> made(@Nullable String organization) {
        if (organization == null) return invoices.finalizeAllDue();
        OrganizationId id = Answers.checked("organization", () -> new OrganizationId(organization));
        if (organizations.find(id).isEmpty()) throw Answers.notFound("organization", organization);
        return invoices.finalizeDue(id);
    }

    /** @param organization all unless given */
    record FinalizeRequest(@Nullable String organization) {}

    /**
     * @param number null while a draft
     * @param total sum of the lines, each rounded once
     * @param due what is left to pay
     * @param rounding what rounding the lines added
     */
    record InvoiceView(
            String id,
            @Nullable String number,
            Invoice.Status status,
            String organization,
            String organizationName,
            boolean sandbox,
            SellerView seller,
            Instant periodStart,
            Instant periodEnd,
            String zone,
            @Nullable Instant finalizedAt,
            String currency,
            List<InvoiceLineView> lines,
            Money exactTotal,
            Money rounding,
            Money total,
            Money paidFromCredit,
            Money due) {
        static InvoiceView of(Invoice invoice) {
            return new InvoiceView(
                    invoice.id().value(),
                    invoice.number().orElse(null),
                    invoice.status(),
                    invoice.organization().value(),
                    invoice.organizationName(),
                    invoice.sandbox(),
                    new SellerView(
                            invoice.seller().name(),
                            invoice.seller().address(),
                            invoice.seller().taxId()),
                    invoice.period().start(),
                    invoice.period().end(),
                    invoice.zone().getId(),
                    invoice.finalizedAt().orElse(null),
                    invoice.currency().getCurrencyCode(),
                    invoice.lines().stream().map(InvoiceLineView::of).toList(),
                    invoice.exactTotal(),
                    invoice.rounding(),
                    invoice.total(),
                    invoice.paidFromCredit(),
                    invoice.due());
        }
    }

    record SellerView(
            String name, List<String> address, @Nullable String taxId) {}

    /**
     * @param meter null for a fee
     * @param exact before rounding
     * @param walk the tiers that the quantity went through
     */
    record InvoiceLineView(
            int position,
            InvoiceLine.Kind kind,
            String product,
            @Nullable Meter meter,
            @Nullable String priceVersion,
            Instant periodStart,
            Instant periodEnd,
            long quantity,
            Money exact,
            Money amount,
            List<WalkView> walk) {
        static InvoiceLineView of(InvoiceLine line) {
            return new InvoiceLineView(
                    line.position(),
                    line.kind(),
                    line.product(),
                    line.meter().orElse(null),
                    line.price().map(p -> p.value()).orElse(null),
                    line.period().start(),
                    line.period().end(),
                    line.quantity(),
                    line.exact(),
                    line.amount(),
                    line.walk().stream().map(WalkView::of).toList());
        }
    }

    /**
     * @param tier number of the tier, from 1
     * @param after units of the period before the first of these
     * @param rate price of {@code per} units
     */
    record WalkView(int tier, long after, long quantity, Money rate, long per, Money amount) {
        static WalkView of(Derivation.Step step) {
            return new WalkView(
                    step.tier(),
                    step.after(),
                    step.quantity(),
                    step.rate().amount(),
                    step.rate().per(),
                    step.amount());
        }
    }
}
