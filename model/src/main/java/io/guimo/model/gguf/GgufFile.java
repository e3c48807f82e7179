package io.guimo.model.gguf;

import io.guimo.model.gguf.GgufValue.ValueType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;

/**
 * A model file in the GGUF format, version 2 or 3, little-endian: its metadata, which tensors it holds, and their bytes, mapped into memory. Source: the
 * format's specification, github.com/ggml-org/ggml, docs/gguf.md.
 *
 * <p>A file may come from anybody. Nothing that its header says is believed before it is checked: counts and lengths against the bytes that are left,
 * names against repetition, each tensor's place against the file's end, the alignment and the other tensors. So memory is bounded by a small multiple of
 * {@link #HEADER_LIMIT} and time is linear in the header's length.
 *
 * <p>Thread-safe. The bytes are those of the file: while it is open nobody may shorten it, a read beyond its new end fails with an {@link InternalError}.
 */
public final class GgufFile implements AutoCloseable {
    /** Longest metadata and tensor directory read. A vocabulary of 262,144 tokens with its merges needs about 17 million bytes. */
    public static final long HEADER_LIMIT = 64L << 20;

    private static final int MAGIC = 0x46554747; // "GGUF"
    private static final int FIXED_BYTES = 24; // magic, version, two counts
    private static final int DEFAULT_ALIGNMENT = 32;
    private static final int MOST_ALIGNMENT = 1 << 16;
    private static final int MOST_KEY_BYTES = 65_535;
    private static final int MOST_NAME_BYTES = 64;
    private static final int MOST_DIMENSIONS = 4;
    private static final int DEEPEST_ARRAY = 4;

    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /**
     * A tensor as the directory describes it.
     *
     * @param shape sizes, the dimension whose elements lie side by side first: the reverse of the order in which torch writes a shape
     * @param offset of its first byte, from the start of the file
     * @param bytes how many it has
     */
    public record TensorEntry(String name, GgufTensorType type, List<Long> shape, long offset, long bytes) {
        public TensorEntry {
            shape = List.copyOf(shape);
        }

        /** The number of elements. */
        public long elements() {
            long elements = 1;
            for (long size : shape) elements *= size;
            return elements;
        }
    }

    private final Path file;
    private final Arena arena;
    private final MemorySegment mapped;
    private final int version;
    private final Map<String, GgufValue> metadata;
    private final Map<String, TensorEntry> tensors;

    private GgufFile(Path file, Arena arena, MemorySegment mapped) {
        this.file = file;
        this.arena = arena;
        this.mapped = mapped;
        Reader in = new Reader();
        this.version = in.version();
        long tensorCount = in.count("tensors", in.at, 24 + 1); // a name's length, one letter, dimensions, type, offset
        long entryCount = in.count("metadata entries", in.at, 13 + 1);
        this.metadata = Collections.unmodifiableMap(in.metadata(entryCount));
        this.tensors = Collections.unmodifiableMap(in.tensors(tensorCount, alignment()));
    }

    /**
     * Maps a file and reads its header.
     *
     * @throws MalformedGguf when it is no sound GGUF file of version 2 or 3
     * @throws UncheckedIOException when it cannot be read
     */
    public static GgufFile open(Path file) {
        Arena arena = Arena.ofShared(); // tensors are read by whichever thread builds the model
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            return new GgufFile(file, arena, channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena));
        } catch (IOException failed) {
            arena.close();
            throw new UncheckedIOException("cannot read " + file + ": " + failed.getMessage(), failed);
        } catch (RuntimeException | Error failed) {
            arena.close();
            throw failed;
        }
    }

    /** 2 or 3. */
    public int version() {
        return version;
    }

    /** All entries in the file's order. */
    public Map<String, GgufValue> metadata() {
        return metadata;
    }

    /** All tensors by name, in the directory's order. */
    public Map<String, TensorEntry> tensors() {
        return tensors;
    }

    /**
     * A tensor's packed bytes: read-only, valid until the file is closed.
     *
     * @throws MalformedGguf when there is no such tensor
     */
    public MemorySegment bytes(String tensor) {
        TensorEntry entry = tensors.get(tensor);
        if (entry == null) throw refused("it has no tensor " + tensor + " among its " + tensors.size());
        return mapped.asSlice(entry.offset, entry.bytes);
    }

    /** A string of the metadata. As the others below: empty where there is no such entry, {@link MalformedGguf} where it has another type. */
    public Optional<String> text(String key) {
        return switch (metadata.get(key)) {
            case null -> Optional.empty();
            case GgufValue.Text text -> Optional.of(text.value());
            case GgufValue other -> throw otherType(key, other, "a string");
        };
    }

    /** A whole number that is not negative. */
    public OptionalLong whole(String key) {
        return switch (metadata.get(key)) {
            case null -> OptionalLong.empty();
            case GgufValue.Whole whole when whole.value() >= 0 -> OptionalLong.of(whole.value());
            case GgufValue.Whole whole ->
                throw refused(key + " is "
                        + (whole.type() == ValueType.UINT64 ? Long.toUnsignedString(whole.value()) : whole.value())
                        + "; 0 to 2^63 - 1 is permitted");
            case GgufValue other -> throw otherType(key, other, "a whole number");
        };
    }

    /** A number of any type. */
    public OptionalDouble real(String key) {
        return switch (metadata.get(key)) {
            case null -> OptionalDouble.empty();
            case GgufValue.Real real -> OptionalDouble.of(real.value());
            case GgufValue.Whole whole -> OptionalDouble.of((double) whole.value());
            case GgufValue other -> throw otherType(key, other, "a number");
        };
    }

    public Optional<Boolean> truth(String key) {
        return switch (metadata.get(key)) {
            case null -> Optional.empty();
            case GgufValue.Truth truth -> Optional.of(truth.value());
            case GgufValue other -> throw otherType(key, other, "true or false");
        };
    }

    public Optional<List<String>> texts(String key) {
        return switch (metadata.get(key)) {
            case null -> Optional.empty();
            case GgufValue.Texts texts -> Optional.of(texts.values());
            case GgufValue other -> throw otherType(key, other, "an array of strings");
        };
    }

    public Optional<GgufValue.Numbers> numbers(String key) {
        return switch (metadata.get(key)) {
            case null -> Optional.empty();
            case GgufValue.Numbers numbers -> Optional.of(numbers);
            case GgufValue other -> throw otherType(key, other, "an array of numbers");
        };
    }

    /** The file's own refusal, for those who find later that its content is of no use. */
    public MalformedGguf refused(String why) {
        return new MalformedGguf(file, why);
    }

    /** Unmaps the file. */
    @Override
    public void close() {
        arena.close();
    }

    private int alignment() {
        GgufValue value = metadata.get("general.alignment");
        if (value == null) return DEFAULT_ALIGNMENT;
        if (value instanceof GgufValue.Whole(ValueType type, long alignment)
                && type == ValueType.UINT32
                && alignment >= 8
                && alignment <= MOST_ALIGNMENT
                && Long.bitCount(alignment) == 1) {
            return (int) alignment;
        }
        throw refused("general.alignment is " + (value instanceof GgufValue.Whole whole ? whole.value() : value.type())
                + "; an UINT32 that is a power of two from 8 to " + MOST_ALIGNMENT + " is permitted");
    }

    private MalformedGguf otherType(String key, GgufValue value, String wanted) {
        return refused(key + " is of type " + value.type() + ", not " + wanted);
    }

    /** Walks the header once, from its first byte to its last. */
    private final class Reader {
        private final long end = Math.min(mapped.byteSize(), HEADER_LIMIT);
        private final CharsetDecoder utf8 = StandardCharsets.UTF_8.newDecoder();
        private long at;

        int version() {
            if (mapped.byteSize() < FIXED_BYTES) {
                throw refused("it has " + mapped.byteSize() + " bytes; at least " + FIXED_BYTES + " are needed");
            }
            int magic = readInt();
            if (magic != MAGIC) throw refused("it begins with " + hex(magic) + ", not with GGUF");
            int version = readInt();
            if (version == Integer.reverseBytes(2) || version == Integer.reverseBytes(3)) {
                throw refused("its numbers are big-endian; little-endian ones are read");
            }
            if (version != 2 && version != 3) {
                throw refused("its version is " + Integer.toUnsignedString(version) + "; 2 and 3 are read");
            }
            return version;
        }

        /** A count of things that each take at least some bytes of what is left. */
        long count(String what, long where, int leastBytes) {
            long count = readLong();
            long most = (end - at) / leastBytes;
            if (count < 0 || count > most) {
                throw refused("it claims " + Long.toUnsignedString(count) + " " + what + " at byte " + where + "; 0 to "
                        + most + " fit into what is left" + limit());
            }
            return count;
        }

        Map<String, GgufValue> metadata(long count) {
            Map<String, GgufValue> metadata = new LinkedHashMap<>();
            for (long i = 0; i < count; i++) {
                long where = at;
                String key = string("the key of metadata entry " + i, 1, MOST_KEY_BYTES);
                if (metadata.put(key, value(key, valueType(key), 0)) != null) {
                    throw refused("the metadata entry " + shown(key) + " at byte " + where + " is there twice");
                }
            }
            return metadata;
        }

        Map<String, TensorEntry> tensors(long count, int alignment) {
            List<TensorEntry> relative = new ArrayList<>();
            for (long i = 0; i < count; i++) relative.add(tensor(i, alignment));
            long dataStart = (at + alignment - 1) / alignment * alignment;
            Map<String, TensorEntry> tensors = new LinkedHashMap<>();
            for (TensorEntry entry : relative) {
                if (entry.offset > mapped.byteSize() - dataStart - entry.bytes) {
                    throw refused("tensor " + shown(entry.name) + " of " + entry.bytes + " bytes at " + dataStart
                            + " + " + entry.offset + " ends beyond the file's " + mapped.byteSize() + " bytes");
                }
                TensorEntry placed =
                        new TensorEntry(entry.name, entry.type, entry.shape, dataStart + entry.offset, entry.bytes);
                if (tensors.put(entry.name, placed) != null) {
                    throw refused("tensor " + shown(entry.name) + " is there twice");
                }
            }
            TensorEntry before = null;
            for (TensorEntry entry : tensors.values().stream()
                    .sorted(Comparator.comparingLong(TensorEntry::offset))
                    .toList()) {
                if (before != null && entry.offset < before.offset + before.bytes) {
                    throw refused("tensor " + shown(entry.name) + " at byte " + entry.offset + " overlaps tensor "
                            + shown(before.name) + ", which ends at " + (before.offset + before.bytes));
                }
                before = entry;
            }
            return tensors;
        }

        private TensorEntry tensor(long index, int alignment) {
            String name = string("the name of tensor " + index, 1, MOST_NAME_BYTES);
            int dimensions = readInt();
            if (dimensions < 0 || dimensions > MOST_DIMENSIONS) {
                throw refused("tensor " + shown(name) + " has " + Integer.toUnsignedString(dimensions)
                        + " dimensions; 0 to " + MOST_DIMENSIONS + " are permitted");
            }
            List<Long> shape = new ArrayList<>(dimensions);
            for (int i = 0; i < dimensions; i++) shape.add(readLong());
            int code = readInt();
            GgufTensorType type = GgufTensorType.ofCode(code);
            if (type == null) {
                throw refused("tensor " + shown(name) + " has elements of the unknown type "
                        + Integer.toUnsignedString(code));
            }
            long bytes = byteSize(name, type, shape);
            long offset = readLong();
            if (offset < 0 || offset % alignment != 0) {
                throw refused("tensor " + shown(name) + " starts at " + Long.toUnsignedString(offset)
                        + "; a multiple of " + alignment + " inside the file is permitted");
            }
            return new TensorEntry(name, type, shape, offset, bytes);
        }

        private long byteSize(String name, GgufTensorType type, List<Long> shape) {
            long rows = 1;
            long rowElements = shape.isEmpty() ? 1 : shape.getFirst();
            try {
                for (int i = 1; i < shape.size(); i++) rows = Math.multiplyExact(rows, shape.get(i));
                long bytes = Math.multiplyExact(
                        Math.multiplyExact(rowElements / type.blockElements(), type.blockBytes()), rows);
                if (shape.stream().allMatch(size -> size > 0)
                        && rowElements % type.blockElements() == 0
                        && bytes <= mapped.byteSize()) {
                    return bytes;
                }
            } catch (ArithmeticException tooLarge) {
                // refused below as any other impossible shape
            }
            throw refused("tensor " + shown(name) + " of type " + type + " has the shape " + shape
                    + "; sizes from 1 on whose first is a multiple of " + type.blockElements()
                    + " and that need no more than the file's " + mapped.byteSize() + " bytes are permitted");
        }

        private ValueType valueType(String key) {
            long where = at;
            int code = readInt();
            ValueType type = ValueType.ofCode(code);
            if (type == null) {
                throw refused("the metadata entry " + shown(key) + " has the unknown type "
                        + Integer.toUnsignedString(code) + " at byte " + where + "; 0 to "
                        + (ValueType.values().length - 1) + " are known");
            }
            return type;
        }

        private GgufValue value(String key, ValueType type, int depth) {
            return switch (type) {
                case UINT8 -> new GgufValue.Whole(type, readByte() & 0xFFL);
                case INT8 -> new GgufValue.Whole(type, readByte());
                case UINT16 -> new GgufValue.Whole(type, readShort() & 0xFFFFL);
                case INT16 -> new GgufValue.Whole(type, readShort());
                case UINT32 -> new GgufValue.Whole(type, readInt() & 0xFFFF_FFFFL);
                case INT32 -> new GgufValue.Whole(type, readInt());
                case UINT64, INT64 -> new GgufValue.Whole(type, readLong());
                case FLOAT32 -> new GgufValue.Real(type, Float.intBitsToFloat(readInt()));
                case FLOAT64 -> new GgufValue.Real(type, Double.longBitsToDouble(readLong()));
                case BOOL -> new GgufValue.Truth(truth(key, readByte()));
                case STRING -> new GgufValue.Text(string("the metadata entry " + shown(key), 0, HEADER_LIMIT));
                case ARRAY -> array(key, depth + 1);
            };
        }

        private GgufValue array(String key, int depth) {
            if (depth > DEEPEST_ARRAY) {
                throw refused("the metadata entry " + shown(key) + " nests arrays deeper than " + DEEPEST_ARRAY);
            }
            ValueType element = valueType(key);
            int count = Math.toIntExact(count("elements of the metadata entry " + shown(key), at, element.leastBytes));
            return switch (element) {
                case STRING -> {
                    List<String> texts = new ArrayList<>(count);
                    for (int i = 0; i < count; i++) {
                        texts.add(string("element " + i + " of the metadata entry " + shown(key), 0, HEADER_LIMIT));
                    }
                    yield new GgufValue.Texts(texts);
                }
                case ARRAY -> {
                    List<GgufValue> arrays = new ArrayList<>(count);
                    for (int i = 0; i < count; i++) arrays.add(array(key, depth + 1));
                    yield new GgufValue.Arrays(arrays);
                }
                default -> {
                    MemorySegment packed =
                            mapped.asSlice(take((long) count * element.leastBytes), (long) count * element.leastBytes);
                    if (element == ValueType.BOOL) {
                        for (int i = 0; i < count; i++) truth(key, packed.get(ValueLayout.JAVA_BYTE, i));
                    }
                    yield new GgufValue.Numbers(element, packed);
                }
            };
        }

        private boolean truth(String key, byte value) {
            if (value != 0 && value != 1) {
                throw refused("the metadata entry " + shown(key) + " has the truth value " + (value & 0xFF)
                        + " before byte " + at + "; 0 and 1 are permitted");
            }
            return value == 1;
        }

        private String string(String what, long least, long most) {
            long where = at;
            long length = readLong();
            if (length < least || length > Math.min(most, end - at)) {
                throw refused(what + " claims " + Long.toUnsignedString(length) + " bytes at byte " + where + "; "
                        + least + " to " + Math.min(most, end - at) + " are possible" + limit());
            }
            byte[] bytes = new byte[(int) length];
            MemorySegment.copy(mapped, ValueLayout.JAVA_BYTE, take(length), bytes, 0, bytes.length);
            try {
                return utf8.decode(ByteBuffer.wrap(bytes))
                        .toString(); // not String's own decoder, which mends what is malformed
            } catch (CharacterCodingException malformed) {
                throw refused(what + " at byte " + where + " is no UTF-8");
            }
        }

        private byte readByte() {
            return mapped.get(ValueLayout.JAVA_BYTE, take(Byte.BYTES));
        }

        private short readShort() {
            return mapped.get(ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), take(Short.BYTES));
        }

        private int readInt() {
            return mapped.get(INT, take(Integer.BYTES));
        }

        private long readLong() {
            return mapped.get(LONG, take(Long.BYTES));
        }

        /** Moves over some bytes and tells where they began. */
        private long take(long bytes) {
            if (bytes > end - at) {
                throw refused("its header breaks off at byte " + at + limit());
            }
            long begin = at;
            at += bytes;
            return begin;
        }

        private String limit() {
            return end < mapped.byteSize() ? " (of a header, the first " + HEADER_LIMIT + " bytes are read)" : "";
        }

        private String hex(int magic) {
            return "0x%08x".formatted(Integer.reverseBytes(magic));
        }

        /** A name from outside, short and without signs that could spoil a log. */
        private String shown(String name) {
            String plain = name.codePoints()
                    .limit(80)
                    .map(c -> Character.isISOControl(c) ? '?' : c)
                    .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                    .toString();
            return "'" + plain + (plain.length() < name.length() ? "…" : "") + "'";
        }
    }
}
