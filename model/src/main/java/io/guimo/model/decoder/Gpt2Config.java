package io.guimo.model.decoder;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * A GPT-2.
 *
 * @param features E
 * @param heads divide the features
 * @param innerFeatures F of the feed-forward part, usually 4 E
 * @param normEpsilon added to a variance
 * @param embeddingDropout share of the embeddings' features hidden in training
 * @param attentionDropout share of attention's weights hidden in training
 * @param residualDropout share of what a layer adds hidden in training
 */
public record Gpt2Config(
        int vocabularySize,
        int contextTokens,
        int features,
        int layers,
        int heads,
        int innerFeatures,
        double normEpsilon,
        double embeddingDropout,
        double attentionDropout,
        double residualDropout,
        Set<Integer> endTokens)
        implements DecoderConfig {
    public Gpt2Config {
        DecoderConfig.requireSizes(vocabularySize, contextTokens, layers, heads, features, innerFeatures);
        if (features % heads != 0) {
            throw new IllegalArgumentException(features + " features do not divide into " + heads + " heads");
        }
        DecoderConfig.requireCount(count(vocabularySize, contextTokens, features, layers, innerFeatures));
        endTokens = Set.copyOf(endTokens);
    }

    static Gpt2Config of(ConfigFile config) {
        config.requireText("activation_function", "gelu_new");
        config.requireFlag("scale_attn_weights", true);
        config.requireFlag("scale_attn_by_inverse_layer_idx", false);
        config.requireFlag("add_cross_attention", false);
        config.requireFlag("tie_word_embeddings", true);
        int features = config.whole("n_embd");
        try {
            return new Gpt2Config(
                    config.whole("vocab_size"),
                    config.whole("n_positions"),
                    features,
                    config.whole("n_layer"),
                    config.whole("n_head"),
                    config.whole("n_inner", Math.multiplyExact(4, features)),
                    config.number("layer_norm_epsilon", 1e-5),
                    config.number("embd_pdrop", .1),
                    config.number("attn_pdrop", .1),
                    config.number("resid_pdrop", .1),
                    config.tokens("eos_token_id"));
        } catch (ArithmeticException | IllegalArgumentException impossible) {
            throw config.refused(impossible);
        }
    }

    /** The sizes of Radford et al. 2019 for a vocabulary and context of one's own. */
    public static Gpt2Config of(
            int vocabularySize, int contextTokens, int features, int layers, int heads, double dropout, int endToken) {
        return new Gpt2Config(
                vocabularySize,
                contextTokens,
                features,
                layers,
                heads,
                4 * features,
                1e-5,
                dropout,
                dropout,
                dropout,
                Set.of(endToken));
    }

    @Override
    public int keyValueHeads() {
        return heads;
    }

    @Override
    public int headSize() {
        return features / heads;
    }

    @Override
    public long parameterCount() {
        return count(vocabularySize, contextTokens, features, layers, innerFeatures);
    }

    private static long count(long v, long t, long e, long layers, long f) {
        long attention = 3 * e * e + 3 * e + e * e + e;
        long feedForward = 2 * e * f + f + e;
        return (v + t) * e + layers * (attention + feedForward + 4 * e) + 2 * e;
    }

    @Override
    public boolean isSuperfluous(String tensorName) {
        // masks that old files carry, and the tied matrix written twice
        return tensorName.endsWith(".attn.bias")
                || tensorName.endsWith(".attn.masked_bias")
                || tensorName.equals("lm_head.weight");
    }

    @Override
    public Map<String, Object> toJson() {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("architectures", new String[] {"GPT2LMHeadModel"});
        json.put("model_type", "gpt2");
        json.put("vocab_size", vocabularySize);
        json.put("n_positions", contextTokens);
        json.put("n_embd", features);
        json.put("n_layer", layers);
        json.put("n_head", heads);
        json.put("n_inner", innerFeatures);
        json.put("activation_function", "gelu_new");
        json.put("layer_norm_epsilon", normEpsilon);
        json.put("embd_pdrop", embeddingDropout);
        json.put("attn_pdrop", attentionDropout);
        json.put("resid_pdrop", residualDropout);
        json.put("tie_word_embeddings", true);
        if (!endTokens.isEmpty())
            json.put("eos_token_id", endTokens.stream().sorted().toList());
        return json;
    }
}
