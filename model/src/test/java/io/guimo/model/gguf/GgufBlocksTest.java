package io.guimo.model.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HexFormat;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Recorded values are those of llama.cpp's Python package: {@code record_blocks.py} beside them. Exact: each is one or two roundings of the same products. */
class GgufBlocksTest {
    private static final JsonNode RECORDED = recorded();

    @ParameterizedTest
    @EnumSource(names = {"F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q4_K", "Q6_K"})
    void unpack_recordedBlocks_equalsLlamaCpp(GgufTensorType type) {
        JsonNode entry = RECORDED.get("unpacked").get(type.name());
        byte[] packed = HexFormat.of().parseHex(entry.get(0).stringValue());
        float[] expected = floats(entry.get(1));
        assertThat(expected.length).isEqualTo(packed.length / type.blockBytes() * type.blockElements());
        float[] found = new float[expected.length];
        GgufBlocks.unpack(type, MemorySegment.ofArray(packed), MemorySegment.ofArray(found));
        assertThat(found).containsExactly(expected);
    }

    @ParameterizedTest
    @EnumSource(names = {"F16", "Q8_0", "Q4_0"})
    void pack_recordedNumbers_equalsLlamaCpp(GgufTensorType type) {
        assertThat(HexFormat.of().formatHex(GgufBlocks.pack(type, floats(RECORDED.get("numbers")))))
                .isEqualTo(RECORDED.get("packed").get(type.name()).stringValue());
    }

    @Test
    void pack_f32_unpacksToItself() {
        float[] numbers = floats(RECORDED.get("numbers"));
        byte[] packed = GgufBlocks.pack(GgufTensorType.F32, numbers);
        float[] back = new float[numbers.length];
        GgufBlocks.unpack(GgufTensorType.F32, MemorySegment.ofArray(packed), MemorySegment.ofArray(back));
        assertThat(back).containsExactly(numbers);
        assertThat(MemorySegment.ofArray(packed).get(ValueLayout.JAVA_FLOAT_UNALIGNED, 4))
                .isEqualTo(numbers[1]);
    }

    @Test
    void unpack_typeUnknownHere_refused() {
        assertThatThrownBy(() -> GgufBlocks.unpack(
                        GgufTensorType.Q2_K,
                        MemorySegment.ofArray(new byte[84]),
                        MemorySegment.ofArray(new float[256])))
                .hasMessageContaining("elements of type Q2_K are not read");
        assertThatThrownBy(() -> GgufBlocks.unpack(
                        GgufTensorType.Q8_0, MemorySegment.ofArray(new byte[34]), MemorySegment.ofArray(new float[31])))
                .hasMessageContaining("do not fill 31 elements");
        assertThatThrownBy(() -> GgufBlocks.pack(GgufTensorType.Q4_0, new float[33]))
                .hasMessageContaining("no whole blocks of 32");
    }

    private static float[] floats(JsonNode array) {
        float[] floats = new float[array.size()];
        for (int i = 0; i < floats.length; i++) floats[i] = array.get(i).floatValue();
        return floats;
    }

    private static JsonNode recorded() {
        try (InputStream in = GgufBlocksTest.class.getResourceAsStream("blocks.json")) {
            return JsonMapper.shared().readTree(Objects.requireNonNull(in));
        } catch (IOException failed) {
            throw new IllegalStateException(failed);
        }
    }
}
