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
        Instant finishedAt) {
    public TrainedModel {
        dataFingerprints = Map.copyOf(dataFingerprints);
    }

    /** @return the package's digest */
    public String pack(PackageStore store, SigningKey key) throws IOException {
        String task = steps.task().fileName();
        return store.writer()
                .add(Role.WEIGHTS, Format.SAFETENSORS, "model.safetensors", weights)
                .add(Role.STEPS, Format.JSON, "steps.json", steps.json())
                .sign(
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
}
