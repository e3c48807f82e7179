package io.guimo.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guimo.tensor.DType;
import io.guimo.tensor.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SafetensorsTest {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path folder;

    @Test
    void read_whatWasWritten_isTheSame() {
        Path file = folder.resolve("all.safetensors");
        Started.inScope(() -> {
            Map<String, Tensor> tensors = new LinkedHashMap<>();
            tensors.put("odd bytes", Tensor.of(new byte[] {1, 2, -3}, 3));
            tensors.put("kernels", Tensor.normal(0, 1, 4, 3, 2, 2).channelsLast());
            tensors.put("scalar", Tensor.scalar(2.5));
            tensors.put("empty", Tensor.zeros(DType.FLOAT64, 0, 5));
            tensors.put("labels", Tensor.of(new long[] {Long.MIN_VALUE, 7}, 2, 1));
            tensors.put("规模", Tensor.zeros(DType.BOOL, 2));
            Safetensors.write(file, tensors, Map.of("note", "\"quoted\" 规模"));

            Safetensors.Content read = Safetensors.read(file);
            assertThat(read.metadata()).containsExactly(Map.entry("note", "\"quoted\" 规模"));
            assertThat(read.tensors().keySet()).containsExactlyInAnyOrderElementsOf(tensors.keySet());
            tensors.forEach((name, tensor) -> {
                assertThat(Started.named(read.tensors(), name).shape()).isEqualTo(tensor.shape());
                assertThat(Started.named(read.tensors(), name).sameAs(tensor))
                        .as(name)
                        .isTrue();
            });
        });
        Safetensors.Header header = Safetensors.readHeader(file);
        assertThat(header.dataStart() % 8).isZero();
        for (Safetensors.Entry entry : header.entries()) {
            if (!entry.type().equals("U8") && !entry.type().equals("BOOL"))
                assertThat(entry.begin() % 4).isZero();
        }
        assertThat(folder.toFile().list()).containsExactly("all.safetensors"); // no temporary file left
    }

    @Test
    void read_fileOfTheReferenceImplementation_isUnderstood() throws IOException {
        // safetensors 0.8.0 of Python: save_file({"b": torch.tensor([[1, 2]], dtype=torch.int64), "a":
        // torch.tensor([0.5])}, metadata={"format": "pt"})
        String header =
                "{\"__metadata__\":{\"format\":\"pt\"},\"b\":{\"dtype\":\"I64\",\"shape\":[1,2],\"data_offsets\":[0,16]},"
                        + "\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[16,20]}} ";
        byte[] data = ByteBuffer.allocate(20)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(1)
                .putLong(2)
                .putFloat(.5f)
                .array();
        Path file = write(header, data);
        Started.inScope(() -> {
            Map<String, Tensor> tensors = Safetensors.read(file).tensors();
            assertThat(Started.named(tensors, "b").toLongs()).containsExactly(1, 2);
            assertThat(Started.named(tensors, "a").toFloats()).containsExactly(.5f);
        });
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,4]}} | needs 8 bytes, its offsets span 4",
                "{'a':{'dtype':'F32','shape':[1],'data_offsets':[4,8]}} | begin at 4",
                "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8]},'b':{'dtype':'F32','shape':[1],'data_offsets':[4,8]}} | begin at 4, not where",
                "{'a':{'dtype':'F32','shape':[1],'data_offsets':[0,4]}} | need 4 bytes, it holds 8",
                "{'a':{'dtype':'F32','shape':[3],'data_offsets':[0,12]}} | need 12 bytes, it holds 8",
                "{'a':{'dtype':'F32','shape':[-2],'data_offsets':[0,8]}} | impossible shape",
                "{'a':{'dtype':'F32','shape':[1.5],'data_offsets':[0,8]}} | no whole number",
                "{'a':{'dtype':'F32','shape':[4294967296,4294967296,4294967296],'data_offsets':[0,8]}} | impossible shape",
                "{'a':{'dtype':'F32','shape':[99999999999999999999999],'data_offsets':[0,8]}} | not JSON",
                "{'a':{'dtype':'F32','shape':[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,2],'data_offsets':[0,8]}} | impossible shape",
                "{'a':{'dtype':'Q4','shape':[2],'data_offsets':[0,8]}} | unknown element type Q4",
                "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8],'run':'me'}} | unknown property run",
                "{'a':{'dtype':'F32','shape':[2]}} | needs dtype, shape and two data_offsets",
                "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8,9]}} | impossible shape or offset",
                "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8]},'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8]}} | not JSON",
                "{'a':[[[[[[[[]]]]]]]]} | where START_OBJECT belongs",
                "{'__metadata__':{'a':1},'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8]}} | where VALUE_STRING belongs",
                "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8]} | not JSON",
                "[] | does not begin with {",
                "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8]}}{} | goes on after its end"
            })
    void read_hostileHeader_refusedWithTheReason(String header, String reason) throws IOException {
        Path file = write(header.replace('\'', '"'), new byte[8]);
        assertThatThrownBy(() -> Safetensors.readHeader(file))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(reason);
    }

    @ParameterizedTest
    @CsvSource({"-1", "0", "9223372036854775807", "8388609", "5000"})
    void read_impossibleHeaderLength_refusedBeforeMemoryIsTaken(long length) throws IOException {
        Path file = folder.resolve("length.safetensors");
        Files.write(
                file,
                ByteBuffer.allocate(100)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putLong(length)
                        .array());
        assertThatThrownBy(() -> Safetensors.readHeader(file))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("claims");
    }

    @Test
    void read_seededGarbageAndFlippedBits_nothingButRefusals() throws IOException {
        long seed = 20261122;
        Random random = new Random(seed);
        Path sound = folder.resolve("sound.safetensors");
        Started.inScope(() -> Safetensors.write(
                sound, Map.of("a", Tensor.full(1, 3, 3), "b", Tensor.of(new byte[5], 5)), Map.of("k", "v")));
        byte[] bytes = Files.readAllBytes(sound);
        Path file = folder.resolve("flipped.safetensors");
        for (int i = 0; i < 2_000; i++) {
            byte[] flipped = bytes.clone();
            flipped[random.nextInt(flipped.length)] ^= (byte) (1 << random.nextInt(8));
            Files.write(
                    file,
                    random.nextInt(10) == 0
                            ? java.util.Arrays.copyOf(flipped, random.nextInt(flipped.length))
                            : flipped);
            try {
                Safetensors.readHeader(file);
            } catch (IllegalArgumentException refused) {
                assertThat(refused)
                        .as("seed %d, case %d", seed, i)
                        .hasMessageContaining("not a sound safetensors file");
            }
        }
    }

    @Test
    void write_folderMissing_saysSo() {
        Started.inScope(() -> assertThatThrownBy(() -> Safetensors.write(
                        folder.resolve("no/where.safetensors"), Map.of("a", Tensor.scalar(1)), Map.of()))
                .isInstanceOf(UncheckedIOException.class)
                .hasMessageContaining("cannot write"));
    }

    private Path write(String header, byte[] data) throws IOException {
        byte[] text = header.getBytes(StandardCharsets.UTF_8);
        Path file = folder.resolve("given.safetensors");
        Files.write(
                file,
                ByteBuffer.allocate(8 + text.length + data.length)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putLong(text.length)
                        .put(text)
                        .put(data)
                        .array());
        return file;
    }
}
