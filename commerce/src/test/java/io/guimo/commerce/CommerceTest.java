package io.guimo.commerce;

import static org.assertj.core.api.Assertions.assertThat;

import io.guimo.commerce.Authorization.Granted;
import io.guimo.commerce.UsageRequest.Delivery;
import io.guimo.commerce.account.Caller;
import io.guimo.commerce.account.IssuedKey;
import io.guimo.commerce.account.NewOrganization;
import io.guimo.commerce.account.Organization;
import io.guimo.commerce.account.Project;
import io.guimo.commerce.account.Role;
import io.guimo.commerce.command.CommandKey;
import io.guimo.commerce.invoice.Invoice;
import io.guimo.commerce.invoice.InvoiceLine;
import io.guimo.commerce.ledger.Account;
import io.guimo.commerce.ledger.GrantKind;
import io.guimo.commerce.price.PlanSettings;
import io.guimo.commerce.price.ProductPrice;
import io.guimo.commerce.price.TierSettings;
import io.guimo.postgres.Database;
import io.guimo.units.Cursor;
import io.guimo.units.Ids;
import io.guimo.units.Meter;
import io.guimo.units.Money;
import io.guimo.units.RequestId;
import java.math.BigDecimal;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.util.Currency;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** From the business file's prices over the till to the invoice, all parts real. */
class CommerceTest {
    private static final Currency CNY = Currency.getInstance("CNY");
    private static final ZoneId SHANGHAI = ZoneId.of("Asia/Shanghai");

    // within a month, so that no test meets its end
    private static final InstantSource WORLD = InstantSource.fixed(Instant.parse("2026-11-20T08:00:00Z"));

    private Database database;
    private Commerce commerce;

    @BeforeEach
    void open() {
        database = ScratchDatabase.open("commerce_test");
        commerce = Commerce.open(database, WORLD, CommerceSettings.of("server-1"));
        ProductPrice labels = new ProductPrice(
                "image", null, List.of(tier(100L, "0.0021"), tier(null, "0.001")), null, null, null, null);
        ProductPrice search = new ProductPrice("1K tokens", new BigDecimal("0.02"), null, null, null, null, null);
        commerce.prices()
                .apply(
                        List.of(new PlanSettings(
                                "payg", null, null, null, null, Map.of("labels", labels, "search", search), null)),
                        CNY);
    }

    @AfterEach
    void close() {
        commerce.close();
        database.close();
    }

    @Test
    void use_acrossATierOnACreditLine_invoiceEqualsTheSettlements() throws Exception {
        Caller caller = customer();
        commerce.ledger()
                .setCreditLine(caller.organization(), cny("100"), command())
                .orThrow();
        Money charged = useConcurrently(caller);

        Invoice invoice = endOfMonth(caller);
        assertThat(invoice.exactTotal()).isEqualTo(charged);
        assertThat(invoice.due()).isEqualTo(invoice.total());
        InvoiceLine images = invoice.lines().stream()
                .filter(l -> l.product().equals("labels"))
                .findFirst()
                .orElseThrow();
        assertThat(images.quantity()).isEqualTo(300);
        assertThat(images.exact()).isEqualTo(cny("0.41")); // 100 × .0021 + 200 × .001
        assertThat(images.walk()).hasSize(2);
        assertThat(commerce.ledger().balance(caller.organization(), Account.UNBILLED))
                .isEqualTo(cny("0"));
        assertThat(commerce.ledger().balance(caller.organization(), Account.RECEIVABLE))
                .isEqualTo(invoice.total());
        assertThat(commerce.ledger().verify().isRight()).isTrue();
    }

    @Test
    void use_paidInAdvance_invoiceAsksForNothing() throws Exception {
        Caller caller = customer();
        commerce.ledger()
                .grant(caller.organization(), cny("50"), GrantKind.CASH, Optional.empty(), command())
                .orThrow();
        Money charged = useConcurrently(caller);
        Invoice invoice = endOfMonth(caller);
        assertThat(invoice.exactTotal()).isEqualTo(charged);
        assertThat(invoice.paidFromCredit()).isEqualTo(invoice.total());
        assertThat(invoice.due()).isEqualTo(cny("0"));
        assertThat(commerce.ledger().balance(caller.organization()).remaining())
                .isEqualTo(cny("50").minus(charged));
        assertThat(commerce.ledger().verify().isRight()).isTrue();
    }

    @Test
    void reopened_sameDatabase_knowsKeysPricesAndClocks() {
        Organization organization = organization();
        Project project = commerce.organizations().defaultProject(organization.id());
        IssuedKey key = commerce.keys()
                .issue(organization.id(), project.id(), Role.CUSTOMER, "till", command())
                .orThrow();
        Instant target = commerce.organizations().now(organization.id()).plusSeconds(90_000);
        commerce.turnClock(organization.id(), target, command()).orThrow();
        commerce.keys().authenticate(key.secret().orElseThrow());
        commerce.close();
        commerce = Commerce.open(database, WORLD, CommerceSettings.of("server-1"));
        assertThat(commerce.keys().authenticate(key.secret().orElseThrow())).isPresent();
        assertThat(commerce.prices().versions("payg")).hasSize(2);
        assertThat(commerce.organizations().now(organization.id())).isAfterOrEqualTo(target);
        assertThat(commerce.keys()
                        .list(organization.id(), Cursor.first(1))
                        .items()
                        .getFirst()
                        .lastUsedAt())
                .isPresent();
    }

    /** 300 images and 40 searches by as many callers at once. */
    private Money useConcurrently(Caller caller) throws Exception {
        List<Integer> sizes = new SplittableRandom(1).ints(40, 1, 2_000).boxed().toList();
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<Money>> charged = IntStream.range(0, 340)
                    .mapToObj(i -> threads.submit(() -> i < 300
                            ? use(caller, "labels", Meter.IMAGES, 1)
                            : use(caller, "search", Meter.INPUT_TOKENS, sizes.get(i - 300))))
                    .toList();
            Money sum = cny("0");
            for (Future<Money> each : charged) sum = sum.plus(each.get());
            return sum;
        }
    }

    private Money use(Caller caller, String product, Meter meter, long quantity) {
        UsageRequest request = new UsageRequest(
                RequestId.next(), caller, product, Map.of(meter, quantity), null, Delivery.AFTER_SETTLE);
        Authorization authorization = commerce.till().authorize(request);
        assertThat(authorization).isInstanceOf(Granted.class);
        Settlement settlement =
                commerce.till().settle(((Granted) authorization).reservation(), Map.of(meter, quantity), null);
        assertThat(commerce.receipts().find(caller.organization(), request.id()))
                .isPresent();
        assertThat(settlement.outcome()).isEqualTo(Settlement.Outcome.CHARGED);
        return settlement.amount();
    }

    private Invoice endOfMonth(Caller caller) {
        ZonedDateTime now = commerce.organizations().now(caller.organization()).atZone(SHANGHAI);
        Instant next = now.toLocalDate()
                .withDayOfMonth(1)
                .plusMonths(1)
                .atStartOfDay(SHANGHAI)
                .toInstant();
        commerce.turnClock(caller.organization(), next, command()).orThrow();
        assertThat(commerce.invoices().finalizeAllDue()).isEmpty();
        return commerce.invoices()
                .list(caller.organization(), Cursor.first(1))
                .items()
                .getFirst();
    }

    private Caller customer() {
        Organization organization = organization();
        Project project = commerce.organizations().defaultProject(organization.id());
        IssuedKey key = commerce.keys()
                .issue(organization.id(), project.id(), Role.CUSTOMER, "till", command())
                .orThrow();
        return commerce.keys().authenticate(key.secret().orElseThrow()).orElseThrow();
    }

    private Organization organization() {
        Organization organization = commerce.organizations()
                .create(new NewOrganization("青禾 Qinghe", true, SHANGHAI, CNY), command())
                .orThrow();
        commerce.prices().subscribe(organization.id(), "payg", command()).orThrow();
        return organization;
    }

    private static TierSettings tier(@Nullable Long upTo, String each) {
        return new TierSettings(upTo, new BigDecimal(each));
    }

    private static CommandKey command() {
        return new CommandKey("test", Ids.next("cmd"));
    }

    private static Money cny(String amount) {
        return Money.of(CNY, amount);
    }
}
