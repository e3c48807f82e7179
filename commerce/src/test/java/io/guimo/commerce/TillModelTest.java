package io.guimo.commerce;

import static io.guimo.commerce.TillFixture.granted;
import static io.guimo.commerce.TillFixture.yuan;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.guimo.commerce.Authorization.Granted;
import io.guimo.commerce.Settlement.Outcome;
import io.guimo.commerce.UsageRequest.Delivery;
import io.guimo.commerce.account.Caller;
import io.guimo.commerce.price.Rate;
import io.guimo.commerce.price.Tier;
import io.guimo.commerce.price.TierRule;
import io.guimo.units.Meter;
import io.guimo.units.Money;
import io.guimo.units.RequestId;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Seeded random interleavings of two tills on one wallet against a model that is slow and plain: it knows a balance, a count and the open
 * quantities, and finds what must be held by trying every quantity that could still be delivered.
 */
class TillModelTest {
    private static final int STEPS = 150;

    private static TillFixture shop;
    private static List<Till> tills;

    @BeforeAll
    static void open() {
        shop = TillFixture.scratch("till_model_test");
        tills = List.of(shop.open("one"), shop.open("two"));
    }

    @AfterAll
    static void close() {
        tills.forEach(Till::close);
        assertThat(shop.ledger.verify().problems()).isEmpty();
        assertThat(shop.ledger.verify().openReservations()).isZero();
        shop.close();
    }

    /** What a customer's money comes to, by the rules alone. */
    private static final class Model {
        private final TierRule rule;
        private Money balance = yuan("0");
        private long used;
        private final Map<RequestId, Long> open = new HashMap<>();

        Model(TierRule rule) {
            this.rule = rule;
        }

        private Money exposure(long openUnits) {
            Money most = yuan("0");
            for (long d = 0; d <= openUnits; d++) {
                Money cost = rule.total(used + d).minus(rule.total(used));
                if (cost.compareTo(most) > 0) most = cost;
            }
            return most;
        }

        private long openUnits() {
            return open.values().stream().mapToLong(Long::longValue).sum();
        }

        Money available() {
            return balance.minus(exposure(openUnits()));
        }

        boolean fits(long more) {
            return exposure(openUnits() + more).compareTo(balance) <= 0;
        }

        Money settle(RequestId request, long delivered) {
            open.remove(request);
            Money amount = rule.total(used + delivered).minus(rule.total(used));
            used += delivered;
            balance = balance.minus(amount);
            return amount;
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void tills_randomInterleaving_agreeWithTheModel(long seed) {
        interleave(seed, tills, Delivery.BEFORE_SETTLE);
    }

    @ParameterizedTest
    @ValueSource(longs = {11, 12, 13, 14, 15, 16, 17, 18})
    void till_randomInterleavingHeldInMemory_agreesWithTheModel(long seed) {
        interleave(seed, List.of(tills.getFirst()), Delivery.AFTER_SETTLE);
    }

    private static void interleave(long seed, List<Till> tills, Delivery delivery) {
        Random random = new Random(seed);
        String product = "product-" + seed;
        TierRule rule = rule(random);
        shop.sell(product, Meter.OUTPUT_TOKENS, rule);
        Caller caller = shop.customer();
        Model model = new Model(rule);
        Map<RequestId, Reservation> running = new HashMap<>();
        for (int step = 0; step < STEPS; step++) {
            Till till = tills.get(random.nextInt(tills.size()));
            String where = "seed " + seed + " step " + step;
            int choice = random.nextInt(10);
            if (choice == 0) {
                String amount = "0.0" + (1 + random.nextInt(99));
                shop.pay(caller, amount);
                model.balance = model.balance.plus(yuan(amount));
            } else if (choice <= 4 || running.isEmpty()) {
                long most = random.nextInt(12);
                UsageRequest request = new UsageRequest(
                        RequestId.next(), caller, product, Map.of(Meter.OUTPUT_TOKENS, most), null, delivery);
                Authorization answer = till.authorize(request);
                assertThat(answer instanceof Granted).as(where).isEqualTo(model.fits(most));
                if (answer instanceof Granted) {
                    running.put(request.id(), granted(answer));
                    model.open.put(request.id(), most);
                }
            } else {
                RequestId request = new ArrayList<>(running.keySet())
                        .stream()
                                .sorted((a, b) -> a.value().compareTo(b.value()))
                                .toList()
                                .get(random.nextInt(running.size()));
                Reservation reservation = requireNonNull(running.get(request));
                long most = requireNonNull(model.open.get(request));
                if (choice <= 7) {
                    long delivered = random.nextLong(most + 1);
                    Settlement settlement = till.settle(reservation, Map.of(Meter.OUTPUT_TOKENS, delivered), null);
                    running.remove(request);
                    assertThat(settlement.outcome()).as(where).isEqualTo(Outcome.CHARGED);
                    assertThat(settlement.amount()).as(where).isEqualTo(model.settle(request, delivered));
                } else if (choice == 8) {
                    till.release(reservation);
                    running.remove(request);
                    model.open.remove(request);
                } else {
                    long more = random.nextInt(6);
                    Extension answer = till.extend(
                            reservation, Map.of(Meter.OUTPUT_TOKENS, 0L), Map.of(Meter.OUTPUT_TOKENS, most + more));
                    assertThat(answer instanceof Extension.Extended).as(where).isEqualTo(model.fits(more));
                    if (answer instanceof Extension.Extended(Reservation extended)) {
                        running.put(request, extended);
                        model.open.put(request, most + more);
                    }
                }
            }
            // what is held in memory is not in the database yet
            if (delivery == Delivery.BEFORE_SETTLE) {
                assertThat(shop.available(caller)).as(where).isEqualTo(model.available());
            }
        }
        running.values().forEach(tills.get(0)::release);
        assertThat(shop.available(caller)).isEqualTo(model.balance);
    }

    /** One to four tiers, rising, falling or mixed; a third of them volume tiers. */
    private static TierRule rule(Random random) {
        int count = 1 + random.nextInt(4);
        List<Tier> tiers = new ArrayList<>();
        long upTo = 0;
        for (int i = 0; i < count; i++) {
            Rate rate = Rate.each(yuan("0.00" + random.nextInt(9)));
            upTo += 5 + random.nextInt(60);
            tiers.add(i == count - 1 ? Tier.rest(rate) : Tier.upTo(upTo, rate));
        }
        return random.nextInt(3) == 0 ? new TierRule.Volume(tiers) : new TierRule.Graduated(tiers);
    }
}
