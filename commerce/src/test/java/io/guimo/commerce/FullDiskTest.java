package io.guimo.commerce;

import static org.assertj.core.api.Assertions.assertThat;

import io.guimo.commerce.Authorization.Granted;
import io.guimo.commerce.account.Caller;
import io.guimo.commerce.ledger.LedgerReport;
import io.guimo.postgres.Database;
import io.guimo.postgres.EmbeddedPostgres;
import io.guimo.units.Meter;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;
import org.junit.jupiter.api.Test;

/** A till whose database's disk fills up under load and is made free again. */
class FullDiskTest {
    private static final Path FOLDER = Path.of("target/full-disk").toAbsolutePath();
    private static final int CLIENTS = 16;

    @Test
    void fill_diskUnderLoad_refusedMeanwhileThenEverythingGoesOnAndNothingIsLost() throws Exception {
        Files.createDirectories(FOLDER);
        // A small disk of its own, seen by the child only; who is not root makes it in a user namespace.
        List<String> command = new ArrayList<>(List.of("unshare", "--mount"));
        if (!System.getProperty("user.name").equals("root")) command.addAll(List.of("--user", "--map-root-user"));
        command.addAll(List.of(
                "sh",
                "-c",
                "mount -t tmpfs -o size=230m,mode=0755 tmpfs \"$0\" && exec \"$@\"",
                FOLDER.toString(),
                ProcessHandle.current().info().command().orElseThrow(),
                "-Xmx300m",
                "-XX:+UseSerialGC",
                "-cp",
                System.getProperty("java.class.path"),
                Child.class.getName()));
        Process child = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(child.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(child.waitFor()).as(said).isZero();
        assertThat(said).contains("the books are right");
    }

    /** What runs on the small disk. */
    static final class Child {
        private static final int BEFORE = 500;
        private static final Duration FULL_FOR = Duration.ofSeconds(3);

        private final Queue<String> acknowledged = new ConcurrentLinkedQueue<>();
        private final LongAdder refused = new LongAdder();
        private final AtomicBoolean stop = new AtomicBoolean();

        public static void main(String[] arguments) throws Exception {
            new Child().run();
        }

        private void run() throws Exception {
            try (EmbeddedPostgres server = EmbeddedPostgres.start(FOLDER.resolve("postgres"));
                    Database database = Database.open(server.address())) {
                database.migrate("commerce", "io/guimo/commerce/migrations");
                TillFixture shop = new TillFixture(database);
                shop.prices
                        .publishPlan(TillFixture.PLAN, TillFixture.yuan("0"), TillFixture.command())
                        .orThrow();
                shop.sell("labels", Meter.IMAGES, TillFixture.flat("0.002"));
                List<Caller> callers = List.of(shop.customer("100000"), shop.customer("100000"));
                try (Till till = shop.open("steady")) {
                    List<Thread> clients = new ArrayList<>();
                    for (int i = 0; i < CLIENTS; i++) {
                        Caller caller = callers.get(i % callers.size());
                        clients.add(Thread.ofVirtual().start(() -> sendUntilStopped(till, caller)));
                    }
                    await(BEFORE);
                    Path filler = FOLDER.resolve("filler");
                    fill(filler);
                    System.out.println("full after " + acknowledged.size());
                    long end = System.nanoTime() + FULL_FOR.toNanos();
                    // The clients wait in their settles, as does what was still authorised; then new requests are
                    // refused.
                    while (System.nanoTime() < end || refused.sum() == 0) {
                        clients.add(Thread.ofVirtual().start(() -> send(till, callers.getFirst())));
                        Thread.sleep(20);
                    }
                    System.out.println("free again after " + acknowledged.size() + ", refused " + refused);
                    Files.delete(filler);
                    await(acknowledged.size() + BEFORE);
                    stop.set(true);
                    for (Thread client : clients) client.join();
                }
                LedgerReport report = shop.ledger.verify();
                if (!report.isRight() || report.openReservations() > 0) throw new AssertionError(report.toString());
                for (String request : acknowledged) {
                    if (shop.count("select count(*) from usage_event where request_id = ?", request) != 1) {
                        throw new AssertionError(request + " was acknowledged and is not counted once");
                    }
                }
                System.out.println("the books are right: " + acknowledged.size() + " requests");
                shop.close();
            }
        }

        private void sendUntilStopped(Till till, Caller caller) {
            while (!stop.get()) send(till, caller);
        }

        private void send(Till till, Caller caller) {
            UsageRequest request = TillFixture.brief(caller, "labels", Meter.IMAGES, 1);
            switch (till.authorize(request)) {
                case Granted(Reservation reservation) -> {
                    till.settle(reservation, Map.of(Meter.IMAGES, 1L), null);
                    acknowledged.add(request.id().value());
                }
                case Refused refusal -> {
                    if (refusal.code() != Refused.Code.UNAVAILABLE) throw new AssertionError(refusal.message());
                    refused.increment();
                    Lane.pause(Duration.ofMillis(20));
                }
                case Authorization.Replayed replayed -> throw new AssertionError(replayed.toString());
            }
        }

        private void await(int acknowledgements) throws InterruptedException {
            while (acknowledged.size() < acknowledgements) Thread.sleep(5);
        }

        private static void fill(Path file) {
            byte[] megabyte = new byte[1 << 20];
            try (OutputStream out = Files.newOutputStream(file)) {
                while (true) out.write(megabyte);
            } catch (IOException full) {
                System.out.println(full.getMessage());
            }
        }
    }
}
