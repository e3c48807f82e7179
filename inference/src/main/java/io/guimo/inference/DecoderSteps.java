package io.guimo.inference;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * How a conversation becomes a language model's prompt and where its answer ends; travels in its package beside the tokenizer. The stored form is that of
 * fitted steps: {@code version}, {@code task}, {@code steps}.
 *
 * @param contextTokens the model was trained for, prompt and answer together
 * @param endTokens ids with which the model ends an answer
 * @param beginText text of the token that begins a text, as the template asks for it by {@code bos_token}; empty where the model has none
 * @param endText text of the token that ends a text, {@code eos_token}
 * @param chatTemplate Jinja, as its publisher wrote it; null for a model that only continues text
 */
public record DecoderSteps(
        int contextTokens,
        Set<Integer> endTokens,
        String beginText,
        String endText,
        @Nullable String chatTemplate) {
    /** Version of the stored form; one step, so also the version of the step. */
    public static final int VERSION = 1;

    /** Far above what any model reads; bounds what a hostile file can announce. */
    static final int MOST_CONTEXT_TOKENS = 1 << 24;

    public DecoderSteps {
        if (contextTokens < 2 || contextTokens > MOST_CONTEXT_TOKENS) {
            throw new IllegalArgumentException(
                    "contextTokens is " + contextTokens + "; permitted are 2 to " + MOST_CONTEXT_TOKENS);
        }
        endTokens = Set.copyOf(endTokens);
    }

    /** The stored form, UTF-8; the same for the same steps. */
    public byte[] json() {
        Map<String, Object> steps = new LinkedHashMap<>();
        steps.put("contextTokens", contextTokens);
        steps.put("endTokens", new TreeSet<>(endTokens));
        steps.put("beginText", beginText);
        steps.put("endText", endText);
        if (chatTemplate != null) steps.put("chatTemplate", chatTemplate);
        Map<String, Object> root = new LinkedHashMap<>();
        root.put("version", VERSION);
        root.put("task", "generate-text");
        root.put("steps", steps);
        return JsonMapper.shared().writeValueAsBytes(root);
    }

    /** @throws IllegalArgumentException if the bytes are no steps of a decoder, or of a version this build does not know */
    public static DecoderSteps read(byte[] json) {
        try {
            JsonNode root = JsonMapper.shared().readTree(json);
            int version = root.path("version").asInt(0);
            if (version != VERSION) {
                throw new IllegalArgumentException("decoder steps of version " + version + "; this build reads version "
                        + VERSION + ": use the build that wrote them, or package the model again");
            }
            JsonNode steps = root.path("steps");
            Set<Integer> ends = new TreeSet<>();
            for (JsonNode end : steps.path("endTokens")) ends.add(end.asInt());
            return new DecoderSteps(
                    steps.path("contextTokens").asInt(0),
                    ends,
                    steps.path("beginText").asString(""),
                    steps.path("endText").asString(""),
                    steps.path("chatTemplate").isString()
                            ? steps.path("chatTemplate").asString()
                            : null);
        } catch (JacksonException e) {
            throw new IllegalArgumentException("these are no decoder steps: " + e.getOriginalMessage(), e);
        }
    }
}
