package io.guimo.data;

import java.util.List;
import java.util.stream.IntStream;

/**
 * Proof that no row of the test part reached training: what was compared by which rule, which pairs were found, and which training rows were dropped
 * for it.
 *
 * @param rule how rows were compared, in words, with the threshold
 * @param threshold greatest distance at which two rows count as near; 0 where only equal rows do
 * @param trainingRows rows compared that were meant for learning or choosing
 * @param testRows rows compared that are for judging
 * @param pairs every pair at or below the threshold
 * @param dropped rows taken out of training and validation for it, ascending, numbered as in the training source
 */
public record ContaminationReport(
        String rule, double threshold, int trainingRows, int testRows, List<Pair> pairs, List<Integer> dropped) {
    /**
     * @param distance 0 when the rows are equal
     */
    public record Pair(int trainingRow, int testRow, double distance) {}

    public ContaminationReport {
        pairs = List.copyOf(pairs);
        dropped = List.copyOf(dropped);
    }

    public long exactPairs() {
        return pairs.stream().filter(pair -> pair.distance == 0).count();
    }

    public int[] droppedRows() {
        return dropped.stream().flatMapToInt(IntStream::of).toArray();
    }
}
