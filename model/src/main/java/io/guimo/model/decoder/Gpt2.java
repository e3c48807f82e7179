package io.guimo.model.decoder;

import io.guimo.model.Module;
import io.guimo.model.Part;
import io.guimo.tensor.Tensor;
import java.util.List;

/**
 * GPT-2 (Radford et al. 2019, "Language Models are Unsupervised Multitask Learners", section 2.3): a transformer with learned positions that normalises
 * before each part and once at the end.
 */
public final class Gpt2 extends Decoder {
    private static final double DEVIATION = .02; // the released code's

    private final Gpt2Config config;
    private final Body transformer;

    Gpt2(Gpt2Config config, Initial initial) {
        this.config = config;
        transformer = part("transformer", new Body(config, initial));
    }

    @Override
    public Gpt2Config config() {
        return config;
    }

    @Override
    public Tensor embed(Tensor tokensBT) {
        return transformer.tokens.forward(tokensBT);
    }

    @Override
    Tensor hidden(Tensor featuresBTE, Tensor positionsT, Attention attention) {
        return transformer.forward(featuresBTE, positionsT, attention);
    }

    @Override
    Tensor logits(Tensor hidden) {
        return transformer.tokens.scores(hidden);
    }

    private static Linear linear(Initial initial, int in, int out, double deviation) {
        return new Linear(initial, in, out, Linear.Layout.IN_OUT, true, deviation);
    }

    private static final class Body extends Part {
        private final double dropout;
        private final Embedding tokens;
        private final Embedding positions;
        private final List<Layer> layers;
        private final LayerNorm norm;

        Body(Gpt2Config config, Initial initial) {
            dropout = config.embeddingDropout();
            int e = config.features();
            tokens = part("wte", new Embedding(initial, config.vocabularySize(), e, DEVIATION));
            positions = part("wpe", new Embedding(initial, config.contextTokens(), e, DEVIATION));
            layers = part("h", new Layers<>(config.layers(), i -> new Layer(config, initial, i)))
                    .list();
            norm = part("ln_f", new LayerNorm(initial, e, config.normEpsilon()));
        }

        Tensor forward(Tensor xBTE, Tensor positionsT, Attention attention) {
            xBTE = xBTE.add(positions.forward(positionsT)).dropout(dropout, training());
            for (Layer layer : layers) xBTE = layer.forward(xBTE, attention);
            return norm.forward(xBTE);
        }
    }

    private static final class Layer extends Part {
        private final double dropout;
        private final LayerNorm attentionNorm;
        private final SelfAttention attention;
        private final LayerNorm feedForwardNorm;
        private final FeedForward feedForward;

        Layer(Gpt2Config config, Initial initial, int index) {
            dropout = config.residualDropout();
            attentionNorm = part("ln_1", new LayerNorm(initial, config.features(), config.normEpsilon()));
            attention = part("attn", new SelfAttention(config, initial, index));
            feedForwardNorm = part("ln_2", new LayerNorm(initial, config.features(), config.normEpsilon()));
            feedForward = part("mlp", new FeedForward(config, initial));
        }

        Tensor forward(Tensor xBTE, Attention keys) {
            xBTE = xBTE.add(attention.forward(attentionNorm.forward(xBTE), keys).dropout(dropout, training()));
            return xBTE.add(feedForward.forward(feedForwardNorm.forward(xBTE)).dropout(dropout, training()));
        }
    }

    private static final class SelfAttention extends Part {
        private final int layer;
        private final int heads;
        private final double dropout;
        private final Linear queriesKeysValues;
        private final Linear output;

        SelfAttention(Gpt2Config config, Initial initial, int layer) {
            this.layer = layer;
            heads = config.heads();
            dropout = config.attentionDropout();
            int e = config.features();
            queriesKeysValues = part("c_attn", linear(initial, e, 3 * e, DEVIATION));
            output = part("c_proj", linear(initial, e, e, residualDeviation(config)));
        }

        Tensor forward(Tensor xBTE, Attention keys) {
            long b = xBTE.size(0);
            long t = xBTE.size(1);
            Tensor allBTNHD = queriesKeysValues.forward(xBTE).reshape(b, t, 3, heads, -1);
            return output.forward(keys.attend(
                    layer, slice(allBTNHD, 0), slice(allBTNHD, 1), slice(allBTNHD, 2), training() ? dropout : 0));
        }

        private static Tensor slice(Tensor allBTNHD, int which) {
            return allBTNHD.narrow(2, which, 1)
                    .reshape(allBTNHD.size(0), allBTNHD.size(1), allBTNHD.size(3), allBTNHD.size(4));
        }
    }

    private static final class FeedForward extends Module {
        private final Linear up;
        private final Linear down;

        FeedForward(Gpt2Config config, Initial initial) {
            up = part("c_fc", linear(initial, config.features(), config.innerFeatures(), DEVIATION));
            down = part(
                    "c_proj", linear(initial, config.innerFeatures(), config.features(), residualDeviation(config)));
        }

        @Override
        public Tensor forward(Tensor xBTE) {
            return down.forward(up.forward(xBTE).geluTanh());
        }
    }

    /** "A modified initialization which accounts for the accumulation on the residual path with model depth" (section 2.3). */
    private static double residualDeviation(Gpt2Config config) {
        return DEVIATION / Math.sqrt(2.0 * config.layers());
    }

    private static final class LayerNorm extends Module {
        private final double epsilon;
        private final Tensor weightE;
        private final Tensor biasE;

        LayerNorm(Initial initial, int features, double epsilon) {
            this.epsilon = epsilon;
            weightE = parameter("weight", initial.full(1, features));
            biasE = parameter("bias", initial.full(0, features));
        }

        @Override
        public Tensor forward(Tensor x) {
            return x.layerNorm(weightE, biasE, epsilon);
        }
    }
}
