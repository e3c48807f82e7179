package io.guimo.model.decoder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.guimo.model.Safetensors;
import io.guimo.model.Started;
import io.guimo.tensor.DType;
import io.guimo.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Recorded values are PEFT's: {@code record_prompt.py} beside the resources. */
class TunedPromptTest {
    private static final Path RECORDED = Recorded.folder("prompt-llama");

    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path folder;

    @Test
    void read_recordedPrompt_answersAndGradientAreThoseOfPeft() throws IOException {
        JsonNode recorded = JsonMapper.shared().readTree(Files.readString(RECORDED.resolve("expected.json")));
        int[] tokens = new int[20];
        for (int i = 0; i < 20; i++) tokens[i] = recorded.get("tokens").get(i).intValue();
        Started.inScope(() -> {
            try (TunedPrompt tuned = TunedPrompt.read(RECORDED, network())) {
                Tensor logits = tuned.forward(Tensor.of(tokens, 1, 20));
                assertThat(logits.shape()).containsExactly(1, 20, Recorded.VOCABULARY);
                float[] expected = new float[recorded.get("logits").size()];
                for (int i = 0; i < expected.length; i++) {
                    expected[i] = recorded.get("logits").get(i).floatValue();
                }
                DecoderReferenceTest.assertClose(logits.toFloats(), expected, 2e-5);
                logits.square().mean().backward();
                assertThat(tuned.parameters().keySet()).containsExactly("prompt_embeddings");
                float[] gradient = Started.named(tuned.parameters(), "prompt_embeddings")
                        .gradient()
                        .orElseThrow()
                        .toFloats();
                double squares = 0;
                double product = 0;
                for (int i = 0; i < gradient.length; i++) {
                    squares += (double) gradient[i] * gradient[i];
                    product += gradient[i] * Math.sin(i);
                }
                assertThat(Math.sqrt(squares))
                        .isCloseTo(recorded.get("gradient").get(0).doubleValue(), within(2e-5));
                assertThat(product).isCloseTo(recorded.get("gradient").get(1).doubleValue(), within(2e-5));
            }
        });
    }

    @Test
    void write_folder_isWhatPeftWroteAndReadsBack() {
        Started.inScope(() -> {
            try (TunedPrompt tuned = TunedPrompt.read(RECORDED, network())) {
                tuned.write(folder, "llama");
                Tensor ours = Started.named(
                        Safetensors.read(folder.resolve("adapter_model.safetensors"))
                                .tensors(),
                        "prompt_embeddings");
                Tensor theirs = Started.named(
                        Safetensors.read(RECORDED.resolve("adapter_model.safetensors"))
                                .tensors(),
                        "prompt_embeddings");
                assertThat(ours.sameAs(theirs)).isTrue();
                TunedPrompt.read(folder, network()).close();
            }
        });
    }

    @Test
    void forward_promptOfOrdinaryTokens_equalsTheTokensThemselves() {
        Started.inScope(() -> {
            float[] plain;
            try (Decoder network = network()) {
                plain = network.forward(Tensor.of(new int[] {7, 8, 7, 1, 2}, 1, 5))
                        .narrow(1, 3, 2)
                        .toFloats();
            }
            try (TunedPrompt tuned = new TunedPrompt(network(), 3, new int[] {7, 8})) {
                DecoderReferenceTest.assertClose(
                        tuned.forward(Tensor.of(new int[] {1, 2}, 1, 2)).toFloats(), plain, 1e-5);
            }
        });
    }

    @Test
    void read_anotherKindOrShape_refusedAndTheNetworkAsBefore() throws IOException {
        Files.copy(RECORDED.resolve("adapter_model.safetensors"), folder.resolve("adapter_model.safetensors"));
        String config = Files.readString(RECORDED.resolve("adapter_config.json"));
        Files.writeString(
                folder.resolve("adapter_config.json"),
                config.replace("\"num_virtual_tokens\": 5", "\"num_virtual_tokens\": 6"));
        Started.inScope(() -> {
            try (Decoder network = network()) {
                assertThatThrownBy(() -> TunedPrompt.read(folder, network))
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessageContaining("prompt_embeddings[6, 16] alone fits");
                assertThatThrownBy(() -> TunedPrompt.read(Recorded.folder("lora-llama"), network))
                        .hasMessageContaining("peft_type LORA is not computed here, only PROMPT_TUNING");
                assertThatThrownBy(() -> new TunedPrompt(network, 64, new int[] {1}))
                        .hasMessageContaining("permitted are 1 to 63");
                assertThat(network.frozen()).isEmpty();
            }
        });
    }

    private static Decoder network() {
        return HuggingFaceFolder.read(Recorded.folder("llama"), DType.FLOAT32);
    }
}
