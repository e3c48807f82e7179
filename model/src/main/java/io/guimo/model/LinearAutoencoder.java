package io.guimo.model;

import io.guimo.tensor.DType;
import io.guimo.tensor.Tensor;

/**
 * Scores every item by the items already in a basket: one matrix from items to items whose diagonal is zero, so that an item says nothing about
 * itself. The shallow autoencoder of Steck 2019 (EASE, arXiv 1905.03375), trained by gradient steps with hidden inputs in place of its closed
 * form, so that the loss is free.
 *
 * <p>B batch, N items.
 */
public final class LinearAutoencoder extends Module {
    private final double dropout;
    private final Tensor weightNN; // row: an item to score; column: an item in the basket
    private final Tensor biasN;
    private final Tensor offDiagonalNN;

    /**
     * @param items N, at least 2
     * @param dropout share of the inputs hidden in training
     */
    public LinearAutoencoder(int items, double dropout) {
        if (items < 2)
            throw new IllegalArgumentException(items + " items leave nothing to recommend: at least 2 are needed");
        this.dropout = dropout;
        weightNN = parameter("weight", Tensor.normal(0, .01, items, items));
        biasN = parameter("bias", Tensor.zeros(DType.FLOAT32, items));
        // fixed by the size, so neither trained nor stored
        offDiagonalNN = constant(Tensor.full(1, items, items).fillDiagonalInPlace(0));
    }

    /**
     * @param basketBN 1 where the basket holds the item, else 0; FLOAT32
     * @return a score for each item, [B, N]: logits of a softmax or sums for a squared loss, as the problem trains it
     */
    @Override
    public Tensor forward(Tensor basketBN) {
        Tensor seenBN = basketBN.dropout(dropout, training());
        return seenBN.linear(weightNN.multiply(offDiagonalNN), biasN); // [B, N]
    }
}
