package io.guimo.model;

import org.jspecify.annotations.Nullable;

/** A network's block in the business file, chosen by {@code kind}: the record's name in kebab case. */
public sealed interface ArchitectureSettings
        permits ArchitectureSettings.Resnet, ArchitectureSettings.LinearAutoencoder {
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
}
