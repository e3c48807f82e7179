package io.guimo.task;

import io.guimo.evaluate.Metric;
import io.guimo.evaluate.Metrics;
import io.guimo.model.ArchitectureSettings;
import io.guimo.units.Meter;
import java.util.List;
import java.util.Optional;

/**
 * What comes next in a text or a conversation.
 *
 * <p>Columns: {@code messages}, or in pre-training running {@code text}. Answer: text, whole or as a stream of pieces. Loss: cross entropy of the next
 * token. Sold per token: read, read again from kept state, and written.
 */
public record GenerateText() implements Task {
    @Override
    public TaskName name() {
        return TaskName.GENERATE_TEXT;
    }

    @Override
    public List<Column> columns() {
        return List.of(
                new Column("messages", "a conversation, each message with role and content"),
                new Column("text", "running text, to learn a language from nothing"));
    }

    @Override
    public String answer() {
        return "text";
    }

    @Override
    public Optional<ArchitectureSettings> defaultArchitecture() {
        return Optional.of(new ArchitectureSettings.Llama(null, null, null, null, null, null, null));
    }

    @Override
    public Optional<String> loss() {
        return Optional.of("cross entropy of the next token");
    }

    @Override
    public List<Metric> metrics() {
        return List.of(Metrics.NATS_PER_CHARACTER);
    }

    @Override
    public List<String> baselines() {
        return List.of("character n-grams");
    }

    @Override
    public List<Meter> meters() {
        return List.of(Meter.INPUT_TOKENS, Meter.CACHED_INPUT_TOKENS, Meter.OUTPUT_TOKENS);
    }
}
