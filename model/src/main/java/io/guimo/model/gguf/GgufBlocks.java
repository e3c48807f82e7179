package io.guimo.model.gguf;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * What the packed bytes of a tensor mean in numbers, and back. A block holds its elements as small whole numbers and one or two scales for all of them;
 * the K types hold further scales for parts of a block. Layouts and rounding as in llama.cpp's {@code ggml-quants.c}.
 */
public final class GgufBlocks {
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private static final int SMALL = 32; // elements of a block of the plain types
    private static final int LARGE = 256; // and of the K types

    private GgufBlocks() {}

    /** Whether {@link #unpack} knows the type. */
    public static boolean unpacks(GgufTensorType type) {
        return switch (type) {
            case F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q4_K, Q6_K -> true;
            default -> false;
        };
    }

    /**
     * Numbers from packed bytes.
     *
     * @param packed whole blocks
     * @param floats room for exactly their elements, as float32
     * @throws IllegalArgumentException for a type that {@link #unpacks} denies
     */
    public static void unpack(GgufTensorType type, MemorySegment packed, MemorySegment floats) {
        long blocks = packed.byteSize() / type.blockBytes();
        if (blocks * type.blockElements() * Float.BYTES != floats.byteSize()
                || blocks * type.blockBytes() != packed.byteSize()) {
            throw new IllegalArgumentException(packed.byteSize() + " bytes of " + type + " do not fill "
                    + floats.byteSize() / Float.BYTES + " elements");
        }
        for (long i = 0; i < blocks; i++) {
            long from = i * type.blockBytes();
            long to = i * type.blockElements() * Float.BYTES;
            switch (type) {
                case F32 -> floats.set(INT, to, packed.get(INT, from));
                case F16 -> floats.set(FLOAT, to, half(packed, from));
                case BF16 -> floats.set(INT, to, packed.get(SHORT, from) << 16);
                case Q8_0 -> unpackQ8(packed, from, floats, to);
                case Q4_0 -> unpackQ4(packed, from + 2, half(packed, from), -8 * half(packed, from), floats, to);
                case Q4_1 -> unpackQ4(packed, from + 4, half(packed, from), half(packed, from + 2), floats, to);
                case Q4_K -> unpackQ4K(packed, from, floats, to);
                case Q6_K -> unpackQ6K(packed, from, floats, to);
                default ->
                    throw new IllegalArgumentException("elements of type " + type
                            + " are not read; F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q4_K and Q6_K are");
            }
        }
    }

    /**
     * Packed bytes from numbers.
     *
     * @param type F32, F16, Q8_0 or Q4_0
     * @param floats whole blocks
     * @throws IllegalArgumentException for another type
     */
    public static byte[] pack(GgufTensorType type, float[] floats) {
        if (floats.length % type.blockElements() != 0) {
            throw new IllegalArgumentException(
                    floats.length + " elements are no whole blocks of " + type.blockElements());
        }
        int blocks = floats.length / type.blockElements();
        byte[] bytes = new byte[Math.multiplyExact(blocks, type.blockBytes())];
        MemorySegment packed = MemorySegment.ofArray(bytes);
        for (int i = 0; i < blocks; i++) {
            int to = i * type.blockBytes();
            switch (type) {
                case F32 -> packed.set(FLOAT, to, floats[i]);
                case F16 -> packed.set(SHORT, to, Float.floatToFloat16(floats[i]));
                case Q8_0 -> packQ8(floats, i * SMALL, packed, to);
                case Q4_0 -> packQ4(floats, i * SMALL, packed, to);
                default ->
                    throw new IllegalArgumentException(
                            "elements of type " + type + " are not written; F32, F16, Q8_0 and Q4_0 are");
            }
        }
        return bytes;
    }

    private static void unpackQ8(MemorySegment packed, long from, MemorySegment floats, long to) {
        float scale = half(packed, from);
        for (int j = 0; j < SMALL; j++) {
            floats.set(FLOAT, to + 4L * j, scale * packed.get(ValueLayout.JAVA_BYTE, from + 2 + j));
        }
    }

    /** Two elements a byte: the low four bits belong to the first half of the block, the high ones to the second. */
    private static void unpackQ4(
            MemorySegment packed, long from, float scale, float least, MemorySegment floats, long to) {
        for (int j = 0; j < SMALL / 2; j++) {
            int both = unsigned(packed, from + j);
            floats.set(FLOAT, to + 4L * j, (both & 15) * scale + least);
            floats.set(FLOAT, to + 4L * (j + SMALL / 2), (both >> 4) * scale + least);
        }
    }

    /** Eight parts of 32 elements; a part's scale and least value have six bits each, packed into twelve bytes. */
    private static void unpackQ4K(MemorySegment packed, long from, MemorySegment floats, long to) {
        float scale = half(packed, from);
        float leastScale = half(packed, from + 2);
        long parts = from + 4;
        long quants = parts + 12;
        for (int part = 0; part < LARGE / SMALL; part++) {
            int partScale;
            int partLeast;
            if (part < 4) {
                partScale = unsigned(packed, parts + part) & 63;
                partLeast = unsigned(packed, parts + part + 4) & 63;
            } else {
                int low = unsigned(packed, parts + part + 4);
                partScale = (low & 15) | (unsigned(packed, parts + part - 4) >> 6) << 4;
                partLeast = (low >> 4) | (unsigned(packed, parts + part) >> 6) << 4;
            }
            for (int j = 0; j < SMALL; j++) {
                int both = unsigned(packed, quants + part / 2 * (long) SMALL + j);
                int quant = part % 2 == 0 ? both & 15 : both >> 4;
                floats.set(FLOAT, to + 4L * (part * SMALL + j), scale * partScale * quant - leastScale * partLeast);
            }
        }
    }

    /** Sixteen parts of 16 elements; of each element four bits lie in the first 128 bytes, two in the next 64. */
    private static void unpackQ6K(MemorySegment packed, long from, MemorySegment floats, long to) {
        long high = from + 128;
        long parts = high + 64;
        float scale = half(packed, parts + 16);
        for (int element = 0; element < LARGE; element++) {
            int half = element / 128;
            int quarter = element / 32 % 4;
            int lane = element % 32;
            int low = unsigned(packed, from + 64L * half + 32L * (quarter % 2) + lane);
            int lowBits = quarter < 2 ? low & 15 : low >> 4;
            int highBits = (unsigned(packed, high + 32L * half + lane) >> (2 * quarter)) & 3;
            int partScale = packed.get(ValueLayout.JAVA_BYTE, parts + element / 16);
            floats.set(FLOAT, to + 4L * element, scale * partScale * ((lowBits | highBits << 4) - 32));
        }
    }

    private static void packQ8(float[] floats, int from, MemorySegment packed, long to) {
        float greatest = 0;
        for (int j = 0; j < SMALL; j++) greatest = Math.max(greatest, Math.abs(floats[from + j]));
        float scale = greatest / 127;
        float inverse = scale == 0 ? 0 : 1 / scale;
        packed.set(SHORT, to, Float.floatToFloat16(scale));
        for (int j = 0; j < SMALL; j++) {
            packed.set(ValueLayout.JAVA_BYTE, to + 2 + j, (byte) roundAwayFromZero(floats[from + j] * inverse));
        }
    }

    /** The value furthest from 0 becomes −8, of the 16 the one without a counterpart. */
    private static void packQ4(float[] floats, int from, MemorySegment packed, long to) {
        float furthest = 0;
        for (int j = 0; j < SMALL; j++) {
            if (Math.abs(floats[from + j]) > Math.abs(furthest)) furthest = floats[from + j];
        }
        float scale = furthest / -8;
        float inverse = scale == 0 ? 0 : 1 / scale;
        packed.set(SHORT, to, Float.floatToFloat16(scale));
        for (int j = 0; j < SMALL / 2; j++) {
            int low = Math.min(15, (int) (floats[from + j] * inverse + 8.5f));
            int high = Math.min(15, (int) (floats[from + j + SMALL / 2] * inverse + 8.5f));
            packed.set(ValueLayout.JAVA_BYTE, to + 2 + j, (byte) (low | high << 4));
        }
    }

    private static int roundAwayFromZero(float value) {
        return (int) (value < 0 ? value - .5f : value + .5f);
    }

    private static float half(MemorySegment packed, long at) {
        return Float.float16ToFloat(packed.get(SHORT, at));
    }

    private static int unsigned(MemorySegment packed, long at) {
        return packed.get(ValueLayout.JAVA_BYTE, at) & 255;
    }
}
