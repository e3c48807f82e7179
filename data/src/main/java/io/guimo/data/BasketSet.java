package io.guimo.data;

import java.util.Arrays;
import java.util.List;

/**
 * What was bought together.
 *
 * @param items names of the items; a basket holds indices into them
 * @param baskets one array a basket: ascending item indices, each at most once. The arrays are the set's own: read them, don't write to them.
 */
@SuppressWarnings("ArrayRecordComponent") // indices by the hundred thousand; a list of lists would box every one
public record BasketSet(List<String> items, int[][] baskets) {
    public BasketSet {
        items = List.copyOf(items);
        int[][] copies = new int[baskets.length][];
        for (int row = 0; row < baskets.length; row++) {
            copies[row] = baskets[row].clone();
            for (int i = 0; i < copies[row].length; i++) {
                int item = copies[row][i];
                if (item < 0 || item >= items.size() || (i > 0 && copies[row][i - 1] >= item)) {
                    throw new IllegalArgumentException("basket " + row + " is " + Arrays.toString(copies[row])
                            + "; it must hold ascending indices from 0 to " + (items.size() - 1));
                }
            }
        }
        baskets = copies;
    }

    public int size() {
        return baskets.length;
    }

    /** The baskets named, in that order, over the same items. */
    public BasketSet select(int[] rows) {
        return new BasketSet(
                items, Arrays.stream(rows).mapToObj(row -> baskets[row]).toArray(int[][]::new));
    }
}
