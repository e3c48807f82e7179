package io.guimo.commerce;

import static io.guimo.commerce.TillFixture.flat;
import static io.guimo.commerce.TillFixture.granted;
import static io.guimo.commerce.TillFixture.refusal;
import static io.guimo.commerce.TillFixture.yuan;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.guimo.commerce.Authorization.Granted;
import io.guimo.commerce.Authorization.Replayed;
import io.guimo.commerce.UsageRequest.Delivery;
import io.guimo.commerce.account.Caller;
import io.guimo.units.Meter;
import io.guimo.units.RequestId;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class IdempotencyTest {
    private static final String CONTENT = "a".repeat(64);
    private static final String OTHER_CONTENT = "b".repeat(64);
    private static final StoredAnswer ANSWER =
            new StoredAnswer(200, "application/json", "{\"label\": 3}".getBytes(UTF_8));

    private TillFixture shop;
    private Till till;
    private Caller caller;

    @BeforeEach
    void open() {
        shop = TillFixture.scratch("idempotency_test");
        shop.sell("labels", Meter.IMAGES, flat("0.5"));
        till = shop.open("one");
        caller = shop.customer("10");
    }

    @AfterEach
    void close() {
        till.close();
        assertThat(shop.ledger.verify().problems()).isEmpty();
        assertThat(shop.ledger.verify().openReservations()).isZero();
        shop.close();
    }

    private UsageRequest request(Caller who, String key, String content) {
        return new UsageRequest(
                RequestId.next(),
                who,
                "labels",
                Map.of(Meter.IMAGES, 2L),
                new IdempotencyKey("POST /v1/predict", key, content),
                Delivery.AFTER_SETTLE);
    }

    private Reservation begin(String key) {
        return granted(till.authorize(request(caller, key, CONTENT)));
    }

    @Test
    void authorize_whileTheFirstRuns_refusedAsRunning() {
        Reservation first = begin("k");
        Authorization second = till.authorize(request(caller, "k", CONTENT));
        assertThat(refusal(second)).isEqualTo(Refused.Code.IDEMPOTENCY_RUNNING);
        assertThat(((Refused) second).retryAfter()).isPositive();
        till.settle(first, Map.of(Meter.IMAGES, 2L), ANSWER);
    }

    @Test
    void authorize_afterTheFirst_replaysItsAnswerAndChargesOnce() {
        Reservation first = begin("k");
        till.settle(first, Map.of(Meter.IMAGES, 2L), ANSWER);
        assertThat(till.authorize(request(caller, "k", CONTENT))).isEqualTo(new Replayed(first.request(), ANSWER));
        assertThat(shop.available(caller)).isEqualTo(yuan("9"));
    }

    @Test
    void authorize_otherContent_refusedWhateverTheState() {
        Reservation first = begin("k");
        assertThat(refusal(till.authorize(request(caller, "k", OTHER_CONTENT))))
                .isEqualTo(Refused.Code.IDEMPOTENCY_MISMATCH);
        till.settle(first, Map.of(Meter.IMAGES, 2L), ANSWER);
        assertThat(refusal(till.authorize(request(caller, "k", OTHER_CONTENT))))
                .isEqualTo(Refused.Code.IDEMPOTENCY_MISMATCH);
    }

    @Test
    void authorize_sameKeyOfAnotherOrganisationOrRoute_isAnotherKey() {
        till.settle(begin("k"), Map.of(Meter.IMAGES, 2L), ANSWER);
        Caller stranger = shop.customer("10");
        assertThat(till.authorize(request(stranger, "k", CONTENT)))
                .isInstanceOfSatisfying(Granted.class, granted -> till.release(granted.reservation()));
        UsageRequest otherRoute = new UsageRequest(
                RequestId.next(),
                caller,
                "labels",
                Map.of(Meter.IMAGES, 1L),
                new IdempotencyKey("POST /v1/embeddings", "k", CONTENT),
                Delivery.AFTER_SETTLE);
        till.release(granted(till.authorize(otherRoute)));
    }

    @Test
    void authorize_afterARelease_runsAgain() {
        till.release(begin("k"));
        till.settle(begin("k"), Map.of(Meter.IMAGES, 2L), ANSWER);
    }

    @Test
    void authorize_afterARefusalForWantOfMoney_runsOnceThereIsSome() {
        Caller poor = shop.customer("0.1");
        assertThat(refusal(till.authorize(request(poor, "k", CONTENT)))).isEqualTo(Refused.Code.INSUFFICIENT_QUOTA);
        shop.pay(poor, "5");
        Reservation now = granted(till.authorize(request(poor, "k", CONTENT)));
        till.settle(now, Map.of(Meter.IMAGES, 1L), ANSWER);
    }

    @Test
    void authorize_afterABrokenStream_interruptedWithItsReceipt() {
        Reservation stream = begin("k");
        till.settleDelivered(stream, Map.of(Meter.IMAGES, 1L), false, null);
        Authorization again = till.authorize(request(caller, "k", CONTENT));
        assertThat(refusal(again)).isEqualTo(Refused.Code.INTERRUPTED);
        assertThat(((Refused) again).receipt()).isEqualTo(stream.request());
        assertThat(shop.available(caller)).isEqualTo(yuan("9.5"));
    }

    @Test
    void authorize_answerTooLargeToKeep_replaysOnlyTheReceipt() {
        Reservation first = begin("k");
        StoredAnswer large = new StoredAnswer(200, "text/plain", new byte[StoredAnswer.LARGEST_KEPT + 1]);
        till.settle(first, Map.of(Meter.IMAGES, 2L), large);
        assertThat(till.authorize(request(caller, "k", CONTENT))).isEqualTo(new Replayed(first.request(), null));
        Reservation second = begin("k2");
        StoredAnswer fits = new StoredAnswer(200, "text/plain", new byte[StoredAnswer.LARGEST_KEPT]);
        till.settle(second, Map.of(Meter.IMAGES, 2L), fits);
        assertThat(till.authorize(request(caller, "k2", CONTENT))).isEqualTo(new Replayed(second.request(), fits));
    }

    @Test
    void authorize_afterADay_isForgotten() {
        till.settle(begin("k"), Map.of(Meter.IMAGES, 2L), ANSWER);
        shop.execute("update request_key set created_at = created_at - interval '25 hours'");
        till.release(begin("k"));
    }

    @Test
    void authorize_manyAtOnceUnderOneKey_oneRuns() throws InterruptedException {
        Queue<Authorization> answers = new ConcurrentLinkedQueue<>();
        CountDownLatch done = new CountDownLatch(32);
        for (int i = 0; i < 32; i++) {
            Thread.ofVirtual().start(() -> {
                try {
                    answers.add(till.authorize(request(caller, "k", CONTENT)));
                } finally {
                    done.countDown();
                }
            });
        }
        done.await();
        assertThat(answers).hasSize(32);
        assertThat(answers.stream().filter(Granted.class::isInstance)).hasSize(1);
        answers.forEach(answer -> {
            if (answer instanceof Granted(Reservation reservation)) till.release(reservation);
            else assertThat(refusal(answer)).isEqualTo(Refused.Code.IDEMPOTENCY_RUNNING);
        });
    }

    @Test
    void authorize_sameRequestIdTwice_refused() {
        UsageRequest request = request(caller, "k", CONTENT);
        UsageRequest sameId = new UsageRequest(
                request.id(), caller, "labels", Map.of(Meter.IMAGES, 1L), null, Delivery.BEFORE_SETTLE);
        Reservation first = granted(till.authorize(request));
        assertThat(refusal(till.authorize(sameId))).isEqualTo(Refused.Code.DUPLICATE_REQUEST);
        till.settle(first, Map.of(Meter.IMAGES, 2L), null);
        assertThat(till.settle(first, Map.of(Meter.IMAGES, 2L), null).amount()).isEqualTo(yuan("1"));
        assertThat(shop.available(caller)).isEqualTo(yuan("9"));
    }
}
