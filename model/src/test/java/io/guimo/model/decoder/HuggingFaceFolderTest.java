package io.guimo.model.decoder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guimo.model.Safetensors;
import io.guimo.model.Started;
import io.guimo.tensor.DType;
import io.guimo.tensor.NativeMemory;
import io.guimo.tensor.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HuggingFaceFolderTest {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"gpt2", "llama", "qwen2", "qwen3"})
    void write_network_readsBackTheSame(String name) {
        Started.inScope(() -> {
            try (Decoder network = HuggingFaceFolder.read(Recorded.folder(name), DType.FLOAT32)) {
                HuggingFaceFolder.write(folder.resolve(name), network);
                try (Decoder back = HuggingFaceFolder.read(folder.resolve(name), DType.FLOAT32)) {
                    assertThat(back.config()).isEqualTo(network.config());
                    network.state().forEach((key, tensor) -> assertThat(tensor.sameAs(Started.named(back.state(), key)))
                            .as(key)
                            .isTrue());
                }
            }
        });
    }

    @Test
    void read_weightsInPartsWithTheirIndex_isTheSame() throws IOException {
        copyConfig();
        Started.inScope(() -> {
            Map<String, Tensor> all = tensors("llama");
            Map<String, Tensor> first = new LinkedHashMap<>();
            Map<String, Tensor> second = new LinkedHashMap<>();
            StringBuilder map = new StringBuilder();
            all.forEach((name, tensor) -> {
                boolean early = name.compareTo("model.layers.1") < 0;
                (early ? first : second).put(name, tensor);
                map.append(map.isEmpty() ? "" : ",")
                        .append("\"" + name + "\":\"model-0000" + (early ? 1 : 2) + "-of-00002.safetensors\"");
            });
            Safetensors.write(folder.resolve("model-00001-of-00002.safetensors"), first, Map.of());
            Safetensors.write(folder.resolve("model-00002-of-00002.safetensors"), second, Map.of());
            index("{\"metadata\":{},\"weight_map\":{" + map + "}}");
            try (Decoder network = HuggingFaceFolder.read(folder, DType.FLOAT32)) {
                all.forEach((name, tensor) -> assertThat(tensor.sameAs(Started.named(network.state(), name)))
                        .isTrue());
            }
        });
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"weight_map\":{\"lm_head.weight\":\"../../etc/passwd\"}}",
                "{\"weight_map\":{\"lm_head.weight\":\"/etc/x.safetensors\"}}",
                "{\"weight_map\":{\"lm_head.weight\":\"..safetensors\"}}",
                "{\"weight_map\":{\"lm_head.weight\":7}}",
                "{\"weight_map\":[]}",
                "{}",
                "{\"weight_map\":",
            })
    void read_hostileIndex_refused(String json) throws IOException {
        copyConfig();
        index(json);
        Started.inScope(() -> assertThatThrownBy(() -> HuggingFaceFolder.read(folder, DType.FLOAT32))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("not a sound index of weights"));
    }

    @Test
    void read_otherTensorsThanConfigured_refusedAndNothingKept() throws IOException {
        copyConfig();
        Started.inScope(() -> {
            refused(tensors -> tensors.remove("model.norm.weight"), "the files hold");
            refused(
                    tensors -> {
                        tensors.remove("model.norm.weight");
                        tensors.put("model.other.weight", Tensor.full(1, 16));
                    },
                    "missing [model.norm.weight], unknown [model.other.weight]");
            refused(
                    tensors -> tensors.put("model.norm.weight", Tensor.full(1, 4, 4)),
                    "model.norm.weight is [4, 4] in the file, the configuration wants [16]");
        });
    }

    @Test
    void read_bodySavedAlone_findsItsNames() throws IOException {
        Files.copy(Recorded.folder("gpt2").resolve("config.json"), folder.resolve("config.json"));
        Started.inScope(() -> {
            Map<String, Tensor> short_ = new LinkedHashMap<>();
            tensors("gpt2").forEach((name, tensor) -> short_.put(name.replace("transformer.", ""), tensor));
            short_.put("h.0.attn.bias", Tensor.full(1, 1, 1, 64, 64)); // the mask that old files carry
            Safetensors.write(folder.resolve("model.safetensors"), short_, Map.of());
            try (Decoder network = HuggingFaceFolder.read(folder, DType.FLOAT32)) {
                assertThat(network.parameters()).containsKey("transformer.h.1.mlp.c_fc.weight");
            }
        });
    }

    @Test
    void read_folderEmpty_saysWhatIsMissing() {
        Started.inScope(() -> assertThatThrownBy(() -> HuggingFaceFolder.read(folder, DType.FLOAT32))
                .isInstanceOf(UncheckedIOException.class)
                .hasMessageContaining("config.json"));
    }

    private interface Change {
        void apply(Map<String, Tensor> tensors);
    }

    private void refused(Change change, String reason) {
        Map<String, Tensor> tensors = new LinkedHashMap<>(tensors("llama"));
        change.apply(tensors);
        Safetensors.write(folder.resolve("model.safetensors"), tensors, Map.of());
        long before = NativeMemory.liveHandles();
        assertThatThrownBy(() -> {
                    try (io.guimo.tensor.TensorScope _ = io.guimo.tensor.TensorScope.open()) {
                        HuggingFaceFolder.read(folder, DType.FLOAT32);
                    }
                })
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(reason);
        assertThat(NativeMemory.liveHandles()).isEqualTo(before);
    }

    private static Map<String, Tensor> tensors(String name) {
        return Safetensors.read(Recorded.folder(name).resolve("model.safetensors"))
                .tensors();
    }

    private void copyConfig() throws IOException {
        Files.copy(Recorded.folder("llama").resolve("config.json"), folder.resolve("config.json"));
    }

    private void index(String json) {
        try {
            Files.writeString(folder.resolve("model.safetensors.index.json"), json);
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }
}
