package io.guimo.task;

import io.guimo.data.ImageDecoder;
import io.guimo.data.ImageFit;
import io.guimo.data.Picture;
import io.guimo.evaluate.Metric;
import io.guimo.evaluate.Metrics;
import io.guimo.model.ArchitectureSettings;
import io.guimo.units.Meter;
import java.util.List;
import java.util.Optional;

/**
 * Which of K labels a picture shows.
 *
 * <p>Columns: {@code image} (bytes of PNG, JPEG or WebP), {@code label} (text). Answer: a probability for each label. Loss: cross entropy. Sold per
 * image.
 */
public record ClassifyImages() implements Task {
    /** What became of a picture on its way to the network. */
    public sealed interface Preparation {}

    /**
     * @param input normalised values, channels × height × width (CHW). The array is the preparation's own.
     */
    @SuppressWarnings("ArrayRecordComponent") // goes straight into a tensor
    public record Prepared(float[] input) implements Preparation {}

    /**
     * A picture that cannot be read.
     *
     * @param reason stable code
     * @param message what is wrong, what is permitted, what to do
     */
    public record Unreadable(ImageDecoder.Reason reason, String message) implements Preparation {}

    /**
     * The network's input for one picture, by the very steps that made its training data.
     *
     * @param encoded PNG, JPEG or WebP of any size within the decoder's limits
     * @param steps as fitted in training
     */
    public static Preparation prepare(byte[] encoded, FittedSteps.Images steps, ImageDecoder decoder) {
        return switch (decoder.decode(encoded, Math.max(steps.height(), steps.width()))) {
            case ImageDecoder.Refused(ImageDecoder.Reason reason, String message) -> new Unreadable(reason, message);
            case ImageDecoder.Decoded(Picture picture) -> {
                byte[] fitted =
                        ImageFit.fit(picture, steps.height(), steps.width(), steps.channels(), steps.background());
                float[] input = new float[fitted.length];
                normalise(fitted, 0, steps, input, 0);
                yield new Prepared(input);
            }
        };
    }

    /**
     * @param pixels 0–255, height × width × channels from {@code offset} on
     * @param input receives channels × height × width values from {@code inputOffset} on
     */
    static void normalise(byte[] pixels, int offset, FittedSteps.Images steps, float[] input, int inputOffset) {
        int plane = steps.height() * steps.width();
        for (int c = 0; c < steps.channels(); c++) {
            double mean = steps.mean().get(c);
            double deviation = steps.deviation().get(c);
            for (int i = 0; i < plane; i++) {
                double value = (pixels[offset + i * steps.channels() + c] & 0xff) / 255.0;
                input[inputOffset + c * plane + i] = (float) ((value - mean) / deviation);
            }
        }
    }

    @Override
    public TaskName name() {
        return TaskName.CLASSIFY_IMAGES;
    }

    @Override
    public List<Column> columns() {
        return List.of(new Column("image", "bytes of PNG, JPEG or WebP"), new Column("label", "text"));
    }

    @Override
    public String answer() {
        return "a probability for each label";
    }

    @Override
    public Optional<ArchitectureSettings> defaultArchitecture() {
        return Optional.of(new ArchitectureSettings.Resnet(null));
    }

    @Override
    public Optional<String> loss() {
        return Optional.of("cross entropy of the label");
    }

    @Override
    public List<Metric> metrics() {
        return List.of(Metrics.ACCURACY, Metrics.MACRO_F1, Metrics.LOG_LOSS);
    }

    @Override
    public List<String> baselines() {
        return List.of("logistic regression");
    }

    @Override
    public List<Meter> meters() {
        return List.of(Meter.IMAGES);
    }
}
