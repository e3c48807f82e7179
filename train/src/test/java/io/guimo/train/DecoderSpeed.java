package io.guimo.train;

import com.sun.management.OperatingSystemMXBean;
import io.guimo.model.Module;
import io.guimo.model.decoder.Decoder;
import io.guimo.model.decoder.Gpt2Config;
import io.guimo.model.decoder.LlamaConfig;
import io.guimo.model.decoder.RotaryScaling;
import io.guimo.tensor.Blas;
import io.guimo.tensor.ParameterKernels;
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
import java.util.Set;

/**
 * Training tokens a second of a decoder, step by step as {@code TrainingLoop} does them; the twin of {@code benchmarks/language/decoder.py}, which {@code
 * benchmarks/language/training.sh} alternates it with. Arguments: llama or gpt2, seconds a window, windows, BLAS, threads.
 */
public final class DecoderSpeed {
    private static final int VOCABULARY = 1024;
    private static final int CONTEXT = 192;
    private static final int FEATURES = 256;
    private static final int LAYERS = 6;
    private static final int HEADS = 8;
    private static final int BATCH = 32;
    private static final int TEXT = 400_000;

    private final int[] text = new Random(1).ints(TEXT, 0, VOCABULARY).toArray();
    private final Random random = new Random(2);
    private final LearningRate learningRate = new LearningRate(TrainSettings.Schedule.COSINE, 2e-3, 100_000, .05);

    private DecoderSpeed() {}

    public static void main(String[] arguments) {
        Torch torch = Torch.start(new TorchSettings(
                Path.of(System.getProperty("user.home"), ".guimo", "cache"),
                Blas.valueOf(arguments[3].toUpperCase(Locale.ROOT)),
                Integer.valueOf(arguments[4])));
        torch.executor().run(() -> new DecoderSpeed()
                .measure(
                        arguments[0],
                        Double.parseDouble(arguments[1]),
                        Integer.parseInt(arguments[2]),
                        arguments[0] + " " + arguments[3] + " threads=" + arguments[4]));
    }

    private static Decoder network(String kind) {
        if (kind.equals("gpt2"))
            return Decoder.drawn(Gpt2Config.of(VOCABULARY, CONTEXT, FEATURES, LAYERS, HEADS, 0, 0));
        return Decoder.drawn(new LlamaConfig(
                LlamaConfig.Family.LLAMA,
                VOCABULARY,
                CONTEXT,
                FEATURES,
                704,
                LAYERS,
                HEADS,
                HEADS,
                FEATURES / HEADS,
                1e-5,
                10_000,
                new RotaryScaling.None(),
                true,
                false,
                0,
                Set.of(0)));
    }

    private void measure(String kind, double seconds, int windows, String label) {
        RandomState.seed(1);
        OperatingSystemMXBean system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        TrainSettings settings = new TrainSettings(null, 2e-3, BATCH, 14, null, .1, null, 1.0, null, 1L);
        try (TensorScope _ = TensorScope.open();
                Module network = network(kind);
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
                        "java %s parameters=%d tokens/s=%.0f tokens/cpu-s=%.0f%n",
                        label,
                        network.parameterCount(),
                        steps * BATCH * CONTEXT / wall,
                        steps * BATCH * CONTEXT / cpu);
            }
        }
    }

    private double step(Module network, UpdateRule rule, long step) {
        int[] inputs = new int[BATCH * CONTEXT];
        int[] targets = new int[inputs.length];
        for (int i = 0; i < BATCH; i++) {
            int begin = random.nextInt(TEXT - CONTEXT);
            System.arraycopy(text, begin, inputs, i * CONTEXT, CONTEXT);
            System.arraycopy(text, begin + 1, targets, i * CONTEXT, CONTEXT);
        }
        try (TensorScope _ = TensorScope.open()) {
            Tensor loss = network.forward(Tensor.of(inputs, BATCH, CONTEXT))
                    .reshape(-1, VOCABULARY)
                    .crossEntropy(Tensor.of(targets, targets.length), 0);
            double value = loss.item();
            loss.backward();
            try (TensorScope _ = TensorScope.openWithoutGradients()) {
                List<Tensor> gradients = new ArrayList<>();
                for (Tensor parameter : network.parameters().values()) {
                    gradients.add(parameter.gradient().orElseThrow());
                    parameter.clearGradient();
                }
                double norm = ParameterKernels.norm(gradients);
                if (norm > 1) ParameterKernels.multiplyInPlace(gradients, 1 / norm);
                rule.step(gradients, learningRate.at(step), step + 1);
            }
            return value;
        }
    }
}
