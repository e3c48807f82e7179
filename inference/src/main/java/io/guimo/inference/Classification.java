package io.guimo.inference;

import java.util.List;

/**
 * The answer for one image.
 *
 * @param labels every label with its probability, the most probable first; labels of equal probability in the order of the model's label list
 */
public record Classification(List<LabelScore> labels) {
    /** @param probability 0 to 1; over all labels they sum to 1 within float rounding */
    public record LabelScore(String label, double probability) {}

    public Classification {
        labels = List.copyOf(labels);
        if (labels.isEmpty()) throw new IllegalArgumentException("a classification without labels");
    }

    /** The most probable label. */
    public LabelScore best() {
        return labels.getFirst();
    }
}
