package io.guimo.commerce;

import static io.guimo.commerce.TillFixture.command;
import static io.guimo.commerce.TillFixture.flat;
import static io.guimo.commerce.TillFixture.graduated;
import static io.guimo.commerce.TillFixture.granted;
import static io.guimo.commerce.TillFixture.refusal;
import static io.guimo.commerce.TillFixture.request;
import static io.guimo.commerce.TillFixture.yuan;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import io.guimo.commerce.Settlement.Outcome;
import io.guimo.commerce.UsageRequest.Delivery;
import io.guimo.commerce.account.Caller;
import io.guimo.commerce.command.CommandKey;
import io.guimo.commerce.command.Outcome.Done;
import io.guimo.commerce.ledger.Account;
import io.guimo.commerce.ledger.Balance;
import io.guimo.commerce.ledger.Grant;
import io.guimo.commerce.ledger.GrantKind;
import io.guimo.commerce.ledger.Receipt;
import io.guimo.commerce.ledger.Receipts;
import io.guimo.commerce.meter.UsageEvent;
import io.guimo.commerce.meter.UsageFilter;
import io.guimo.commerce.meter.UsageLine;
import io.guimo.units.Cursor;
import io.guimo.units.Meter;
import io.guimo.units.Page;
import io.guimo.units.RequestId;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Who pays for what: grants, credit lines, streams, reservations that were lost, receipts. */
class MoneyTest {
    private TillFixture shop;
    private Till till;

    @BeforeEach
    void open() {
        shop = TillFixture.scratch("money_test");
        shop.sell("tokens", Meter.OUTPUT_TOKENS, flat("0.01"));
        till = shop.open("one");
    }

    @AfterEach
    void close() {
        till.close();
        assertThat(shop.ledger.verify().problems()).isEmpty();
        assertThat(shop.ledger.verify().openReservations()).isZero();
        shop.close();
    }

    private Reservation reserve(Caller caller, long atMost) {
        return granted(till.authorize(request(caller, "tokens", Meter.OUTPUT_TOKENS, atMost)));
    }

    private static Map<Meter, Long> tokens(long count) {
        return Map.of(Meter.OUTPUT_TOKENS, count);
    }

    /** What a crash of the database does that takes the last commits back. */
    private void loseReservations() {
        shop.execute(
                "delete from reservation; update wallet set version = version + 1; "
                        + "update usage_counter set open_prices = '{}', open_quantities = '{}'; update wallet_grant set reserved = 0");
    }

    @Test
    void settle_promotionAndCash_promotionIsSpentFirst() {
        Caller caller = shop.customer("1");
        shop.ledger
                .grant(caller.organization(), yuan("0.03"), GrantKind.PROMOTION, Optional.empty(), command())
                .orThrow();
        till.settle(reserve(caller, 10), tokens(5), null);
        List<Grant> grants = shop.ledger.balance(caller.organization()).grants();
        assertThat(grants).hasSize(1);
        assertThat(grants.getFirst().kind()).isEqualTo(GrantKind.CASH);
        assertThat(grants.getFirst().remaining()).isEqualTo(yuan("0.98"));
    }

    @Test
    void settle_grantExpiredMeanwhile_stillPaysForWhatItHeld() {
        Caller caller = shop.customer();
        Instant soon = shop.organizations.now(caller.organization()).plus(Duration.ofHours(1));
        shop.ledger
                .grant(caller.organization(), yuan("1"), GrantKind.CASH, Optional.of(soon), command())
                .orThrow();
        Reservation held = reserve(caller, 10);
        shop.organizations
                .turnClock(caller.organization(), soon.plusSeconds(60), command())
                .orThrow();
        assertThat(refusal(till.authorize(request(caller, "tokens", Meter.OUTPUT_TOKENS, 1))))
                .isEqualTo(Refused.Code.INSUFFICIENT_QUOTA);
        assertThat(till.settle(held, tokens(10), null).outcome()).isEqualTo(Outcome.CHARGED);
        assertThat(shop.ledger.closeExpired()).isEqualTo(1);
        assertThat(shop.ledger.balance(caller.organization()).remaining()).isEqualTo(yuan("0"));
        assertThat(shop.ledger.balance(caller.organization(), Account.REVENUE)).isEqualTo(yuan("-1"));
    }

    @Test
    void settle_onACreditLine_isUnbilledAndLentAgainWhenPaid() {
        Caller caller = shop.customer("0.05");
        shop.ledger.setCreditLine(caller.organization(), yuan("1"), command()).orThrow();
        till.settle(reserve(caller, 50), tokens(20), null);
        assertThat(shop.ledger.balance(caller.organization(), Account.UNBILLED)).isEqualTo(yuan("0.15"));
        assertThat(shop.available(caller)).isEqualTo(yuan("0.85"));
        shop.ledger.setCreditLine(caller.organization(), yuan("0.1"), command()).orThrow();
        assertThat(shop.available(caller)).isEqualTo(yuan("0"));
        shop.ledger
                .receivePayment(caller.organization(), yuan("0.1"), "INV-1", command())
                .orThrow();
        assertThat(shop.available(caller)).isEqualTo(yuan("0.05"));
        assertThat(shop.ledger.entries(caller.organization(), Cursor.first(10)).items())
                .hasSize(2);
    }

    @Test
    void grant_sameKeyTwice_paysOnce() {
        Caller caller = shop.customer();
        CommandKey key = command();
        for (int i = 0; i < 2; i++) {
            assertThat(shop.ledger.grant(caller.organization(), yuan("3"), GrantKind.CASH, Optional.empty(), key))
                    .isInstanceOf(Done.class);
        }
        assertThat(shop.available(caller)).isEqualTo(yuan("3"));
    }

    @Test
    void extend_untilTheMoneyEnds_refusedAndPaidForWhatWasDelivered() {
        Caller caller = shop.customer("0.1");
        Reservation stream = reserve(caller, 4);
        Extension second = till.extend(stream, tokens(4), tokens(8));
        assertThat(second).isInstanceOf(Extension.Extended.class);
        Extension third = till.extend(stream, tokens(8), tokens(12));
        assertThat(third).isInstanceOfSatisfying(Refused.class, refused -> assertThat(refused.code())
                .isEqualTo(Refused.Code.INSUFFICIENT_QUOTA));
        Settlement settlement = till.settleDelivered(stream, tokens(8), true, null);
        assertThat(settlement.amount()).isEqualTo(yuan("0.08"));
        assertThat(shop.available(caller)).isEqualTo(yuan("0.02"));
    }

    @Test
    void settle_reservationLostMoneyThere_isChargedAgain() {
        Caller caller = shop.customer("1");
        Reservation lost = reserve(caller, 10);
        loseReservations();
        assertThat(till.settle(lost, tokens(10), null).outcome()).isEqualTo(Outcome.CHARGED);
        assertThat(shop.available(caller)).isEqualTo(yuan("0.9"));
    }

    @Test
    void settle_reservationLostMoneyGone_isWithheldAndCostsNothing() {
        Caller caller = shop.customer("0.1");
        Reservation lost = reserve(caller, 10);
        loseReservations();
        till.settle(reserve(caller, 5), tokens(5), null);
        Settlement settlement = till.settle(lost, tokens(10), null);
        assertThat(settlement.outcome()).isEqualTo(Outcome.WITHHELD);
        assertThat(settlement.amount()).isEqualTo(yuan("0"));
        assertThat(shop.available(caller)).isEqualTo(yuan("0.05"));
    }

    @Test
    void settleDelivered_reservationLostMoneyGone_theRestIsWrittenOff() {
        Caller caller = shop.customer("0.1");
        Reservation lost = reserve(caller, 10);
        loseReservations();
        till.settle(reserve(caller, 5), tokens(5), null);
        Settlement settlement = till.settleDelivered(lost, tokens(10), true, null);
        assertThat(settlement.outcome()).isEqualTo(Outcome.WRITTEN_OFF);
        assertThat(settlement.amount()).isEqualTo(yuan("0.1"));
        assertThat(shop.available(caller)).isEqualTo(yuan("0"));
        assertThat(shop.ledger.balance(caller.organization(), Account.WRITE_OFF))
                .isEqualTo(yuan("0.05"));
    }

    @Test
    void extend_reservationLost_holdsAgain() {
        Caller caller = shop.customer("1");
        Reservation stream = reserve(caller, 10);
        loseReservations();
        assertThat(till.extend(stream, tokens(10), tokens(20))).isInstanceOf(Extension.Extended.class);
        assertThat(shop.available(caller)).isEqualTo(yuan("0.8"));
        till.settleDelivered(stream, tokens(15), true, null);
        assertThat(shop.available(caller)).isEqualTo(yuan("0.85"));
    }

    @Test
    void record_sameUsageTwice_countsOnceAndWritesOffWhatIsNotThere() {
        Caller caller = shop.customer("0.03");
        UsageRequest usage = request(caller, "tokens", Meter.OUTPUT_TOKENS, 5);
        for (int i = 0; i < 2; i++) {
            assertThat(till.record(usage)).isInstanceOfSatisfying(Recorded.Counted.class, counted -> {
                assertThat(counted.settlement().outcome()).isEqualTo(Outcome.WRITTEN_OFF);
                assertThat(counted.settlement().amount()).isEqualTo(yuan("0.05"));
            });
        }
        assertThat(shop.count("select count(*) from usage_event")).isEqualTo(1);
        assertThat(shop.ledger.balance(caller.organization(), Account.WRITE_OFF))
                .isEqualTo(yuan("0.02"));
    }

    @Test
    void receipt_acrossATier_walksItAndReplaysToTheSameAmount() {
        shop.sell("chat", Map.of(Meter.INPUT_TOKENS, graduated(6, "0.02", "0.01"), Meter.OUTPUT_TOKENS, flat("0.05")));
        Caller caller = shop.customer("10");
        Receipts receipts = new Receipts(shop.database, shop.usage, shop.prices);
        RequestId last = RequestId.next();
        for (RequestId id : List.of(RequestId.next(), last)) {
            Map<Meter, Long> most = Map.of(Meter.INPUT_TOKENS, 4L, Meter.OUTPUT_TOKENS, 10L);
            Reservation reservation =
                    granted(till.authorize(new UsageRequest(id, caller, "chat", most, null, Delivery.BEFORE_SETTLE)));
            till.settle(reservation, Map.of(Meter.INPUT_TOKENS, 4L, Meter.OUTPUT_TOKENS, 3L), null);
        }
        Receipt receipt = receipts.find(caller.organization(), last).orElseThrow();
        assertThat(receipt.event().amount()).isEqualTo(yuan("0.21"));
        assertThat(receipt.event().lines())
                .extracting(UsageLine::before, UsageLine::quantity, line -> line.amount()
                        .toDecimalString())
                .containsExactly(tuple(4L, 4L, "0.06"), tuple(3L, 3L, "0.15"));
        assertThat(receipt.lines().getFirst().derivation().steps()).hasSize(2);
        assertThat(receipt.entry().postings()).hasSize(2);
        assertThat(receipts.verify(receipt).differences()).isEmpty();
        assertThat(receipts.find(shop.customer().organization(), last)).isEmpty();

        shop.execute("update usage_event set amount = amount + 0.000000000001 where request_id = '" + last + "'");
        Receipt forged = receipts.find(caller.organization(), last).orElseThrow();
        assertThat(receipts.verify(forged).differences()).hasSize(1);
        assertThat(shop.ledger.verify().problems()).isNotEmpty();
        shop.execute("update usage_event set amount = amount - 0.000000000001 where request_id = '" + last + "'");
    }

    @Test
    void list_pages_givesEveryEventOnceTheNewestFirst() {
        Caller caller = shop.customer("10");
        for (int i = 1; i <= 7; i++) till.settle(reserve(caller, i), tokens(i), null);
        till.settle(reserve(shop.customer("1"), 9), tokens(9), null);
        List<Long> quantities = new ArrayList<>();
        Optional<String> next = Optional.empty();
        do {
            Page<UsageEvent> page = shop.usage.list(UsageFilter.of(caller.organization()), new Cursor(next, 3));
            page.items()
                    .forEach(event -> quantities.add(event.lines().getFirst().quantity()));
            next = page.next();
        } while (next.isPresent());
        assertThat(quantities).containsExactly(7L, 6L, 5L, 4L, 3L, 2L, 1L);
        assertThat(shop.usage
                        .sums(UsageFilter.of(caller.organization()))
                        .getFirst()
                        .quantity())
                .isEqualTo(28);
    }

    @Test
    void database_overdraft_isRefusedByTheTableItself() {
        Caller caller = shop.customer("1");
        Balance balance = shop.ledger.balance(caller.organization());
        assertThatThrownBy(
                        () -> shop.execute("update wallet_grant set reserved = remaining + 0.000000000001 where id = "
                                + balance.grants().getFirst().id()))
                .hasMessageContaining("violates check constraint");
    }
}
