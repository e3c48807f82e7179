package io.guimo.evaluate;

/** Scores every item for a basket. */
@FunctionalInterface
public interface ItemScorer {
    /**
     * @param basket item indices, ascending
     * @return one score an item, the higher the better; scores of the basket's own items mean nothing
     */
    double[] scores(int[] basket);
}
