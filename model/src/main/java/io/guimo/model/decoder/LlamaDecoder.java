package io.guimo.model.decoder;

import io.guimo.model.Module;
import io.guimo.model.Part;
import io.guimo.tensor.Tensor;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Llama (Touvron et al. 2023, arXiv 2302.13971) and what is built like it: SmolLM, Qwen2, Qwen3. A transformer that normalises before each part by the
 * root mean square alone, turns queries and keys by their positions, lets several heads of queries share one of keys (Ainslie et al. 2023, arXiv
 * 2305.13245) and gates its feed-forward part (Shazeer 2020, arXiv 2002.05202). Only attention knows of more than one token.
 */
public final class LlamaDecoder extends Decoder {
    /** transformers' {@code initializer_range} for all of them. */
    private static final double DEVIATION = .02;

    private final LlamaConfig config;
    private final Body model;
    private final @Nullable Linear head; // null: the embeddings' table

    LlamaDecoder(LlamaConfig config, Initial initial) {
        this.config = config;
        model = part("model", new Body(config, initial));
        head = config.tiedEmbeddings()
                ? null
                : part("lm_head", linear(initial, config.features(), config.vocabularySize(), false));
    }

    @Override
    public LlamaConfig config() {
        return config;
    }

    @Override
    public Tensor embed(Tensor tokensBT) {
        return model.embeddings.forward(tokensBT);
    }

    @Override
    Tensor hidden(Tensor featuresBTE, Tensor positionsT, Attention attention) {
        return model.forward(featuresBTE, positionsT, attention);
    }

    @Override
    Tensor logits(Tensor hidden) {
        return head == null ? model.embeddings.scores(hidden) : head.forward(hidden);
    }

    private static Linear linear(Initial initial, int in, int out, boolean bias) {
        return new Linear(initial, in, out, Linear.Layout.OUT_IN, bias, DEVIATION);
    }

    private static final class Body extends Part {
        private final Embedding embeddings;
        private final List<Layer> layers;
        private final RmsNorm norm;
        private final Rotary rotary;

        Body(LlamaConfig config, Initial initial) {
            embeddings =
                    part("embed_tokens", new Embedding(initial, config.vocabularySize(), config.features(), DEVIATION));
            layers = part("layers", new Layers<>(config.layers(), i -> new Layer(config, initial, i)))
                    .list();
            norm = part("norm", new RmsNorm(initial, config.features(), config.normEpsilon()));
            rotary = part("rotary", new Rotary(config.headSize(), config.rotaryBase(), config.rotaryScaling()));
        }

        Tensor forward(Tensor xBTE, Tensor positionsT, Attention attention) {
            Rotary.Turn turn = rotary.at(positionsT, xBTE.dtype());
            for (Layer layer : layers) xBTE = layer.forward(xBTE, rotary, turn, attention);
            return norm.forward(xBTE);
        }
    }

    private static final class Layer extends Part {
        private final RmsNorm attentionNorm;
        private final SelfAttention attention;
        private final RmsNorm feedForwardNorm;
        private final FeedForward feedForward;

        Layer(LlamaConfig config, Initial initial, int index) {
            attentionNorm = part("input_layernorm", new RmsNorm(initial, config.features(), config.normEpsilon()));
            attention = part("self_attn", new SelfAttention(config, initial, index));
            feedForwardNorm =
                    part("post_attention_layernorm", new RmsNorm(initial, config.features(), config.normEpsilon()));
            feedForward = part("mlp", new FeedForward(config, initial));
        }

        Tensor forward(Tensor xBTE, Rotary rotary, Rotary.Turn turn, Attention keys) {
            xBTE = xBTE.add(attention.forward(attentionNorm.forward(xBTE), rotary, turn, keys));
            return xBTE.add(feedForward.forward(feedForwardNorm.forward(xBTE)));
        }
    }

    private static final class SelfAttention extends Part {
        private final int layer;
        private final int headSize;
        private final double dropout;
        private final Linear query;
        private final Linear key;
        private final Linear value;
        private final Linear output;
        private final @Nullable RmsNorm queryNorm; // Qwen3 alone
        private final @Nullable RmsNorm keyNorm;

        SelfAttention(LlamaConfig config, Initial initial, int layer) {
            this.layer = layer;
            headSize = config.headSize();
            dropout = config.attentionDropout();
            int e = config.features();
            int queries = config.heads() * headSize;
            int keys = config.keyValueHeads() * headSize;
            query = part("q_proj", linear(initial, e, queries, config.queryBias()));
            key = part("k_proj", linear(initial, e, keys, config.queryBias()));
            value = part("v_proj", linear(initial, e, keys, config.queryBias()));
            output = part("o_proj", linear(initial, queries, e, config.outputBias()));
            boolean normalised = config.family() == LlamaConfig.Family.QWEN3;
            queryNorm = normalised ? part("q_norm", new RmsNorm(initial, headSize, config.normEpsilon())) : null;
            keyNorm = normalised ? part("k_norm", new RmsNorm(initial, headSize, config.normEpsilon())) : null;
        }

        Tensor forward(Tensor xBTE, Rotary rotary, Rotary.Turn turn, Attention keys) {
            Tensor queriesBTHD = heads(query.forward(xBTE));
            Tensor keysBTGD = heads(key.forward(xBTE));
            Tensor valuesBTGD = heads(value.forward(xBTE));
            if (queryNorm != null && keyNorm != null) {
                queriesBTHD = queryNorm.forward(queriesBTHD);
                keysBTGD = keyNorm.forward(keysBTGD);
            }
            return output.forward(keys.attend(
                    layer,
                    rotary.turn(queriesBTHD, turn),
                    rotary.turn(keysBTGD, turn),
                    valuesBTGD,
                    training() ? dropout : 0));
        }

        private Tensor heads(Tensor xBTX) {
            return xBTX.reshape(xBTX.size(0), xBTX.size(1), -1, headSize);
        }
    }

    /** SwiGLU: {@code W₂ (silu(W₁ x) ⊙ W₃ x)}. */
    private static final class FeedForward extends Module {
        private final Linear gate;
        private final Linear up;
        private final Linear down;

        FeedForward(LlamaConfig config, Initial initial) {
            gate = part("gate_proj", linear(initial, config.features(), config.innerFeatures(), false));
            up = part("up_proj", linear(initial, config.features(), config.innerFeatures(), false));
            down = part("down_proj", linear(initial, config.innerFeatures(), config.features(), false));
        }

        @Override
        public Tensor forward(Tensor xBTE) {
            return down.forward(gate.forward(xBTE).silu().multiply(up.forward(xBTE)));
        }
    }

    private static final class RmsNorm extends Module {
        private final double epsilon;
        private final Tensor weight;

        RmsNorm(Initial initial, int features, double epsilon) {
            this.epsilon = epsilon;
            weight = parameter("weight", initial.full(1, features));
        }

        @Override
        public Tensor forward(Tensor x) {
            return x.rmsNorm(weight, epsilon);
        }
    }
}
