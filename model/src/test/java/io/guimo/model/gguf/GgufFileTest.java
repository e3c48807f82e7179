package io.guimo.model.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guimo.model.gguf.GgufValue.ValueType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class GgufFileTest {
    private static final int F32 = GgufTensorType.F32.code();
    private static final int Q8_0 = GgufTensorType.Q8_0.code();

    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(ints = {2, 3})
    void open_everyValueType_readBack(int version) throws IOException {
        Path file = everything(version).write(folder, "all.gguf");
        try (GgufFile gguf = GgufFile.open(file)) {
            assertThat(gguf.version()).isEqualTo(version);
            Map<String, GgufValue> metadata = gguf.metadata();
            assertThat(metadata)
                    .containsEntry("u8", new GgufValue.Whole(ValueType.UINT8, 255))
                    .containsEntry("i8", new GgufValue.Whole(ValueType.INT8, -1))
                    .containsEntry("u16", new GgufValue.Whole(ValueType.UINT16, 65_535))
                    .containsEntry("i16", new GgufValue.Whole(ValueType.INT16, -2))
                    .containsEntry("u32", new GgufValue.Whole(ValueType.UINT32, 4_294_967_295L))
                    .containsEntry("i32", new GgufValue.Whole(ValueType.INT32, -3))
                    .containsEntry("u64", new GgufValue.Whole(ValueType.UINT64, -1))
                    .containsEntry("i64", new GgufValue.Whole(ValueType.INT64, Long.MIN_VALUE))
                    .containsEntry("f32", new GgufValue.Real(ValueType.FLOAT32, 1e-5f))
                    .containsEntry("f64", new GgufValue.Real(ValueType.FLOAT64, Math.PI))
                    .containsEntry("bool", new GgufValue.Truth(true))
                    .containsEntry("text", new GgufValue.Text("规模 \uD83D\uDE00\u0000"))
                    .containsEntry("texts", new GgufValue.Texts(List.of("a", "", "的")));
            assertThat(gguf.numbers("u16s")).hasValueSatisfying(numbers -> assertThat(
                            IntStream.range(0, numbers.size()).mapToLong(numbers::wholeAt))
                    .containsExactly(1L, 65_535L));
            assertThat(gguf.numbers("f32s")).hasValueSatisfying(numbers -> assertThat(
                            IntStream.range(0, numbers.size()).mapToDouble(numbers::realAt))
                    .containsExactly(.5, -0.25));
            assertThat(metadata.get("nested")).isInstanceOfSatisfying(GgufValue.Arrays.class, arrays -> assertThat(
                            arrays.values())
                    .containsExactly(new GgufValue.Texts(List.of("x")), new GgufValue.Texts(List.of("y", "z"))));
            assertThat(gguf.tensors().keySet()).containsExactly("matrix", "scalar", "row");
            GgufFile.TensorEntry matrix = Objects.requireNonNull(gguf.tensors().get("matrix"));
            assertThat(matrix.shape()).containsExactly(64L, 2L);
            assertThat(matrix.type()).isEqualTo(GgufTensorType.Q8_0);
            assertThat(matrix.elements()).isEqualTo(128);
            assertThat(matrix.bytes()).isEqualTo(136);
            assertThat(matrix.offset() % 32).isZero();
            assertThat(gguf.bytes("matrix").get(ValueLayout.JAVA_BYTE, 135)).isEqualTo((byte) 135);
            assertThat(gguf.bytes("scalar").get(ValueLayout.JAVA_FLOAT, 0)).isEqualTo(7);
            assertThat(gguf.bytes("row").toArray(ValueLayout.JAVA_FLOAT)).containsExactly(1, 2, 3);
        }
    }

    @Test
    void accessors_missingAndOtherTypes_emptyOrRefused() throws IOException {
        try (GgufFile gguf = GgufFile.open(everything(3).write(folder, "all.gguf"))) {
            assertThat(gguf.text("no")).isEmpty();
            assertThat(gguf.whole("no")).isEmpty();
            assertThat(gguf.real("no")).isEmpty();
            assertThat(gguf.truth("no")).isEmpty();
            assertThat(gguf.texts("no")).isEmpty();
            assertThat(gguf.numbers("no")).isEmpty();
            assertThat(gguf.text("text")).contains("规模 \uD83D\uDE00\u0000");
            assertThat(gguf.whole("u32")).hasValue(4_294_967_295L);
            assertThat(gguf.real("u8")).hasValue(255);
            assertThat(gguf.truth("bool")).contains(true);
            assertThatThrownBy(() -> gguf.text("u8"))
                    .isInstanceOf(MalformedGguf.class)
                    .hasMessageContaining("u8 is of type UINT8, not a string");
            assertThatThrownBy(() -> gguf.whole("i8")).hasMessageContaining("i8 is -1");
            assertThatThrownBy(() -> gguf.whole("u64")).hasMessageContaining("u64 is 18446744073709551615");
            assertThatThrownBy(() -> gguf.numbers("texts")).isInstanceOf(MalformedGguf.class);
            assertThatThrownBy(() -> gguf.texts("u16s")).isInstanceOf(MalformedGguf.class);
            assertThatThrownBy(() -> gguf.bytes("none")).hasMessageContaining("no tensor none among its 3");
        }
    }

    @Test
    void close_bytesTakenBefore_areRefusedNotRead() throws IOException {
        GgufFile gguf = GgufFile.open(everything(3).write(folder, "all.gguf"));
        MemorySegment row = gguf.bytes("row");
        assertThat(row.isReadOnly()).isTrue();
        gguf.close();
        assertThatThrownBy(() -> row.get(ValueLayout.JAVA_FLOAT, 0)).isInstanceOf(IllegalStateException.class);
    }

    /** Blocks by llama.cpp's own table: bits per weight as its documentation and {@code llama-quantize --help} give them. */
    @ParameterizedTest
    @CsvSource({
        "Q4_0,4.5",
        "Q4_1,5.0",
        "Q5_0,5.5",
        "Q5_1,6.0",
        "Q8_0,8.5",
        "Q2_K,2.625",
        "Q3_K,3.4375",
        "Q4_K,4.5",
        "Q5_K,5.5",
        "Q6_K,6.5625",
        "IQ2_XXS,2.0625",
        "IQ2_XS,2.3125",
        "IQ2_S,2.5625",
        "IQ3_XXS,3.0625",
        "IQ3_S,3.4375",
        "IQ1_S,1.5625",
        "IQ1_M,1.75",
        "IQ4_NL,4.5",
        "IQ4_XS,4.25",
        "TQ1_0,1.6875",
        "TQ2_0,2.0625",
        "MXFP4,4.25"
    })
    void tensorType_bitsPerWeight_areThoseOfTheFormat(GgufTensorType type, double bits) {
        assertThat(8.0 * type.blockBytes() / type.blockElements()).isEqualTo(bits);
    }

    static Map<String, GgufBytes> hostile() {
        Map<String, GgufBytes> cases = new LinkedHashMap<>();
        cases.put("it has 4 bytes; at least 24", new GgufBytes().raw("GGUF"));
        cases.put(
                "it begins with 0x504b0304",
                new GgufBytes().int8(0x50).int8(0x4b).int8(3).int8(4).align(64));
        cases.put("its version is 1;", GgufBytes.header(1, 0, 0));
        cases.put("its version is 4294967295;", GgufBytes.header(-1, 0, 0));
        cases.put("are big-endian", GgufBytes.header(0x03000000, 0, 0));
        cases.put("claims 18446744073709551615 tensors", GgufBytes.header(3, -1, 0));
        cases.put("claims 9223372036854775807 metadata entries", GgufBytes.header(3, 0, Long.MAX_VALUE));
        cases.put(
                "claims 2 metadata entries at byte 16; 0 to 1",
                GgufBytes.header(3, 0, 2).text("a", "b"));
        cases.put(
                "the key of metadata entry 0 claims 0 bytes",
                GgufBytes.header(3, 0, 1).text("", "b"));
        cases.put(
                "the key of metadata entry 0 claims 70000 bytes",
                GgufBytes.header(3, 0, 1).text("k".repeat(70_000), "b"));
        cases.put(
                "'k' claims 9223372036854775807 bytes",
                GgufBytes.header(3, 0, 1)
                        .key("k", ValueType.STRING)
                        .int64(Long.MAX_VALUE)
                        .int64(0));
        cases.put(
                "'k' claims 18446744073709551608 bytes",
                GgufBytes.header(3, 0, 1).key("k", ValueType.STRING).int64(-8).int64(0));
        cases.put(
                "'k' at byte 37 is no UTF-8",
                GgufBytes.header(3, 0, 1).key("k", ValueType.STRING).int64(1).int8(0xFF));
        cases.put(
                "'k' has the unknown type 13 at byte 33",
                GgufBytes.header(3, 0, 1).string("k").int32(13).int64(0));
        cases.put(
                "'k' has the truth value 2",
                GgufBytes.header(3, 0, 1).key("k", ValueType.BOOL).int8(2));
        cases.put(
                "'k' at byte 46 is there twice",
                GgufBytes.header(3, 0, 2).text("k", "b").text("k", "c"));
        cases.put(
                "claims 1099511627776 elements",
                GgufBytes.header(3, 0, 1)
                        .key("k", ValueType.ARRAY)
                        .int32(ValueType.FLOAT64.code)
                        .int64(1L << 40)
                        .align(64));
        GgufBytes deep = GgufBytes.header(3, 0, 1).key("k", ValueType.ARRAY);
        for (int i = 0; i < 10_000; i++) deep.int32(ValueType.ARRAY.code).int64(1);
        cases.put("nests arrays deeper than 4", deep.int32(ValueType.INT8.code).int64(0));
        cases.put(
                "breaks off at byte 37",
                GgufBytes.header(3, 0, 1).key("k", ValueType.UINT32).int8(1));
        for (long alignment : new long[] {0, 7, 24, 1L << 17}) {
            cases.put(
                    "general.alignment is " + alignment,
                    GgufBytes.header(3, 0, 1)
                            .key("general.alignment", ValueType.UINT32)
                            .int32((int) alignment));
        }
        cases.put("general.alignment is STRING", GgufBytes.header(3, 0, 1).text("general.alignment", "32"));
        cases.put(
                "has 5 dimensions",
                tensors(1).tensor("t", F32, 0, 1, 1, 1, 1, 1).align(32).int64(0));
        cases.put("has 4294967295 dimensions", tensors(1).string("t").int32(-1).align(256));
        cases.put("unknown type 4", tensors(1).tensor("t", 4, 0, 1).align(32).int64(0));
        cases.put("unknown type 43", tensors(1).tensor("t", 43, 0, 1).align(32).int64(0));
        cases.put(
                "has the shape [0]", tensors(1).tensor("t", F32, 0, 0).align(32).int64(0));
        cases.put(
                "has the shape [-1]",
                tensors(1).tensor("t", F32, 0, -1).align(32).int64(0));
        cases.put(
                "has the shape [-1, -1]",
                tensors(1).tensor("t", F32, 0, -1, -1).align(32).int64(0));
        cases.put(
                "multiple of 32", tensors(1).tensor("t", Q8_0, 0, 33).align(32).int64(0));
        cases.put(
                "[4294967296, 4294967296, 1]",
                tensors(1).tensor("t", F32, 0, 1L << 32, 1L << 32, 1).align(32).int64(0));
        cases.put(
                "[4611686018427387904]",
                tensors(1).tensor("t", F32, 0, 1L << 62).align(32).int64(0));
        cases.put(
                "starts at 8; a multiple of 32",
                tensors(1).tensor("t", F32, 8, 1).align(32).int64(0).int64(0));
        cases.put(
                "starts at 18446744073709551584",
                tensors(1).tensor("t", F32, -32, 1).align(32).int64(0));
        cases.put(
                "ends beyond the file's",
                tensors(1).tensor("t", F32, 1L << 40, 1).align(32).int64(0));
        cases.put(
                "tensor 't' of 12 bytes",
                tensors(1).tensor("t", F32, 0, 3).align(32).int64(0));
        cases.put(
                "tensor 't' is there twice",
                tensors(2)
                        .tensor("t", F32, 0, 1)
                        .tensor("t", F32, 32, 1)
                        .align(32)
                        .raw(new byte[64]));
        cases.put(
                "tensor 'u' at byte 128 overlaps tensor 't', which ends at 132",
                tensors(2)
                        .tensor("t", F32, 0, 9)
                        .tensor("u", F32, 32, 1)
                        .align(32)
                        .raw(new byte[64]));
        cases.put(
                "the name of tensor 0 claims 65 bytes",
                tensors(1).tensor("n".repeat(65), F32, 0, 1).align(32).int64(0));
        return cases;
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("hostileNames")
    void open_hostileHeader_refusedWithTheReason(String reason) throws IOException {
        Path file = Objects.requireNonNull(hostile().get(reason)).write(folder, "hostile.gguf");
        assertThatThrownBy(() -> GgufFile.open(file))
                .isExactlyInstanceOf(MalformedGguf.class)
                .hasMessageStartingWith("hostile.gguf is not a sound GGUF file: ")
                .hasMessageContaining(reason);
    }

    static List<String> hostileNames() {
        return List.copyOf(hostile().keySet());
    }

    @Test
    void open_flippedBitsAndTruncations_nothingButTheClearException() throws IOException {
        long seed = 20261125;
        Random random = new Random(seed);
        byte[] sound = everything(3).toBytes();
        int refusals = 0;
        for (int i = 0; i < 20_000; i++) {
            byte[] broken = sound.clone();
            for (int flips = 1 + random.nextInt(3); flips > 0; flips--) {
                broken[random.nextInt(broken.length)] ^= (byte) (1 << random.nextInt(8));
            }
            if (random.nextInt(4) == 0) broken = Arrays.copyOf(broken, random.nextInt(broken.length));
            refusals += openOrRefuse(broken, seed, i);
        }
        for (int length = 0; length < sound.length; length++) {
            assertThat(openOrRefuse(Arrays.copyOf(sound, length), seed, length))
                    .as("cut to %d of %d bytes", length, sound.length)
                    .isEqualTo(1);
        }
        assertThat(refusals).isGreaterThan(5_000); // the test does reach the checks
    }

    /** Reads all that a header permits, since a sound header must also be readable. */
    private int openOrRefuse(byte[] bytes, long seed, int number) throws IOException {
        Path file = Files.write(folder.resolve("broken.gguf"), bytes);
        try (GgufFile gguf = GgufFile.open(file)) {
            for (GgufFile.TensorEntry tensor : gguf.tensors().values()) {
                assertThat(gguf.bytes(tensor.name()).toArray(ValueLayout.JAVA_BYTE))
                        .hasSize((int) tensor.bytes());
            }
            return 0;
        } catch (MalformedGguf refused) {
            assertThat(refused).as("seed %d, case %d", seed, number).hasMessageContaining("not a sound GGUF file");
            return 1;
        }
    }

    @Test
    void open_noFile_saysSo() {
        assertThatThrownBy(() -> GgufFile.open(folder.resolve("none.gguf")))
                .isInstanceOf(UncheckedIOException.class)
                .hasMessageContaining("cannot read");
    }

    private static GgufBytes tensors(int count) {
        return GgufBytes.header(3, count, 0);
    }

    private static GgufBytes everything(int version) {
        GgufBytes bytes = GgufBytes.header(version, 3, 17);
        bytes.key("u8", ValueType.UINT8).int8(255);
        bytes.key("i8", ValueType.INT8).int8(-1);
        bytes.key("u16", ValueType.UINT16).int16(65_535);
        bytes.key("i16", ValueType.INT16).int16(-2);
        bytes.key("u32", ValueType.UINT32).int32(-1);
        bytes.key("i32", ValueType.INT32).int32(-3);
        bytes.key("u64", ValueType.UINT64).int64(-1);
        bytes.key("i64", ValueType.INT64).int64(Long.MIN_VALUE);
        bytes.key("f32", ValueType.FLOAT32).float32(1e-5f);
        bytes.key("f64", ValueType.FLOAT64).float64(Math.PI);
        bytes.key("bool", ValueType.BOOL).int8(1);
        bytes.text("text", "规模 \uD83D\uDE00\u0000");
        bytes.texts("texts", List.of("a", "", "的"));
        bytes.key("u16s", ValueType.ARRAY)
                .int32(ValueType.UINT16.code)
                .int64(2)
                .int16(1)
                .int16(65_535);
        bytes.key("f32s", ValueType.ARRAY)
                .int32(ValueType.FLOAT32.code)
                .int64(2)
                .float32(.5f)
                .float32(-.25f);
        bytes.key("nested", ValueType.ARRAY).int32(ValueType.ARRAY.code).int64(2);
        bytes.int32(ValueType.STRING.code).int64(1).string("x");
        bytes.int32(ValueType.STRING.code).int64(2).string("y").string("z");
        bytes.key("general.alignment", ValueType.UINT32).int32(32);
        bytes.tensor("matrix", Q8_0, 0, 64, 2).tensor("scalar", F32, 192).tensor("row", F32, 160, 3);
        bytes.align(32);
        for (int i = 0; i < 136; i++) bytes.int8(i);
        bytes.align(32).float32(1).float32(2).float32(3).align(32).float32(7);
        return bytes;
    }
}
