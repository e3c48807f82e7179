package io.guimo.model.decoder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.guimo.model.Safetensors;
import io.guimo.model.Started;
import io.guimo.model.gguf.GgufFile;
import io.guimo.tensor.DType;
import io.guimo.tensor.NativeMemory;
import io.guimo.tensor.RandomState;
import io.guimo.tensor.Tensor;
import io.guimo.tensor.TensorScope;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Recorded values are PEFT's: {@code record_lora.py} beside the resources. */
class LoraTest {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"gpt2", "llama"})
    void read_recordedAdapter_answersAndGradientsAreThoseOfPeft(String name) throws IOException {
        JsonNode recorded = recorded(name);
        Started.inScope(() -> {
            try (Decoder network = HuggingFaceFolder.read(Recorded.folder(name), DType.FLOAT32)) {
                Lora.read(Recorded.folder("lora-" + name), network);
                Tensor tokens = tokens(recorded);
                Tensor logitsBTV = network.forward(tokens);
                DecoderReferenceTest.assertClose(logitsBTV.toFloats(), floats(recorded.get("logits")), 5e-5);
                Tensor loss = logitsBTV
                        .narrow(1, 0, 19)
                        .reshape(-1, Recorded.VOCABULARY)
                        .crossEntropy(tokens.narrow(1, 1, 19).reshape(-1), 0);
                assertThat(loss.item()).isCloseTo(recorded.get("loss").doubleValue(), within(1e-5));
                loss.backward();
                assertThat(network.parameters())
                        .hasSize(recorded.get("gradients").size());
                network.parameters().forEach((parameter, tensor) -> {
                    float[] gradient = tensor.gradient().orElseThrow().toFloats();
                    double squares = 0;
                    double product = 0;
                    for (int i = 0; i < gradient.length; i++) {
                        squares += (double) gradient[i] * gradient[i];
                        product += gradient[i] * Math.sin(i);
                    }
                    JsonNode expected = recorded.get("gradients").get(parameter);
                    assertThat(Math.sqrt(squares))
                            .as(parameter)
                            .isCloseTo(expected.get(0).doubleValue(), within(5e-5));
                    assertThat(product).as(parameter).isCloseTo(expected.get(1).doubleValue(), within(5e-5));
                });
                network.frozen()
                        .forEach((parameter, tensor) ->
                                assertThat(tensor.gradient()).as(parameter).isEmpty());
            }
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {"gpt2", "llama"})
    void merge_thenUnmergeThenDetach_answersStayAndComeBack(String name) throws IOException {
        JsonNode recorded = recorded(name);
        Started.inScope(() -> {
            try (Decoder network = HuggingFaceFolder.read(Recorded.folder(name), DType.FLOAT32);
                    TensorScope _ = TensorScope.openWithoutGradients()) {
                float[] plain = network.forward(tokens(recorded)).toFloats();
                Set<String> names = network.parameters().keySet();
                Lora lora = Lora.read(Recorded.folder("lora-" + name), network);
                float[] adapted = floats(recorded.get("logits"));
                lora.merge();
                lora.merge(); // once is enough
                DecoderReferenceTest.assertClose(
                        network.forward(tokens(recorded)).toFloats(), adapted, 5e-5);
                HuggingFaceFolder.write(folder, network);
                try (Decoder merged = HuggingFaceFolder.read(folder, DType.FLOAT32)) {
                    DecoderReferenceTest.assertClose(
                            merged.forward(tokens(recorded)).toFloats(), adapted, 5e-5);
                }
                lora.unmerge();
                DecoderReferenceTest.assertClose(
                        network.forward(tokens(recorded)).toFloats(), adapted, 5e-5);
                lora.merge();
                lora.detach();
                DecoderReferenceTest.assertClose(
                        network.forward(tokens(recorded)).toFloats(), plain, 5e-5);
                assertThat(network.parameters().keySet()).isEqualTo(names);
                assertThat(network.frozen()).isEmpty();
            }
        });
    }

    @Test
    void attach_toANetwork_changesNothingYetAndTrainsTheFactorsAlone() {
        Started.inScope(() -> {
            RandomState.seed(3);
            try (Decoder network = HuggingFaceFolder.read(Recorded.folder("qwen3"), DType.FLOAT32)) {
                Tensor tokens = Tensor.of(new int[] {1, 2, 3, 4}, 1, 4);
                float[] before = network.forward(tokens).toFloats();
                Lora.attach(network, new LoraSettings(3, 6, .5, Set.of("v_proj", "gate_proj")));
                network.train();
                assertThat(network.forward(tokens).toFloats()).containsExactly(before);
                assertThat(network.parameters().keySet())
                        .hasSize(8)
                        .contains("model.layers.1.mlp.gate_proj.lora_B.weight")
                        .allMatch(name -> name.contains(".lora_"));
                assertThat(network.state().keySet())
                        .isEqualTo(network.parameters().keySet());
                assertThat(network.weights()).hasSize(network.frozen().size());

                network.forward(tokens).square().mean().backward();
                try (TensorScope _ = TensorScope.openWithoutGradients()) {
                    network.parameters()
                            .forEach((name, tensor) ->
                                    tensor.addInPlace(tensor.gradient().orElseThrow(), -1));
                }
                // in training half of the adapters' inputs are hidden, by chance; in evaluation none
                assertThat(network.forward(tokens).toFloats())
                        .isNotEqualTo(network.forward(tokens).toFloats());
                network.evaluate();
                assertThat(network.forward(tokens).toFloats())
                        .isEqualTo(network.forward(tokens).toFloats())
                        .isNotEqualTo(before);
            }
        });
    }

    @Test
    void write_folder_isWhatPeftWroteAndReadsBack() {
        Started.inScope(() -> {
            try (Decoder network = HuggingFaceFolder.read(Recorded.folder("llama"), DType.FLOAT32)) {
                Lora lora = Lora.read(Recorded.folder("lora-llama"), network);
                lora.write(folder, "llama");
                Map<String, Tensor> theirs = Safetensors.read(
                                Recorded.folder("lora-llama").resolve("adapter_model.safetensors"))
                        .tensors();
                Map<String, Tensor> ours = Safetensors.read(folder.resolve("adapter_model.safetensors"))
                        .tensors();
                assertThat(ours.keySet()).isEqualTo(theirs.keySet());
                ours.forEach((name, tensor) ->
                        assertThat(tensor.sameAs(Started.named(theirs, name))).isTrue());
                try (Decoder other = HuggingFaceFolder.read(Recorded.folder("llama"), DType.FLOAT32)) {
                    assertThat(Lora.read(folder, other).settings()).isEqualTo(lora.settings());
                }
            }
        });
    }

    @Test
    void writeGguf_adapter_isNamedAndPermutedAsLlamaCppWants() {
        Path file = folder.resolve("adapter.gguf");
        Started.inScope(() -> {
            try (Decoder network = HuggingFaceFolder.read(Recorded.folder("llama"), DType.FLOAT32)) {
                Lora.read(Recorded.folder("lora-llama"), network).writeGguf(file);
                try (GgufFile read = GgufFile.open(file)) {
                    assertThat(read.text("general.type")).contains("adapter");
                    assertThat(read.text("adapter.type")).contains("lora");
                    assertThat(read.text("general.architecture")).contains("llama");
                    assertThat(read.real("adapter.lora.alpha")).hasValue(6);
                    assertThat(read.tensors()).hasSize(12);
                    // rows 0 to 3 of a head of 4 stand there as 0, 2, 1, 3
                    float[] rows = Tensor.ofMemory(DType.FLOAT32, read.bytes("blk.0.attn_q.weight.lora_b"), 16, 2)
                            .toFloats();
                    float[] own = Started.named(network.parameters(), "model.layers.0.self_attn.q_proj.lora_B.weight")
                            .toFloats();
                    assertThat(new float[] {rows[2], rows[3]}).containsExactly(own[4], own[5]);
                    assertThat(new float[] {rows[4], rows[5]}).containsExactly(own[2], own[3]);
                }
            }
        });
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "'r': 2 | 'r': 0 | rank is 0",
                "'r': 2 | 'r': 3 | the network takes",
                "'peft_type': 'LORA' | 'peft_type': 'IA3' | peft_type IA3 is not computed here",
                "'use_dora': false | 'use_dora': true | use_dora true is not computed here",
                "'rank_pattern': {} | 'rank_pattern': {'q_proj': 9} | rank_pattern",
                "'q_proj' | 'q_other' | the network has no matrix [q_other]; it has [down_proj, gate_proj,",
                "'down_proj' | 'up_proj' | belongs to another network",
            })
    void read_adapterThatDoesNotFit_refusedAndTheNetworkAsBefore(String part, String other, String reason)
            throws IOException {
        String config = Files.readString(Recorded.folder("lora-llama").resolve("adapter_config.json"));
        assertThat(config).contains(part.replace('\'', '"'));
        Files.writeString(
                folder.resolve("adapter_config.json"),
                config.replace(part.replace('\'', '"'), other.replace('\'', '"')));
        Files.copy(
                Recorded.folder("lora-llama").resolve("adapter_model.safetensors"),
                folder.resolve("adapter_model.safetensors"));
        Started.inScope(() -> {
            try (Decoder network = HuggingFaceFolder.read(Recorded.folder("llama"), DType.FLOAT32)) {
                Set<String> before = network.parameters().keySet();
                long handles = NativeMemory.liveHandles();
                try (TensorScope _ = TensorScope.open()) {
                    assertThatThrownBy(() -> Lora.read(folder, network))
                            .isInstanceOf(IllegalArgumentException.class)
                            .hasMessageContaining(reason);
                }
                assertThat(network.parameters().keySet()).isEqualTo(before);
                assertThat(NativeMemory.liveHandles()).isEqualTo(handles);
            }
        });
    }

    /** Frozen layers without an adapter: the rest is trained, a file of the network still holds all. */
    @Test
    void freeze_someLayers_trainsTheOthersAndKeepsAllInFiles() {
        Started.inScope(() -> {
            try (Decoder network = HuggingFaceFolder.read(Recorded.folder("gpt2"), DType.FLOAT32)) {
                Map<String, Tensor> all = new LinkedHashMap<>(network.weights());
                network.freeze(name -> name.startsWith("transformer.h.0.") || name.startsWith("transformer.w"));
                network.forward(Tensor.of(new int[] {1, 2, 3}, 1, 3))
                        .square()
                        .mean()
                        .backward();
                assertThat(network.parameters().keySet()).noneMatch(name -> name.startsWith("transformer.h.0."));
                network.parameters()
                        .forEach((name, tensor) ->
                                assertThat(tensor.gradient()).as(name).isPresent());
                network.frozen()
                        .forEach((name, tensor) ->
                                assertThat(tensor.gradient()).as(name).isEmpty());
                assertThat(network.weights().keySet()).isEqualTo(all.keySet());
                network.unfreeze();
                assertThat(network.parameters().keySet()).isEqualTo(all.keySet());
            }
        });
    }

    private static Tensor tokens(JsonNode recorded) {
        int[] tokens = new int[20];
        for (int i = 0; i < 20; i++) tokens[i] = recorded.get("tokens").get(i).intValue();
        return Tensor.of(tokens, 1, 20);
    }

    private static JsonNode recorded(String name) throws IOException {
        return JsonMapper.shared()
                .readTree(Files.readString(Recorded.folder("lora-" + name).resolve("expected.json")));
    }

    private static float[] floats(JsonNode array) {
        float[] floats = new float[array.size()];
        for (int i = 0; i < floats.length; i++) floats[i] = array.get(i).floatValue();
        return floats;
    }
}
