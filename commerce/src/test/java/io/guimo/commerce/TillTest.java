package io.guimo.commerce;

import static io.guimo.commerce.TillFixture.flat;
import static io.guimo.commerce.TillFixture.graduated;
import static io.guimo.commerce.TillFixture.granted;
import static io.guimo.commerce.TillFixture.refusal;
import static io.guimo.commerce.TillFixture.request;
import static io.guimo.commerce.TillFixture.yuan;
import static org.assertj.core.api.Assertions.assertThat;

import io.guimo.commerce.Settlement.Outcome;
import io.guimo.commerce.account.Caller;
import io.guimo.units.Meter;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

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

    @Test
    void authorize_sixtyFourCallersMoneyForAThousand_exactlyAThousandSucceed() throws InterruptedException {
        Caller caller = shop.customer("2");
        assertThat(hammer(caller, "labels", 64, 40)).isEqualTo(1000);
        assertThat(shop.available(caller)).isEqualTo(yuan("0"));
        assertThat(shop.count("select count(*) from usage_event")).isEqualTo(1000);
    }

    @Test
    void authorize_acrossATierMoneyForAThousand_exactlyAThousandSucceed() throws InterruptedException {
        shop.sell("falling", Meter.IMAGES, graduated(500, "0.002", "0.001"));
        shop.sell("rising", Meter.IMAGES, graduated(500, "0", "0.003"));
        Caller first = shop.customer("1.5");
        assertThat(hammer(first, "falling", 64, 40)).isEqualTo(1000);
        assertThat(shop.available(first)).isEqualTo(yuan("0"));
        Caller second = shop.customer("1.5");
        assertThat(hammer(second, "rising", 64, 40)).isEqualTo(1000);
        assertThat(shop.available(second)).isEqualTo(yuan("0"));
    }

    private int hammer(Caller caller, String product, int clients, int each) throws InterruptedException {
        AtomicInteger succeeded = new AtomicInteger();
        CountDownLatch done = new CountDownLatch(clients);
        for (int client = 0; client < clients; client++) {
            Thread.ofVirtual().start(() -> {
                try {
                    for (int i = 0; i < each; i++) {
                        Authorization answer = till.authorize(request(caller, product, Meter.IMAGES, 1));
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
    void authorize_noPrice_refused() {
        Caller caller = shop.customer("1");
        assertThat(refusal(till.authorize(request(caller, "unknown", Meter.IMAGES, 1))))
                .isEqualTo(Refused.Code.NO_PRICE);
        assertThat(refusal(till.authorize(request(caller, "labels", Meter.REQUESTS, 1))))
                .isEqualTo(Refused.Code.NO_PRICE);
    }
}
