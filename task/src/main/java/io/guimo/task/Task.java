package io.guimo.task;

import io.guimo.evaluate.Metric;
import io.guimo.model.ArchitectureSettings;
import io.guimo.units.Meter;
import java.util.List;
import java.util.Optional;

/**
 * What a model is for. The set is closed: training, registry, serving and price ask the task, and a business configures one and never adds one of its
 * own.
 */
public sealed interface Task permits ClassifyImages, RecommendItems, EmbedText, GenerateText {
    TaskName name();

    /** What a row of its data holds. */
    List<Column> columns();

    /** What an answer is, in words. */
    String answer();

    /** The network that learns it unless a business says otherwise; empty where a model is only served as it comes. */
    Optional<ArchitectureSettings> defaultArchitecture();

    /** What training makes small, in words; empty where nothing is trained. */
    Optional<String> loss();

    /** What it is judged by; the first decides. Empty where the task is served only as it comes. */
    List<Metric> metrics();

    /** The small models it is judged beside, by name. */
    List<String> baselines();

    /** What can be counted and sold. */
    List<Meter> meters();
}
