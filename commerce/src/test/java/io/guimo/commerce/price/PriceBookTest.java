package io.guimo.commerce.price;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guimo.commerce.ScratchDatabase;
import io.guimo.commerce.account.NewOrganization;
import io.guimo.commerce.account.Organizations;
import io.guimo.commerce.command.ChangeFeed;
import io.guimo.commerce.command.CommandKey;
import io.guimo.commerce.command.Outcome;
import io.guimo.commerce.command.Outcome.Refused;
import io.guimo.commerce.command.Refusal;
import io.guimo.commerce.price.TierRule.Flat;
import io.guimo.commerce.price.TierRule.Graduated;
import io.guimo.commerce.price.TierRule.Volume;
import io.guimo.postgres.Database;
import io.guimo.units.Ids;
import io.guimo.units.Meter;
import io.guimo.units.Money;
import io.guimo.units.OrganizationId;
import io.guimo.units.VirtualClock;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneId;
import java.util.Currency;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class PriceBookTest {
    private static final Currency CNY = Currency.getInstance("CNY");
    private static final Instant START = Instant.parse("2026-11-20T08:00:00Z");

    private final VirtualClock world = new VirtualClock(InstantSource.fixed(START), Duration.ZERO);
    private Database database;
    private ChangeFeed feed;
    private Organizations organizations;
    private PriceBook book;

    @BeforeEach
    void open() {
        database = ScratchDatabase.open("price_book_test");
        feed = new ChangeFeed(database);
        organizations = new Organizations(database, feed, world);
        book = new PriceBook(database, feed, organizations, world);
        book.publishPlan("payg", Money.zero(CNY), command()).orThrow();
    }

    @AfterEach
    void close() {
        feed.close();
        database.close();
    }

    @Test
    void find_withoutSubscriptionOrPrice_isEmptyNotFree() {
        OrganizationId organization = organization("CNY");
        assertThat(book.find(organization, "labels", world.instant())).isEmpty();
        subscribe(organization, "payg");
        assertThat(book.find(organization, "labels", world.instant())).isEmpty();
        PriceVersion price = publish("labels", "0.002", Optional.empty());
        assertThat(book.find(organization, "labels", world.instant())).contains(price);
        assertThat(book.offered(organization, world.instant())).containsExactly(price);
    }

    @Test
    void find_afterALaterVersion_givesTheOneOfTheInstant() {
        OrganizationId organization = organization("CNY");
        subscribe(organization, "payg");
        PriceVersion first = publish("labels", "0.002", Optional.of(START.minusSeconds(3600)));
        PriceVersion later = publish("labels", "0.003", Optional.of(START.plusSeconds(60)));
        assertThat(book.find(organization, "labels", START.plusSeconds(59))).contains(first);
        assertThat(book.find(organization, "labels", START.plusSeconds(60))).contains(later);
        assertThat(book.find(first.id())).contains(first);
        assertThat(book.versions("payg")).containsExactly(first, later);
    }

    @Test
    void publish_laterVersionInThePast_refused() {
        publish("labels", "0.002", Optional.empty());
        assertRefused(
                book.publish(price("labels", "0.003", Optional.of(START.minusSeconds(1))), command()),
                Refusal.PRICE_IN_THE_PAST);
        assertRefused(book.publish(price("labels", "0.003", Optional.of(START)), command()), Refusal.PRICE_IN_THE_PAST);
    }

    @Test
    void publish_sameKey_sameContentOneVersionOtherContentRefused() {
        CommandKey key = command();
        PriceVersion first =
                book.publish(price("labels", "0.002", Optional.empty()), key).orThrow();
        assertThat(book.publish(price("labels", "0.002", Optional.empty()), key).orThrow())
                .isEqualTo(first);
        assertRefused(book.publish(price("labels", "0.003", Optional.empty()), key), Refusal.IDEMPOTENCY_MISMATCH);
        assertThat(book.versions("payg")).containsExactly(first);
    }

    @Test
    void publish_anyRules_readBackEqual() {
        Rate rate = new Rate(Money.of(CNY, "0.50"), 1_000_000);
        Map<Meter, TierRule> rules = Map.of(
                Meter.INPUT_TOKENS, new Flat(rate),
                Meter.OUTPUT_TOKENS,
                        new Graduated(List.of(Tier.upTo(10, rate), Tier.rest(Rate.each(Money.of(CNY, "0.1"))))),
                Meter.REQUESTS, new Volume(List.of(Tier.upTo(10, rate), Tier.rest(rate))));
        PriceVersion published = book.publish(new NewPrice("payg", "chat", rules, Optional.empty()), command())
                .orThrow();
        assertThat(published.rules()).isEqualTo(rules);
        try (ChangeFeed otherFeed = new ChangeFeed(database)) {
            PriceBook restarted = new PriceBook(database, otherFeed, organizations, world);
            assertThat(restarted.find(published.id())).contains(published);
        }
    }

    @Test
    void publish_unknownPlanOrOtherCurrency_refused() {
        assertRefused(
                book.publish(new NewPrice("gold", "labels", flat("1"), Optional.empty()), command()),
                Refusal.NOT_FOUND);
        Map<Meter, TierRule> dollars = Map.of(Meter.IMAGES, new Flat(Rate.each(Money.of("USD", "1"))));
        assertRefused(
                book.publish(new NewPrice("payg", "labels", dollars, Optional.empty()), command()),
                Refusal.CURRENCY_MISMATCH);
        assertRefused(book.subscribe(organization("USD"), "payg", command()), Refusal.CURRENCY_MISMATCH);
        assertRefused(book.subscribe(organization("CNY"), "gold", command()), Refusal.NOT_FOUND);
        assertRefused(
                book.publishPlan("payg", Money.zero(Currency.getInstance("USD")), command()),
                Refusal.CURRENCY_MISMATCH);
    }

    @Test
    void subscribe_toAnotherPlan_holdsFromThenByTheOwnClock() {
        book.publishPlan("pro", Money.of(CNY, "299"), command()).orThrow();
        OrganizationId organization = organization("CNY");
        Subscription first = subscribe(organization, "payg");
        assertThat(subscribe(organization, "payg")).isEqualTo(first);
        organizations
                .turnClock(organization, START.plusSeconds(3600), command())
                .orThrow();
        Subscription second = subscribe(organization, "pro");
        assertThat(second.startsAt()).isEqualTo(START.plusSeconds(3600));
        assertThat(book.planOf(organization, START.plusSeconds(3599))).contains("payg");
        assertThat(book.planOf(organization, START.plusSeconds(3600))).contains("pro");
        assertThat(book.subscriptions(organization)).containsExactly(first, second);
    }

    @Test
    void apply_businessFile_publishesOnlyWhatChanged() {
        PlanSettings labelsAndSearch = plan(Map.of("labels", "0.002", "search", "0.01"));
        assertThat(book.apply(List.of(labelsAndSearch), CNY)).hasSize(2);
        assertThat(book.apply(List.of(labelsAndSearch), CNY)).isEmpty();
        world.turnTo(START.plusSeconds(10));
        assertThat(book.apply(List.of(plan(Map.of("labels", "0.003", "search", "0.01"))), CNY))
                .extracting(PriceVersion::product)
                .containsExactly("labels");
        // no longer named: no longer sold, from now on
        world.turnTo(START.plusSeconds(20));
        book.apply(List.of(plan(Map.of("labels", "0.003"))), CNY);
        OrganizationId organization = organization("CNY");
        subscribe(organization, "payg");
        assertThat(book.find(organization, "search", world.instant())).isEmpty();
        assertThat(book.find(organization, "labels", world.instant())).isPresent();
    }

    @Test
    void apply_mistakeInTheLastPlan_publishesNothing() {
        PlanSettings fine = plan(Map.of("labels", "0.002"));
        PlanSettings tooFine = new PlanSettings(
                "fine",
                null,
                null,
                null,
                null,
                Map.of(
                        "labels",
                        new ProductPrice("1M tokens", new BigDecimal("0.0000001"), null, null, null, null, null)),
                null);
        assertThatThrownBy(() -> book.apply(List.of(fine, tooFine), CNY)).hasMessageContaining("finer than 10^-12");
        assertThat(book.versions("payg")).isEmpty();
    }

    @Test
    void apply_changedAbortPolicy_newVersionsOldOnesKeepTheirs() {
        Map<String, ProductPrice> prices =
                Map.of("chat", new ProductPrice("image", BigDecimal.ONE, null, null, null, null, null));
        PriceVersion first = book.apply(List.of(new PlanSettings("payg", null, null, null, null, prices, null)), CNY)
                .getFirst();
        PlanSettings computed = new PlanSettings("payg", null, null, null, null, prices, "computed");
        PriceVersion second = book.apply(List.of(computed), CNY).getFirst();
        assertThat(book.apply(List.of(computed), CNY)).isEmpty();
        assertThat(first.aborts()).isEqualTo(new AbortPolicy.Delivered());
        assertThat(second.aborts()).isEqualTo(new AbortPolicy.Computed());
        assertThat(book.get(first.id())).isEqualTo(first);
        assertThat(book.get(second.id())).isEqualTo(second);
    }

    @Test
    void publish_fromNowOnByAClockThatNeverStands_accepted() {
        PriceBook running = new PriceBook(database, feed, organizations, InstantSource.system());
        for (int i = 1; i <= 20; i++) {
            running.publish(price("labels", "0.00" + i, Optional.empty()), command())
                    .orThrow();
        }
        assertThat(running.versions("payg")).hasSize(20);
    }

    @Test
    void publish_onAnotherServer_isKnownWithinASecond() {
        OrganizationId organization = organization("CNY");
        subscribe(organization, "payg");
        try (ChangeFeed otherFeed = new ChangeFeed(database)) {
            PriceBook other = new PriceBook(database, otherFeed, new Organizations(database, otherFeed, world), world);
            PriceVersion price = publish("labels", "0.002", Optional.empty());
            long start = System.nanoTime();
            while (other.find(organization, "labels", START).isEmpty()) {
                assertThat(System.nanoTime() - start).isLessThan(TimeUnit.SECONDS.toNanos(20));
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(2));
            }
            assertThat(System.nanoTime() - start).isLessThan(TimeUnit.SECONDS.toNanos(1));
            assertThat(other.find(organization, "labels", START)).contains(price);
        }
    }

    private PriceVersion publish(String product, String each, Optional<Instant> validFrom) {
        return book.publish(price(product, each, validFrom), command()).orThrow();
    }

    private static NewPrice price(String product, String each, Optional<Instant> validFrom) {
        return new NewPrice("payg", product, flat(each), validFrom);
    }

    private static Map<Meter, TierRule> flat(String each) {
        return Map.of(Meter.IMAGES, new Flat(Rate.each(Money.of(CNY, each))));
    }

    private static PlanSettings plan(Map<String, String> prices) {
        Map<String, ProductPrice> written = new TreeMap<>();
        prices.forEach((product, each) ->
                written.put(product, new ProductPrice("image", new BigDecimal(each), null, null, null, null, null)));
        return new PlanSettings("payg", null, null, null, null, written, null);
    }

    private OrganizationId organization(String currency) {
        NewOrganization wanted =
                new NewOrganization("Qinghe", true, ZoneId.of("Asia/Shanghai"), Currency.getInstance(currency));
        return organizations.create(wanted, command()).orThrow().id();
    }

    private Subscription subscribe(OrganizationId organization, String plan) {
        return book.subscribe(organization, plan, command()).orThrow();
    }

    private static CommandKey command() {
        return new CommandKey("test", Ids.next("cmd"));
    }

    private static void assertRefused(Outcome<?> outcome, Refusal refusal) {
        assertThat(outcome).isInstanceOfSatisfying(Refused.class, r -> assertThat(r.refusal())
                .isEqualTo(refusal));
    }
}
