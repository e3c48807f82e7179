package io.guimo.commerce.account;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guimo.commerce.ScratchDatabase;
import io.guimo.commerce.command.ChangeFeed;
import io.guimo.commerce.command.CommandKey;
import io.guimo.commerce.command.Outcome;
import io.guimo.commerce.command.Outcome.Refused;
import io.guimo.commerce.command.Refusal;
import io.guimo.postgres.Database;
import io.guimo.units.Cursor;
import io.guimo.units.Ids;
import io.guimo.units.VirtualClock;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneId;
import java.util.Currency;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class OrganizationsTest {
    private static final ZoneId SHANGHAI = ZoneId.of("Asia/Shanghai");
    private static final Currency CNY = Currency.getInstance("CNY");
    private static final Instant START = Instant.parse("2026-11-20T08:00:00Z");
    private static final VirtualClock WORLD = new VirtualClock(InstantSource.fixed(START), Duration.ZERO);

    private static Database database;
    private static ChangeFeed feed;
    private static Organizations organizations;

    @BeforeAll
    static void open() {
        database = ScratchDatabase.open("organizations_test");
        feed = new ChangeFeed(database);
        organizations = new Organizations(database, feed, WORLD);
    }

    @AfterAll
    static void close() {
        feed.close();
        database.close();
    }

    @Test
    void create_sameCommandFromManyThreads_makesOne() throws Exception {
        NewOrganization wanted = new NewOrganization("Qinghe 青禾", true, SHANGHAI, CNY);
        CommandKey key = command();
        Callable<Organization> create = () -> organizations.create(wanted, key).orThrow();
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<Organization>> made = threads.invokeAll(
                    IntStream.range(0, 8).mapToObj(_ -> create).toList());
            Organization first = made.getFirst().get();
            for (Future<Organization> other : made) assertThat(other.get()).isEqualTo(first);
            assertThat(organizations.find(first.id())).contains(first);
            assertThat(organizations.projects(first.id(), Cursor.first(10)).items())
                    .extracting(Project::name)
                    .containsExactly("default");
        }
    }

    @Test
    void turnClock_sandbox_runsAheadAndStaysAhead() {
        Organization sandbox = create(true);
        Instant target = Instant.parse("2026-12-01T00:00:00Z");
        CommandKey key = command();
        organizations.turnClock(sandbox.id(), target, key).orThrow();
        assertThat(organizations.now(sandbox.id())).isEqualTo(target);
        WORLD.turnTo(WORLD.instant().plusSeconds(90));
        assertThat(organizations.clock(sandbox.id()).instant()).isEqualTo(target.plusSeconds(90));
        // the same command again does not turn it again
        organizations.turnClock(sandbox.id(), target, key).orThrow();
        assertThat(organizations.now(sandbox.id())).isEqualTo(target.plusSeconds(90));
        try (ChangeFeed otherFeed = new ChangeFeed(database)) {
            Organizations restarted = new Organizations(database, otherFeed, WORLD);
            assertThat(restarted.now(sandbox.id())).isEqualTo(target.plusSeconds(90));
        }
    }

    @Test
    void turnClock_backOrOfARealOrganization_refused() {
        Organization real = create(false);
        Organization sandbox = create(true);
        assertRefused(
                organizations.turnClock(real.id(), WORLD.instant().plusSeconds(60), command()),
                Refusal.CLOCK_NOT_TURNED);
        assertRefused(
                organizations.turnClock(sandbox.id(), WORLD.instant().minusSeconds(1), command()),
                Refusal.CLOCK_NOT_TURNED);
        assertRefused(
                organizations.turnClock(sandbox.id(), Instant.parse("9999-01-01T00:00:00Z"), command()),
                Refusal.CLOCK_NOT_TURNED);
        assertThat(organizations.now(sandbox.id())).isEqualTo(WORLD.instant());
    }

    @Test
    void turnClock_refusedCommand_leavesItsKeyUnused() {
        Organization sandbox = create(true);
        CommandKey key = command();
        assertRefused(
                organizations.turnClock(sandbox.id(), WORLD.instant().minusSeconds(1), key), Refusal.CLOCK_NOT_TURNED);
        organizations
                .turnClock(sandbox.id(), WORLD.instant().plusSeconds(1), key)
                .orThrow();
    }

    @Test
    void projects_ofAnotherOrganization_areNotSeen() {
        Organization mine = create(false);
        Organization theirs = create(false);
        Project project =
                organizations.createProject(theirs.id(), "secret", command()).orThrow();
        assertThat(organizations.project(mine.id(), project.id())).isEmpty();
        assertThat(organizations.project(theirs.id(), project.id())).contains(project);
        assertThat(organizations.projects(mine.id(), Cursor.first(100)).items())
                .noneMatch(p -> p.id().equals(project.id()));
    }

    @Test
    void list_byCursor_goesThroughAllInOrder() {
        for (int i = 0; i < 5; i++) create(true);
        Optional<String> after = Optional.empty();
        String previous = "";
        int seen = 0;
        do {
            var page = organizations.list(new Cursor(after, 2));
            for (Organization organization : page.items()) {
                assertThat(organization.id().value()).isGreaterThan(previous);
                previous = organization.id().value();
                seen++;
            }
            after = page.next();
        } while (after.isPresent());
        assertThat(seen).isGreaterThanOrEqualTo(5);
    }

    @Test
    void newOrganization_unusableNameOrCurrency_refusedWithWhatIsPermitted() {
        assertThatThrownBy(() -> new NewOrganization(" ", false, SHANGHAI, CNY)).hasMessageContaining("1 to 200");
        assertThatThrownBy(() -> new NewOrganization("a\nb", false, SHANGHAI, CNY))
                .hasMessageContaining("a?b");
        assertThatThrownBy(() -> new NewOrganization("x".repeat(201), false, SHANGHAI, CNY))
                .hasMessageContaining("1 to 200");
        assertThatThrownBy(() -> new NewOrganization("a", false, SHANGHAI, Currency.getInstance("XXX")))
                .hasMessageContaining("no smallest unit");
    }

    private static Organization create(boolean sandbox) {
        return organizations
                .create(new NewOrganization("Qinghe", sandbox, SHANGHAI, CNY), command())
                .orThrow();
    }

    private static CommandKey command() {
        return new CommandKey("test", Ids.next("cmd"));
    }

    private static void assertRefused(Outcome<?> outcome, Refusal refusal) {
        assertThat(outcome).isInstanceOfSatisfying(Refused.class, r -> assertThat(r.refusal())
                .isEqualTo(refusal));
    }
}
