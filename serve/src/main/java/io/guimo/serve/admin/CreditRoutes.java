package io.guimo.serve.admin;

import io.guimo.commerce.account.Organization;
import io.guimo.commerce.account.Organizations;
import io.guimo.commerce.ledger.Balance;
import io.guimo.commerce.ledger.Entry;
import io.guimo.commerce.ledger.Grant;
import io.guimo.commerce.ledger.GrantKind;
import io.guimo.commerce.ledger.Ledger;
import io.guimo.commerce.ledger.LedgerReport;
import io.guimo.commerce.ledger.Posting;
import io.guimo.serve.http.Access;
import io.guimo.serve.http.Answer;
import io.guimo.serve.http.Content;
import io.guimo.serve.http.Exchange;
import io.guimo.serve.http.Listing;
import io.guimo.serve.http.RefusedException;
import io.guimo.serve.http.Route;
import io.guimo.units.Cursor;
import io.guimo.units.Money;
import io.guimo.units.OrganizationId;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Wallets and the books. */
final class CreditRoutes {
    private static final String GROUP = "Money";
    private static final long BODY_LIMIT = 64 * 1024;
    private static final String ONE = "/admin/v1/organizations/{organization}";
    private final Organizations organizations;
    private final Ledger ledger;

    CreditRoutes(Organizations organizations, Ledger ledger) {
        this.organizations = organizations;
        this.ledger = ledger;
    }

    List<Route> routes() {
        return List.of(
                Route.get(
                        ONE + "/credits",
                        Access.OWNER,
                        Route.About.of(
                                        "getBalance",
                                        GROUP,
                                        "What an organisation can spend, and the grants it is made of")
                                .answer(BalanceView.class),
                        e -> Content.json(balance(existing(e)))),
                Route.post(
                        ONE + "/credits",
                        Access.OWNER,
                        BODY_LIMIT,
                        Route.About.of("grantCredit", GROUP, "Puts money into a wallet: paid in, or given away")
                                .request(GrantRequest.class)
                                .answer(GrantView.class),
                        this::grant),
                Route.post(
                        ONE + "/credit-line",
                        Access.OWNER,
                        BODY_LIMIT,
                        Route.About.of("setCreditLine", GROUP, "How much an organisation may use before it pays")
                                .request(AmountRequest.class)
                                .answer(GrantView.class),
                        this::setCreditLine),
                Route.post(
                        ONE + "/payments",
                        Access.OWNER,
                        BODY_LIMIT,
                        Route.About.of("receivePayment", GROUP, "Books the payment of an invoice")
                                .request(PaymentRequest.class)
                                .answer(EntryView.class),
                        this::receivePayment),
                Route.get(
                        ONE + "/entries",
                        Access.OWNER,
                        Route.About.of("listEntries", GROUP, "Entries of an organisation other than usage")
                                .list(EntryView.class),
                        e -> Content.json(Listing.of(ledger.entries(existing(e).id(), numbered(e)), EntryView::of))),
                Route.get(
                        "/v1/balance",
                        Access.KEY,
                        Route.About.of("getOwnBalance", "Your account", "What you can spend")
                                .answer(BalanceView.class),
                        e -> Content.json(balance(organizations.get(e.caller().organization())))),
                Route.get(
                        "/admin/v1/ledger/verify",
                        Access.OWNER,
                        Route.About.of("verifyLedger", GROUP, "Whether the books are right")
                                .answer(LedgerView.class),
                        e -> Content.json(LedgerView.of(ledger.verify()))));
    }

    private Organization existing(Exchange exchange) {
        OrganizationId id = Answers.organization(exchange);
        return organizations.find(id).orElseThrow(() -> Answers.notFound("organization", id.value()));
    }

    private Answer grant(Exchange exchange) {
        Organization organization = existing(exchange);
        GrantRequest wanted = exchange.json(GrantRequest.class);
        GrantKind kind = wanted.kind() == null ? GrantKind.CASH : wanted.kind();
        Money amount = PlanRoutes.money(organization.currency(), wanted.amount(), "amount");
        return Answers.of(
                Answers.checked(
                        "amount",
                        () -> ledger.grant(
                                organization.id(),
                                amount,
                                kind,
                                Optional.ofNullable(wanted.expiresAt()),
                                Answers.commandKey(exchange))),
                GrantView::of);
    }

    private Answer setCreditLine(Exchange exchange) {
        Organization organization = existing(exchange);
        Money limit = PlanRoutes.money(
                organization.currency(), exchange.json(AmountRequest.class).amount(), "amount");
        return Answers.of(
                Answers.checked(
                        "amount", () -> ledger.setCreditLine(organization.id(), limit, Answers.commandKey(exchange))),
                GrantView::of);
    }

    private Answer receivePayment(Exchange exchange) {
        Organization organization = existing(exchange);
        PaymentRequest paid = exchange.json(PaymentRequest.class);
        Money amount = PlanRoutes.money(organization.currency(), paid.amount(), "amount");
        return Answers.of(
                Answers.checked(
                        "amount",
                        () -> ledger.receivePayment(
                                organization.id(), amount, paid.invoice(), Answers.commandKey(exchange))),
                EntryView::of);
    }

    private BalanceView balance(Organization organization) {
        Balance balance = ledger.balance(organization.id());
        return new BalanceView(
                organization.currency().getCurrencyCode(),
                balance.remaining(),
                balance.reserved(),
                balance.available(),
                balance.grants().stream().map(GrantView::of).toList());
    }

    /** Entries are listed by number. */
    private static Cursor numbered(Exchange exchange) {
        Cursor cursor = Listing.cursor(exchange);
        if (cursor.after().isPresent() && !cursor.after().get().matches("\\d{1,18}")) {
            throw RefusedException.invalid("'after' is no next_cursor of this list", "after", "invalid_value");
        }
        return cursor;
    }

    /**
     * @param amount in the organisation's currency, more than 0
     * @param kind {@code cash} unless given, or {@code promotion}
     * @param expiresAt by the organisation's clock
     */
    record GrantRequest(
            BigDecimal amount,
            @Nullable GrantKind kind,
            @Nullable Instant expiresAt) {}

    /** @param amount in the organisation's currency */
    record AmountRequest(BigDecimal amount) {}

    /**
     * @param amount in the organisation's currency, more than 0
     * @param invoice its number
     */
    record PaymentRequest(BigDecimal amount, String invoice) {}

    /** @param available what new requests can use */
    record BalanceView(String currency, Money remaining, Money reserved, Money available, List<GrantView> grants) {}

    record GrantView(
            String id,
            GrantKind kind,
            String currency,
            Money granted,
            Money remaining,
            Money reserved,
            Instant grantedAt,
            @Nullable Instant expiresAt) {
        static GrantView of(Grant grant) {
            return new GrantView(
                    Long.toString(grant.id()),
                    grant.kind(),
                    grant.granted().currency().getCurrencyCode(),
                    grant.granted(),
                    grant.remaining(),
                    grant.reserved(),
                    grant.grantedAt(),
                    grant.expiresAt().orElse(null));
        }
    }

    record EntryView(String id, String kind, String reference, Instant bookedAt, List<PostingView> postings) {
        static EntryView of(Entry entry) {
            List<PostingView> postings = new ArrayList<>();
            for (int i = 0; i < entry.postings().size(); i++) {
                postings.add(PostingView.of(entry.postingId(i), entry.postings().get(i)));
            }
            return new EntryView(
                    Long.toString(entry.id()), entry.kind(), entry.reference(), entry.bookedAt(), postings);
        }
    }

    /** @param amount a debit is positive, a credit negative */
    record PostingView(String id, String account, Money amount, String currency) {
        static PostingView of(String id, Posting posting) {
            return new PostingView(
                    id,
                    posting.account().wireName(),
                    posting.amount(),
                    posting.amount().currency().getCurrencyCode());
        }
    }

    /** @param problems what does not agree; empty where the books are right */
    record LedgerView(
            Map<String, Money> sumByCurrency,
            long postings,
            long events,
            long openReservations,
            boolean right,
            List<String> problems) {
        static LedgerView of(LedgerReport report) {
            Map<String, Money> sums = new TreeMap<>();
            report.sumByCurrency().forEach((currency, sum) -> sums.put(currency.getCurrencyCode(), sum));
            return new LedgerView(
                    sums,
                    report.postings(),
                    report.events(),
                    report.openReservations(),
                    report.isRight(),
                    report.problems());
        }
    }
}
