package io.guimo.inference;

import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * How a pre-trained encoder's output becomes a vector; travels in its package. The stored form is that of fitted steps: {@code version}, {@code task},
 * {@code steps}.
 *
 * @param maxTokens  most tokens that the encoder reads, special ones included
 * @param dimensions length of a vector
 */
public record EncoderSteps(Pooling pooling, int maxTokens, int dimensions) {
    /** Version of the stored form; one step, so also the version of the step. */
    public static final int VERSION = 1;

    /** Which of the encoder's outputs stand for the text. The vector is then divided by its Euclidean length. */
    public enum Pooling {
        /** The output of the first token, as the bge family was trained (Xiao et al. 2023, arXiv 2309.07597, section 4). */
        CLS,
        /** The mean over the text's tokens, as sentence-transformers were (Reimers and Gurevych 2019, arXiv 1908.10084, section 3). */
        MEAN
    }

    public EncoderSteps {
        if (maxTokens < 2 || maxTokens > 1 << 20) {
            throw new IllegalArgumentException("maxTokens is " + maxTokens + "; permitted are 2 to " + (1 << 20));
        }
        if (dimensions < 1 || dimensions > 1 << 16) {
            throw new IllegalArgumentException("dimensions is " + dimensions + "; permitted are 1 to " + (1 << 16));
        }
    }

    /** The stored form, UTF-8. */
    public byte[] json() {
        return JsonMapper.shared()
                .writeValueAsBytes(Map.of(
                        "version",
                        VERSION,
                        "task",
                        "embed-text",
                        "steps",
                        Map.of(
                                "pooling", pooling.name().toLowerCase(Locale.ROOT),
                                "maxTokens", maxTokens,
                                "dimensions", dimensions)));
    }

    /** @throws IllegalArgumentException if the bytes are no steps of an encoder, or of a version this build does not know */
    public static EncoderSteps read(byte[] json) {
        try {
            JsonNode root = JsonMapper.shared().readTree(json);
            int version = root.path("version").asInt(0);
            if (version != VERSION) {
                throw new IllegalArgumentException("encoder steps of version " + version + "; this build reads version "
                        + VERSION + ": use the build that wrote them, or package the encoder again");
            }
            JsonNode steps = root.path("steps");
            String pooling = steps.path("pooling").asString("");
            return new EncoderSteps(
                    Arrays.stream(Pooling.values())
                            .filter(p -> p.name().toLowerCase(Locale.ROOT).equals(pooling))
                            .findFirst()
                            .orElseThrow(() -> new IllegalArgumentException(
                                    "pooling is '" + pooling + "'; permitted are cls and mean")),
                    steps.path("maxTokens").asInt(0),
                    steps.path("dimensions").asInt(0));
        } catch (JacksonException e) {
            throw new IllegalArgumentException("these are no encoder steps: " + e.getOriginalMessage(), e);
        }
    }
}
