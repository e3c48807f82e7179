package io.guimo.task;

import io.guimo.data.Background;
import io.guimo.data.ContaminationReport;
import io.guimo.data.DataException;
import io.guimo.data.Fingerprint;
import io.guimo.data.ImageSet;
import io.guimo.data.ImageSource;
import io.guimo.data.NearPictures;
import io.guimo.data.Split;
import io.guimo.evaluate.Bootstrap;
import io.guimo.evaluate.ClassificationScores;
import io.guimo.evaluate.EvaluationReport;
import io.guimo.evaluate.EvaluationReport.BaselineResult;
import io.guimo.evaluate.Interval;
import io.guimo.evaluate.LogisticRegression;
import io.guimo.evaluate.Metrics;
import io.guimo.model.ArchitectureSettings;
import io.guimo.model.Module;
import io.guimo.model.SmallResNet;
import io.guimo.tensor.Tensor;
import io.guimo.tensor.TensorScope;
import io.guimo.tensor.TorchExecutor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Labelled pictures to learn {@link ClassifyImages} from. */
public final class ImageLesson implements Lesson {
    /**
     * Two pictures no farther apart than this are taken for one photo. Of Fashion-MNIST's test pictures half have their nearest training picture at .28,
     * 99 % at more than .12; what lies under .1
     * looks like one garment or its sibling in another size or print (docs/log.md).
     */
    static final double NEAR = .1;

    /** Pictures judged at a time: bounds native memory, costs no speed. */
    private static final int JUDGED_AT_ONCE = 500;

    private static final int LEAST_ROWS = 10;

    private final ImageSource source;
    private final ImageSet training;
    private final ImageSet validation;
    private final ImageSet test;
    private final ContaminationReport contamination;
    private final FittedSteps.Images steps;
    private final List<String> notes;

    private ImageLesson(
            ImageSource source,
            ImageSet training,
            ImageSet validation,
            ImageSet test,
            ContaminationReport contamination,
            FittedSteps.Images steps,
            List<String> notes) {
        this.source = source;
        this.training = training;
        this.validation = validation;
        this.test = test;
        this.contamination = contamination;
        this.steps = steps;
        this.notes = List.copyOf(notes);
    }

    /**
     * Sets the test part apart, drops what comes twice and what is near a test picture, splits the rest, and fits the steps on the training part.
     *
     * @throws DataException if there are too few pictures or labels to learn from
     */
    public static ImageLesson of(ImageSource source) {
        ImageSet development = source.development();
        ImageSet test = source.test();
        if (development.size() < LEAST_ROWS || development.labels().size() < 2) {
            throw new DataException(
                    DataException.Code.MALFORMED,
                    source.name() + " has " + development.size() + " pictures of "
                            + development.labels().size() + " labels; at least " + LEAST_ROWS
                            + " pictures and 2 labels are needed to learn anything");
        }
        if (test == null) {
            Split apart = Split.seeded(development.size(), 0, share(TEST_SHARE, development.size()), SPLIT_SEED);
            test = development.select(apart.test());
            development = development.select(apart.training());
        }
        List<String> notes = new ArrayList<>();
        notes.add(source.name() + ": " + development.size() + " pictures to learn from and choose on, " + test.size()
                + " to judge by");
        source.dropped().forEach(dropped -> notes.add("left out: " + dropped));
        int[] duplicates = NearPictures.duplicates(development);
        if (duplicates.length > 0) notes.add("dropped " + duplicates.length + " pictures that come more than once");
        ContaminationReport contamination = NearPictures.compare(development, test, NEAR);
        notes.add("dropped " + contamination.dropped().size()
                + " training pictures that are equal or near to a test picture: " + contamination.rule());
        Split split = Split.seeded(development.size(), share(VALIDATION_SHARE, development.size()), 0, SPLIT_SEED)
                .without(duplicates)
                .without(contamination.droppedRows());
        ImageSet training = development.select(split.training());
        ImageSet validation = development.select(split.validation());
        notes.add("split by a hash of row number and seed " + SPLIT_SEED + ": " + training.size() + " to learn from, "
                + validation.size() + " to choose on");
        Background background = source.background();
        return new ImageLesson(source, training, validation, test, contamination, fit(training, background), notes);
    }

    private static int share(double share, int rows) {
        return Math.max(1, (int) Math.round(share * rows));
    }

    private static FittedSteps.Images fit(ImageSet training, Background background) {
        List<Double> mean = new ArrayList<>();
        List<Double> deviation = new ArrayList<>();
        for (int c = 0; c < training.channels(); c++) {
            long sum = 0;
            long squares = 0;
            long count = 0;
            for (int i = c; i < training.pixels().length; i += training.channels()) {
                int value = training.pixels()[i] & 0xff;
                sum += value;
                squares += (long) value * value;
                count++;
            }
            double average = (double) sum / count;
            double variance = (double) squares / count - average * average;
            mean.add(average / 255);
            // pictures of one colour have no deviation to divide by
            deviation.add(variance > 0 ? Math.sqrt(variance) / 255 : 1);
        }
        return new FittedSteps.Images(
                training.labels(),
                training.height(),
                training.width(),
                training.channels(),
                mean,
                deviation,
                background);
    }

    @Override
    public Task task() {
        return new ClassifyImages();
    }

    @Override
    public FittedSteps.Images steps() {
        return steps;
    }

    @Override
    public ContaminationReport contamination() {
        return contamination;
    }

    @Override
    public Map<String, Fingerprint> fingerprints() {
        return source.fingerprints();
    }

    @Override
    public int trainingRows() {
        return training.size();
    }

    @Override
    public int validationRows() {
        return validation.size();
    }

    @Override
    public int testRows() {
        return test.size();
    }

    @Override
    public List<String> notes() {
        return notes;
    }

    @Override
    public TrainingProblem problem(ArchitectureSettings architecture) {
        return switch (architecture) {
            case ArchitectureSettings.Resnet resnet -> new Problem(resnet);
            case ArchitectureSettings.LinearAutoencoder _, ArchitectureSettings.Llama _, ArchitectureSettings.Gpt2 _ ->
                throw new IllegalArgumentException("classify-images learns by a resnet, not by " + architecture
                        + ": set architecture.kind to resnet");
        };
    }

    @Override
    public EvaluationReport judge(Module network, TorchExecutor executor) {
        ClassificationScores scores = executor.call(() -> {
            network.evaluate();
            return scores(network, test);
        });
        double[] hits = scores.hits(test.label());
        Map<String, Interval> intervals = Map.of(Metrics.ACCURACY.name(), Bootstrap.ofMean(hits, SPLIT_SEED));
        return new EvaluationReport(
                Metrics.ACCURACY.name(),
                test.size(),
                scores.byName(),
                intervals,
                List.of(logisticRegression(hits)),
                scores.confusion(),
                scores.perClass(),
                notes);
    }

    private BaselineResult logisticRegression(double[] hits) {
        long start = System.nanoTime();
        LogisticRegression baseline = LogisticRegression.train(
                brightness(training),
                training.label(),
                training.labels().size(),
                LogisticRegression.Settings.standard(SPLIT_SEED));
        ClassificationScores scores = ClassificationScores.of(
                test.labels(), test.label(), baseline.probabilities(brightness(test), test.size()));
        Interval advantage = Bootstrap.ofDifference(hits, scores.hits(test.label()), SPLIT_SEED);
        return new BaselineResult(
                "logistic regression",
                scores.byName(),
                Map.of(Metrics.ACCURACY.name(), advantage),
                (System.nanoTime() - start) / 1e9,
                baseline.notes());
    }

    /** Pixels as numbers of 0–1, so that a dark ground is zero and costs the baseline nothing. */
    private static IntFunction<float[]> brightness(ImageSet pictures) {
        return row -> {
            float[] features = new float[pictures.stride()];
            for (int i = 0; i < features.length; i++) {
                features[i] = (pictures.pixels()[row * features.length + i] & 0xff) / 255f;
            }
            return features;
        };
    }

    /** Runs on the executor's thread, the network in evaluation mode. */
    private ClassificationScores scores(Module network, ImageSet pictures) {
        int classes = pictures.labels().size();
        double[][] probabilities = new double[pictures.size()][];
        for (int from = 0; from < pictures.size(); from += JUDGED_AT_ONCE) {
            int[] rows = IntStream.range(from, Math.min(pictures.size(), from + JUDGED_AT_ONCE))
                    .toArray();
            try (TensorScope _ = TensorScope.openWithoutGradients()) {
                Tensor logitsBK = network.forward(inputs(pictures, rows, null));
                float[] softmax = logitsBK.softmax(1).toFloats();
                for (int i = 0; i < rows.length; i++) {
                    double[] row = new double[classes];
                    for (int k = 0; k < classes; k++) row[k] = softmax[i * classes + k];
                    probabilities[rows[i]] = row;
                }
            }
        }
        return ClassificationScores.of(pictures.labels(), pictures.label(), probabilities);
    }

    /**
     * Made in Java by the very lines that serving runs: 100,000 values a batch take a fraction of a millisecond, the step that follows tens of them.
     *
     * @param mirroring decides for each picture whether it is mirrored; null: none is
     * @return [B, C, H, W]
     */
    private Tensor inputs(ImageSet pictures, int[] rows, @Nullable SplittableRandom mirroring) {
        int stride = pictures.stride();
        float[] input = new float[rows.length * stride];
        for (int i = 0; i < rows.length; i++) {
            ClassifyImages.normalise(pictures.pixels(), rows[i] * stride, steps, input, i * stride);
            if (mirroring != null && mirroring.nextBoolean()) mirror(input, i * stride, stride / pictures.width());
        }
        return Tensor.of(input, rows.length, pictures.channels(), pictures.height(), pictures.width());
    }

    /**
     * @param lines rows of pixels in all channels
     */
    private void mirror(float[] input, int offset, int lines) {
        int width = steps.width();
        for (int line = 0; line < lines; line++) {
            int start = offset + line * width;
            for (int left = start, right = start + width - 1; left < right; left++, right--) {
                float held = input[left];
                input[left] = input[right];
                input[right] = held;
            }
        }
    }

    private final class Problem implements TrainingProblem {
        private final ArchitectureSettings.Resnet resnet;

        Problem(ArchitectureSettings.Resnet resnet) {
            this.resnet = resnet;
        }

        @Override
        public Module build() {
            return new SmallResNet(
                    steps.channels(), resnet.width(), steps.labels().size());
        }

        @Override
        public int exampleCount() {
            return training.size();
        }

        @Override
        public Batch batch(int[] examples, SplittableRandom augmentation) {
            int[] label = new int[examples.length];
            for (int i = 0; i < label.length; i++) label[i] = training.label()[examples[i]];
            Tensor inputsBCHW = inputs(training, examples, source.mirrorable() ? augmentation : null);
            return new Batch(inputsBCHW, Tensor.of(label, label.length), label.length);
        }

        @Override
        public Tensor loss(Module network, Batch batch) {
            return network.forward(batch.inputs()).crossEntropy(batch.targets(), 0);
        }

        @Override
        public Map<String, Double> validate(Module network) {
            return scores(network, validation).byName();
        }
    }
}
