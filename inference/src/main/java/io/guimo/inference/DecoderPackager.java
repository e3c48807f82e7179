package io.guimo.inference;

import io.guimo.data.Fingerprint;
import io.guimo.model.gguf.GgufFile;
import io.guimo.model.gguf.GgufTokenizer;
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
import java.util.OptionalInt;

/**
 * Makes a signed package of a pre-trained language model in GGUF, taken as it is. Tokenizer and chat template, which the file carries, stand beside it
 * as files of their own: what a request's text becomes is then seen and signed like everything else.
 */
public final class DecoderPackager {
    private DecoderPackager() {}

    /**
     * @param notice    licence and origin, kept in the package
     * @param createdAt the same moment gives the same package for the same file: pass when the model was published or first fetched
     * @return the package's digest
     * @throws io.guimo.model.gguf.MalformedGguf if the file is no GGUF, or carries no tokenizer that this build reads
     */
    public static String pack(
            PackageStore store, SigningKey key, Path gguf, String notice, String codeVersion, Instant createdAt)
            throws IOException {
        GgufTokenizer tokenizer;
        DecoderSteps steps;
        try (GgufFile file = GgufFile.open(gguf)) {
            tokenizer = GgufTokenizer.of(file);
            steps = steps(file, tokenizer);
        }
        String task = TaskName.GENERATE_TEXT.fileName();
        return store.writer()
                .add(Role.WEIGHTS, Format.GGUF, "model.gguf", gguf)
                .add(
                        Role.TOKENIZER,
                        Format.JSON,
                        "tokenizer.json",
                        tokenizer.json().getBytes(StandardCharsets.UTF_8))
                .add(Role.STEPS, Format.JSON, "steps.json", steps.json())
                .add(Role.NOTICE, Format.TEXT, "NOTICE.txt", notice.getBytes(StandardCharsets.UTF_8))
                .sign(
                        key,
                        Provenance.asItIs(
                                task,
                                Map.of(task, DecoderSteps.VERSION),
                                Fingerprint.of(gguf).sha256(),
                                codeVersion),
                        createdAt);
    }

    private static DecoderSteps steps(GgufFile file, GgufTokenizer tokenizer) {
        String architecture =
                file.text("general.architecture").orElseThrow(() -> file.refused("it names no architecture"));
        long context = file.whole(architecture + ".context_length")
                .orElseThrow(() -> file.refused("it names no " + architecture + ".context_length"));
        if (context < 2 || context > DecoderSteps.MOST_CONTEXT_TOKENS) {
            throw file.refused(architecture + ".context_length is " + context + "; 2 to "
                    + DecoderSteps.MOST_CONTEXT_TOKENS + " is permitted");
        }
        return new DecoderSteps(
                (int) context,
                tokenizer.endTokens(),
                text(tokenizer, tokenizer.beginToken()),
                text(tokenizer, tokenizer.endToken()),
                tokenizer.chatTemplate().orElse(null));
    }

    private static String text(GgufTokenizer tokenizer, OptionalInt id) {
        return id.isPresent() ? tokenizer.tokens().get(id.getAsInt()) : "";
    }
}
