package io.guimo.inference;

import io.guimo.model.LinearAutoencoder;
import io.guimo.task.FittedSteps;
import io.guimo.task.RecommendItems;
import io.guimo.units.Meter;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.IntStream;

/**
 * A recommender over the weights of {@link LinearAutoencoder}, computed in plain Java on the caller's thread: a basket of k among N items costs k · N
 * additions, some microseconds, less than handing it to another thread. So nothing queues here, and no batch could help.
 *
 * <p>N items.
 */
final class LinearItemRecommender implements ItemRecommender {
    private static final Set<Meter> METERS = Set.of(Meter.REQUESTS);
    private static final int MAX_ITEMS = 1000;

    private final String name;
    private final String version;
    private final FittedSteps.Items steps;
    private final float[][] fromItemToScoresNN;
    private final float[] biasN;
    private final UsageCounter counter = new UsageCounter(METERS);
    private final LongAdder workNanos = new LongAdder();
    private volatile boolean closed;

    /**
     * @param weightNN the network's matrix: row an item to score, column an item in the basket
     * @param biasN    what is added to every score
     */
    LinearItemRecommender(String name, String version, FittedSteps.Items steps, float[] weightNN, float[] biasN) {
        int n = steps.items().size();
        if (weightNN.length != n * n || biasN.length != n) {
            throw new IllegalArgumentException(
                    "the weights have " + weightNN.length + " and " + biasN.length + " numbers; " + n + " items need "
                            + (n * n) + " and " + n + ": weights and steps belong to different models");
        }
        this.name = name;
        this.version = version;
        this.steps = steps;
        this.biasN = biasN.clone();
        // Turned, so that what an item adds to all scores lies together; an item says nothing about itself.
        this.fromItemToScoresNN = new float[n][n];
        for (int scored = 0; scored < n; scored++) {
            for (int seen = 0; seen < n; seen++) {
                if (scored != seen) fromItemToScoresNN[seen][scored] = weightNN[scored * n + seen];
            }
        }
    }

    @Override
    public List<ScoredItem> recommend(List<String> items, int limit) {
        if (closed) throw new EngineClosed(name, version);
        int n = steps.items().size();
        if (items.isEmpty() || items.size() > MAX_ITEMS) {
            throw new InvalidInput(-1, items.size() + " items; permitted are 1 to " + MAX_ITEMS + " in a request");
        }
        if (limit < 1 || limit > n) {
            throw new InvalidInput(
                    -1, "limit is " + limit + "; permitted are 1 to " + n + ", the number of known items");
        }
        long began = System.nanoTime();
        counter.batchBegan();
        try {
            int[] basket =
                    switch (RecommendItems.prepare(items, steps)) {
                        case RecommendItems.Prepared(int[] indices) -> indices;
                        case RecommendItems.UnknownItem unknown ->
                            throw new InvalidInput(unknown.position(), unknown.message());
                    };
            List<ScoredItem> best = best(basket, limit);
            counter.answered(Map.of(Meter.REQUESTS, 1L));
            return best;
        } finally {
            counter.batchEnded();
            workNanos.add(System.nanoTime() - began);
        }
    }

    private List<ScoredItem> best(int[] basket, int limit) {
        int n = steps.items().size();
        double[] scoresN = new double[n];
        for (int i = 0; i < n; i++) scoresN[i] = biasN[i];
        for (int seen : basket) {
            float[] adds = fromItemToScoresNN[seen];
            for (int i = 0; i < n; i++) scoresN[i] += adds[i];
        }
        boolean[] given = new boolean[n];
        for (int seen : basket) given[seen] = true;
        return IntStream.range(0, n)
                .filter(i -> !given[i])
                .boxed()
                // A stable sort: equal scores stay in the order of the items.
                .sorted(Comparator.comparingDouble((Integer i) -> scoresN[i]).reversed())
                .limit(limit)
                .map(i -> new ScoredItem(steps.items().get(i), scoresN[i]))
                .toList();
    }

    @Override
    public List<String> items() {
        return steps.items();
    }

    @Override
    public int maxItems() {
        return MAX_ITEMS;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public String version() {
        return version;
    }

    @Override
    public Set<Meter> meters() {
        return METERS;
    }

    /** CPU time is taken as elapsed time: the work never blocks, so on a busy machine it is overstated, never understated. */
    @Override
    public EngineUsage usage() {
        return counter.read(workNanos.sum());
    }

    @Override
    public void close() {
        closed = true;
    }
}
