package io.guimo.launch;

import io.guimo.data.CatalogueEntry;
import io.guimo.data.Dataset;
import io.guimo.inference.DecoderPackager;
import io.guimo.inference.DecoderSteps;
import io.guimo.inference.EncoderPackager;
import io.guimo.inference.EncoderSteps;
import io.guimo.registry.ModelVersion;
import io.guimo.registry.PackageStore;
import io.guimo.registry.Provenance;
import io.guimo.registry.SigningKey;
import io.guimo.task.TaskName;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Instant;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/** The catalogue's models that others trained: which task each is for, and how it becomes a package. */
final class PretrainedModels {
    private PretrainedModels() {}

    /** The task that a catalogue entry's model does; empty for an entry that is no model. */
    static Optional<TaskName> taskOf(CatalogueEntry entry) {
        return switch (entry.content()) {
            case ENCODER -> Optional.of(TaskName.EMBED_TEXT);
            case LANGUAGE_MODEL -> Optional.of(TaskName.GENERATE_TEXT);
            case IMAGES, BASKETS, ROWS, TEXTS, CORPUS, LIBRARY, FONT -> Optional.empty();
        };
    }

    /** Whether the version was packaged from exactly the entry's weights, with the steps that this build's engines have. */
    static boolean isMadeFrom(ModelVersion version, CatalogueEntry entry) {
        boolean writes = taskOf(entry).orElseThrow() == TaskName.GENERATE_TEXT;
        Provenance made = version.manifest().provenance();
        return Objects.equals(
                        made.baseModelDigest(),
                        entry.file(writes ? "model.gguf" : "model.onnx")
                                .fingerprint()
                                .sha256())
                && made.stepVersions()
                        .equals(Map.of(made.task(), writes ? DecoderSteps.VERSION : EncoderSteps.VERSION));
    }

    /** @return the package's digest */
    static String pack(Dataset dataset, PackageStore store, SigningKey key) throws IOException {
        CatalogueEntry entry = dataset.entry();
        String notice = entry.title() + "\nLicence: " + entry.licence() + "\n";
        if (taskOf(entry).orElseThrow() == TaskName.GENERATE_TEXT) {
            return DecoderPackager.pack(
                    store, key, dataset.file("model.gguf"), notice, CodeVersion.current(), madeAt(dataset));
        }
        return EncoderPackager.pack(
                store,
                key,
                dataset.file("model.onnx"),
                dataset.file("tokenizer.json"),
                encoderSteps(entry),
                notice,
                CodeVersion.current(),
                madeAt(dataset));
    }

    /** The day the weights were published, so that the package is the same everywhere; of a model that was pulled, when it came here. */
    private static Instant madeAt(Dataset dataset) throws IOException {
        return switch (dataset.entry().name()) {
            case "smollm2-135m-instruct" -> Instant.parse("2024-11-01T00:00:00Z");
            case "bge-small-zh", "bge-small-en" -> Instant.parse("2023-09-12T00:00:00Z");
            default -> Files.getLastModifiedTime(dataset.file("model.gguf")).toInstant();
        };
    }

    /** How the catalogue's encoders turn their output into a vector. */
    private static EncoderSteps encoderSteps(CatalogueEntry entry) {
        return switch (entry.name()) {
            case "bge-small-zh" -> new EncoderSteps(EncoderSteps.Pooling.CLS, 512, 512);
            case "bge-small-en" -> new EncoderSteps(EncoderSteps.Pooling.CLS, 512, 384);
            default -> throw new IllegalStateException("no steps are known for the encoder " + entry.name());
        };
    }
}
