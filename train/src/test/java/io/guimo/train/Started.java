package io.guimo.train;

import io.guimo.tensor.Blas;
import io.guimo.tensor.Torch;
import io.guimo.tensor.TorchSettings;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.util.Map;

/** libtorch for this module's tests, pinned, so that they measure nothing and repeat bit for bit. */
final class Started {
    static final Path CACHE = Path.of(System.getProperty("user.home"), ".guimo", "cache");

    private Started() {}

    static Torch torch() {
        return Torch.start(new TorchSettings(CACHE, blas(), 1));
    }

    static Blas blas() {
        return System.getProperty("os.arch").equals("amd64")
                        && System.getProperty("os.name").startsWith("Linux")
                ? Blas.MKL
                : Blas.OPENBLAS;
    }

    static RunDescription description(String model) {
        return new RunDescription(
                model,
                Map.of("architecture.width", "4"),
                Map.of("patterns", "seed 11"),
                "test",
                new BigDecimal("1.20"),
                "CNY");
    }
}
