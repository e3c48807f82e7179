package io.guimo.task;

import io.guimo.evaluate.Metric;
import io.guimo.evaluate.Metrics;
import io.guimo.units.Meter;
import java.util.List;

/**
 * Which of K labels a picture shows.
 *
 * <p>Columns: {@code image} (bytes of PNG, JPEG or WebP), {@code label} (text). Answer: a probability for each label. Loss: cross entropy. Sold per
 * image.
 */
public record ClassifyImages() implements Task {
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
