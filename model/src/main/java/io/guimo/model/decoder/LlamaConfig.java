package io.guimo.model.decoder;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * A decoder of Llama's kind: Llama and SmolLM, Qwen2, Qwen3.
 *
 * @param features E
 * @param innerFeatures F of the feed-forward part
 * @param heads H of the queries, a multiple of the next
 * @param keyValueHeads G
 * @param headSize D, even; usually E / H
 * @param normEpsilon added to a mean square
 * @param rotaryBase whose powers are the rotations' wave lengths
 * @param tiedEmbeddings whether the output's matrix is the table of embeddings
 * @param attentionBias whether attention's matrices have biases; Qwen2's always have, except the last
 * @param attentionDropout share of attention's weights hidden in training
 */
public record LlamaConfig(
        Family family,
        int vocabularySize,
        int contextTokens,
        int features,
        int innerFeatures,
        int layers,
        int heads,
        int keyValueHeads,
        int headSize,
        double normEpsilon,
        double rotaryBase,
        RotaryScaling rotaryScaling,
        boolean tiedEmbeddings,
        boolean attentionBias,
        double attentionDropout,
        Set<Integer> endTokens)
        implements DecoderConfig {
    /** What the names differ in. */
    public enum Family {
        /** Touvron et al. 2023, arXiv 2302.13971; grouped queries since arXiv 2307.09288. SmolLM is one. */
        LLAMA("llama", "LlamaForCausalLM"),
        /** Biases on queries, keys and values (arXiv 2407.10671). */
        QWEN2("qwen2", "Qwen2ForCausalLM"),
        /** Queries and keys normalised head by head (arXiv 2505.09388). */
        QWEN3("qwen3", "Qwen3ForCausalLM");

        final String modelType;
        final String architecture;

        Family(String modelType, String architecture) {
            this.modelType = modelType;
            this.architecture = architecture;
        }
    }

    public LlamaConfig {
        DecoderConfig.requireSizes(vocabularySize, contextTokens, layers, heads, features, innerFeatures);
        if (keyValueHeads < 1 || keyValueHeads > heads || heads % keyValueHeads != 0) {
            throw new IllegalArgumentException(
                    heads + " heads of queries do not divide by " + keyValueHeads + " heads of keys");
        }
        if (headSize < 2 || headSize % 2 != 0 || headSize > 1 << 14) {
            throw new IllegalArgumentException(
                    "a head of " + headSize + " features cannot be rotated: give an even number from 2 to 16384");
        }
        if (!(rotaryBase > 0))
            throw new IllegalArgumentException("the rotary base is " + rotaryBase + "; give more than 0");
        DecoderConfig.requireCount(count(
                family,
                vocabularySize,
                features,
                innerFeatures,
                layers,
                heads,
                keyValueHeads,
                headSize,
                tiedEmbeddings,
                attentionBias));
        endTokens = Set.copyOf(endTokens);
    }

    static LlamaConfig of(Family family, ConfigFile config) {
        config.requireText("hidden_act", "silu");
        config.requireFlag("mlp_bias", false);
        config.requireFlag("use_sliding_window", false);
        int features = config.whole("hidden_size");
        int heads = config.whole("num_attention_heads");
        // since transformers 5 under rope_parameters, before in two places
        ConfigFile rotary =
                config.has("rope_parameters") ? config.inner("rope_parameters") : config.inner("rope_scaling");
        double defaultBase = 10_000;
        try {
            return new LlamaConfig(
                    family,
                    config.whole("vocab_size"),
                    config.whole("max_position_embeddings"),
                    features,
                    config.whole("intermediate_size"),
                    config.whole("num_hidden_layers"),
                    heads,
                    config.whole("num_key_value_heads", heads),
                    config.whole("head_dim", family == Family.QWEN3 ? 128 : heads < 1 ? 0 : features / heads),
                    config.number("rms_norm_eps", 1e-6),
                    rotary.number("rope_theta", config.number("rope_theta", defaultBase)),
                    scaling(rotary),
                    config.flag("tie_word_embeddings", false),
                    config.flag("attention_bias", false),
                    config.number("attention_dropout", 0),
                    config.tokens("eos_token_id"));
        } catch (IllegalArgumentException impossible) {
            throw config.refused(impossible);
        }
    }

    private static RotaryScaling scaling(ConfigFile rotary) {
        return switch (rotary.text("rope_type", rotary.text("type", "default"))) {
            case "default" -> new RotaryScaling.None();
            case "linear" -> new RotaryScaling.Linear(rotary.number("factor", 1));
            case "llama3" ->
                new RotaryScaling.Llama3(
                        rotary.number("factor", 1),
                        rotary.number("low_freq_factor", 1),
                        rotary.number("high_freq_factor", 4),
                        rotary.whole("original_max_position_embeddings"));
            case String unknown ->
                throw new IllegalArgumentException(
                        "rotary scaling " + unknown + " is none of default, linear and llama3");
        };
    }

    boolean queryBias() {
        return attentionBias || family == Family.QWEN2;
    }

    boolean outputBias() {
        return attentionBias && family != Family.QWEN2;
    }

    @Override
    public long parameterCount() {
        return count(
                family,
                vocabularySize,
                features,
                innerFeatures,
                layers,
                heads,
                keyValueHeads,
                headSize,
                tiedEmbeddings,
                attentionBias);
    }

    private static long count(
            Family family, long v, long e, long f, long layers, long h, long g, long d, boolean tied, boolean bias) {
        long attention = e * h * d * 2 + e * g * d * 2;
        long queryBias = bias || family == Family.QWEN2 ? (h + 2 * g) * d : 0;
        long outputBias = bias && family != Family.QWEN2 ? e : 0;
        long headNorms = family == Family.QWEN3 ? 2 * d : 0;
        return v * e * (tied ? 1 : 2)
                + layers * (attention + queryBias + outputBias + headNorms + 3 * e * f + 2 * e)
                + e;
    }

    @Override
    public boolean isSuperfluous(String tensorName) {
        return tensorName.endsWith(".rotary_emb.inv_freq") || (tiedEmbeddings && tensorName.equals("lm_head.weight"));
    }

    @Override
    public Map<String, Object> toJson() {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("architectures", new String[] {family.architecture});
        json.put("model_type", family.modelType);
        json.put("vocab_size", vocabularySize);
        json.put("max_position_embeddings", contextTokens);
        json.put("hidden_size", features);
        json.put("intermediate_size", innerFeatures);
        json.put("num_hidden_layers", layers);
        json.put("num_attention_heads", heads);
        json.put("num_key_value_heads", keyValueHeads);
        json.put("head_dim", headSize);
        json.put("hidden_act", "silu");
        json.put("rms_norm_eps", normEpsilon);
        json.put("rope_theta", rotaryBase);
        switch (rotaryScaling) {
            case RotaryScaling.None _ -> {}
            case RotaryScaling.Linear(double factor) ->
                json.put("rope_scaling", Map.of("rope_type", "linear", "factor", factor));
            case RotaryScaling.Llama3(double factor, double low, double high, int originalContext) ->
                json.put(
                        "rope_scaling",
                        Map.of(
                                "rope_type", "llama3",
                                "factor", factor,
                                "low_freq_factor", low,
                                "high_freq_factor", high,
                                "original_max_position_embeddings", originalContext));
        }
        json.put("tie_word_embeddings", tiedEmbeddings);
        json.put("attention_bias", attentionBias);
        json.put("attention_dropout", attentionDropout);
        if (!endTokens.isEmpty())
            json.put("eos_token_id", endTokens.stream().sorted().toList());
        return json;
    }
}
