package io.guimo.evaluate;

import java.util.Arrays;
import java.util.List;

/**
 * How often a label was taken for another.
 *
 * @param labels names of the K classes
 * @param counts K rows (true label) of K columns (predicted label)
 */
public record Confusion(List<String> labels, List<List<Long>> counts) {
    public Confusion {
        labels = List.copyOf(labels);
        counts = counts.stream().map(List::copyOf).toList();
    }

    /**
     * @param truth a label index an example
     * @param predicted as many label indices
     */
    public static Confusion of(List<String> labels, int[] truth, int[] predicted) {
        if (truth.length != predicted.length) {
            throw new IllegalArgumentException(truth.length + " true labels for " + predicted.length + " predictions");
        }
        Long[][] counts = new Long[labels.size()][labels.size()];
        for (Long[] row : counts) Arrays.fill(row, 0L);
        for (int i = 0; i < truth.length; i++) counts[truth[i]][predicted[i]]++;
        return new Confusion(
                labels, Arrays.stream(counts).map(row -> List.of(row)).toList());
    }
}
