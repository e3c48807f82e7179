package io.guimo.commerce;

import static io.guimo.commerce.TillFixture.brief;
import static io.guimo.commerce.TillFixture.flat;
import static io.guimo.commerce.TillFixture.graduated;
import static io.guimo.commerce.TillFixture.granted;
import static io.guimo.commerce.TillFixture.refusal;
import static io.guimo.commerce.TillFixture.request;
import static io.guimo.commerce.TillFixture.yuan;
import static org.assertj.core.api.Assertions.assertThat;

import io.guimo.commerce.Settlement.Outcome;
import io.guimo.commerce.UsageRequest.Delivery;
import io.guimo.commerce.account.Caller;
import io.guimo.units.Meter;
import io.guimo.units.RequestId;
import java.sql.Connection;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class TillTest {
    private TillFixture shop;
    private Till till;

    @BeforeEach
    void open() {
        shop = TillFixture.scratch("till_test");
        shop.sell("labels", Meter.IMAGES, flat("0.002"));
        till = shop.open("one");
    }

    @AfterEach
    void close() {
        till.close();
        assertThat(shop.ledger.verify().problems()).isEmpty();
        assertThat(shop.ledger.verify().openReservations()).isZero();
        shop.close();
    }

    @Test
    void settle_fewerThanReserved_chargesWhatWasDelivered() {
        Caller caller = shop.customer("1");
        Reservation reservation = granted(till.authorize(request(caller, "labels", Meter.IMAGES, 10)));
        assertThat(shop.available(caller)).isEqualTo(yuan("0.98"));
        Settlement settlement = till.settle(reservation, Map.of(Meter.IMAGES, 7L), null);
        assertThat(settlement.outcome()).isEqualTo(Outcome.CHARGED);
        assertThat(settlement.amount()).isEqualTo(yuan("0.014"));
        assertThat(shop.available(caller)).isEqualTo(yuan("0.986"));
    }

    @ParameterizedTest
    @EnumSource
    void authorize_sixtyFourCallersMoneyForAThousand_exactlyAThousandSucceed(Delivery delivery)
            throws InterruptedException {
        Caller caller = shop.customer("2");
        assertThat(hammer(caller, "labels", 64, 40, delivery)).isEqualTo(1000);
        assertThat(shop.available(caller)).isEqualTo(yuan("0"));
        assertThat(shop.count("select count(*) from usage_event")).isEqualTo(1000);
    }

    @ParameterizedTest
    @EnumSource
    void authorize_acrossATierMoneyForAThousand_exactlyAThousandSucceed(Delivery delivery) throws InterruptedException {
        shop.sell("falling", Meter.IMAGES, graduated(500, "0.002", "0.001"));
        shop.sell("rising", Meter.IMAGES, graduated(500, "0", "0.003"));
        Caller first = shop.customer("1.5");
        assertThat(hammer(first, "falling", 64, 40, delivery)).isEqualTo(1000);
        assertThat(shop.available(first)).isEqualTo(yuan("0"));
        Caller second = shop.customer("1.5");
        assertThat(hammer(second, "rising", 64, 40, delivery)).isEqualTo(1000);
        assertThat(shop.available(second)).isEqualTo(yuan("0"));
    }

    private int hammer(Caller caller, String product, int clients, int each, Delivery delivery)
            throws InterruptedException {
        AtomicInteger succeeded = new AtomicInteger();
        CountDownLatch done = new CountDownLatch(clients);
        for (int client = 0; client < clients; client++) {
            Thread.ofVirtual().start(() -> {
                try {
                    for (int i = 0; i < each; i++) {
                        Authorization answer = till.authorize(new UsageRequest(
                                RequestId.next(), caller, product, Map.of(Meter.IMAGES, 1L), null, delivery));
                        if (answer instanceof Refused) continue;
                        Settlement settlement = till.settle(granted(answer), Map.of(Meter.IMAGES, 1L), null);
                        if (settlement.outcome() == Outcome.CHARGED) succeeded.incrementAndGet();
                    }
                } finally {
                    done.countDown();
                }
            });
        }
        done.await();
        return succeeded.get();
    }

    @Test
    void authorize_deliveredAfterTheSettle_heldInMemoryThenWrittenIfItLasts() throws InterruptedException {
        Caller caller = shop.customer("1");
        till.settle(granted(till.authorize(brief(caller, "labels", Meter.IMAGES, 1))), Map.of(Meter.IMAGES, 1L), null);
        Reservation first = granted(till.authorize(brief(caller, "labels", Meter.IMAGES, 200)));
        assertThat(shop.available(caller)).isEqualTo(yuan("0.998"));
        // memory knows of it all the same: there is money for 499, and 200 are held
        assertThat(refusal(till.authorize(brief(caller, "labels", Meter.IMAGES, 300))))
                .isEqualTo(Refused.Code.INSUFFICIENT_QUOTA);
        Reservation second = granted(till.authorize(brief(caller, "labels", Meter.IMAGES, 299)));
        for (int i = 0; i < 100 && !shop.available(caller).equals(yuan("0")); i++) Thread.sleep(20);
        assertThat(shop.available(caller)).isEqualTo(yuan("0"));
        assertThat(shop.count("select count(*) from reservation")).isEqualTo(2);
        assertThat(shop.ledger.verify().problems()).isEmpty();
        till.settle(first, Map.of(Meter.IMAGES, 100L), null);
        till.release(second);
        assertThat(shop.available(caller)).isEqualTo(yuan("0.798"));
    }

    /** The batch that is to write a reservation which has been in memory for long brings its settle too: what is over stays over. */
    @Test
    void settle_inTheBatchThatWouldWriteItsReservation_leavesNothingHeld() throws Exception {
        Caller slow = shop.customer("1");
        Caller other = shop.customer("1");
        for (Caller each : List.of(slow, other)) {
            till.settle(
                    granted(till.authorize(brief(each, "labels", Meter.IMAGES, 1))), Map.of(Meter.IMAGES, 1L), null);
        }
        List<Thread> threads = new ArrayList<>();
        try (Connection blocker = shop.database.connect("blocker");
                Statement lock = blocker.createStatement()) {
            blocker.setAutoCommit(false);
            lock.execute("select 1 from wallet where organization_id = '"
                    + other.organization().value() + "' for update");
            threads.add(Thread.ofVirtual()
                    .start(() -> till.release(granted(till.authorize(request(other, "labels", Meter.IMAGES, 1))))));
            while (shop.count("select count(*) from pg_stat_activity where wait_event_type = 'Lock'") == 0) {
                Thread.sleep(10);
            }
            // The lane waits for the other wallet, so this one is held in memory, and by now long enough to be written.
            Reservation reservation = granted(till.authorize(brief(slow, "labels", Meter.IMAGES, 1)));
            assertThat(shop.available(slow)).isEqualTo(yuan("0.998"));
            threads.add(Thread.ofVirtual().start(() -> till.settle(reservation, Map.of(Meter.IMAGES, 1L), null)));
            Thread.sleep(300);
            blocker.rollback();
        }
        for (Thread thread : threads) thread.join();
        assertThat(shop.available(slow)).isEqualTo(yuan("0.996"));
    }

    @Test
    void authorize_heldInMemoryWhileMoneyIsPaidIn_isStillHeld() {
        Caller caller = shop.customer("1");
        till.settle(granted(till.authorize(brief(caller, "labels", Meter.IMAGES, 1))), Map.of(Meter.IMAGES, 1L), null);
        Reservation first = granted(till.authorize(brief(caller, "labels", Meter.IMAGES, 400)));
        shop.pay(caller, "0.002"); // another writer, of whom the till hears when it writes
        Reservation second = granted(till.authorize(request(caller, "labels", Meter.IMAGES, 100)));
        assertThat(refusal(till.authorize(request(caller, "labels", Meter.IMAGES, 1))))
                .isEqualTo(Refused.Code.INSUFFICIENT_QUOTA);
        assertThat(till.settle(second, Map.of(Meter.IMAGES, 100L), null).outcome())
                .isEqualTo(Outcome.CHARGED);
        assertThat(till.settle(first, Map.of(Meter.IMAGES, 400L), null).outcome())
                .isEqualTo(Outcome.CHARGED);
        assertThat(shop.available(caller)).isEqualTo(yuan("0"));
    }

    @Test
    void authorize_inMemoryAtTwoServersMoneyForOne_oneIsWithheld() {
        Caller caller = shop.customer("0.006");
        try (Till other = shop.open("two")) {
            for (Till server : List.of(till, other)) {
                for (int i = 0; i < 40; i++) { // until both take the wallet for their own
                    till.release(granted(till.authorize(brief(caller, "labels", Meter.IMAGES, 1))));
                    server.release(granted(server.authorize(brief(caller, "labels", Meter.IMAGES, 1))));
                }
            }
            Reservation here = granted(till.authorize(brief(caller, "labels", Meter.IMAGES, 2)));
            Authorization there = other.authorize(brief(caller, "labels", Meter.IMAGES, 2));
            Settlement first = till.settle(here, Map.of(Meter.IMAGES, 2L), null);
            assertThat(first.outcome()).isEqualTo(Outcome.CHARGED);
            if (there instanceof Authorization.Granted(Reservation both)) {
                assertThat(other.settle(both, Map.of(Meter.IMAGES, 2L), null).outcome())
                        .isEqualTo(Outcome.WITHHELD);
            }
            assertThat(shop.available(caller)).isEqualTo(yuan("0.002"));
        }
    }

    @Test
    void authorize_noPrice_refused() {
        Caller caller = shop.customer("1");
        assertThat(refusal(till.authorize(request(caller, "unknown", Meter.IMAGES, 1))))
                .isEqualTo(Refused.Code.NO_PRICE);
        assertThat(refusal(till.authorize(request(caller, "labels", Meter.REQUESTS, 1))))
                .isEqualTo(Refused.Code.NO_PRICE);
    }
}
