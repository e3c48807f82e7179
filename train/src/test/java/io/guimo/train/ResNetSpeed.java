package io.guimo.train;

import com.sun.management.OperatingSystemMXBean;
import io.guimo.model.Module;
import io.guimo.model.SmallResNet;
import io.guimo.tensor.Blas;
import io.guimo.tensor.RandomState;
import io.guimo.tensor.Tensor;
import io.guimo.tensor.TensorScope;
import io.guimo.tensor.Torch;
import io.guimo.tensor.TorchSettings;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;

/**
 * Training samples a second of the photo labels' network, step by step as {@code TrainingLoop} does them; the twin of {@code
 * benchmarks/training/resnet.py}, which {@code benchmarks/training/run.sh} alternates it with. Arguments: seconds a window, windows, BLAS, threads.
 */
public final class ResNetSpeed {
    private static final int EXAMPLES = 54_000;
    private static final int BATCH = 128;
    private static final int PIXELS = 28 * 28;
    private static final int STEPS_PER_EPOCH = EXAMPLES / BATCH;

    private final byte[] images = new byte[EXAMPLES * PIXELS];
    private final int[] labels = new int[EXAMPLES];
    private final int[] order = new int[EXAMPLES];
    private final float[] normalised = new float[256];
    private final Random random = new Random(1);
    private final LearningRate learningRate = new LearningRate(TrainSettings.Schedule.ONE_CYCLE, 5e-3, 100_000);

    private ResNetSpeed() {
        random.nextBytes(images);
        for (int i = 0; i < EXAMPLES; i++) {
            labels[i] = random.nextInt(10);
            order[i] = i;
        }
        for (int i = EXAMPLES - 1; i > 0; i--) {
            int other = random.nextInt(i + 1);
            int swapped = order[i];
            order[i] = order[other];
            order[other] = swapped;
        }
        for (int i = 0; i < 256; i++) normalised[i] = (i - 73f) / 90f;
    }

    public static void main(String[] arguments) {
        double seconds = Double.parseDouble(arguments[0]);
        int windows = Integer.parseInt(arguments[1]);
        Torch torch = Torch.start(new TorchSettings(
                Path.of(System.getProperty("user.home"), ".guimo", "cache"),
                Blas.valueOf(arguments[2].toUpperCase(Locale.ROOT)),
                Integer.valueOf(arguments[3])));
        torch.executor()
                .run(() -> new ResNetSpeed().measure(seconds, windows, arguments[2] + " threads=" + arguments[3]));
    }

    private void measure(double seconds, int windows, String label) {
        RandomState.seed(1);
        OperatingSystemMXBean system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        TrainSettings settings = new TrainSettings(null, 5e-3, BATCH, 14, null, .01, null, null, null, 1L);
        try (TensorScope _ = TensorScope.open();
                Module network = new SmallResNet(1, 32, 10);
                UpdateRule rule = UpdateRule.of(settings, network.parameters())) {
            long done = 0;
            long warm = System.nanoTime();
            while (System.nanoTime() - warm < 3_000_000_000L) step(network, rule, done++);
            for (int window = 0; window < windows; window++) {
                long begun = System.nanoTime();
                long begunCpu = system.getProcessCpuTime();
                long steps = 0;
                while ((System.nanoTime() - begun) / 1e9 < seconds) {
                    double loss = step(network, rule, done++);
                    if (!Double.isFinite(loss)) throw new IllegalStateException("diverged");
                    steps++;
                }
                double wall = (System.nanoTime() - begun) / 1e9;
                double cpu = (system.getProcessCpuTime() - begunCpu) / 1e9;
                System.out.printf(
                        Locale.ROOT,
                        "java %s parameters=%d samples/s=%.0f samples/cpu-s=%.0f%n",
                        label,
                        network.parameterCount(),
                        steps * BATCH / wall,
                        steps * BATCH / cpu);
            }
        }
    }

    private double step(Module network, UpdateRule rule, long step) {
        int first = (int) (step % STEPS_PER_EPOCH) * BATCH;
        float[] pixels = new float[BATCH * PIXELS];
        long[] targets = new long[BATCH];
        for (int i = 0; i < BATCH; i++) {
            int row = order[first + i];
            targets[i] = labels[row];
            boolean mirrored = random.nextBoolean();
            for (int y = 0; y < 28; y++) {
                int from = row * PIXELS + y * 28;
                int to = i * PIXELS + y * 28;
                for (int x = 0; x < 28; x++) {
                    pixels[to + (mirrored ? 27 - x : x)] = normalised[images[from + x] & 0xff];
                }
            }
        }
        try (TensorScope _ = TensorScope.open()) {
            Tensor loss =
                    network.forward(Tensor.of(pixels, BATCH, 1, 28, 28)).crossEntropy(Tensor.of(targets, BATCH), 0);
            double value = loss.item();
            loss.backward();
            try (TensorScope _ = TensorScope.openWithoutGradients()) {
                List<Tensor> gradients = new ArrayList<>();
                for (Tensor parameter : network.parameters().values()) {
                    gradients.add(parameter.gradient().orElseThrow());
                    parameter.clearGradient();
                }
                rule.step(gradients, learningRate.at(step), step + 1);
            }
            return value;
        }
    }
}
