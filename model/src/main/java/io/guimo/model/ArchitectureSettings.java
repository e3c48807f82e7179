package io.guimo.model;

import org.jspecify.annotations.Nullable;

/** A network's block in the business file, chosen by {@code kind}: the record's name in kebab case. */
public sealed interface ArchitectureSettings
        permits ArchitectureSettings.Resnet,
                ArchitectureSettings.LinearAutoencoder,
                ArchitectureSettings.Llama,
                ArchitectureSettings.Gpt2 {
    /**
     * {@link SmallResNet}.
     *
     * @param width channels of the first stage, 4 to 512, a multiple of 4; the second has twice as many; 32 if left out
     */
    record Resnet(@Nullable Integer width) implements ArchitectureSettings {
        private static final int DEFAULT_WIDTH = 32;

        public Resnet {
            if (width == null) width = DEFAULT_WIDTH;
            if (width < 4 || width > 512 || width % 4 != 0) {
                throw new IllegalArgumentException(
                        "width " + width + " must be a multiple of 4 from 4 to 512, such as " + DEFAULT_WIDTH);
            }
        }

        @Override
        @SuppressWarnings("NullAway") // the constructor filled it in
        public Integer width() {
            return width;
        }
    }

    /**
     * {@link io.guimo.model.LinearAutoencoder}.
     *
     * @param dropout share of a basket's items hidden from the network in training, 0 to under 1; 0.5 if left out
     */
    record LinearAutoencoder(@Nullable Double dropout) implements ArchitectureSettings {
        private static final double DEFAULT_DROPOUT = .5;

        public LinearAutoencoder {
            if (dropout == null) dropout = DEFAULT_DROPOUT;
            if (!(dropout >= 0 && dropout < 1)) {
                throw new IllegalArgumentException(
                        "dropout " + dropout + " must be at least 0 and under 1, such as " + DEFAULT_DROPOUT);
            }
        }

        @Override
        @SuppressWarnings("NullAway") // the constructor filled it in
        public Double dropout() {
            return dropout;
        }
    }

    /**
     * {@link io.guimo.model.decoder.LlamaDecoder}.
     *
     * @param layers 1 to 200; 6 if left out
     * @param width features of a token, 8 to 16,384, divided evenly by the heads; 256 if left out
     * @param heads of queries, each with an even number of features; width / 64 if left out, at least 1
     * @param kvHeads heads of keys and values, a divisor of the heads; as many if left out
     * @param context most tokens of a sequence, 8 to 131,072, and of a window in training; 128 if left out
     * @param vocabulary tokens of the tokenizer that is learnt, 257 to 262,144; 2,048 if left out
     * @param dropout share of the embeddings' features hidden in training, 0 to under 1; 0 if left out
     */
    record Llama(
            @Nullable Integer layers,
            @Nullable Integer width,
            @Nullable Integer heads,
            @Nullable Integer kvHeads,
            @Nullable Integer context,
            @Nullable Integer vocabulary,
            @Nullable Double dropout)
            implements ArchitectureSettings {
        public Llama {
            if (layers == null) layers = DecoderSize.LAYERS;
            if (width == null) width = DecoderSize.WIDTH;
            if (heads == null) heads = DecoderSize.heads(width);
            if (kvHeads == null) kvHeads = heads;
            if (context == null) context = DecoderSize.CONTEXT;
            if (vocabulary == null) vocabulary = DecoderSize.VOCABULARY;
            if (dropout == null) dropout = 0.0;
            DecoderSize.require(layers, width, heads, context, vocabulary, dropout);
            if (kvHeads < 1 || heads % kvHeads != 0) {
                throw new IllegalArgumentException(
                        "kvHeads " + kvHeads + " must divide the heads evenly, which are " + heads);
            }
            if (width / heads % 2 != 0) {
                throw new IllegalArgumentException("width " + width + " and heads " + heads + " give a head "
                        + width / heads + " features; a rotation needs an even number");
            }
        }

        @Override
        @SuppressWarnings("NullAway") // the constructor filled it in
        public Integer layers() {
            return layers;
        }

        @Override
        @SuppressWarnings("NullAway") // the constructor filled it in
        public Integer width() {
            return width;
        }

        @Override
        @SuppressWarnings("NullAway") // the constructor filled it in
        public Integer heads() {
            return heads;
        }

        @Override
        @SuppressWarnings("NullAway") // the constructor filled it in
        public Integer kvHeads() {
            return kvHeads;
        }

        @Override
        @SuppressWarnings("NullAway") // the constructor filled it in
        public Integer context() {
            return context;
        }

        @Override
        @SuppressWarnings("NullAway") // the constructor filled it in
        public Integer vocabulary() {
            return vocabulary;
        }

        @Override
        @SuppressWarnings("NullAway") // the constructor filled it in
        public Double dropout() {
            return dropout;
        }
    }

    /**
     * {@link io.guimo.model.decoder.Gpt2}.
     *
     * @param layers 1 to 200; 6 if left out
     * @param width features of a token, 8 to 16,384, divided evenly by the heads; 256 if left out
     * @param heads width / 64 if left out, at least 1
     * @param context most tokens of a sequence, 8 to 131,072, and of a window in training; 128 if left out
     * @param vocabulary tokens of the tokenizer that is learnt, 257 to 262,144; 2,048 if left out
     * @param dropout share of the embeddings' features, and of what a layer adds, hidden in training, 0 to under 1; 0 if left out
     */
    record Gpt2(
            @Nullable Integer layers,
            @Nullable Integer width,
            @Nullable Integer heads,
            @Nullable Integer context,
            @Nullable Integer vocabulary,
            @Nullable Double dropout)
            implements ArchitectureSettings {
        public Gpt2 {
            if (layers == null) layers = DecoderSize.LAYERS;
            if (width == null) width = DecoderSize.WIDTH;
            if (heads == null) heads = DecoderSize.heads(width);
            if (context == null) context = DecoderSize.CONTEXT;
            if (vocabulary == null) vocabulary = DecoderSize.VOCABULARY;
            if (dropout == null) dropout = 0.0;
            DecoderSize.require(layers, width, heads, context, vocabulary, dropout);
        }

        @Override
        @SuppressWarnings("NullAway") // the constructor filled it in
        public Integer layers() {
            return layers;
        }

        @Override
        @SuppressWarnings("NullAway") // the constructor filled it in
        public Integer width() {
            return width;
        }

        @Override
        @SuppressWarnings("NullAway") // the constructor filled it in
        public Integer heads() {
            return heads;
        }

        @Override
        @SuppressWarnings("NullAway") // the constructor filled it in
        public Integer context() {
            return context;
        }

        @Override
        @SuppressWarnings("NullAway") // the constructor filled it in
        public Integer vocabulary() {
            return vocabulary;
        }

        @Override
        @SuppressWarnings("NullAway") // the constructor filled it in
        public Double dropout() {
            return dropout;
        }
    }
}
