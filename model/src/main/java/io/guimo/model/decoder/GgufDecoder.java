package io.guimo.model.decoder;

import io.guimo.model.gguf.GgufBlocks;
import io.guimo.model.gguf.GgufFile;
import io.guimo.model.gguf.GgufTensorType;
import io.guimo.model.gguf.GgufValue;
import io.guimo.model.gguf.GgufValue.ValueType;
import io.guimo.model.gguf.GgufWriter;
import io.guimo.tensor.DType;
import io.guimo.tensor.Tensor;
import io.guimo.tensor.TensorScope;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Decoders in GGUF files, as llama.cpp reads and writes them: other names, and two matrices in another order. For Llama's own architecture llama.cpp
 * turns neighbouring features where transformers turns halves, so the rows of queries and keys are permuted ({@code convert_hf_to_gguf.py}, {@code
 * LlamaModel.permute}); Qwen's are not. GPT-2's matrices are transposed.
 */
public final class GgufDecoder {
    private static final String ROTARY_DIVISORS = "rope_freqs.weight";

    private GgufDecoder() {}

    /** As {@link #read(GgufFile, DType)}. */
    public static Decoder read(Path file, DType type) {
        try (GgufFile gguf = GgufFile.open(file)) {
            return read(gguf, type);
        }
    }

    /**
     * Reads a network; quantised matrices become plain ones.
     *
     * @param type FLOAT32 or BFLOAT16, of all parameters
     * @throws IllegalArgumentException when the file holds no decoder that is known here, or is damaged
     */
    public static Decoder read(GgufFile file, DType type) {
        DecoderConfig config = config(file);
        return Decoder.read(config, new Stored(file, config), type);
    }

    /**
     * Writes a network so that llama.cpp reads it. Adapters are written only as far as they are merged.
     *
     * @param type of the matrices: F32, F16, Q8_0 or Q4_0. With Q4_0 the tables of tokens, which are also the output, are Q8_0: errors there reach
     *     every score. Matrices whose rows are no whole blocks are F16; scales and biases are always F32.
     * @param metadata further entries: {@code general.name}, and those of the tokenizer, without which llama.cpp does not load the file
     */
    public static void write(Path file, Decoder network, GgufTensorType type, Map<String, GgufValue> metadata) {
        DecoderConfig config = network.config();
        GgufNames names = GgufNames.of(config);
        Map<String, GgufValue> all = new LinkedHashMap<>(metadata(config));
        all.put("general.file_type", whole(fileType(type)));
        all.put("general.quantization_version", whole(2));
        metadata.forEach(all::putIfAbsent);
        try (TensorScope _ = TensorScope.openWithoutGradients()) {
            List<GgufWriter.Content> contents = new ArrayList<>();
            network.weights().forEach((name, tensor) -> {
                String other = names.toGguf(name)
                        .orElseThrow(() -> new IllegalStateException(name + " has no name in GGUF files"));
                Tensor theirs = permuted(config, name, tensor, true);
                contents.add(new GgufWriter.Content(other, typeOf(other, theirs, type), theirs));
            });
            if (config instanceof LlamaConfig llama && llama.rotaryScaling() instanceof RotaryScaling.Llama3) {
                float[] divisors = divisors(llama);
                contents.add(new GgufWriter.Content(
                        ROTARY_DIVISORS, GgufTensorType.F32, Tensor.of(divisors, divisors.length)));
            }
            GgufWriter.write(file, all, contents);
        }
    }

    private static GgufTensorType typeOf(String name, Tensor tensor, GgufTensorType wanted) {
        if (tensor.dimensions() < 2) return GgufTensorType.F32;
        GgufTensorType type =
                wanted == GgufTensorType.Q4_0 && (name.startsWith("token_embd") || name.startsWith("output."))
                        ? GgufTensorType.Q8_0
                        : wanted;
        if (name.startsWith("position_embd") && type.blockElements() > 1) return GgufTensorType.F32;
        return tensor.size(-1) % type.blockElements() == 0 ? type : GgufTensorType.F16;
    }

    /** {@code enum llama_ftype} of llama.h. */
    private static int fileType(GgufTensorType type) {
        return switch (type) {
            case F32 -> 0;
            case F16 -> 1;
            case Q4_0 -> 2;
            case Q8_0 -> 7;
            default -> throw new IllegalArgumentException(type + " is not written; F32, F16, Q8_0 and Q4_0 are");
        };
    }

    // ---- configuration

    /**
     * What network a file holds, read from its metadata alone.
     *
     * @throws IllegalArgumentException when it is none that is known here
     */
    public static DecoderConfig config(GgufFile file) {
        String architecture = file.text("general.architecture").orElse("");
        try {
            return switch (architecture) {
                case "gpt2" -> gpt2(file);
                case "llama" -> llama(file, LlamaConfig.Family.LLAMA);
                case "qwen2" -> llama(file, LlamaConfig.Family.QWEN2);
                case "qwen3" -> llama(file, LlamaConfig.Family.QWEN3);
                default ->
                    throw file.refused("general.architecture '" + architecture
                            + "' runs on llama.cpp only; libtorch runs gpt2, llama, qwen2 and qwen3");
            };
        } catch (ArithmeticException impossible) {
            throw file.refused("it describes a network of impossible sizes");
        }
    }

    private static Gpt2Config gpt2(GgufFile file) {
        int features = size(file, "gpt2.embedding_length");
        return new Gpt2Config(
                vocabulary(file),
                size(file, "gpt2.context_length"),
                features,
                size(file, "gpt2.block_count"),
                size(file, "gpt2.attention.head_count"),
                size(file, "gpt2.feed_forward_length"),
                epsilon(file, "gpt2.attention.layer_norm_epsilon"),
                0,
                0,
                0,
                endTokens(file));
    }

    private static LlamaConfig llama(GgufFile file, LlamaConfig.Family family) {
        String prefix = family.modelType + ".";
        int features = size(file, prefix + "embedding_length");
        int heads = size(file, prefix + "attention.head_count");
        int headSize = file.whole(prefix + "attention.key_length").isPresent()
                ? size(file, prefix + "attention.key_length")
                : features / Math.max(1, heads);
        if (file.whole(prefix + "rope.dimension_count").orElse(headSize) != headSize) {
            throw file.refused("it rotates a part of a head's features; libtorch rotates all");
        }
        double base = file.real(prefix + "rope.freq_base").orElse(10_000);
        return new LlamaConfig(
                family,
                vocabulary(file),
                size(file, prefix + "context_length"),
                features,
                size(file, prefix + "feed_forward_length"),
                size(file, prefix + "block_count"),
                heads,
                file.whole(prefix + "attention.head_count_kv").isPresent()
                        ? size(file, prefix + "attention.head_count_kv")
                        : heads,
                headSize,
                epsilon(file, prefix + "attention.layer_norm_rms_epsilon"),
                base,
                scaling(file, prefix, headSize, base),
                !file.tensors().containsKey("output.weight"),
                family != LlamaConfig.Family.QWEN2 && file.tensors().containsKey("blk.0.attn_q.bias"),
                0,
                endTokens(file));
    }

    private static RotaryScaling scaling(GgufFile file, String prefix, int headSize, double base) {
        if (file.tensors().containsKey(ROTARY_DIVISORS)) return llama3(file, headSize, base);
        return switch (file.text(prefix + "rope.scaling.type").orElse("none")) {
            case "none" -> new RotaryScaling.None();
            case "linear" ->
                new RotaryScaling.Linear(
                        file.real(prefix + "rope.scaling.factor").orElse(1));
            case String unknown ->
                throw file.refused("rotary scaling " + unknown + " is not computed by libtorch, none and linear are");
        };
    }

    /** Llama 3's scaling stands in files as what it makes of each frequency: its four numbers are found again by trying. */
    private static RotaryScaling llama3(GgufFile file, int headSize, double base) {
        GgufFile.TensorEntry entry = file.tensors().get(ROTARY_DIVISORS);
        if (entry == null || entry.type() != GgufTensorType.F32 || entry.elements() != headSize / 2) {
            throw file.refused(ROTARY_DIVISORS + " does not hold " + headSize / 2 + " numbers of type F32");
        }
        float[] divisors = file.bytes(ROTARY_DIVISORS).toArray(ValueLayout.JAVA_FLOAT_UNALIGNED);
        float factor = 1;
        for (float divisor : divisors) factor = Math.max(factor, divisor);
        for (int original = 16; original <= 1 << 20; original *= 2) {
            RotaryScaling.Llama3 candidate = new RotaryScaling.Llama3(factor, 1, 4, original);
            float[] expected = divisors(candidate, headSize, base);
            boolean same = true;
            for (int i = 0; i < expected.length; i++) same &= Math.abs(expected[i] / divisors[i] - 1) < 1e-4;
            if (same) return candidate;
        }
        throw file.refused(ROTARY_DIVISORS + " is no scaling of Llama 3");
    }

    private static float[] divisors(LlamaConfig config) {
        return divisors(config.rotaryScaling(), config.headSize(), config.rotaryBase());
    }

    private static float[] divisors(RotaryScaling scaling, int headSize, double base) {
        float[] divisors = new float[headSize / 2];
        for (int d = 0; d < divisors.length; d++) {
            double frequency = Math.pow(base, -2.0 * d / headSize);
            divisors[d] = (float) (frequency / scaling.scale(frequency));
        }
        return divisors;
    }

    private static int vocabulary(GgufFile file) {
        GgufFile.TensorEntry table = file.tensors().get("token_embd.weight");
        if (table == null || table.shape().size() != 2) throw file.refused("it has no table token_embd.weight");
        return Math.toIntExact(table.shape().get(1));
    }

    private static int size(GgufFile file, String key) {
        return Math.toIntExact(file.whole(key).orElseThrow(() -> file.refused("it has no " + key)));
    }

    /** Written as float32: the shortest decimal that rounds to it is what was meant. */
    private static double epsilon(GgufFile file, String key) {
        double value = file.real(key).orElseThrow(() -> file.refused("it has no " + key));
        return Double.parseDouble(Float.toString((float) value));
    }

    private static Set<Integer> endTokens(GgufFile file) {
        Set<Integer> tokens = new LinkedHashSet<>();
        for (String name : List.of("eos", "eot", "eom")) {
            file.whole("tokenizer.ggml." + name + "_token_id").ifPresent(id -> tokens.add(Math.toIntExact(id)));
        }
        return tokens;
    }

    private static Map<String, GgufValue> metadata(DecoderConfig config) {
        Map<String, GgufValue> entries = new LinkedHashMap<>();
        entries.put("general.architecture", new GgufValue.Text(architecture(config)));
        switch (config) {
            case Gpt2Config gpt2 -> {
                entries.put("gpt2.vocab_size", whole(gpt2.vocabularySize()));
                entries.put("gpt2.context_length", whole(gpt2.contextTokens()));
                entries.put("gpt2.embedding_length", whole(gpt2.features()));
                entries.put("gpt2.feed_forward_length", whole(gpt2.innerFeatures()));
                entries.put("gpt2.block_count", whole(gpt2.layers()));
                entries.put("gpt2.attention.head_count", whole(gpt2.heads()));
                entries.put("gpt2.attention.layer_norm_epsilon", real(gpt2.normEpsilon()));
            }
            case LlamaConfig llama -> {
                String prefix = llama.family().modelType + ".";
                entries.put(prefix + "vocab_size", whole(llama.vocabularySize()));
                entries.put(prefix + "context_length", whole(llama.contextTokens()));
                entries.put(prefix + "embedding_length", whole(llama.features()));
                entries.put(prefix + "feed_forward_length", whole(llama.innerFeatures()));
                entries.put(prefix + "block_count", whole(llama.layers()));
                entries.put(prefix + "attention.head_count", whole(llama.heads()));
                entries.put(prefix + "attention.head_count_kv", whole(llama.keyValueHeads()));
                entries.put(prefix + "attention.key_length", whole(llama.headSize()));
                entries.put(prefix + "attention.value_length", whole(llama.headSize()));
                entries.put(prefix + "attention.layer_norm_rms_epsilon", real(llama.normEpsilon()));
                entries.put(prefix + "rope.dimension_count", whole(llama.headSize()));
                entries.put(prefix + "rope.freq_base", real(llama.rotaryBase()));
                if (llama.rotaryScaling() instanceof RotaryScaling.Linear(double factor)) {
                    entries.put(prefix + "rope.scaling.type", new GgufValue.Text("linear"));
                    entries.put(prefix + "rope.scaling.factor", real(factor));
                }
            }
        }
        return entries;
    }

    private static GgufValue whole(int value) {
        return new GgufValue.Whole(ValueType.UINT32, value);
    }

    private static GgufValue real(double value) {
        return new GgufValue.Real(ValueType.FLOAT32, value);
    }

    // ---- tensors

    /** A file's tensors under transformers' names and in its order. */
    private record Stored(GgufFile file, DecoderConfig config, Map<String, GgufFile.TensorEntry> entries)
            implements StoredWeights {
        Stored(GgufFile file, DecoderConfig config) {
            Map<String, GgufFile.TensorEntry> entries = new LinkedHashMap<>();
            GgufNames names = GgufNames.of(config);
            file.tensors().forEach((name, entry) -> {
                if (name.equals(ROTARY_DIVISORS)) return;
                if (!GgufBlocks.unpacks(entry.type())) {
                    throw file.refused(
                            "tensor " + name + " is of type " + entry.type() + ", which runs on llama.cpp only");
                }
                entries.put(names.toTransformers(name).orElse(name), entry);
            });
            this(file, config, entries);
        }

        @Override
        public Map<String, long[]> shapes() {
            Map<String, long[]> shapes = new LinkedHashMap<>();
            entries.forEach((name, entry) -> {
                long[] shape = shape(entry);
                shapes.put(
                        name,
                        shape.length == 2 && isTransposed(config, name) ? new long[] {shape[1], shape[0]} : shape);
            });
            return shapes;
        }

        @Override
        public Tensor read(String name) {
            GgufFile.TensorEntry entry = entries.get(name);
            if (entry == null) throw new IllegalArgumentException("there is no tensor " + name);
            return permuted(config, name, plain(entry), false);
        }

        private Tensor plain(GgufFile.TensorEntry entry) {
            MemorySegment packed = file.bytes(entry.name());
            return switch (entry.type()) {
                case F32 -> Tensor.ofMemory(DType.FLOAT32, packed, shape(entry));
                case F16 -> Tensor.ofMemory(DType.FLOAT16, packed, shape(entry)).to(DType.FLOAT32);
                case BF16 ->
                    Tensor.ofMemory(DType.BFLOAT16, packed, shape(entry)).to(DType.FLOAT32);
                default -> {
                    try (Arena arena = Arena.ofConfined()) {
                        MemorySegment floats = arena.allocate(entry.elements() * Float.BYTES, Float.BYTES);
                        GgufBlocks.unpack(entry.type(), packed, floats);
                        yield Tensor.ofMemory(DType.FLOAT32, floats, shape(entry));
                    }
                }
            };
        }

        /** As torch writes it. */
        private static long[] shape(GgufFile.TensorEntry entry) {
            return entry.shape().reversed().stream().mapToLong(Long::longValue).toArray();
        }
    }

    private static boolean isTransposed(DecoderConfig config, String name) {
        return config instanceof Gpt2Config && name.matches("transformer\\.h\\.\\d+\\.(attn|mlp)\\.c_\\w+\\.weight");
    }

    /** From transformers' order to llama.cpp's, or back. */
    private static Tensor permuted(DecoderConfig config, String name, Tensor tensor, boolean toGguf) {
        return isTransposed(config, name) ? tensor.transpose(0, 1) : permutedRows(config, name, tensor, toGguf);
    }

    /** The rows alone: of a matrix, a bias, or an adapter's factor on that side. */
    static Tensor permutedRows(DecoderConfig config, String name, Tensor tensor, boolean toGguf) {
        if (!(config instanceof LlamaConfig llama) || llama.family() != LlamaConfig.Family.LLAMA) return tensor;
        int heads = name.contains(".q_proj.") ? llama.heads() : name.contains(".k_proj.") ? llama.keyValueHeads() : 0;
        if (heads == 0) return tensor;
        long[] shape = tensor.shape();
        long half = shape[0] / heads / 2;
        return (toGguf ? tensor.reshape(heads, 2, half, -1) : tensor.reshape(heads, half, 2, -1))
                .transpose(1, 2)
                .reshape(shape);
    }

    /** {@code general.architecture}. */
    static String architecture(DecoderConfig config) {
        return switch (config) {
            case Gpt2Config _ -> "gpt2";
            case LlamaConfig llama -> llama.family().modelType;
        };
    }
}
