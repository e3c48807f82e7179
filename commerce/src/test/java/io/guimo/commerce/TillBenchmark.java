package io.guimo.commerce;

import static io.guimo.commerce.TillFixture.brief;
import static io.guimo.commerce.TillFixture.flat;

import com.sun.management.OperatingSystemMXBean;
import io.guimo.commerce.account.Caller;
import io.guimo.postgres.Database;
import io.guimo.postgres.EmbeddedPostgres;
import io.guimo.units.Meter;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;

/**
 * What the till can do on this machine: reserve and settle in a closed loop, and usage that is only recorded, each acknowledged after it is on
 * the disk; beside the time of one durable commit of the same disk. Prints a row for each number of clients. CPU is that of this process,
 * callers included, and of all of the database's.
 *
 * <p>Arguments: seconds of each measurement (10), wallets (100), lanes (1), folder of the database ({@code target/till-benchmark}).
 */
public final class TillBenchmark {
    private static final int LATENCIES = 1 << 22;
    private static final double TICKS_PER_SECOND = 100; // USER_HZ, which Linux fixes at 100 for /proc

    private TillBenchmark() {}

    public static void main(String[] arguments) throws Exception {
        int seconds = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 10;
        int wallets = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 100;
        int lanes = arguments.length > 2 ? Integer.parseInt(arguments[2]) : 1;
        Path folder = Path.of(arguments.length > 3 ? arguments[3] : "target/till-benchmark");
        try (EmbeddedPostgres server = EmbeddedPostgres.start(folder);
                Database database = Database.open(server.address())) {
            database.perform(connection -> {
                try (var statement = connection.createStatement()) {
                    statement.execute("drop schema public cascade; create schema public");
                }
            });
            database.migrate("commerce", "io/guimo/commerce/migrations");
            System.out.printf("one durable commit: %.2f ms%n", commitMillis(database));
            TillFixture shop = new TillFixture(database);
            shop.prices
                    .publishPlan(TillFixture.PLAN, TillFixture.yuan("0"), TillFixture.command())
                    .orThrow();
            shop.sell("labels", Meter.IMAGES, flat("0.002"));
            List<Caller> callers = Stream.generate(() -> shop.customer("1000000"))
                    .limit(wallets)
                    .toList();
            TillSettings settings = new TillSettings("benchmark", lanes, null, null, null);
            try (Till till = shop.open(settings)) {
                measure("warm-up", till, callers, 64, Math.max(3, seconds / 2), false, server);
                for (int clients : new int[] {1, 4, 16, 64, 256}) {
                    measure("reserve+settle", till, callers, clients, seconds, false, server);
                }
                for (int clients : new int[] {256, 1024, 2048}) {
                    measure("record", till, callers, clients, seconds, true, server);
                }
            }
            var report = shop.ledger.verify();
            System.out.println("books: " + report.events() + " events, " + report.postings() + " postings, sum "
                    + report.sumByCurrency() + ", problems " + report.problems());
            shop.close();
        }
    }

    private static void measure(
            String what,
            Till till,
            List<Caller> callers,
            int clients,
            int seconds,
            boolean record,
            EmbeddedPostgres server)
            throws InterruptedException, IOException {
        AtomicLongArray latencies = new AtomicLongArray(LATENCIES);
        java.util.concurrent.atomic.AtomicInteger count = new java.util.concurrent.atomic.AtomicInteger();
        CountDownLatch done = new CountDownLatch(clients);
        double ownBefore = ownCpuSeconds();
        double databaseBefore = databaseCpuSeconds(server.processId());
        long start = System.nanoTime();
        long end = start + TimeUnit.SECONDS.toNanos(seconds);
        for (int client = 0; client < clients; client++) {
            int seed = client;
            Thread.ofVirtual().start(() -> {
                RandomGenerator random = RandomGenerator.of("L64X128MixRandom");
                int offset = seed + random.nextInt(callers.size());
                for (int i = 0; System.nanoTime() < end; i++) {
                    UsageRequest request =
                            brief(callers.get((offset + i * 7) % callers.size()), "labels", Meter.IMAGES, 1);
                    long from = System.nanoTime();
                    if (record) {
                        till.record(request);
                    } else {
                        Reservation reservation = TillFixture.granted(till.authorize(request));
                        till.settle(reservation, Map.of(Meter.IMAGES, 1L), null);
                    }
                    int index = count.getAndIncrement();
                    if (index < LATENCIES) latencies.set(index, System.nanoTime() - from);
                }
                done.countDown();
            });
        }
        done.await();
        double elapsed = (System.nanoTime() - start) / 1e9;
        double own = ownCpuSeconds() - ownBefore;
        double other = databaseCpuSeconds(server.processId()) - databaseBefore;
        long[] sorted = new long[Math.min(count.get(), LATENCIES)];
        for (int i = 0; i < sorted.length; i++) sorted[i] = latencies.get(i);
        Arrays.sort(sorted);
        System.out.printf(
                "%-15s %5d clients %8.0f/s  p50 %6.2f ms  p99 %6.2f ms  CPU a request: JVM %5.0f us, database %5.0f us, together %5.0f us%n",
                what,
                clients,
                count.get() / elapsed,
                sorted[sorted.length / 2] / 1e6,
                sorted[(int) (sorted.length * .99)] / 1e6,
                own * 1e6 / count.get(),
                other * 1e6 / count.get(),
                (own + other) * 1e6 / count.get());
    }

    private static double commitMillis(Database database) throws SQLException {
        int commits = 0;
        try (Connection connection = database.connect("benchmark");
                PreparedStatement commit =
                        connection.prepareStatement("select pg_logical_emit_message(true, 'guimo', '')")) {
            long start = System.nanoTime();
            while (System.nanoTime() - start < 2_000_000_000L) {
                commit.execute();
                commits++;
            }
        }
        return 2000.0 / commits;
    }

    private static double ownCpuSeconds() {
        return ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getProcessCpuTime() / 1e9;
    }

    /** Of the server's main process and all that it has started, also those that have ended. */
    private static double databaseCpuSeconds(long server) throws IOException {
        double ticks = ticks(server, true);
        for (ProcessHandle child : ProcessHandle.of(server).stream()
                .flatMap(ProcessHandle::children)
                .toList()) {
            ticks += ticks(child.pid(), false);
        }
        return ticks / TICKS_PER_SECOND;
    }

    /** Fields 14 to 17 of /proc/PID/stat: user and system time of the process, then those of its children that were collected. */
    private static double ticks(long process, boolean withCollected) throws IOException {
        try {
            String stat = Files.readString(Path.of("/proc/" + process + "/stat"));
            List<String> fields = new ArrayList<>(
                    List.of(stat.substring(stat.lastIndexOf(')') + 2).split(" ")));
            double ticks = Double.parseDouble(fields.get(11)) + Double.parseDouble(fields.get(12));
            if (withCollected) ticks += Double.parseDouble(fields.get(13)) + Double.parseDouble(fields.get(14));
            return ticks;
        } catch (NoSuchFileException e) {
            return 0; // ended meanwhile; its time is with the server's collected children
        }
    }
}
