package io.guimo.inference;

import io.guimo.data.Fingerprint;
import io.guimo.registry.PackageFile.Format;
import io.guimo.registry.PackageFile.Role;
import io.guimo.registry.PackageStore;
import io.guimo.registry.Provenance;
import io.guimo.registry.SigningKey;
import io.guimo.task.TaskName;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Map;

/** Makes a signed package of a pre-trained encoder, taken as it is. */
public final class EncoderPackager {
    private EncoderPackager() {}

    /**
     * @param onnx      the encoder
     * @param tokenizer its Hugging Face {@code tokenizer.json}
     * @param notice    licence and origin, kept in the package
     * @param createdAt the same moment gives the same package for the same files: pass when the encoder was published or first fetched
     * @return the package's digest
     */
    public static String pack(
            PackageStore store,
            SigningKey key,
            Path onnx,
            Path tokenizer,
            EncoderSteps steps,
            String notice,
            String codeVersion,
            Instant createdAt)
            throws IOException {
        String task = TaskName.EMBED_TEXT.fileName();
        return store.writer()
                .add(Role.WEIGHTS, Format.ONNX, "model.onnx", onnx)
                .add(Role.TOKENIZER, Format.JSON, "tokenizer.json", tokenizer)
                .add(Role.STEPS, Format.JSON, "steps.json", steps.json())
                .add(Role.NOTICE, Format.TEXT, "NOTICE.txt", notice.getBytes(StandardCharsets.UTF_8))
                .sign(
                        key,
                        Provenance.asItIs(
                                task,
                                Map.of(task, EncoderSteps.VERSION),
                                Fingerprint.of(onnx).sha256(),
                                codeVersion),
                        createdAt);
    }
}
