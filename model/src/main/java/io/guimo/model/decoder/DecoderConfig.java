package io.guimo.model.decoder;

import io.guimo.tensor.DType;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;

/** What kind of decoder a {@code config.json} describes, and of what size. */
public sealed interface DecoderConfig permits Gpt2Config, LlamaConfig {
    /** More than any decoder has that one machine could hold: what claims more is a mistake or an attack. */
    long MOST_PARAMETERS = 200_000_000_000L;

    int vocabularySize();

    /** Most tokens of a sequence. */
    int contextTokens();

    int layers();

    /** Heads of keys and values. */
    int keyValueHeads();

    /** Features of a head. */
    int headSize();

    /** Tokens with which a text ends, as the file names them; may be empty. */
    Set<Integer> endTokens();

    /** Numbers that are trained. */
    long parameterCount();

    /** Whether a file may hold a tensor of this name although the network has no use for it. */
    boolean isSuperfluous(String tensorName);

    /** As the entries of a {@code config.json} that transformers reads. */
    Map<String, Object> toJson();

    /**
     * Reads a {@code config.json}.
     *
     * @throws IllegalArgumentException when it is none, of an architecture that is not known here, or of impossible sizes; nothing has been allocated then
     */
    static DecoderConfig read(Path file) {
        ConfigFile config = ConfigFile.read(file);
        return switch (config.text("model_type", "")) {
            case "gpt2" -> Gpt2Config.of(config);
            case "llama" -> LlamaConfig.of(LlamaConfig.Family.LLAMA, config);
            case "qwen2" -> LlamaConfig.of(LlamaConfig.Family.QWEN2, config);
            case "qwen3" -> LlamaConfig.of(LlamaConfig.Family.QWEN3, config);
            case String unknown ->
                throw config.refused("model_type " + unknown + " is none of gpt2, llama, qwen2 and qwen3");
        };
    }

    /** Refuses a network whose parameters alone are more than this machine's memory. */
    default void requireFits(DType type) {
        long bytes = parameterCount() * type.bytes();
        long memory = ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
                .getTotalMemorySize();
        if (bytes > memory) {
            throw new IllegalArgumentException(parameterCount() + " parameters of " + type + " take "
                    + (bytes >> 20) + " MiB, this machine has " + (memory >> 20)
                    + " MiB of memory; take a smaller model or a quantised one");
        }
    }

    /** Bounds that hold for every decoder; keeps later products of sizes far from overflow. */
    static void requireSizes(int vocabulary, int context, int layers, int heads, int features, int inner) {
        require("the vocabulary", vocabulary, 1 << 24);
        require("the context", context, 1 << 26);
        require("the number of layers", layers, 4096);
        require("the number of heads", heads, 1 << 16);
        require("the number of features", features, 1 << 20);
        require("the feed-forward size", inner, 1 << 22);
    }

    private static void require(String what, int value, int most) {
        if (value < 1 || value > most) {
            throw new IllegalArgumentException(what + " is " + value + "; possible are 1 to " + most);
        }
    }

    /** Called by the constructors, once every size is within its bound. */
    static void requireCount(long parameters) {
        if (parameters > MOST_PARAMETERS) {
            throw new IllegalArgumentException("a network of " + parameters + " parameters is asked for; at most "
                    + MOST_PARAMETERS + " are built here");
        }
    }
}
