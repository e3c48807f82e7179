package io.guimo.commerce;

import static io.guimo.commerce.TillFixture.flat;
import static io.guimo.commerce.TillFixture.granted;
import static io.guimo.commerce.TillFixture.request;
import static io.guimo.commerce.TillFixture.yuan;
import static org.assertj.core.api.Assertions.assertThat;

import io.guimo.commerce.Authorization.Granted;
import io.guimo.commerce.account.Caller;
import io.guimo.commerce.ledger.LedgerReport;
import io.guimo.postgres.Database;
import io.guimo.postgres.DatabaseAddress;
import io.guimo.postgres.EmbeddedPostgres;
import io.guimo.units.Meter;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Servers and databases that die in the middle of their work. */
class CrashTest {
    private static final int LAST_CRASH = 3;
    private static final Path FOLDER = Path.of("target/crash-postgres").toAbsolutePath();

    @Test
    void kill_serverUnderLoadThreeTimes_nothingAcknowledgedIsLostOrCountedTwice() throws Exception {
        killServer(3, 11);
    }

    @Test
    @Tag("long")
    void kill_serverUnderLoadTwentyTimes_nothingAcknowledgedIsLostOrCountedTwice() throws Exception {
        killServer(20, 12);
    }

    private static void killServer(int times, long seed) throws Exception {
        Random random = new Random(seed);
        empty(FOLDER);
        try (EmbeddedPostgres server = EmbeddedPostgres.start(FOLDER);
                Database database = Database.open(server.address())) {
            database.migrate("commerce", "io/guimo/commerce/migrations");
            TillFixture shop = new TillFixture(database);
            shop.prices
                    .publishPlan(TillFixture.PLAN, yuan("0"), TillFixture.command())
                    .orThrow();
            shop.sell("labels", Meter.IMAGES, flat("0.002"));
            for (int i = 0; i < 8; i++) shop.customer("100000");
        }
        Set<String> acknowledged = new HashSet<>();
        for (int kill = 0; kill < times; kill++) {
            acknowledged.addAll(runAndKill(300 + random.nextInt(700), "folder", FOLDER.toString()));
            try (EmbeddedPostgres server = EmbeddedPostgres.start(FOLDER);
                    Database database = Database.open(server.address())) {
                TillFixture shop = new TillFixture(database);
                try (Till till = shop.open("crashing")) {
                    LedgerReport report = shop.ledger.verify();
                    assertThat(report.problems()).isEmpty();
                    assertThat(report.openReservations()).isZero();
                    assertThat(till).isNotNull();
                }
                for (String id : acknowledged) {
                    assertThat(shop.count("select count(*) from usage_event where request_id = ?", id))
                            .isEqualTo(1);
                }
            }
        }
    }

    @Test
    void kill_databaseUnderLoad_nothingAcknowledgedIsLostAndWorkGoesOn() throws Exception {
        Path folder = Path.of("target/crash-database").toAbsolutePath();
        empty(folder);
        try (EmbeddedPostgres server = EmbeddedPostgres.start(folder);
                Database database = Database.open(server.address())) {
            database.migrate("commerce", "io/guimo/commerce/migrations");
            TillFixture shop = new TillFixture(database);
            shop.prices
                    .publishPlan(TillFixture.PLAN, yuan("0"), TillFixture.command())
                    .orThrow();
            shop.sell("labels", Meter.IMAGES, flat("0.002"));
            List<Caller> callers = new ArrayList<>();
            for (int i = 0; i < 4; i++) callers.add(shop.customer("100000"));
            Queue<String> acknowledged = new ConcurrentLinkedQueue<>();
            Queue<Throwable> failures = new ConcurrentLinkedQueue<>();
            AtomicBoolean stop = new AtomicBoolean();
            CountDownLatch done = new CountDownLatch(16);
            try (Till till = shop.open("steady")) {
                for (int client = 0; client < 16; client++) {
                    Caller caller = callers.get(client % callers.size());
                    Thread.ofVirtual().start(() -> {
                        try {
                            while (!stop.get()) sendOne(till, caller, acknowledged);
                        } catch (RuntimeException | AssertionError e) {
                            failures.add(e);
                        } finally {
                            done.countDown();
                        }
                    });
                }
                for (int crash = 0; crash <= LAST_CRASH; crash++) {
                    int goal = acknowledged.size() + 200;
                    while (acknowledged.size() < goal && failures.isEmpty()) Thread.sleep(5);
                    killOneOf(server.processId(), crash);
                }
                int goal = acknowledged.size() + 200;
                while (acknowledged.size() < goal && failures.isEmpty()) Thread.sleep(5);
                stop.set(true);
                done.await();
            }
            assertThat(failures).isEmpty();
            LedgerReport report = shop.ledger.verify();
            assertThat(report.problems()).isEmpty();
            assertThat(report.openReservations()).isZero();
            for (String id : acknowledged) {
                assertThat(shop.count("select count(*) from usage_event where request_id = ?", id))
                        .isEqualTo(1);
            }
            shop.close();
        }
    }

    @Test
    void kill_oneOfTwoServers_itsReservationsEndAndALiveStreamKeepsItsMoney() throws Exception {
        TillFixture shop = TillFixture.scratch("lease_test");
        shop.sell("labels", Meter.IMAGES, flat("0.5"));
        Caller alive = shop.customer("10");
        Caller orphaned = shop.customer("100");
        try (Till till = shop.open("living")) {
            Reservation stream = granted(till.authorize(request(alive, "labels", Meter.IMAGES, 4)));
            DatabaseAddress address = shop.database.address();
            Process dying = child("address", address.url(), address.user(), address.password());
            try (BufferedReader output = dying.inputReader()) {
                assertThat(output.readLine()).isEqualTo("reserved");
            }
            assertThat(shop.ledger.verify().openReservations()).isEqualTo(6);
            long killed = System.nanoTime();
            dying.toHandle().destroyForcibly();
            dying.waitFor();
            while (shop.count("select count(*) from reservation") > 1) {
                assertThat(System.nanoTime() - killed)
                        .as("sweep of a dead server's reservations")
                        .isLessThan(Duration.ofSeconds(60).toNanos());
                Thread.sleep(50);
            }
            assertThat(System.nanoTime() - killed)
                    .isGreaterThan(Duration.ofSeconds(5).toNanos());
            // the units that streams had recorded as delivered, 1 + 2 + 3 + 4, and nothing for the plain request
            assertThat(shop.available(orphaned)).isEqualTo(yuan("95"));
            assertThat(shop.available(alive)).isEqualTo(yuan("8"));
            Extension extension = till.extend(stream, Map.of(Meter.IMAGES, 4L), Map.of(Meter.IMAGES, 8L));
            assertThat(extension).isInstanceOf(Extension.Extended.class);
            till.settleDelivered(stream, Map.of(Meter.IMAGES, 8L), true, null);
            assertThat(shop.available(alive)).isEqualTo(yuan("6"));
        }
        assertThat(shop.ledger.verify().problems()).isEmpty();
        assertThat(shop.ledger.verify().openReservations()).isZero();
        shop.close();
    }

    private static void sendOne(Till till, Caller caller, Queue<String> acknowledged) {
        UsageRequest request = request(caller, "labels", Meter.IMAGES, 2);
        Authorization answer = till.authorize(request);
        if (!(answer instanceof Granted(Reservation reservation))) {
            assertThat(TillFixture.refusal(answer)).isEqualTo(Refused.Code.UNAVAILABLE);
            return;
        }
        Settlement settlement = till.settle(reservation, Map.of(Meter.IMAGES, 2L), null);
        assertThat(settlement.outcome()).isEqualTo(Settlement.Outcome.CHARGED);
        acknowledged.add(request.id().value());
    }

    /**
     * A process of the server that dies takes all its connections along, and with them commits that were not yet on the disk. Those started last
     * first; at the end the main one, with which all others end.
     */
    private static void killOneOf(long server, int which) {
        if (which == LAST_CRASH) {
            ProcessHandle.of(server).orElseThrow().destroyForcibly();
            return;
        }
        List<ProcessHandle> children = ProcessHandle.of(server).stream()
                .flatMap(ProcessHandle::children)
                .sorted(Comparator.comparingLong(ProcessHandle::pid))
                .toList();
        children.get(children.size() - 1 - which).destroyForcibly();
    }

    private static Set<String> runAndKill(int acknowledgements, String... arguments) throws Exception {
        Set<String> acknowledged = new HashSet<>();
        Process child = child(arguments);
        try (BufferedReader output = child.inputReader()) {
            while (acknowledged.size() < acknowledgements) {
                String line = output.readLine();
                if (line == null) throw new AssertionError("the child ended by itself: " + Files.readString(log()));
                acknowledged.add(line);
            }
            child.toHandle().destroyForcibly();
            // what it still managed to print was acknowledged too, but for a line cut short
            for (String line = output.readLine(); line != null; line = output.readLine()) {
                if (line.length() == "req_".length() + 26) acknowledged.add(line);
            }
        }
        child.waitFor();
        return acknowledged;
    }

    private static Process child(String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                ProcessHandle.current().info().command().orElseThrow(),
                "-Xmx300m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                TillClients.class.getName()));
        command.addAll(List.of(arguments));
        return new ProcessBuilder(command).redirectError(log().toFile()).start();
    }

    private static Path log() {
        return Path.of("target/crash-child.log");
    }

    private static void empty(Path folder) throws IOException {
        Path data = folder.resolve("data");
        if (Files.notExists(data)) return;
        try (Stream<Path> files = Files.walk(data)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) Files.delete(file);
        }
    }
}
