package io.guimo.evaluate;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.IntFunction;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.tribuo.Example;
import org.tribuo.Model;
import org.tribuo.MutableDataset;
import org.tribuo.Prediction;
import org.tribuo.classification.Label;
import org.tribuo.classification.LabelFactory;
import org.tribuo.classification.sgd.linear.LinearSGDTrainer;
import org.tribuo.classification.sgd.objectives.LogMulticlass;
import org.tribuo.impl.ArrayExample;
import org.tribuo.math.optimisers.AdaGrad;
import org.tribuo.provenance.SimpleDataSourceProvenance;

/**
 * Multinomial logistic regression (Tribuo's linear model under log loss, AdaGrad): the small model that a classifier is judged beside. It learns from at
 * most {@link Settings#examples} rows, which bounds its memory: Tribuo keeps each row as lists of names and numbers.
 */
public final class LogisticRegression {
    private static final LabelFactory LABELS = new LabelFactory();

    /** Held, because the JDK forgets the level of a logger that nobody holds. Tribuo tells its settings on each training, whatever is asked of it. */
    private static final Logger TRIBUO = Logger.getLogger("org.tribuo.common.sgd.AbstractSGDTrainer");

    /**
     * @param examples most rows to learn from, drawn by the seed
     * @param epochs passes over them
     * @param learningRate of AdaGrad
     */
    public record Settings(int examples, int epochs, double learningRate, long seed) {
        /**
         * On Fashion-MNIST 9 s of CPU and a gigabyte of heap. Twice the rows gain 1.1 points of accuracy, three times the passes half a point, for half as
         * much and twice as much CPU (docs/log.md).
         */
        public static Settings standard(long seed) {
            return new Settings(20_000, 5, 0.1, seed);
        }
    }

    private final Model<Label> model;
    private final String[] names;
    private final int classes;
    private final int learntFrom;

    private LogisticRegression(Model<Label> model, String[] names, int classes, int learntFrom) {
        this.model = model;
        this.names = names;
        this.classes = classes;
        this.learntFrom = learntFrom;
    }

    /**
     * @param features features of a row, of one length D, scaled to about −1 … 1
     * @param labels label index of each row, 0 to {@code classes} − 1
     */
    public static LogisticRegression train(
            IntFunction<float[]> features, int[] labels, int classes, Settings settings) {
        TRIBUO.setLevel(Level.WARNING);
        int width = features.apply(0).length;
        String[] names = new String[width];
        // Tribuo orders features by name, so names of one length keep the order of the columns.
        for (int d = 0; d < width; d++) names[d] = String.format("f%06d", d);
        int rows = Math.min(labels.length, settings.examples());
        var dataset = new MutableDataset<Label>(new SimpleDataSourceProvenance("training part", LABELS), LABELS);
        for (int row : drawn(labels.length, rows, settings.seed()))
            dataset.add(example(features.apply(row), names, name(labels[row])));
        var trainer = new LinearSGDTrainer(
                new LogMulticlass(),
                new AdaGrad(settings.learningRate(), 0.1),
                settings.epochs(),
                -1,
                1,
                settings.seed());
        return new LogisticRegression(trainer.train(dataset), names, classes, rows);
    }

    /** @return [N, K]; a label that no training row had gets 0 */
    public double[][] probabilities(IntFunction<float[]> features, int rows) {
        double[][] probabilities = new double[rows][classes];
        for (int row = 0; row < rows; row++) {
            Prediction<Label> prediction =
                    model.predict(example(features.apply(row), names, LabelFactory.UNKNOWN_LABEL.getLabel()));
            for (var score : prediction.getOutputScores().entrySet()) {
                probabilities[row][Integer.parseInt(score.getKey())] =
                        score.getValue().getScore();
            }
        }
        return probabilities;
    }

    /** Its settings, in words, for a report's notes. */
    public List<String> notes() {
        return List.of("Tribuo's linear model under log loss, from " + learntFrom + " training rows");
    }

    private static int[] drawn(int rows, int count, long seed) {
        int[] order = new int[rows];
        for (int i = 0; i < rows; i++) order[i] = i;
        SplittableRandom random = new SplittableRandom(seed);
        for (int i = 0; i < count; i++) {
            int j = random.nextInt(i, rows);
            int held = order[i];
            order[i] = order[j];
            order[j] = held;
        }
        return Arrays.copyOf(order, count);
    }

    /** Zeros are left out: Tribuo's rows are sparse, and half of a picture's pixels are background. */
    private static Example<Label> example(float[] features, String[] names, String label) {
        List<String> present = new ArrayList<>();
        List<Double> values = new ArrayList<>();
        for (int d = 0; d < features.length; d++) {
            if (features[d] == 0) continue;
            present.add(names[d]);
            values.add((double) features[d]);
        }
        if (present.isEmpty()) {
            // Tribuo refuses a row without features; one zero says the same.
            present.add(names[0]);
            values.add(0.0);
        }
        return new ArrayExample<>(
                new Label(label),
                present.toArray(String[]::new),
                values.stream().mapToDouble(Double::doubleValue).toArray());
    }

    private static String name(int label) {
        return Integer.toString(label);
    }
}
