package io.guimo.data;

import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;

/**
 * Which rows are for learning, for choosing and for judging.
 *
 * @param seed what decided it
 * @param training rows to learn from, ascending. The arrays are the split's own: read them, don't write to them.
 * @param validation rows to stop and choose on
 * @param test rows to be read once, at the end; empty when the data set brings a test part of its own
 */
@SuppressWarnings("ArrayRecordComponent") // row numbers by the ten thousand stay unboxed
public record Split(long seed, int[] training, int[] validation, int[] test) {
    public Split {
        training = training.clone();
        validation = validation.clone();
        test = test.clone();
        int[] all = IntStream.concat(
                        Arrays.stream(training), IntStream.concat(Arrays.stream(validation), Arrays.stream(test)))
                .sorted()
                .toArray();
        for (int i = 1; i < all.length; i++) {
            if (all[i] == all[i - 1]) throw new IllegalArgumentException("row " + all[i] + " is in two parts");
        }
    }

    /**
     * Ranks the rows by a hash of seed and row number; the first ranks are the test part, the next the validation part, the rest is for training.
     * So the parts have exactly the sizes asked for, and a row's rank does not depend on how many rows follow it.
     *
     * @param rows how many there are
     * @param validation how many of them to choose on
     * @param test how many of them to judge by
     */
    public static Split seeded(int rows, int validation, int test, long seed) {
        if (validation < 0 || test < 0 || (long) validation + test >= Math.max(1, rows)) {
            throw new IllegalArgumentException("validation " + validation + " and test " + test + " of " + rows
                    + " rows leave nothing to learn from; together they must be less than the rows");
        }
        int[] ranked = IntStream.range(0, rows)
                .boxed()
                .sorted(Comparator.<Integer>comparingLong(row -> hash(seed, row))
                        .thenComparingInt(row -> row))
                .mapToInt(Integer::intValue)
                .toArray();
        return new Split(
                seed,
                ascending(ranked, test + validation, rows),
                ascending(ranked, test, test + validation),
                ascending(ranked, 0, test));
    }

    /** The same split without some rows of its training and validation parts. */
    public Split without(int[] rows) {
        int[] sorted = rows.clone();
        Arrays.sort(sorted);
        return new Split(
                seed,
                Arrays.stream(training)
                        .filter(row -> Arrays.binarySearch(sorted, row) < 0)
                        .toArray(),
                Arrays.stream(validation)
                        .filter(row -> Arrays.binarySearch(sorted, row) < 0)
                        .toArray(),
                test);
    }

    private static int[] ascending(int[] ranked, int from, int to) {
        int[] rows = Arrays.copyOfRange(ranked, from, to);
        Arrays.sort(rows);
        return rows;
    }

    /** The finaliser of SplitMix64 (Steele, Lea, Flood 2014) over seed and row. */
    private static long hash(long seed, long row) {
        long z = seed * 0x9E3779B97F4A7C15L + (row + 1) * 0xD1B54A32D192ED03L;
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }
}
