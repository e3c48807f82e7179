package io.guimo.registry;

import io.guimo.evaluate.EvaluationReport;
import io.guimo.model.ArchitectureSettings;
import io.guimo.registry.PackageFile.Format;
import io.guimo.registry.PackageFile.Role;
import io.guimo.task.FittedSteps;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a run made, ready to be packaged.
 *
 * @param weights          safetensors
 * @param gate             null where no gate was asked
 * @param dataFingerprints SHA-256 of each data set by name
 * @param finishedAt       when the run ended: packaging again after an interruption gives the same package
 * @param companions       further files that loading needs, by name: {@code tokenizer.json} and {@code config.json} of a decoder
 */
public record TrainedModel(
        ArchitectureSettings architecture,
        FittedSteps steps,
        Path weights,
        EvaluationReport report,
        @Nullable GateResult gate,
        Map<String, String> dataFingerprints,
        String runId,
        String codeVersion,
        Instant finishedAt,
        Map<String, byte[]> companions) {
    public TrainedModel {
        dataFingerprints = Map.copyOf(dataFingerprints);
        companions = Map.copyOf(companions);
    }

    /** Of a network that weights and steps alone load. */
    public TrainedModel(
            ArchitectureSettings architecture,
            FittedSteps steps,
            Path weights,
            EvaluationReport report,
            @Nullable GateResult gate,
            Map<String, String> dataFingerprints,
            String runId,
            String codeVersion,
            Instant finishedAt) {
        this(architecture, steps, weights, report, gate, dataFingerprints, runId, codeVersion, finishedAt, Map.of());
    }

    /** @return the package's digest */
    public String pack(PackageStore store, SigningKey key) throws IOException {
        String task = steps.task().fileName();
        PackageWriter writer = store.writer()
                .add(Role.WEIGHTS, Format.SAFETENSORS, "model.safetensors", weights)
                .add(Role.STEPS, Format.JSON, "steps.json", steps.json());
        for (Map.Entry<String, byte[]> companion : companions.entrySet()) {
            writer.add(role(companion.getKey()), Format.JSON, companion.getKey(), companion.getValue());
        }
        return writer.sign(
                key,
                new Provenance(
                        task,
                        ArchitectureForm.write(architecture),
                        Map.of(task, FittedSteps.VERSION),
                        null,
                        report.metrics(),
                        Gate.comparisons(report),
                        gate,
                        dataFingerprints,
                        runId,
                        codeVersion),
                finishedAt);
    }

    private static Role role(String companion) {
        return switch (companion) {
            case "tokenizer.json" -> Role.TOKENIZER;
            case "config.json" -> Role.CONFIG;
            default -> throw new IllegalArgumentException("a package has no place for the file " + companion);
        };
    }
}
