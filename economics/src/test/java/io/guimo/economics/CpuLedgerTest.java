package io.guimo.economics;

import static org.assertj.core.api.Assertions.assertThat;

import io.guimo.postgres.Database;
import io.guimo.postgres.EmbeddedPostgres;
import io.guimo.units.Meter;
import io.guimo.units.TimeWindow;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CpuLedgerTest {
    private final AtomicReference<List<EngineReading>> engines = new AtomicReference<>(List.of());

    @Test
    void close_workOfAnEngine_isItsShareAndTheRestOverhead() throws Exception {
        CpuLedger ledger = new CpuLedger(InstantSource.system(), OptionalLong::empty, engines::get);
        long engineNanos = burn(300_000_000L);
        burn(200_000_000L); // nobody's: overhead
        engines.set(List.of(
                new EngineReading("photos", "1", Map.of(Meter.IMAGES, 10L), 5, engineNanos, Map.of(), 0, engineNanos)));
        long processBefore = processNanos();
        CostWindow window = ledger.close();
        assertThat(window.shares()).singleElement().satisfies(s -> {
            assertThat(s.cpuNanos()).isEqualTo(engineNanos);
            assertThat(s.units()).containsExactly(Map.entry(Meter.IMAGES, 10L));
        });
        assertThat(window.overheadNanos()).isGreaterThan(180_000_000L);
        assertThat(window.engineNanos() + window.overheadNanos()).isEqualTo(window.totalNanos());
        assertThat(window.serverNanos()).isLessThanOrEqualTo(processNanos()).isLessThan(processBefore + 1_000_000_000L);
    }

    @Test
    void close_engineLoadedAnew_countsFromZero() throws Exception {
        engines.set(List.of(new EngineReading("photos", "1", Map.of(Meter.IMAGES, 10L), 5, 700, Map.of(), 0, 700)));
        CpuLedger ledger = new CpuLedger(InstantSource.system(), OptionalLong::empty, engines::get);
        engines.set(List.of(
                new EngineReading("photos", "1", Map.of(Meter.IMAGES, 3L), 2, 300, Map.of(), 0, 300),
                new EngineReading("photos", "2", Map.of(Meter.IMAGES, 4L), 1, 100, Map.of(), 0, 100)));
        assertThat(ledger.close().shares())
                .extracting(CostWindow.Share::requests, CostWindow.Share::cpuNanos)
                .containsExactlyInAnyOrder(
                        org.assertj.core.api.Assertions.tuple(2L, 300L),
                        org.assertj.core.api.Assertions.tuple(1L, 100L));
    }

    @Test
    void close_engineWithAWorker_itsTimeIsPartOfTheWhole() throws Exception {
        CpuLedger ledger = new CpuLedger(InstantSource.system(), OptionalLong::empty, engines::get);
        long day = Duration.ofDays(1).toNanos();
        engines.set(List.of(new EngineReading("chat", "1", Map.of(), 1, day - 5, Map.of(), day, 0)));
        CostWindow window = ledger.close();
        assertThat(window.engineNanos()).isEqualTo(day - 5);
        assertThat(window.serverNanos()).isGreaterThanOrEqualTo(day);
        assertThat(ledger.close().serverNanos()).isLessThan(day);
    }

    @Test
    void ofTree_childThatWorkedAndEnded_isCounted() throws Exception {
        Process shell = new ProcessBuilder(
                        "sh",
                        "-c",
                        "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; (i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done); echo done; read line")
                .start();
        try {
            assertThat(shell.inputReader().readLine()).isEqualTo("done");
            long alone = ProcessHandle.of(shell.pid())
                    .orElseThrow()
                    .info()
                    .totalCpuDuration()
                    .orElseThrow()
                    .toNanos();
            assertThat(ProcessTime.ofTree(shell.pid())).isGreaterThan(alone);
        } finally {
            shell.destroyForcibly().waitFor();
        }
    }

    @Test
    void costLog_windows_comeBackSummed(@TempDir Path home) {
        try (EmbeddedPostgres postgres = EmbeddedPostgres.start(home.resolve("postgres"));
                Database database = Database.open(postgres.address())) {
            CostLog log = CostLog.open(database);
            Instant start = Instant.parse("2026-11-01T00:00:00Z");
            var share = new CostWindow.Share(
                    "chat",
                    Map.of(Meter.INPUT_TOKENS, 5L, Meter.OUTPUT_TOKENS, 7L),
                    2,
                    100,
                    Map.of(Meter.INPUT_TOKENS, 30L, Meter.OUTPUT_TOKENS, 60L),
                    90);
            log.append(new CostWindow(new TimeWindow(start, start.plusSeconds(60)), 2, 1000, 500, List.of(share)));
            log.append(new CostWindow(
                    new TimeWindow(start.plusSeconds(300), start.plusSeconds(360)), 2, 2000, 0, List.of(share)));
            log.append(new CostWindow(
                    new TimeWindow(start.plusSeconds(3600), start.plusSeconds(3660)), 2, 9, 9, List.of()));
            CostWindow sum =
                    log.sum(new TimeWindow(start, start.plusSeconds(600))).orElseThrow();
            assertThat(sum.totalNanos()).isEqualTo(3500);
            assertThat(sum.time().length()).isEqualTo(Duration.ofMinutes(2));
            assertThat(sum.shares())
                    .containsExactly(new CostWindow.Share(
                            "chat",
                            Map.of(Meter.INPUT_TOKENS, 10L, Meter.OUTPUT_TOKENS, 14L),
                            4,
                            200,
                            Map.of(Meter.INPUT_TOKENS, 60L, Meter.OUTPUT_TOKENS, 120L),
                            180));
            assertThat(log.sum(new TimeWindow(start.minusSeconds(10), start))).isEmpty();
        }
    }

    private static long processNanos() {
        return ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
                .getProcessCpuTime();
    }

    /** Works for that much processor time of this thread. */
    private static long burn(long nanos) {
        var threads = ManagementFactory.getThreadMXBean();
        long start = threads.getCurrentThreadCpuTime();
        double x = 1;
        while (threads.getCurrentThreadCpuTime() - start < nanos) for (int i = 0; i < 10_000; i++) x = Math.sqrt(x + i);
        assertThat(x).isPositive();
        return threads.getCurrentThreadCpuTime() - start;
    }
}
