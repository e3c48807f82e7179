package io.guimo.task;

import io.guimo.evaluate.Metric;
import io.guimo.model.ArchitectureSettings;
import io.guimo.units.Meter;
import java.util.List;
import java.util.Optional;

/**
 * What comes next in a conversation.
 *
 * <p>Columns: {@code messages}. Answer: text, whole or as a stream of pieces. Served by a remote OpenAI-compatible engine. Sold per token: read, read
 * again from kept state, and written.
 */
public record GenerateText() implements Task {
    @Override
    public TaskName name() {
        return TaskName.GENERATE_TEXT;
    }

    @Override
    public List<Column> columns() {
        return List.of(new Column("messages", "a conversation, each message with role and content"));
    }

    @Override
    public String answer() {
        return "text";
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
        return List.of(Meter.INPUT_TOKENS, Meter.CACHED_INPUT_TOKENS, Meter.OUTPUT_TOKENS);
    }
}
