package io.guimo.model.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guimo.model.Started;
import io.guimo.model.gguf.GgufValue.ValueType;
import io.guimo.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GgufWriterTest {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path folder;

    @Test
    void write_eachKindOfValue_readsBackTheSame() {
        Map<String, GgufValue> metadata = new LinkedHashMap<>();
        metadata.put("a.text", new GgufValue.Text("规模 \"x\""));
        metadata.put("a.small", new GgufValue.Whole(ValueType.INT8, -3));
        metadata.put("a.large", new GgufValue.Whole(ValueType.UINT64, -1));
        metadata.put("a.count", new GgufValue.Whole(ValueType.UINT32, 4_000_000_000L));
        metadata.put("a.real", new GgufValue.Real(ValueType.FLOAT32, .1f));
        metadata.put("a.exact", new GgufValue.Real(ValueType.FLOAT64, .1));
        metadata.put("a.truth", new GgufValue.Truth(true));
        metadata.put("a.texts", new GgufValue.Texts(List.of("", "b")));
        metadata.put(
                "a.numbers",
                new GgufValue.Numbers(ValueType.INT32, MemorySegment.ofArray(new int[] {1, -2, Integer.MAX_VALUE})));
        metadata.put("a.reals", new GgufValue.Numbers(ValueType.FLOAT32, MemorySegment.ofArray(new float[] {.5f, -1})));
        metadata.put("a.arrays", new GgufValue.Arrays(List.of(new GgufValue.Texts(List.of("c")))));
        Path file = folder.resolve("a.gguf");
        Started.inScope(() -> GgufWriter.write(file, metadata, List.of()));
        try (GgufFile read = GgufFile.open(file)) {
            assertThat(read.metadata().keySet()).containsExactlyElementsOf(metadata.keySet());
            metadata.forEach((key, value) -> {
                if (!(value instanceof GgufValue.Numbers)) {
                    assertThat(read.metadata().get(key)).isEqualTo(value);
                }
            });
            GgufValue.Numbers numbers = read.numbers("a.numbers").orElseThrow();
            assertThat(List.of(numbers.wholeAt(0), numbers.wholeAt(1), numbers.wholeAt(2)))
                    .containsExactly(1L, -2L, (long) Integer.MAX_VALUE);
            assertThat(read.numbers("a.reals").orElseThrow().realAt(1)).isEqualTo(-1);
        }
    }

    @Test
    void write_tensors_shapesReversedBytesAligned() {
        Path file = folder.resolve("b.gguf");
        Started.inScope(() -> GgufWriter.write(
                file,
                Map.of(),
                List.of(
                        new GgufWriter.Content("first", GgufTensorType.F32, Tensor.of(new float[] {1, 2, 3}, 3)),
                        // not dense: what counts is the row-major order
                        new GgufWriter.Content(
                                "second",
                                GgufTensorType.F16,
                                Tensor.of(new float[] {1, 2, 3, 4, 5, 6}, 2, 3).transpose(0, 1)))));
        try (GgufFile read = GgufFile.open(file)) {
            GgufFile.TensorEntry second = Objects.requireNonNull(read.tensors().get("second"));
            assertThat(second.shape()).containsExactly(2L, 3L);
            assertThat(second.offset() % 32).isZero();
            short[] halves = read.bytes("second").toArray(ValueLayout.JAVA_SHORT_UNALIGNED);
            float[] found = new float[6];
            for (int i = 0; i < 6; i++) found[i] = Float.float16ToFloat(halves[i]);
            assertThat(found).containsExactly(1, 4, 2, 5, 3, 6);
        }
    }

    @Test
    void content_rowsNoWholeBlocks_refused() {
        Started.inScope(
                () -> assertThatThrownBy(() -> new GgufWriter.Content("x", GgufTensorType.Q8_0, Tensor.full(1, 32, 31)))
                        .hasMessageContaining("rows of 31 elements; Q8_0 needs a multiple of 32"));
    }
}
