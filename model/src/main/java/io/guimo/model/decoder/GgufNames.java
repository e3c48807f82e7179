package io.guimo.model.decoder;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A tensor's two names: transformers' and llama.cpp's ({@code gguf-py/gguf/tensor_mapping.py}). Both are a part of the network, perhaps with a layer's
 * number in it, and at the end {@code .weight} or {@code .bias}.
 *
 * @param once parts that the network has once
 * @param layers what stands before a layer's number with transformers
 * @param perLayer parts of each layer
 */
record GgufNames(Map<String, String> once, String layers, Map<String, String> perLayer) {
    private static final String GGUF_LAYERS = "blk.";
    private static final Pattern ENDING = Pattern.compile("(.+)(\\.weight|\\.bias)");
    private static final Pattern LAYER = Pattern.compile("(\\d+)\\.(.+)");

    private static final GgufNames GPT2 = new GgufNames(
            Map.of(
                    "transformer.wte", "token_embd",
                    "transformer.wpe", "position_embd",
                    "transformer.ln_f", "output_norm",
                    "lm_head", "output"),
            "transformer.h.",
            Map.of(
                    "ln_1", "attn_norm",
                    "attn.c_attn", "attn_qkv",
                    "attn.c_proj", "attn_output",
                    "ln_2", "ffn_norm",
                    "mlp.c_fc", "ffn_up",
                    "mlp.c_proj", "ffn_down"));

    private static final GgufNames LLAMA = new GgufNames(
            Map.of("model.embed_tokens", "token_embd", "model.norm", "output_norm", "lm_head", "output"),
            "model.layers.",
            Map.ofEntries(
                    Map.entry("input_layernorm", "attn_norm"),
                    Map.entry("self_attn.q_proj", "attn_q"),
                    Map.entry("self_attn.k_proj", "attn_k"),
                    Map.entry("self_attn.v_proj", "attn_v"),
                    Map.entry("self_attn.o_proj", "attn_output"),
                    Map.entry("self_attn.q_norm", "attn_q_norm"),
                    Map.entry("self_attn.k_norm", "attn_k_norm"),
                    Map.entry("post_attention_layernorm", "ffn_norm"),
                    Map.entry("mlp.gate_proj", "ffn_gate"),
                    Map.entry("mlp.up_proj", "ffn_up"),
                    Map.entry("mlp.down_proj", "ffn_down")));

    static GgufNames of(DecoderConfig config) {
        return switch (config) {
            case Gpt2Config _ -> GPT2;
            case LlamaConfig _ -> LLAMA;
        };
    }

    /** Empty for a name that is none of such a network. */
    Optional<String> toGguf(String name) {
        return translate(name, once, layers, perLayer, GGUF_LAYERS);
    }

    /** Empty for a name that is none of such a network. */
    Optional<String> toTransformers(String name) {
        return translate(name, inverse(once), GGUF_LAYERS, inverse(perLayer), layers);
    }

    private static Optional<String> translate(
            String name, Map<String, String> once, String layers, Map<String, String> perLayer, String otherLayers) {
        Matcher ending = ENDING.matcher(name);
        if (!ending.matches()) return Optional.empty();
        String part = ending.group(1);
        if (!part.startsWith(layers)) return Optional.ofNullable(once.get(part)).map(other -> other + ending.group(2));
        Matcher layer = LAYER.matcher(part.substring(layers.length()));
        if (!layer.matches()) return Optional.empty();
        return Optional.ofNullable(perLayer.get(layer.group(2)))
                .map(other -> otherLayers + layer.group(1) + "." + other + ending.group(2));
    }

    private static Map<String, String> inverse(Map<String, String> names) {
        Map<String, String> inverse = new LinkedHashMap<>();
        names.forEach((key, value) -> inverse.put(value, key));
        return inverse;
    }
}
