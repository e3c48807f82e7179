package io.guimo.model.decoder;

import io.guimo.model.Module;
import io.guimo.tensor.DType;
import io.guimo.tensor.Tensor;
import io.guimo.tensor.TensorScope;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** A network that says which token may follow each of a sequence. */
public abstract sealed class Decoder extends Module permits Gpt2, LlamaDecoder {
    private static final Attention CAUSAL = new Attention.Causal();

    /**
     * A network to be trained, its parameters drawn from the process's random state, FLOAT32.
     *
     * @throws IllegalArgumentException when it would not fit this machine's memory
     */
    public static Decoder drawn(DecoderConfig config) {
        return build(config, Initial.DRAWN, DType.FLOAT32);
    }

    /**
     * A network from a file, in evaluation mode.
     *
     * @param type FLOAT32 or BFLOAT16, of all parameters
     * @throws IllegalArgumentException when the file holds another network, or it would not fit this machine's memory
     */
    public static Decoder read(DecoderConfig config, StoredWeights stored, DType type) {
        if (type != DType.FLOAT32 && type != DType.BFLOAT16) {
            throw new IllegalArgumentException("a decoder computes in FLOAT32 or BFLOAT16, not in " + type);
        }
        long there = stored.shapes().values().stream()
                .mapToLong(shape -> Arrays.stream(shape).reduce(1, Math::multiplyExact))
                .reduce(0, Math::addExact);
        if (there < config.parameterCount()) {
            throw new IllegalArgumentException("the configuration describes " + config.parameterCount()
                    + " parameters, the files hold " + there + ": they belong to different models");
        }
        Decoder network = build(config, Initial.open(type), type);
        try {
            network.fill(stored);
            network.evaluate();
            return network;
        } catch (RuntimeException refused) {
            network.close();
            throw refused;
        }
    }

    private static Decoder build(DecoderConfig config, Initial initial, DType type) {
        config.requireFits(type);
        return switch (config) {
            case Gpt2Config gpt2 -> new Gpt2(gpt2, initial);
            case LlamaConfig llama -> new LlamaDecoder(llama, initial);
        };
    }

    private void fill(StoredWeights stored) {
        Map<String, Tensor> own = state();
        Map<String, long[]> there = stored.shapes();
        Set<String> missing = new TreeSet<>(own.keySet());
        missing.removeAll(there.keySet());
        Set<String> unknown = new TreeSet<>(there.keySet());
        unknown.removeAll(own.keySet());
        unknown.removeIf(name -> config().isSuperfluous(name));
        if (!missing.isEmpty() || !unknown.isEmpty()) {
            throw new IllegalArgumentException(
                    "these weights belong to another network: missing " + missing + ", unknown " + unknown);
        }
        own.forEach((name, tensor) -> {
            if (!Arrays.equals(there.get(name), tensor.shape())) {
                throw new IllegalArgumentException(name + " is " + Arrays.toString(there.get(name))
                        + " in the file, the configuration wants " + Arrays.toString(tensor.shape()));
            }
        });
        own.forEach((name, tensor) -> {
            try (TensorScope _ = TensorScope.openWithoutGradients()) {
                tensor.copyInPlace(stored.read(name));
            }
        });
    }

    public abstract DecoderConfig config();

    /** What a file of the network holds: all but adapters, frozen or not. */
    public final Map<String, Tensor> weights() {
        Map<String, Tensor> weights = state();
        weights.putAll(frozen());
        weights.keySet().removeIf(name -> name.contains(".lora_"));
        return weights;
    }

    /**
     * For whole sequences that begin at their first token, as in training.
     *
     * @param tokensBT INT64
     * @return logits of the token after each, [B, T, V]
     * @throws IllegalArgumentException when T is more than the context
     */
    @Override
    public final Tensor forward(Tensor tokensBT) {
        return forwardEmbedded(embed(tokensBT));
    }

    /** As {@link #forward}, from features in place of tokens. */
    public final Tensor forwardEmbedded(Tensor featuresBTE) {
        long tokens = featuresBTE.size(1);
        if (tokens > config().contextTokens()) {
            throw new IllegalArgumentException(
                    tokens + " tokens do not fit the context of " + config().contextTokens());
        }
        return logits(hidden(featuresBTE, Tensor.range(tokens), CAUSAL));
    }

    /**
     * For one step of many sequences over what the cache holds of them: the tokens' keys and values are added to it.
     *
     * @return logits after the tokens that want them, in the order of the step: FLOAT32, [wanted, V]; [0, V] if none does
     * @throws IllegalArgumentException when positions do not follow what the cache holds, or a token is none
     * @throws CacheFull when the cache has no room; whenever it throws, the cache is as it was
     */
    public final Tensor step(DecoderStep step, KeyValueCache cache) {
        step.requireTokensBelow(config().vocabularySize());
        try (KeyValueCache.Staged staged = cache.stage(step)) {
            int n = step.size();
            Tensor tokensBN = Tensor.of(staged.inOrder(step::token), 1, n);
            Tensor positionsN = Tensor.of(staged.inOrder(step::position), n);
            Tensor hiddenBNE = hidden(embed(tokensBN), positionsN, staged);
            int[] wanted = staged.wanted();
            Tensor wantedWE = hiddenBNE.reshape(n, hiddenBNE.size(2)).rows(Tensor.of(wanted, wanted.length));
            Tensor logits = logits(wantedWE).to(DType.FLOAT32);
            staged.commit();
            return logits;
        }
    }

    /**
     * Features of tokens before the first layer.
     *
     * @param tokensBT INT64
     * @return [B, T, E]
     */
    public abstract Tensor embed(Tensor tokensBT);

    /**
     * All layers and the last normalisation.
     *
     * @param positionsT INT64, where the tokens stand in their sequences
     * @return [B, T, E]
     */
    abstract Tensor hidden(Tensor featuresBTE, Tensor positionsT, Attention attention);

    /** […, E] to […, V]. */
    abstract Tensor logits(Tensor hidden);
}
