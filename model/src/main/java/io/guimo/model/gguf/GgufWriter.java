package io.guimo.model.gguf;

import io.guimo.model.DurableFile;
import io.guimo.tensor.Tensor;
import io.guimo.tensor.TensorScope;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Writes files in the GGUF format, version 3, little-endian (github.com/ggml-org/ggml, docs/gguf.md). */
public final class GgufWriter {
    private static final int MAGIC = 0x46554747; // "GGUF"
    private static final int VERSION = 3;
    private static final int ALIGNMENT = 32; // the format's default, so no entry says it
    private static final int CHUNK_ELEMENTS = 1 << 20;

    /**
     * A tensor to be written.
     *
     * @param name at most 63 bytes, or llama.cpp refuses the file
     * @param type F32, F16, Q8_0 or Q4_0; the last dimension is a multiple of its block
     * @param tensor of any floating type, its shape as torch writes it; the file has it reversed
     */
    public record Content(String name, GgufTensorType type, Tensor tensor) {
        public Content {
            if (name.isEmpty() || name.getBytes(StandardCharsets.UTF_8).length > 63) {
                throw new IllegalArgumentException("a tensor's name has 1 to 63 bytes: " + name);
            }
            long inner = tensor.dimensions() == 0 ? 1 : tensor.size(-1);
            if (inner % type.blockElements() != 0) {
                throw new IllegalArgumentException(name + " has rows of " + inner + " elements; " + type
                        + " needs a multiple of " + type.blockElements());
            }
        }

        long bytes() {
            return tensor.elements() / type.blockElements() * type.blockBytes();
        }
    }

    private GgufWriter() {}

    /** Writes a file at once, as {@link DurableFile#replace} does. */
    public static void write(Path file, Map<String, GgufValue> metadata, List<Content> tensors) {
        try {
            DurableFile.replace(file, out -> {
                byte[] header = header(metadata, tensors);
                out.write(header);
                pad(out, header.length);
                for (Content content : tensors) {
                    write(content, out);
                    pad(out, content.bytes());
                }
            });
        } catch (IOException failed) {
            throw new UncheckedIOException("cannot write " + file + ": " + failed.getMessage(), failed);
        }
    }

    private static byte[] header(Map<String, GgufValue> metadata, List<Content> tensors) throws IOException {
        Out out = new Out();
        out.putInt(MAGIC);
        out.putInt(VERSION);
        out.putLong(tensors.size());
        out.putLong(metadata.size());
        for (Map.Entry<String, GgufValue> entry : metadata.entrySet()) {
            out.putText(entry.getKey());
            out.putInt(entry.getValue().type().code);
            out.put(entry.getValue());
        }
        long offset = 0;
        for (Content content : tensors) {
            long[] shape = content.tensor.shape();
            out.putText(content.name);
            out.putInt(shape.length);
            for (int i = shape.length - 1; i >= 0; i--) out.putLong(shape[i]);
            out.putInt(content.type.code());
            out.putLong(offset);
            offset += aligned(content.bytes());
        }
        return out.bytes.toByteArray();
    }

    private static void write(Content content, OutputStream out) throws IOException {
        try (TensorScope _ = TensorScope.openWithoutGradients()) {
            Tensor flat = content.tensor.reshape(-1);
            long elements = flat.size(0);
            for (long from = 0; from < elements; from += CHUNK_ELEMENTS) {
                Tensor chunk = flat.narrow(0, from, Math.min(CHUNK_ELEMENTS, elements - from));
                out.write(GgufBlocks.pack(content.type, chunk.toFloats()));
            }
        }
    }

    private static long aligned(long bytes) {
        return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }

    private static void pad(OutputStream out, long written) throws IOException {
        out.write(new byte[(int) (aligned(written) - written)]);
    }

    /** The header as it grows. */
    private static final class Out {
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

        void put(GgufValue value) throws IOException {
            switch (value) {
                case GgufValue.Whole(GgufValue.ValueType type, long whole) -> putWhole(type, whole);
                case GgufValue.Real(GgufValue.ValueType type, double real) -> putReal(type, real);
                case GgufValue.Truth(boolean truth) -> bytes.write(truth ? 1 : 0);
                case GgufValue.Text(String text) -> putText(text);
                case GgufValue.Texts(List<String> texts) -> {
                    putArray(GgufValue.ValueType.STRING, texts.size());
                    for (String text : texts) putText(text);
                }
                case GgufValue.Arrays(List<GgufValue> arrays) -> {
                    putArray(GgufValue.ValueType.ARRAY, arrays.size());
                    for (GgufValue array : arrays) put(array);
                }
                case GgufValue.Numbers numbers -> {
                    putArray(numbers.element(), numbers.size());
                    for (int i = 0; i < numbers.size(); i++) {
                        if (isReal(numbers.element())) putReal(numbers.element(), numbers.realAt(i));
                        else putWhole(numbers.element(), numbers.wholeAt(i));
                    }
                }
            }
        }

        private static boolean isReal(GgufValue.ValueType type) {
            return type == GgufValue.ValueType.FLOAT32 || type == GgufValue.ValueType.FLOAT64;
        }

        private void putArray(GgufValue.ValueType element, int size) {
            putInt(element.code);
            putLong(size);
        }

        private void putWhole(GgufValue.ValueType type, long value) {
            // two's complement: the low bytes are right, signed or not
            ByteBuffer all = ByteBuffer.allocate(Long.BYTES)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putLong(value);
            bytes.write(all.array(), 0, type.leastBytes);
        }

        private void putReal(GgufValue.ValueType type, double value) {
            if (type == GgufValue.ValueType.FLOAT32) putInt(Float.floatToRawIntBits((float) value));
            else putLong(Double.doubleToRawLongBits(value));
        }

        void putText(String text) throws IOException {
            byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
            putLong(utf8.length);
            bytes.write(utf8);
        }

        void putInt(int value) {
            putWhole(GgufValue.ValueType.UINT32, value);
        }

        void putLong(long value) {
            putWhole(GgufValue.ValueType.UINT64, value);
        }
    }
}
