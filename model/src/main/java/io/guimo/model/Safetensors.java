package io.guimo.model;

import io.guimo.tensor.DType;
import io.guimo.tensor.Tensor;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;

/**
 * Files of named tensors in the safetensors format: eight bytes of header length (little-endian), a JSON header, then the elements. Source: the
 * format's specification, github.com/huggingface/safetensors, README "Format".
 *
 * <p>A file may come from anybody. Reading believes nothing of the header before it is checked: its length is bounded, every tensor's bytes must be
 * exactly what its type and shape need, and together they must cover the rest of the file without gap or overlap (as the reference implementation
 * demands). So memory is bounded by the file's size and {@value #HEADER_LIMIT} bytes of header.
 */
public final class Safetensors {
    /** Longest header read. Eight thousand tensors need about one million bytes. */
    public static final int HEADER_LIMIT = 8 << 20;

    private static final String METADATA = "__metadata__";
    private static final int LENGTH_BYTES = 8;
    private static final int MOST_DIMENSIONS = 16;

    private static final JsonFactory JSON = JsonFactory.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(4)
                    .maxNameLength(1024)
                    .maxStringLength(1 << 20)
                    .maxNumberLength(20)
                    .build())
            .build();

    /**
     * What a file holds.
     *
     * @param tensors by name, in the order of their bytes; they belong to the scope that was innermost when they were read
     * @param metadata free text by name
     */
    public record Content(Map<String, Tensor> tensors, Map<String, String> metadata) {
        public Content {
            tensors = Collections.unmodifiableMap(new LinkedHashMap<>(tensors));
            metadata = Collections.unmodifiableMap(new LinkedHashMap<>(metadata));
        }
    }

    /**
     * One tensor as the header describes it.
     *
     * @param name the tensor's name
     * @param type as the format names it, such as {@code F32}
     * @param shape sizes of the dimensions
     * @param begin first byte, counted from the end of the header
     * @param end the byte after the last
     */
    public record Entry(String name, String type, List<Long> shape, long begin, long end) {
        public Entry {
            shape = List.copyOf(shape);
        }
    }

    /**
     * A checked header.
     *
     * @param entries in the order of their bytes
     * @param metadata free text by name
     * @param dataStart where the elements begin in the file
     */
    public record Header(List<Entry> entries, Map<String, String> metadata, long dataStart) {
        public Header {
            entries = List.copyOf(entries);
            metadata = Collections.unmodifiableMap(new LinkedHashMap<>(metadata));
        }
    }

    private Safetensors() {}

    /**
     * Writes a file at once: into a temporary one beside it that replaces it when all of it is on the disk. A crash leaves the old file or
     * the new one.
     *
     * @param tensors of any type and layout; written row-major
     */
    public static void write(Path file, Map<String, Tensor> tensors, Map<String, String> metadata) {
        // wide elements first, so that each tensor starts at a multiple of its elements' size
        List<Map.Entry<String, Tensor>> ordered = new ArrayList<>(tensors.entrySet());
        ordered.sort(Comparator.comparingInt(entry -> -entry.getValue().dtype().bytes()));
        try {
            DurableFile.replace(file, out -> {
                byte[] header = header(ordered, metadata);
                out.write(ByteBuffer.allocate(LENGTH_BYTES)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putLong(header.length)
                        .array());
                out.write(header);
                for (Map.Entry<String, Tensor> entry : ordered)
                    out.write(entry.getValue().toBytes());
            });
        } catch (IOException failed) {
            throw new UncheckedIOException("cannot write " + file + ": " + failed.getMessage(), failed);
        }
    }

    /**
     * Reads all tensors.
     *
     * @throws IllegalArgumentException when the file is no sound safetensors file, or holds element types that the house has no use for
     */
    public static Content read(Path file) {
        try (RandomAccessFile in = new RandomAccessFile(file.toFile(), "r")) {
            Header header = readHeader(in, file);
            Map<String, Tensor> tensors = new LinkedHashMap<>();
            in.seek(header.dataStart);
            for (Entry entry : header.entries) {
                if (entry.end - entry.begin > Integer.MAX_VALUE - 8) {
                    throw refused(
                            file,
                            entry.name + " has " + (entry.end - entry.begin)
                                    + " bytes, more than the 2 GiB that are read");
                }
                byte[] bytes = new byte[(int) (entry.end - entry.begin)];
                in.readFully(bytes);
                long[] shape = entry.shape.stream().mapToLong(Long::longValue).toArray();
                tensors.put(entry.name, Tensor.ofBytes(type(file, entry), bytes, shape));
            }
            return new Content(tensors, header.metadata);
        } catch (IOException failed) {
            throw new UncheckedIOException("cannot read " + file + ": " + failed.getMessage(), failed);
        }
    }

    /**
     * Reads one tensor of a file, of any size.
     *
     * @param header of this file
     * @param entry of this header
     */
    public static Tensor read(Path file, Header header, Entry entry) {
        DType type = type(file, entry);
        try (RandomAccessFile in = new RandomAccessFile(file.toFile(), "r");
                Arena mapping = Arena.ofConfined()) {
            return Tensor.ofMemory(
                    type,
                    in.getChannel()
                            .map(
                                    FileChannel.MapMode.READ_ONLY,
                                    header.dataStart + entry.begin,
                                    entry.end - entry.begin,
                                    mapping),
                    entry.shape.stream().mapToLong(Long::longValue).toArray());
        } catch (IOException failed) {
            throw new UncheckedIOException("cannot read " + file + ": " + failed.getMessage(), failed);
        }
    }

    /** Reads what a file holds without its elements; checks all that {@link #read} checks of the header. */
    public static Header readHeader(Path file) {
        try (RandomAccessFile in = new RandomAccessFile(file.toFile(), "r")) {
            return readHeader(in, file);
        } catch (IOException failed) {
            throw new UncheckedIOException("cannot read " + file + ": " + failed.getMessage(), failed);
        }
    }

    private static byte[] header(List<Map.Entry<String, Tensor>> tensors, Map<String, String> metadata) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (JsonGenerator json = JSON.createGenerator(ObjectWriteContext.empty(), bytes)) {
            json.writeStartObject();
            if (!metadata.isEmpty()) {
                json.writeObjectPropertyStart(METADATA);
                metadata.forEach(json::writeStringProperty);
                json.writeEndObject();
            }
            long begin = 0;
            for (Map.Entry<String, Tensor> entry : tensors) {
                Tensor tensor = entry.getValue();
                long end = begin + tensor.elements() * tensor.dtype().bytes();
                json.writeObjectPropertyStart(entry.getKey());
                json.writeStringProperty("dtype", name(tensor.dtype()));
                json.writeArrayPropertyStart("shape");
                for (long size : tensor.shape()) json.writeNumber(size);
                json.writeEndArray();
                json.writeArrayPropertyStart("data_offsets");
                json.writeNumber(begin);
                json.writeNumber(end);
                json.writeEndArray();
                json.writeEndObject();
                begin = end;
            }
            json.writeEndObject();
        }
        while (bytes.size() % LENGTH_BYTES != 0) bytes.write(' '); // the elements start aligned
        return bytes.toByteArray();
    }

    private static Header readHeader(RandomAccessFile in, Path file) throws IOException {
        long fileLength = in.length();
        if (fileLength < LENGTH_BYTES)
            throw refused(file, "it has " + fileLength + " bytes, too few for a header's length");
        byte[] lengthBytes = new byte[LENGTH_BYTES];
        in.readFully(lengthBytes);
        long length =
                ByteBuffer.wrap(lengthBytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
        if (length < 2 || length > HEADER_LIMIT || length > fileLength - LENGTH_BYTES) {
            throw refused(
                    file,
                    "its header claims " + Long.toUnsignedString(length) + " bytes; from 2 to "
                            + Math.min(HEADER_LIMIT, fileLength - LENGTH_BYTES) + " are possible");
        }
        byte[] header = new byte[(int) length];
        in.readFully(header);
        if (header[0] != '{') throw refused(file, "its header does not begin with {");
        List<Entry> entries = new ArrayList<>();
        Map<String, String> metadata = new LinkedHashMap<>();
        try (JsonParser json = JSON.createParser(ObjectReadContext.empty(), header)) {
            expect(file, json, JsonToken.START_OBJECT);
            while (json.nextToken() == JsonToken.PROPERTY_NAME) {
                String name = json.currentName();
                if (name.equals(METADATA)) readMetadata(file, json, metadata);
                else entries.add(readEntry(file, name, json));
            }
            if (json.currentToken() != JsonToken.END_OBJECT || json.nextToken() != null)
                throw refused(file, "its header goes on after its end");
        } catch (JacksonException malformed) {
            throw refused(file, "its header is not JSON: " + malformed.getOriginalMessage());
        }
        entries.sort(Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end));
        long covered = 0;
        for (Entry entry : entries) {
            if (entry.begin != covered)
                throw refused(
                        file,
                        "the bytes of " + entry.name + " begin at " + entry.begin
                                + ", not where the ones before end, at " + covered);
            checkSize(file, entry);
            covered = entry.end;
        }
        long dataStart = LENGTH_BYTES + length;
        if (covered != fileLength - dataStart) {
            throw refused(file, "its tensors need " + covered + " bytes, it holds " + (fileLength - dataStart));
        }
        return new Header(entries, metadata, dataStart);
    }

    private static void readMetadata(Path file, JsonParser json, Map<String, String> metadata) {
        expect(file, json, JsonToken.START_OBJECT);
        while (json.nextToken() == JsonToken.PROPERTY_NAME) {
            String name = json.currentName();
            expect(file, json, JsonToken.VALUE_STRING);
            metadata.put(name, json.getString());
        }
        if (json.currentToken() != JsonToken.END_OBJECT)
            throw refused(file, "its metadata is not an object of strings");
    }

    private static Entry readEntry(Path file, String name, JsonParser json) {
        String type = null;
        List<Long> shape = null;
        List<Long> offsets = null;
        expect(file, json, JsonToken.START_OBJECT);
        while (json.nextToken() == JsonToken.PROPERTY_NAME) {
            switch (json.currentName()) {
                case "dtype" -> {
                    expect(file, json, JsonToken.VALUE_STRING);
                    type = json.getString();
                }
                case "shape" -> shape = readSizes(file, name, json, MOST_DIMENSIONS);
                case "data_offsets" -> offsets = readSizes(file, name, json, 2);
                default -> throw refused(file, "tensor " + name + " has the unknown property " + json.currentName());
            }
        }
        if (json.currentToken() != JsonToken.END_OBJECT
                || type == null
                || shape == null
                || offsets == null
                || offsets.size() != 2) {
            throw refused(file, "tensor " + name + " needs dtype, shape and two data_offsets");
        }
        return new Entry(name, type, shape, offsets.get(0), offsets.get(1));
    }

    private static List<Long> readSizes(Path file, String name, JsonParser json, int most) {
        List<Long> sizes = new ArrayList<>();
        expect(file, json, JsonToken.START_ARRAY);
        while (json.nextToken() == JsonToken.VALUE_NUMBER_INT) {
            long size = json.getLongValue(); // Jackson refuses what does not fit
            if (size < 0 || sizes.size() == most)
                throw refused(file, "tensor " + name + " has an impossible shape or offset");
            sizes.add(size);
        }
        if (json.currentToken() != JsonToken.END_ARRAY)
            throw refused(file, "tensor " + name + " has a shape or offset that is no whole number");
        return sizes;
    }

    private static void checkSize(Path file, Entry entry) {
        long bytes;
        try {
            bytes = bitsPerElement(file, entry) / 8;
            for (long size : entry.shape) bytes = Math.multiplyExact(bytes, size);
        } catch (ArithmeticException overflow) {
            throw refused(file, "tensor " + entry.name + " has an impossible shape " + entry.shape);
        }
        if (entry.end - entry.begin != bytes) {
            throw refused(
                    file,
                    "tensor " + entry.name + " of " + entry.type + entry.shape + " needs " + bytes
                            + " bytes, its offsets span " + (entry.end - entry.begin));
        }
    }

    private static int bitsPerElement(Path file, Entry entry) {
        return switch (entry.type) {
            case "F64", "I64", "U64" -> 64;
            case "F32", "I32", "U32" -> 32;
            case "F16", "BF16", "I16", "U16" -> 16;
            case "BOOL", "U8", "I8", "F8_E4M3", "F8_E5M2" -> 8;
            default -> throw refused(file, "tensor " + entry.name + " has the unknown element type " + entry.type);
        };
    }

    private static DType type(Path file, Entry entry) {
        return switch (entry.type) {
            case "F32" -> DType.FLOAT32;
            case "F64" -> DType.FLOAT64;
            case "BF16" -> DType.BFLOAT16;
            case "F16" -> DType.FLOAT16;
            case "I64" -> DType.INT64;
            case "U8" -> DType.UINT8;
            case "BOOL" -> DType.BOOL;
            default ->
                throw refused(
                        file,
                        "tensor " + entry.name + " has elements of type " + entry.type
                                + "; F32, F64, BF16, F16, I64, U8 and BOOL are read");
        };
    }

    private static String name(DType type) {
        return switch (type) {
            case FLOAT32 -> "F32";
            case FLOAT64 -> "F64";
            case BFLOAT16 -> "BF16";
            case FLOAT16 -> "F16";
            case INT64 -> "I64";
            case UINT8 -> "U8";
            case BOOL -> "BOOL";
        };
    }

    private static void expect(Path file, JsonParser json, JsonToken token) {
        JsonToken found = json.nextToken();
        if (found != token) throw refused(file, "its header has " + found + " where " + token + " belongs");
    }

    private static IllegalArgumentException refused(Path file, String why) {
        return new IllegalArgumentException(
                file.getFileName() + " is not a sound safetensors file: " + why + "; fetch or export it again");
    }
}
