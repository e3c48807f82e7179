package io.guimo.evaluate;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Every figure of a ranking with one relevant item an example.
 *
 * @param ranks rank of the relevant item of each example, from 1
 */
@SuppressWarnings("ArrayRecordComponent") // one entry an example; read only
public record RankingScores(int[] ranks) {
    public RankingScores {
        ranks = ranks.clone();
        for (int rank : ranks)
            if (rank < 1) throw new IllegalArgumentException("a rank is " + rank + "; ranks count from 1");
        if (ranks.length == 0) throw new IllegalArgumentException("no ranks: at least one example is needed");
    }

    /**
     * Rank of one item among all whose score is not NaN, the highest score first. Ties are broken against the item, so that a model that scores
     * everything alike earns nothing.
     */
    public static int rankOf(int item, double[] scores) {
        int rank = 1;
        for (int other = 0; other < scores.length; other++) if (other != item && scores[other] >= scores[item]) rank++;
        return rank;
    }

    /** 1 for each example whose item is among the first {@code k}, else 0. */
    public double[] hitsAt(int k) {
        return Arrays.stream(ranks).mapToDouble(rank -> rank <= k ? 1 : 0).toArray();
    }

    /** 1 / log2(1 + rank) of each example whose item is among the first {@code k}, else 0. */
    public double[] gainsAt(int k) {
        return Arrays.stream(ranks)
                .mapToDouble(rank -> rank <= k ? Math.log(2) / Math.log(1 + rank) : 0)
                .toArray();
    }

    public double hitRateAt(int k) {
        return Bootstrap.mean(hitsAt(k));
    }

    public double ndcgAt(int k) {
        return Bootstrap.mean(gainsAt(k));
    }

    public double meanReciprocalRank() {
        return Arrays.stream(ranks).mapToDouble(rank -> 1.0 / rank).average().orElseThrow();
    }

    /** The task's metrics by name. */
    public Map<String, Double> byName() {
        Map<String, Double> byName = new LinkedHashMap<>();
        byName.put(Metrics.HIT_RATE_AT_10.name(), hitRateAt(10));
        byName.put(Metrics.NDCG_AT_10.name(), ndcgAt(10));
        byName.put(Metrics.MRR.name(), meanReciprocalRank());
        return byName;
    }
}
