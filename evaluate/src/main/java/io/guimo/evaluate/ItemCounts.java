package io.guimo.evaluate;

/**
 * The small models that a recommender is judged beside: counting, over the training part.
 *
 * @param baskets how many were counted
 * @param count baskets with each of N items
 * @param together baskets with both items, [N, N]
 */
@SuppressWarnings("ArrayRecordComponent") // counted once, read only
public record ItemCounts(int baskets, long[] count, long[][] together) {
    /** @param baskets one array a basket: item indices, each at most once */
    public static ItemCounts of(int items, int[][] baskets) {
        long[] count = new long[items];
        long[][] together = new long[items][items];
        for (int[] basket : baskets) {
            for (int a : basket) {
                count[a]++;
                for (int b : basket) if (a != b) together[a][b]++;
            }
        }
        return new ItemCounts(baskets.length, count, together);
    }

    /** What sells most, whatever is in the basket. */
    public ItemScorer popularity() {
        double[] scores = new double[count.length];
        for (int i = 0; i < scores.length; i++) scores[i] = count[i];
        return basket -> scores.clone();
    }

    /** Sum over the basket's items of P(item | basket's item): "bought together". */
    public ItemScorer coOccurrence() {
        return basket -> {
            double[] scores = new double[count.length];
            for (int in : basket) {
                if (count[in] == 0) continue;
                for (int item = 0; item < scores.length; item++)
                    scores[item] += (double) together[in][item] / count[in];
            }
            return scores;
        };
    }
}
