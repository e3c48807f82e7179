package io.guimo.model;

import io.guimo.tensor.Blas;
import io.guimo.tensor.Tensor;
import io.guimo.tensor.TensorScope;
import io.guimo.tensor.Torch;
import io.guimo.tensor.TorchSettings;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;

/** libtorch for this module's tests, pinned, so that they measure nothing. */
public final class Started {
    public static final Torch TORCH = Torch.start(new TorchSettings(
            Path.of(System.getProperty("user.home"), ".guimo", "cache"),
            System.getProperty("os.arch").equals("amd64")
                            && System.getProperty("os.name").startsWith("Linux")
                    ? Blas.MKL
                    : Blas.OPENBLAS,
            1));

    private Started() {}

    public static Tensor named(Map<String, Tensor> tensors, String name) {
        return Objects.requireNonNull(tensors.get(name), name);
    }

    public static void inScope(Runnable work) {
        TORCH.executor().run(() -> {
            try (TensorScope _ = TensorScope.open()) {
                work.run();
            }
        });
    }
}
