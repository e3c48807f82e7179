package io.guimo.tensor;

import java.nio.file.Path;
import java.util.Arrays;

/**
 * A child process that times what training does most with one BLAS and one number of threads: steps of a small convolutional network with a wide
 * linear layer. Prints {@code seconds=…} for one step, the median of several.
 */
final class SpeedProbe {
    private static final int WARM_UP_STEPS = 5;
    private static final int STEPS = 25;

    private SpeedProbe() {}

    /** @param arguments folder of JavaCPP's cache, cache folder, BLAS, threads */
    public static void main(String[] arguments) {
        System.setProperty("org.bytedeco.javacpp.cachedir", arguments[0]);
        Torch torch = Torch.start(
                new TorchSettings(Path.of(arguments[1]), Blas.valueOf(arguments[2]), Integer.valueOf(arguments[3])));
        System.out.println("seconds=" + torch.executor().call(SpeedProbe::measure));
    }

    private static double measure() {
        try (TensorScope _ = TensorScope.open()) {
            RandomState.seed(1);
            Tensor imagesBCHW = Tensor.normal(0, 1, 64, 16, 28, 28).channelsLast();
            Tensor kernelsOCKK =
                    Tensor.normal(0, .1, 32, 16, 3, 3).channelsLast().requireGradient();
            Tensor weightOI = Tensor.normal(0, .1, 256, 32 * 14 * 14).requireGradient();
            double[] seconds = new double[STEPS];
            for (int i = -WARM_UP_STEPS; i < STEPS; i++) {
                long begun = System.nanoTime();
                try (TensorScope _ = TensorScope.open()) {
                    Tensor h = imagesBCHW.convolve(kernelsOCKK, 2, 1).reluInPlace(); // [64, 32, 14, 14]
                    h.reshape(64, -1).linear(weightOI, null).square().mean().backward();
                    kernelsOCKK.clearGradient();
                    weightOI.clearGradient();
                }
                if (i >= 0) seconds[i] = (System.nanoTime() - begun) / 1e9;
            }
            Arrays.sort(seconds);
            return seconds[STEPS / 2];
        }
    }
}
