package io.guimo.tensor;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which BLAS and how many threads this machine computes fastest with. Measured in child processes ({@link SpeedProbe}), since a process can
 * load one BLAS only, and stored in the cache folder with what would make it stale.
 */
record TorchChoice(Blas blas, int threads) {
    private static final Logger LOG = LoggerFactory.getLogger(TorchChoice.class);
    private static final String FILE = "torch-choice.properties";

    /** A rival must win by this factor: below it is the noise of a short measurement, and MKL and fewer threads are the calmer choice. */
    private static final double WORTH_CHANGING = 1.05;

    /** Share of the processors that others use, from which on a measurement is not trusted beyond this start. */
    private static final double BUSY = .2;

    private static final Duration LOOK = Duration.ofMillis(300);

    static TorchChoice of(TorchSettings settings) {
        if (settings.blas() != null && settings.threads() != null)
            return new TorchChoice(settings.blas(), settings.threads());
        Path file = settings.cache().resolve(FILE);
        TorchChoice measured = read(file, settings.quiet()).orElseGet(() -> measureAndStore(settings.cache(), file));
        return new TorchChoice(
                settings.blas() == null ? measured.blas : settings.blas(),
                settings.threads() == null ? measured.threads : settings.threads());
    }

    private static Optional<TorchChoice> read(Path file, boolean quiet) {
        if (!Files.exists(file)) return Optional.empty();
        Properties stored = new Properties();
        try (var reader = Files.newBufferedReader(file)) {
            stored.load(reader);
            if (!machine().equals(stored.getProperty("machine"))) return Optional.empty();
            if (quiet && Boolean.parseBoolean(stored.getProperty("busy"))) {
                LOG.info("the machine was busy when BLAS and threads were measured: once more");
                return Optional.empty();
            }
            return Optional.of(new TorchChoice(
                    Blas.valueOf(stored.getProperty("blas", "").toUpperCase(Locale.ROOT)),
                    Integer.parseInt(stored.getProperty("threads", ""))));
        } catch (IOException | IllegalArgumentException damaged) {
            LOG.warn("{} is not readable and is measured again: {}", file, damaged.getMessage());
            return Optional.empty();
        }
    }

    private static TorchChoice measureAndStore(Path cache, Path file) {
        LOG.info("measuring which BLAS and how many threads compute fastest here (once, some seconds)");
        boolean busy = isBusy();
        TorchChoice fallback = new TorchChoice(Torch.mklAvailable() ? Blas.MKL : Blas.OPENBLAS, 1);
        TorchChoice best = fallback;
        double bestSeconds = Double.POSITIVE_INFINITY;
        StringBuilder figures = new StringBuilder();
        for (TorchChoice candidate : candidates()) {
            Optional<Double> seconds = candidate.secondsInChild(cache);
            if (seconds.isEmpty()) continue;
            figures.append("# ")
                    .append(candidate.blas)
                    .append(' ')
                    .append(candidate.threads)
                    .append(" threads: ")
                    .append(seconds.get())
                    .append(" s\n");
            double needed = bestSeconds / WORTH_CHANGING;
            if (seconds.get() < needed) {
                best = candidate;
                bestSeconds = seconds.get();
            }
        }
        // nothing could be measured: not stored, so that the next start tries again
        if (bestSeconds == Double.POSITIVE_INFINITY) return fallback;
        String text = figures + "machine=" + machine() + "\nblas="
                + best.blas.name().toLowerCase(Locale.ROOT) + "\nthreads=" + best.threads + "\nbusy=" + busy + "\n";
        try {
            Files.createDirectories(cache);
            Path written = Files.writeString(Files.createTempFile(cache, FILE, ".tmp"), text);
            Files.move(written, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException failed) {
            throw new UncheckedIOException("cannot store the measured choice in " + file, failed);
        }
        LOG.info(
                "chose {} with {} threads{}",
                best.blas,
                best.threads,
                busy ? "; other work was running, so the next start measures again" : "");
        return best;
    }

    /** Two threads lose against one wherever somebody else wants the second processor, so what is measured beside other work holds beside it only. */
    private static boolean isBusy() {
        if (!(ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean system)) return false;
        system.getCpuLoad(); // the load since the call before
        try {
            Thread.sleep(LOOK);
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        }
        return system.getCpuLoad() > BUSY;
    }

    /** The calm choice first; all processors, half of them, and one. */
    private static List<TorchChoice> candidates() {
        int processors = Runtime.getRuntime().availableProcessors();
        List<Integer> counts = new ArrayList<>(List.of(1));
        if (processors >= 4) counts.add(processors / 2);
        if (processors >= 2) counts.add(processors);
        List<TorchChoice> candidates = new ArrayList<>();
        if (Torch.mklAvailable()) for (int threads : counts) candidates.add(new TorchChoice(Blas.MKL, threads));
        for (int threads : counts) candidates.add(new TorchChoice(Blas.OPENBLAS, threads));
        return candidates;
    }

    private Optional<Double> secondsInChild(Path cache) {
        Process child;
        try {
            child = new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "--enable-native-access=ALL-UNNAMED",
                            "--sun-misc-unsafe-memory-access=allow",
                            "-XX:TieredStopAtLevel=1", // short-lived: the second compiler would compete with what is
                            // measured
                            "-cp",
                            System.getProperty("java.class.path"),
                            SpeedProbe.class.getName(),
                            System.getProperty(
                                    "org.bytedeco.javacpp.cachedir",
                                    cache.resolve("javacpp").toString()),
                            cache.toString(),
                            blas.name(),
                            Integer.toString(threads))
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
        } catch (IOException failed) {
            LOG.warn(
                    "could not start a child process to measure {} with {} threads: {}",
                    blas,
                    threads,
                    failed.getMessage());
            return Optional.empty();
        }
        try {
            String said = new String(child.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (!child.waitFor(60, TimeUnit.SECONDS) || child.exitValue() != 0) {
                LOG.warn("{} with {} threads could not be measured", blas, threads);
                return Optional.empty();
            }
            return said.lines()
                    .filter(line -> line.startsWith("seconds="))
                    .map(line -> Double.valueOf(line.substring(8)))
                    .findFirst();
        } catch (IOException failed) {
            LOG.warn("{} with {} threads could not be measured: {}", blas, threads, failed.getMessage());
            return Optional.empty();
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
            return Optional.empty();
        } finally {
            child.destroyForcibly();
        }
    }

    /** What the choice depends on: another one is measured again. */
    private static String machine() {
        return Torch.platform() + " " + Runtime.getRuntime().availableProcessors() + " processors";
    }
}
