package io.guimo.train;

import io.guimo.model.Module;
import io.guimo.model.SmallResNet;
import io.guimo.task.Batch;
import io.guimo.task.TrainingProblem;
import io.guimo.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.SplittableRandom;

/**
 * A small picture problem: which of three stripes patterns is under the noise. Uses what a real one uses: convolutions, batch normalisation with its
 * buffers, augmentation, libtorch's random state (dropped pixels).
 */
class Patterns implements TrainingProblem {
    static final int SIZE = 8;
    private static final int CLASSES = 3;

    private final float[][] pixels;
    private final int[] labels;
    private final int training;

    /** @param training rows of the training part; a third as many again are the validation part */
    Patterns(int training) {
        this.training = training;
        Random random = new Random(11);
        int rows = training + training / 3;
        pixels = new float[rows][SIZE * SIZE];
        labels = new int[rows];
        for (int i = 0; i < rows; i++) {
            labels[i] = random.nextInt(CLASSES);
            for (int p = 0; p < SIZE * SIZE; p++) {
                int stripe = labels[i] == 0 ? p / SIZE : labels[i] == 1 ? p % SIZE : p / SIZE + p % SIZE;
                pixels[i][p] = (stripe % 2) + (float) random.nextGaussian();
            }
        }
    }

    void spoil(int row) {
        pixels[row][5] = Float.NaN;
    }

    @Override
    public Module build() {
        return new SmallResNet(1, 4, CLASSES);
    }

    @Override
    public int exampleCount() {
        return training;
    }

    @Override
    public Batch batch(int[] examples, SplittableRandom augmentation) {
        float[] inputs = new float[examples.length * SIZE * SIZE];
        long[] targets = new long[examples.length];
        for (int i = 0; i < examples.length; i++) {
            float brightness = (float) augmentation.nextDouble();
            for (int p = 0; p < SIZE * SIZE; p++) inputs[i * SIZE * SIZE + p] = pixels[examples[i]][p] + brightness;
            targets[i] = labels[examples[i]];
        }
        return new Batch(
                Tensor.of(inputs, examples.length, 1, SIZE, SIZE),
                Tensor.of(targets, examples.length),
                examples.length);
    }

    @Override
    public Tensor loss(Module network, Batch batch) {
        return network.forward(batch.inputs().dropout(.1, true)).crossEntropy(batch.targets(), 0);
    }

    @Override
    public Map<String, Double> validate(Module network) {
        int rows = pixels.length - training;
        float[] inputs = new float[rows * SIZE * SIZE];
        for (int i = 0; i < rows; i++) System.arraycopy(pixels[training + i], 0, inputs, i * SIZE * SIZE, SIZE * SIZE);
        Tensor logits = network.forward(Tensor.of(inputs, rows, 1, SIZE, SIZE));
        long[] answers = logits.argmax(1).toLongs();
        long[] truth = new long[rows];
        int right = 0;
        for (int i = 0; i < rows; i++) {
            truth[i] = labels[training + i];
            if (answers[i] == truth[i]) right++;
        }
        Map<String, Double> metrics = new LinkedHashMap<>();
        metrics.put("accuracy", (double) right / rows);
        metrics.put("loss", logits.crossEntropy(Tensor.of(truth, rows), 0).item());
        return metrics;
    }
}
