package io.guimo.model.decoder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guimo.model.Started;
import io.guimo.model.gguf.GgufFile;
import io.guimo.model.gguf.GgufTensorType;
import io.guimo.model.gguf.GgufValue;
import io.guimo.model.gguf.GgufWriter;
import io.guimo.tensor.DType;
import io.guimo.tensor.Tensor;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** That llama.cpp computes the same from what is written here is tested where it runs: {@code LlamaCppAgreementTest} in {@code inference}. */
class GgufDecoderTest {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"gpt2", "llama", "qwen2", "qwen3"})
    void write_f32_readsBackTheSameNetwork(String name) {
        Path file = folder.resolve("f32.gguf");
        Started.inScope(() -> {
            try (Decoder network = HuggingFaceFolder.read(Recorded.folder(name), DType.FLOAT32)) {
                GgufDecoder.write(file, network, GgufTensorType.F32, Map.of("general.name", new GgufValue.Text(name)));
                try (Decoder back = GgufDecoder.read(file, DType.FLOAT32)) {
                    assertThat(withoutEndTokens(back.config().toJson()))
                            .usingRecursiveComparison()
                            .isEqualTo(withoutEndTokens(network.config().toJson()));
                    back.state().forEach((key, tensor) -> assertThat(tensor.sameAs(Started.named(network.state(), key)))
                            .as(key)
                            .isTrue());
                }
            }
        });
        try (GgufFile read = GgufFile.open(file)) {
            assertThat(read.text("general.name")).contains(name);
            assertThat(read.tensors()).containsKey("blk.1.ffn_down.weight");
        }
    }

    @ParameterizedTest
    @CsvSource({"F16, 5e-3", "Q8_0, .05", "Q4_0, .8"})
    void write_narrow_readsBackNearly(GgufTensorType type, double tolerance) {
        Path file = folder.resolve("narrow.gguf");
        LlamaConfig config = new LlamaConfig(
                LlamaConfig.Family.LLAMA,
                64,
                32,
                64,
                96,
                2,
                4,
                2,
                16,
                1e-5,
                1e4,
                new RotaryScaling.None(),
                false,
                false,
                0,
                Set.of(2));
        Started.inScope(() -> {
            io.guimo.tensor.RandomState.seed(7);
            try (Decoder network = Decoder.drawn(config)) {
                network.evaluate();
                GgufDecoder.write(file, network, type, Map.of());
                try (Decoder back = GgufDecoder.read(file, DType.FLOAT32)) {
                    Tensor tokens = Tensor.of(new int[] {1, 5, 9, 60}, 1, 4);
                    Tensor exact = network.forward(tokens);
                    double error =
                            back.forward(tokens).subtract(exact).square().mean().item();
                    assertThat(Math.sqrt(error / exact.square().mean().item()))
                            .isGreaterThan(0)
                            .isLessThan(tolerance);
                }
            }
        });
        try (GgufFile read = GgufFile.open(file)) {
            assertThat(typeOf(read, "blk.0.attn_q.weight")).isEqualTo(type);
            assertThat(typeOf(read, "blk.0.attn_norm.weight")).isEqualTo(GgufTensorType.F32);
            assertThat(typeOf(read, "token_embd.weight"))
                    .isEqualTo(type == GgufTensorType.Q4_0 ? GgufTensorType.Q8_0 : type);
        }
    }

    @Test
    void read_anotherArchitectureOrSize_refusedWithTheReason() {
        refused(Map.of("general.architecture", new GgufValue.Text("mamba")), "'mamba' runs on llama.cpp only");
        refused(Map.of("llama.block_count", whole(3)), "the files hold");
        refused(Map.of("llama.embedding_length", whole(1 << 20)), "the files hold");
        refused(Map.of("llama.block_count", whole(4_000_000_000L)), "impossible sizes");
        refused(Map.of("llama.attention.head_count_kv", whole(3)), "do not divide");
        refused(Map.of("llama.rope.dimension_count", whole(2)), "rotates a part");
        refused(
                Map.of("llama.feed_forward_length", whole(1 << 22), "llama.block_count", whole(4096)),
                "at most 200000000000");
    }

    @Test
    void read_tensorOfATypeUnknownHere_refused() throws IOException {
        Path file = folder.resolve("types.gguf");
        Started.inScope(() -> {
            try (Decoder network = Decoder.drawn(Gpt2Config.of(256, 8, 256, 1, 4, 0, 0))) {
                GgufDecoder.write(file, network, GgufTensorType.F32, Map.of());
            }
        });
        // in the directory: the name, the number of dimensions, two sizes, the type
        byte[] bytes = Files.readAllBytes(file);
        String name = "blk.0.attn_output.weight";
        int at = new String(bytes, 0, 1 << 13, StandardCharsets.ISO_8859_1).indexOf(name) + name.length() + 4 + 2 * 8;
        assertThat(bytes[at]).isEqualTo((byte) GgufTensorType.F32.code());
        bytes[at] = (byte) GgufTensorType.Q2_K.code();
        Files.write(file, bytes);
        Started.inScope(() -> assertThatThrownBy(() -> GgufDecoder.read(file, DType.FLOAT32))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("tensor blk.0.attn_output.weight is of type Q2_K, which runs on llama.cpp only"));
    }

    /** The tiny Llama with other metadata than its own. */
    private void refused(Map<String, GgufValue> other, String reason) {
        Path sound = folder.resolve("sound.gguf");
        Path file = folder.resolve("refused.gguf");
        Started.inScope(() -> {
            try (Decoder network = HuggingFaceFolder.read(Recorded.folder("llama"), DType.FLOAT32)) {
                GgufDecoder.write(sound, network, GgufTensorType.F32, Map.of());
            }
            Map<String, GgufValue> metadata;
            List<GgufWriter.Content> tensors = new ArrayList<>();
            try (GgufFile read = GgufFile.open(sound)) {
                metadata = new LinkedHashMap<>(read.metadata());
                read.tensors()
                        .forEach((name, entry) -> tensors.add(new GgufWriter.Content(
                                name,
                                entry.type(),
                                Tensor.ofMemory(
                                        DType.FLOAT32,
                                        read.bytes(name),
                                        entry.shape().reversed().stream()
                                                .mapToLong(Long::longValue)
                                                .toArray()))));
            }
            metadata.putAll(other);
            GgufWriter.write(file, metadata, tensors);
            assertThatThrownBy(() -> GgufDecoder.read(file, DType.FLOAT32))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining(reason);
        });
    }

    private static GgufValue whole(long value) {
        return new GgufValue.Whole(GgufValue.ValueType.UINT32, value);
    }

    private static GgufTensorType typeOf(GgufFile file, String tensor) {
        return Objects.requireNonNull(file.tensors().get(tensor), tensor).type();
    }

    /** They stand in a GGUF file's entries about the tokenizer. */
    private static Map<String, Object> withoutEndTokens(Map<String, Object> json) {
        Map<String, Object> rest = new LinkedHashMap<>(json);
        rest.remove("eos_token_id");
        return rest;
    }
}
