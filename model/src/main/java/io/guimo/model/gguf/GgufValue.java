package io.guimo.model.gguf;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** An entry of a GGUF file's metadata. */
public sealed interface GgufValue {
    /** The value types of the format. */
    enum ValueType {
        UINT8(0, 1),
        INT8(1, 1),
        UINT16(2, 2),
        INT16(3, 2),
        UINT32(4, 4),
        INT32(5, 4),
        FLOAT32(6, 4),
        BOOL(7, 1),
        STRING(8, 8),
        ARRAY(9, 12),
        UINT64(10, 8),
        INT64(11, 8),
        FLOAT64(12, 8);

        /** Its number in a file. */
        final int code;

        /** Bytes of a value; of a string and an array, those of the shortest one. */
        final int leastBytes;

        ValueType(int code, int leastBytes) {
            this.code = code;
            this.leastBytes = leastBytes;
        }

        static @Nullable ValueType ofCode(int code) {
            for (ValueType type : values()) {
                if (type.code == code) return type;
            }
            return null;
        }
    }

    /** Its type in the file. */
    ValueType type();

    /**
     * A whole number.
     *
     * @param value the number; of an UINT64 the 64 bits, which are negative here from 2⁶³ on
     */
    record Whole(ValueType type, long value) implements GgufValue {}

    /** A FLOAT32 or FLOAT64. */
    record Real(ValueType type, double value) implements GgufValue {}

    record Truth(boolean value) implements GgufValue {
        @Override
        public ValueType type() {
            return ValueType.BOOL;
        }
    }

    record Text(String value) implements GgufValue {
        @Override
        public ValueType type() {
            return ValueType.STRING;
        }
    }

    /** An array of strings. */
    record Texts(List<String> values) implements GgufValue {
        public Texts {
            values = List.copyOf(values);
        }

        @Override
        public ValueType type() {
            return ValueType.ARRAY;
        }
    }

    /** An array of arrays. */
    record Arrays(List<GgufValue> values) implements GgufValue {
        public Arrays {
            values = List.copyOf(values);
        }

        @Override
        public ValueType type() {
            return ValueType.ARRAY;
        }
    }

    /** An array of numbers or of truth values, kept packed as in the file: one of 64-bit objects would take eight times the memory of an INT8 array. */
    final class Numbers implements GgufValue {
        private static final ValueLayout.OfShort SHORT =
                ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
        private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
        private static final ValueLayout.OfLong LONG =
                ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

        private final ValueType element;
        private final MemorySegment packed;

        /** @param packed little-endian elements, copied */
        Numbers(ValueType element, MemorySegment packed) {
            this.element = element;
            this.packed = MemorySegment.ofArray(packed.toArray(ValueLayout.JAVA_BYTE));
        }

        @Override
        public ValueType type() {
            return ValueType.ARRAY;
        }

        public ValueType element() {
            return element;
        }

        public int size() {
            return (int) (packed.byteSize() / element.leastBytes);
        }

        /**
         * A whole number, as {@link Whole#value}; a truth value as 0 or 1.
         *
         * @throws IllegalStateException for an array of floating-point numbers
         */
        public long wholeAt(int index) {
            long at = at(index);
            return switch (element) {
                case UINT8, BOOL -> packed.get(ValueLayout.JAVA_BYTE, at) & 0xFFL;
                case INT8 -> packed.get(ValueLayout.JAVA_BYTE, at);
                case UINT16 -> packed.get(SHORT, at) & 0xFFFFL;
                case INT16 -> packed.get(SHORT, at);
                case UINT32 -> packed.get(INT, at) & 0xFFFF_FFFFL;
                case INT32 -> packed.get(INT, at);
                case UINT64, INT64 -> packed.get(LONG, at);
                case FLOAT32, FLOAT64, STRING, ARRAY ->
                    throw new IllegalStateException("an array of " + element + " holds no whole numbers");
            };
        }

        /** A number, rounded to the nearest double where it is a whole one beyond 2⁵³. */
        public double realAt(int index) {
            return switch (element) {
                case FLOAT32 -> Float.intBitsToFloat(packed.get(INT, at(index)));
                case FLOAT64 -> Double.longBitsToDouble(packed.get(LONG, at(index)));
                default -> (double) wholeAt(index);
            };
        }

        private long at(int index) {
            if (index < 0 || index >= size()) {
                throw new IndexOutOfBoundsException("index " + index + " of an array of " + size());
            }
            return (long) index * element.leastBytes;
        }
    }
}
