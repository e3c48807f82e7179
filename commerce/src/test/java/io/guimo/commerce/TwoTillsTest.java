package io.guimo.commerce;

import static io.guimo.commerce.TillFixture.CNY;
import static io.guimo.commerce.TillFixture.brief;
import static io.guimo.commerce.TillFixture.graduated;
import static io.guimo.commerce.TillFixture.granted;
import static io.guimo.commerce.TillFixture.request;
import static io.guimo.commerce.TillFixture.yuan;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.guimo.commerce.account.Caller;
import io.guimo.commerce.meter.UsageFilter;
import io.guimo.commerce.meter.UsageSum;
import io.guimo.commerce.price.TierRule;
import io.guimo.units.Meter;
import io.guimo.units.Money;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.LongAdder;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Two servers on one database, one of them with two lanes, and a wallet that both are always at. */
class TwoTillsTest {
    private static final int CLIENTS = 48;
    private static final int REQUESTS = 25;
    private static final TierRule RULE = graduated(400, "0.002", "0.001");

    private TillFixture shop;
    private List<Till> tills;

    @BeforeEach
    void open() {
        shop = TillFixture.scratch("two_tills_test");
        shop.sell("labels", Meter.IMAGES, RULE);
        tills = List.of(shop.open("one"), shop.open(new TillSettings("two", 2, null, null, null)));
    }

    @AfterEach
    void close() {
        tills.forEach(Till::close);
        shop.close();
    }

    @Test
    void settle_sameWalletsFromTwoServers_noDeadlockAndTheSequentialAmount() throws InterruptedException {
        List<Caller> callers = new ArrayList<>();
        for (int i = 0; i < 6; i++) callers.add(shop.customer("100"));
        Map<Caller, LongAdder> delivered = new ConcurrentHashMap<>();
        Queue<Throwable> failures = new ConcurrentLinkedQueue<>();
        CountDownLatch done = new CountDownLatch(CLIENTS);
        for (int client = 0; client < CLIENTS; client++) {
            Random random = new Random(client);
            Till till = tills.get(client % 2);
            Thread.ofVirtual().start(() -> {
                try {
                    for (int i = 0; i < REQUESTS; i++) {
                        // every other request goes to the hot wallet
                        Caller caller = callers.get(random.nextBoolean() ? 0 : random.nextInt(callers.size()));
                        Reservation reservation = granted(till.authorize(
                                random.nextBoolean()
                                        ? request(caller, "labels", Meter.IMAGES, 4)
                                        : brief(caller, "labels", Meter.IMAGES, 4)));
                        if (random.nextInt(10) == 0) {
                            till.release(reservation);
                            continue;
                        }
                        long count = random.nextInt(5);
                        till.settle(reservation, Map.of(Meter.IMAGES, count), null);
                        delivered.computeIfAbsent(caller, _ -> new LongAdder()).add(count);
                        if (i % 10 == 0) shop.pay(caller, "0.5");
                    }
                } catch (RuntimeException | AssertionError e) {
                    failures.add(e);
                } finally {
                    done.countDown();
                }
            });
        }
        done.await();
        assertThat(failures).isEmpty();
        assertThat(shop.ledger.verify().problems()).isEmpty();
        assertThat(shop.ledger.verify().openReservations()).isZero();
        for (Caller caller : callers) {
            long units = requireNonNull(delivered.get(caller)).sum();
            Money charged = shop.usage.sums(UsageFilter.of(caller.organization())).stream()
                    .map(UsageSum::amount)
                    .reduce(Money.zero(CNY), Money::plus);
            assertThat(charged).isEqualTo(RULE.total(units));
        }
        assertThat(shop.count(
                        "select count(*) from pg_stat_database where datname = current_database() and deadlocks > 0"))
                .isZero();
    }

    @Test
    void authorize_moneyForAThousandFromTwoServers_exactlyAThousandSucceed() throws InterruptedException {
        shop.sell("plain", Meter.IMAGES, TillFixture.flat("0.002"));
        Caller caller = shop.customer("2");
        LongAdder succeeded = new LongAdder();
        CountDownLatch done = new CountDownLatch(64);
        for (int client = 0; client < 64; client++) {
            Till till = tills.get(client % 2);
            Thread.ofVirtual().start(() -> {
                try {
                    for (int i = 0; i < 30; i++) {
                        Authorization answer = till.authorize(brief(caller, "plain", Meter.IMAGES, 1));
                        if (answer instanceof Refused) continue;
                        Settlement settlement = till.settle(granted(answer), Map.of(Meter.IMAGES, 1L), null);
                        if (settlement.outcome() == Settlement.Outcome.CHARGED) succeeded.increment();
                    }
                } finally {
                    done.countDown();
                }
            });
        }
        done.await();
        assertThat(succeeded.sum()).isEqualTo(1000);
        assertThat(shop.available(caller)).isEqualTo(yuan("0"));
    }
}
