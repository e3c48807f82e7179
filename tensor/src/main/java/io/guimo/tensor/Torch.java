package io.guimo.tensor;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * libtorch, loaded. A process has one: the native library has process-wide state (its random generator, its thread pool, the BLAS that it is
 * linked to), so a second start with the same settings returns the first and one with other settings is refused.
 */
public final class Torch {
    private static final Logger LOG = LoggerFactory.getLogger(Torch.class);

    /** The one instance: mirrors that a shared library is loaded once a process and never unloaded. */
    private static @Nullable Torch started;

    private final TorchEnvironment environment;
    private final TorchExecutor executor;

    private Torch(TorchEnvironment environment) {
        this.environment = environment;
        this.executor = new TorchExecutor("torch", 1, environment.threads());
    }

    /**
     * Loads libtorch, extracting it into the cache folder at the first start (some seconds). Where BLAS or threads are left open and no
     * earlier choice lies in the cache folder, measures them in child processes first (some seconds more) and stores the choice.
     *
     * @throws IllegalStateException when this process already runs libtorch with another BLAS or number of threads
     */
    public static synchronized Torch start(TorchSettings settings) {
        TorchChoice choice = started == null
                ? TorchChoice.of(settings)
                : new TorchChoice(
                        settings.blas() == null ? started.environment.blas() : settings.blas(),
                        settings.threads() == null ? started.environment.threads() : settings.threads());
        if (started == null) {
            started = new Torch(load(settings.cache(), choice));
            LOG.info("libtorch started: {}", started.environment);
        }
        TorchEnvironment running = started.environment;
        if (running.blas() != choice.blas() || running.threads() != choice.threads()) {
            throw new IllegalStateException(
                    "this process runs libtorch with " + running.blas() + " and " + running.threads()
                            + " threads and cannot change to " + choice.blas() + " and " + choice.threads()
                            + ": start another process for it");
        }
        return started;
    }

    public TorchEnvironment environment() {
        return environment;
    }

    /** The executor of training: one platform thread, so that runs in one process take turns and never share the random state. */
    public TorchExecutor executor() {
        return executor;
    }

    /**
     * Further threads, for engines that serve beside training; whoever asks closes it.
     *
     * @param name prefix of the threads' names
     * @param workers operations that may run beside each other, at least 1
     * @param threadsPerOperation threads inside one operation, at least 1
     */
    public TorchExecutor newExecutor(String name, int workers, int threadsPerOperation) {
        if (workers < 1 || threadsPerOperation < 1) {
            throw new IllegalArgumentException(
                    "an executor needs at least 1 worker and 1 thread, not " + workers + " and " + threadsPerOperation);
        }
        return new TorchExecutor(name, workers, threadsPerOperation);
    }

    /** This machine as JavaCPP names it. Read without JavaCPP, whose classes must not load before their properties are set. */
    static String platform() {
        String system = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        String processor = System.getProperty("os.arch").toLowerCase(Locale.ROOT);
        return (system.startsWith("mac") ? "macosx" : system.startsWith("win") ? "windows" : "linux")
                + (processor.equals("aarch64") ? "-arm64" : processor.equals("amd64") ? "-x86_64" : "-" + processor);
    }

    static boolean mklAvailable() {
        return platform().equals("linux-x86_64");
    }

    private static TorchEnvironment load(Path cache, TorchChoice choice) {
        // JavaCPP reads these when its first classes load, libgomp, MKL and OpenBLAS when they are loaded: so before
        // anything else
        setUnlessSet(
                "org.bytedeco.javacpp.maxPhysicalBytes",
                "0"); // else every allocation reads /proc/self/statm: 2.7 µs an add, not 1.1
        setUnlessSet("org.bytedeco.javacpp.cachedir", cache.resolve("javacpp").toString());
        if (choice.blas() == Blas.MKL) {
            System.setProperty("org.bytedeco.openblas.load", "mkl");
            CLibrary.setEnvironment("MKL_THREADING_LAYER", "GNU"); // one OpenMP pool in the process, not two
        }
        CLibrary.setEnvironment("OPENBLAS_NUM_THREADS", "1");
        if (System.getenv("OMP_WAIT_POLICY") == null) {
            // Threads that spin between operations take the processor from the one they wait for as soon as anything
            // else runs. Spinning as
            // long as most gaps of a training step last wins nearly all of it and costs little beside other work
            // (docs/decisions/0021).
            CLibrary.setEnvironment("OMP_WAIT_POLICY", "PASSIVE");
            CLibrary.setEnvironment("GOMP_SPINCOUNT", "3000");
        }
        CLibrary.setEnvironment("OMP_NUM_THREADS", Integer.toString(choice.threads()));
        CLibrary.keepFreedMemory();
        try {
            Files.createDirectories(Path.of(System.getProperty("org.bytedeco.javacpp.cachedir")));
            // the whole folder first: with a cold cache the loader would else take a libtorch_cpu.so that the system
            // happens to have
            Loader.cacheResource(org.bytedeco.pytorch.presets.torch.class, "/org/bytedeco/pytorch/" + platform() + "/");
            torch.set_num_threads(choice.threads());
        } catch (IOException | LinkageError failed) {
            throw new TorchException(
                    "libtorch (800 MB with MKL) cannot be unpacked into " + cache + " and loaded, where "
                            + (cache.toFile().getUsableSpace() >> 20) + " MB are free: "
                            + String.valueOf(failed.getMessage())
                                    .lines()
                                    .findFirst()
                                    .orElse("no reason was given")
                            + ". Free space there, or choose another home folder by --home DIR, and repeat the command; nothing was lost.",
                    failed);
        }
        return new TorchEnvironment(
                version(),
                choice.blas(),
                choice.threads(),
                Device.CPU,
                torch.get_cpu_capability().getString());
    }

    private static String version() {
        try {
            return Loader.getVersion(
                    "org.bytedeco", "pytorch"); // libtorch's version, a dash, the version of the presets
        } catch (IOException failed) {
            throw new UncheckedIOException("the pytorch jar carries no version", failed);
        }
    }

    private static void setUnlessSet(String property, String value) {
        if (System.getProperty(property) == null) System.setProperty(property, value);
    }
}
