package io.guimo.tensor;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * How libtorch is loaded.
 *
 * @param cache folder for the extracted native libraries and the measured choice, usually {@code ~/.guimo/cache}
 * @param blas library behind matrix products, or null to take what was measured fastest on this machine
 * @param threads threads inside one operation, at least 1, or null to take what was measured fastest
 * @param quiet whether what was measured beside other work is measured again
 */
public record TorchSettings(
        Path cache, @Nullable Blas blas, @Nullable Integer threads, boolean quiet) {
    public TorchSettings {
        if (threads != null && (threads < 1 || threads > 1024)) {
            throw new IllegalArgumentException(
                    "torch threads " + threads + " must be 1 to 1024; leave it out to have it measured");
        }
        if (blas == Blas.MKL && !Torch.mklAvailable()) {
            throw new IllegalArgumentException(
                    "blas mkl exists on x86-64 Linux only, this is " + Torch.platform() + "; use openblas");
        }
    }

    /** With a measurement that is not taken beside other work, or is then taken again. */
    public TorchSettings(Path cache, @Nullable Blas blas, @Nullable Integer threads) {
        this(cache, blas, threads, true);
    }

    /** For training: measures once for a cache folder, then always the same choice. */
    public static TorchSettings measured(Path cache) {
        return new TorchSettings(cache, null, null);
    }

    /**
     * For a process that only serves: what was measured, whatever ran beside it. Engines compute each operation on one thread, and while they load beside
     * each other no measurement would ever be quiet.
     */
    public static TorchSettings serving(Path cache) {
        return new TorchSettings(cache, null, null, false);
    }

    /** The setting of an earlier run, so that its numbers repeat bit for bit. */
    public static TorchSettings pinned(Path cache, TorchEnvironment environment) {
        return new TorchSettings(cache, environment.blas(), environment.threads());
    }
}
