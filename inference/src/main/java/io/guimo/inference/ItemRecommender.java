package io.guimo.inference;

import java.util.List;

/** Says which items go well with given ones. */
public non-sealed interface ItemRecommender extends HostedModel {
    /**
     * @param items names of known items, 1 to {@link #maxItems()}; repeated names count once
     * @param limit how many items to return, 1 to the number of the model's items
     * @return items not among the given ones, best first; equal scores in the order of the model's item list
     * @throws InvalidInput an item is unknown (the message names the nearest known one), or a bound is passed
     * @throws Overloaded   the queue is full
     * @throws EngineClosed the engine is closing
     */
    List<ScoredItem> recommend(List<String> items, int limit);

    /** All items in the model's own order. */
    List<String> items();

    /** The most items that one call may bring. */
    int maxItems();
}
