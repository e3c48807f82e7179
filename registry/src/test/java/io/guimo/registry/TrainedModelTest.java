package io.guimo.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guimo.evaluate.EvaluationReport;
import io.guimo.model.ArchitectureSettings;
import io.guimo.registry.PackageFile.Role;
import io.guimo.task.FittedSteps;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrainedModelTest {
    private static final ArchitectureSettings LLAMA = new ArchitectureSettings.Llama(4, 128, 4, 2, 64, 512, .1);

    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path folder;

    private TrainedModel decoder(Map<String, byte[]> companions) throws IOException {
        Path weights = Files.writeString(folder.resolve("weights"), "numbers");
        return new TrainedModel(
                LLAMA,
                new FittedSteps.Text("<|endoftext|>"),
                weights,
                new EvaluationReport(
                        "natsPerCharacter",
                        1000,
                        Map.of("natsPerCharacter", 1.5),
                        Map.of(),
                        List.of(),
                        null,
                        List.of(),
                        List.of()),
                null,
                Map.of("tinyshakespeare.txt", PackageFixture.DATA_DIGEST),
                "run_1",
                "0.1.0",
                PackageFixture.CREATED_AT,
                companions);
    }

    @Test
    void pack_decoder_holdsWhatOtherProgramsLoad() throws IOException {
        PackageStore store = PackageStore.open(folder.resolve("packages"));
        SigningKey key = SigningKey.generate();
        byte[] tokenizer = "{\"model\":{}}".getBytes(StandardCharsets.UTF_8);
        byte[] config = "{\"model_type\":\"llama\"}".getBytes(StandardCharsets.UTF_8);
        String digest = decoder(Map.of("tokenizer.json", tokenizer, "config.json", config))
                .pack(store, key);

        PackageCheck check = store.verify(digest, TrustedKeys.of(key.verifying()));
        assertThat(check).isInstanceOf(PackageCheck.Verified.class);
        ModelPackage content = ((PackageCheck.Verified) check).content();
        assertThat(content.manifest().files())
                .extracting(PackageFile::name)
                .containsExactly("config.json", "model.safetensors", "steps.json", "tokenizer.json");
        assertThat(content.read(content.manifest().file(Role.CONFIG).orElseThrow()))
                .isEqualTo(config);
        assertThat(content.read(content.manifest().file(Role.TOKENIZER).orElseThrow()))
                .isEqualTo(tokenizer);
        String architecture = String.valueOf(content.manifest().provenance().architecture());
        assertThat(ArchitectureForm.read(architecture)).isEqualTo(LLAMA);
        assertThat(FittedSteps.read(
                        content.read(content.manifest().file(Role.STEPS).orElseThrow())))
                .isEqualTo(new FittedSteps.Text("<|endoftext|>"));
    }

    @Test
    void pack_unknownCompanion_refused() throws IOException {
        PackageStore store = PackageStore.open(folder.resolve("packages"));
        TrainedModel model = decoder(Map.of("notes.txt", new byte[0]));
        assertThatThrownBy(() -> model.pack(store, SigningKey.generate()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("notes.txt");
    }

    @Test
    void form_anyKind_readAsWritten() {
        for (ArchitectureSettings architecture : List.of(
                LLAMA,
                new ArchitectureSettings.Llama(null, null, null, null, null, null, null),
                new ArchitectureSettings.Gpt2(2, 96, 3, 32, 300, .2),
                new ArchitectureSettings.Resnet(16),
                new ArchitectureSettings.LinearAutoencoder(.1))) {
            assertThat(ArchitectureForm.read(ArchitectureForm.write(architecture)))
                    .isEqualTo(architecture);
        }
        assertThatThrownBy(() -> ArchitectureForm.read("{\"kind\":\"llama\",\"width\":100,\"heads\":3}"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("heads 3 must divide the width evenly, which is 100");
        assertThatThrownBy(() -> ArchitectureForm.read("{\"kind\":\"llama\",\"vocabulary\":1000000000}"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("vocabulary 1000000000 must be 257 to 262144");
    }
}
