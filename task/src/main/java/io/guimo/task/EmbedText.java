package io.guimo.task;

import io.guimo.evaluate.Metric;
import io.guimo.model.ArchitectureSettings;
import io.guimo.units.Meter;
import java.util.List;
import java.util.Optional;

/**
 * Where a text lies among all meanings: a unit vector whose dot product with another text's says how close they are.
 *
 * <p>Columns: {@code text}. Answer: a vector. Served from a pre-trained encoder as it comes. Sold per input token.
 */
public record EmbedText() implements Task {
    @Override
    public TaskName name() {
        return TaskName.EMBED_TEXT;
    }

    @Override
    public List<Column> columns() {
        return List.of(new Column("text", "text"));
    }

    @Override
    public String answer() {
        return "a vector of length 1";
    }

    @Override
    public Optional<ArchitectureSettings> defaultArchitecture() {
        return Optional.empty();
    }

    @Override
    public Optional<String> loss() {
        return Optional.empty();
    }

    @Override
    public List<Metric> metrics() {
        return List.of();
    }

    @Override
    public List<String> baselines() {
        return List.of();
    }

    @Override
    public List<Meter> meters() {
        return List.of(Meter.INPUT_TOKENS);
    }
}
