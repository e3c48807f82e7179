package io.guimo.task;

import io.guimo.model.Module;
import io.guimo.tensor.Blas;
import io.guimo.tensor.RandomState;
import io.guimo.tensor.Tensor;
import io.guimo.tensor.TensorScope;
import io.guimo.tensor.Torch;
import io.guimo.tensor.TorchSettings;
import java.nio.file.Path;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;

/** libtorch for tests, and the plainest loop that learns: the real one stands above this module. */
final class TestTorch {
    private TestTorch() {}

    static Torch start() {
        Path cache = Path.of(System.getProperty("user.home"), ".guimo", "cache");
        return Torch.start(new TorchSettings(cache, Blas.OPENBLAS, 1));
    }

    static <T> T call(Callable<T> job) {
        return start().executor().call(job);
    }

    /** Plain gradient descent from seed 1. The caller closes the network. */
    static Module learnt(TrainingProblem problem, int steps, int batch, double learningRate) {
        return call(() -> {
            RandomState.seed(1);
            SplittableRandom random = new SplittableRandom(1);
            Module network;
            try (TensorScope _ = TensorScope.open()) {
                network = problem.build();
            }
            for (int step = 0; step < steps; step++) {
                try (TensorScope _ = TensorScope.open()) {
                    int[] rows = random.ints(batch, 0, problem.exampleCount()).toArray();
                    problem.loss(network, problem.batch(rows, random)).backward();
                    try (TensorScope _ = TensorScope.openWithoutGradients()) {
                        for (Tensor parameter : network.parameters().values()) {
                            parameter.addInPlace(parameter.gradient().orElseThrow(), -learningRate);
                            parameter.clearGradient();
                        }
                    }
                }
            }
            return network;
        });
    }
}
