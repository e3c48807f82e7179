package io.guimo.tensor;

import java.nio.file.Path;

/** libtorch for this module's tests: pinned, so that they measure nothing and repeat bit for bit. */
final class Started {
    static final Path CACHE = Path.of(System.getProperty("user.home"), ".guimo", "cache");
    static final Torch TORCH =
            Torch.start(new TorchSettings(CACHE, Torch.mklAvailable() ? Blas.MKL : Blas.OPENBLAS, 1));

    private Started() {}
}
