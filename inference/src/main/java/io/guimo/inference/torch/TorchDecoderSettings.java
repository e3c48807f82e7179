package io.guimo.inference.torch;

import io.guimo.model.decoder.DecoderConfig;
import io.guimo.model.decoder.KeyValueCache;
import io.guimo.tensor.DType;

/**
 * How a decoder is evaluated by libtorch.
 *
 * @param contextTokens most positions of one sequence, 1 or more; 0: what the model was trained with
 * @param cacheBytes memory for keys and values of all sequences, enough for one context
 * @param maxSequences most sequences that hold state at a time, 1 or more
 * @param batchTokens most tokens of one step, 1 or more
 */
public record TorchDecoderSettings(int contextTokens, long cacheBytes, int maxSequences, int batchTokens) {
    public TorchDecoderSettings {
        if (contextTokens < 0)
            throw new IllegalArgumentException("contextTokens is " + contextTokens + "; give 0 or more");
        if (maxSequences < 1 || maxSequences > 65_536) {
            throw new IllegalArgumentException("maxSequences is " + maxSequences + "; give 1 to 65536");
        }
        if (batchTokens < 1 || batchTokens > 65_536) {
            throw new IllegalArgumentException("batchTokens is " + batchTokens + "; give 1 to 65536");
        }
    }

    int contextTokens(DecoderConfig config) {
        if (contextTokens > config.contextTokens()) {
            throw new IllegalArgumentException("contextTokens is " + contextTokens + "; the model was trained with "
                    + config.contextTokens() + " positions: give that or less");
        }
        return contextTokens == 0 ? config.contextTokens() : contextTokens;
    }

    /** Positions that the memory has room for. */
    int cacheTokens(DecoderConfig config, DType type) {
        long each = KeyValueCache.bytesPerToken(config, type);
        long tokens = Math.min(cacheBytes / each, 1 << 28);
        int context = contextTokens(config);
        if (tokens < context) {
            throw new IllegalArgumentException("cacheBytes is " + cacheBytes + ", room for " + tokens
                    + " positions; one context of " + context + " needs " + context * each);
        }
        return (int) tokens;
    }
}
