package io.guimo.task;

import io.guimo.data.BasketSet;
import io.guimo.data.BasketSource;
import io.guimo.data.ContaminationReport;
import io.guimo.data.DataException;
import io.guimo.data.Fingerprint;
import io.guimo.data.Split;
import io.guimo.evaluate.Bootstrap;
import io.guimo.evaluate.EvaluationReport;
import io.guimo.evaluate.EvaluationReport.BaselineResult;
import io.guimo.evaluate.Interval;
import io.guimo.evaluate.ItemCounts;
import io.guimo.evaluate.ItemScorer;
import io.guimo.evaluate.Metrics;
import io.guimo.evaluate.RankingScores;
import io.guimo.model.ArchitectureSettings;
import io.guimo.model.LinearAutoencoder;
import io.guimo.model.Module;
import io.guimo.tensor.Tensor;
import io.guimo.tensor.TensorScope;
import io.guimo.tensor.TorchExecutor;
import java.util.Arrays;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/**
 * Baskets to learn {@link RecommendItems} from: of each basket one item is hidden and must be found from the others.
 *
 * <p>Training hides an item at random each time a basket comes by. Judging hides each item of a basket in turn and takes the mean over the basket's
 * items: what hiding one at random yields on average, without the chance of the draw. A basket is one example, and intervals draw baskets. A basket of
 * one item says nothing about any other and is no example.
 */
public final class BasketLesson implements Lesson {
    /** Added to the logit of an item that is already in the basket: it cannot be the hidden one. */
    private static final double IMPOSSIBLE = -1e9;

    private static final int LEAST_BASKETS = 10;

    private final BasketSource source;
    private final BasketSet training;
    private final BasketSet validation;
    private final BasketSet test;
    private final ContaminationReport contamination;
    private final FittedSteps.Items steps;
    private final List<String> notes;

    private BasketLesson(
            BasketSource source,
            BasketSet training,
            BasketSet validation,
            BasketSet test,
            ContaminationReport contamination,
            List<String> notes) {
        this.source = source;
        this.training = training;
        this.validation = validation;
        this.test = test;
        this.contamination = contamination;
        this.steps = new FittedSteps.Items(source.baskets().items());
        this.notes = List.copyOf(notes);
    }

    /**
     * @throws DataException if there are too few baskets or items to learn from
     */
    public static BasketLesson of(BasketSource source) {
        int all = source.baskets().size();
        BasketSet baskets = source.baskets()
                .select(IntStream.range(0, all)
                        .filter(row -> source.baskets().baskets()[row].length >= 2)
                        .toArray());
        if (baskets.size() < LEAST_BASKETS || baskets.items().size() < 2) {
            throw new DataException(
                    DataException.Code.MALFORMED,
                    source.name() + " has " + baskets.size() + " baskets of at least 2 items over "
                            + baskets.items().size() + " items; at least " + LEAST_BASKETS
                            + " baskets and 2 items are needed to learn anything");
        }
        Split split = Split.seeded(
                baskets.size(),
                (int) Math.round(VALIDATION_SHARE * baskets.size()),
                (int) Math.round(TEST_SHARE * baskets.size()),
                SPLIT_SEED);
        List<String> notes = List.of(
                source.name() + ": " + all + " baskets over " + baskets.items().size() + " items; "
                        + (all - baskets.size()) + " of a single item are no examples",
                "split by a hash of row number and seed " + SPLIT_SEED + ": " + split.training().length
                        + " to learn from, " + split.validation().length + " to choose on, " + split.test().length
                        + " to judge by",
                "each item of a basket is hidden in turn; a basket's figures are means over its items");
        return new BasketLesson(
                source,
                baskets.select(split.training()),
                baskets.select(split.validation()),
                baskets.select(split.test()),
                contamination(split),
                notes);
    }

    /** Equal baskets are real, so only the same row counts; that none is in two parts is checked, not assumed. */
    private static ContaminationReport contamination(Split split) {
        BitSet judged = new BitSet();
        Arrays.stream(split.test()).forEach(judged::set);
        List<ContaminationReport.Pair> pairs = IntStream.concat(
                        Arrays.stream(split.training()), Arrays.stream(split.validation()))
                .filter(judged::get)
                .mapToObj(row -> new ContaminationReport.Pair(row, row, 0))
                .toList();
        return new ContaminationReport(
                "the same row of the source; equal baskets of different customers are real and stay",
                0,
                split.training().length + split.validation().length,
                split.test().length,
                pairs,
                pairs.stream().map(ContaminationReport.Pair::trainingRow).toList());
    }

    @Override
    public Task task() {
        return new RecommendItems();
    }

    @Override
    public FittedSteps.Items steps() {
        return steps;
    }

    @Override
    public ContaminationReport contamination() {
        return contamination;
    }

    @Override
    public Map<String, Fingerprint> fingerprints() {
        return source.fingerprints();
    }

    @Override
    public int trainingRows() {
        return training.size();
    }

    @Override
    public int validationRows() {
        return validation.size();
    }

    @Override
    public int testRows() {
        return test.size();
    }

    @Override
    public List<String> notes() {
        return notes;
    }

    @Override
    public TrainingProblem problem(ArchitectureSettings architecture) {
        return switch (architecture) {
            case ArchitectureSettings.LinearAutoencoder autoencoder -> new Problem(autoencoder);
            case ArchitectureSettings.Resnet _, ArchitectureSettings.Llama _, ArchitectureSettings.Gpt2 _ ->
                throw new IllegalArgumentException("recommend-items learns by a linear-autoencoder, not by "
                        + architecture + ": set architecture.kind to linear-autoencoder");
        };
    }

    @Override
    public EvaluationReport judge(Module network, TorchExecutor executor) {
        BasketScores scores = executor.call(() -> {
            network.evaluate();
            return BasketScores.of(test, scorer(network));
        });
        ItemCounts counts = ItemCounts.of(training.items().size(), training.baskets());
        return new EvaluationReport(
                Metrics.HIT_RATE_AT_10.name(),
                test.size(),
                scores.byName(),
                scores.intervals(),
                List.of(
                        baseline("popularity", counts.popularity(), scores, "how often an item was bought in training"),
                        baseline(
                                "item co-occurrence",
                                counts.coOccurrence(),
                                scores,
                                "sum over the basket's items of the share of their training baskets that hold the item too")),
                null,
                List.of(),
                notes);
    }

    private BaselineResult baseline(String name, ItemScorer scorer, BasketScores model, String note) {
        long start = System.nanoTime();
        BasketScores scores = BasketScores.of(test, HidingScorer.of(scorer));
        Map<String, Interval> advantage = new LinkedHashMap<>();
        advantage.put(Metrics.HIT_RATE_AT_10.name(), Bootstrap.ofDifference(model.hits, scores.hits, SPLIT_SEED));
        advantage.put(Metrics.NDCG_AT_10.name(), Bootstrap.ofDifference(model.gains, scores.gains, SPLIT_SEED));
        return new BaselineResult(name, scores.byName(), advantage, (System.nanoTime() - start) / 1e9, List.of(note));
    }

    /** Scores all items for a basket once for each of its items, that one being hidden. */
    @FunctionalInterface
    private interface HidingScorer {
        /**
         * @return [n, N] for the n items of the basket
         */
        double[][] scores(int[] basket);

        static HidingScorer of(ItemScorer scorer) {
            return basket -> Arrays.stream(basket)
                    .mapToObj(hidden -> scorer.scores(
                            Arrays.stream(basket).filter(item -> item != hidden).toArray()))
                    .toArray(double[][]::new);
        }
    }

    /** The network as a scorer; runs on the executor's thread, the network in evaluation mode. */
    private HidingScorer scorer(Module network) {
        int items = steps.items().size();
        return basket -> {
            float[] shown = new float[basket.length * items];
            for (int row = 0; row < basket.length; row++) {
                for (int item : basket) if (item != basket[row]) shown[row * items + item] = 1;
            }
            try (TensorScope _ = TensorScope.openWithoutGradients()) {
                float[] logits =
                        network.forward(Tensor.of(shown, basket.length, items)).toFloats();
                double[][] scores = new double[basket.length][items];
                for (int i = 0; i < logits.length; i++) scores[i / items][i % items] = logits[i];
                return scores;
            }
        };
    }

    /** One entry a basket: means over its items, each hidden in turn. */
    private static final class BasketScores {
        final double[] hits;
        final double[] gains;
        final double[] reciprocalRanks;

        private BasketScores(List<RankingScores> perBasket) {
            hits = perBasket(perBasket, scores -> scores.hitRateAt(10));
            gains = perBasket(perBasket, scores -> scores.ndcgAt(10));
            reciprocalRanks = perBasket(perBasket, RankingScores::meanReciprocalRank);
        }

        static BasketScores of(BasketSet baskets, HidingScorer scorer) {
            return new BasketScores(Arrays.stream(baskets.baskets())
                    .map(basket -> ranks(basket, scorer.scores(basket)))
                    .toList());
        }

        private static RankingScores ranks(int[] basket, double[][] scores) {
            int[] ranks = new int[basket.length];
            for (int row = 0; row < basket.length; row++) {
                // what is shown is not ranked
                for (int item : basket) if (item != basket[row]) scores[row][item] = Double.NaN;
                ranks[row] = RankingScores.rankOf(basket[row], scores[row]);
            }
            return new RankingScores(ranks);
        }

        private static double[] perBasket(List<RankingScores> scores, ToDoubleFunction<RankingScores> figure) {
            return scores.stream().mapToDouble(figure).toArray();
        }

        Map<String, Double> byName() {
            Map<String, Double> byName = new LinkedHashMap<>();
            byName.put(Metrics.HIT_RATE_AT_10.name(), mean(hits));
            byName.put(Metrics.NDCG_AT_10.name(), mean(gains));
            byName.put(Metrics.MRR.name(), mean(reciprocalRanks));
            return byName;
        }

        Map<String, Interval> intervals() {
            Map<String, Interval> byName = new LinkedHashMap<>();
            byName.put(Metrics.HIT_RATE_AT_10.name(), Bootstrap.ofMean(hits, SPLIT_SEED));
            byName.put(Metrics.NDCG_AT_10.name(), Bootstrap.ofMean(gains, SPLIT_SEED));
            byName.put(Metrics.MRR.name(), Bootstrap.ofMean(reciprocalRanks, SPLIT_SEED));
            return byName;
        }

        private static double mean(double[] values) {
            return Arrays.stream(values).average().orElseThrow();
        }
    }

    private final class Problem implements TrainingProblem {
        private final ArchitectureSettings.LinearAutoencoder autoencoder;

        Problem(ArchitectureSettings.LinearAutoencoder autoencoder) {
            this.autoencoder = autoencoder;
        }

        @Override
        public Module build() {
            return new LinearAutoencoder(steps.items().size(), autoencoder.dropout());
        }

        @Override
        public int exampleCount() {
            return training.size();
        }

        /** Inputs [B, N]: 1 for each item shown. Targets [B]: the hidden item. */
        @Override
        public Batch batch(int[] examples, SplittableRandom augmentation) {
            int items = steps.items().size();
            float[] shown = new float[examples.length * items];
            int[] hidden = new int[examples.length];
            for (int i = 0; i < examples.length; i++) {
                int[] basket = training.baskets()[examples[i]];
                for (int item : basket) shown[i * items + item] = 1;
                hidden[i] = basket[augmentation.nextInt(basket.length)];
                shown[i * items + hidden[i]] = 0;
            }
            return new Batch(Tensor.of(shown, hidden.length, items), Tensor.of(hidden, hidden.length), hidden.length);
        }

        /** Softmax cross entropy of the hidden item among those not shown. */
        @Override
        public Tensor loss(Module network, Batch batch) {
            Tensor logitsBN = network.forward(batch.inputs());
            return logitsBN.add(batch.inputs().multiply(IMPOSSIBLE)).crossEntropy(batch.targets(), 0);
        }

        @Override
        public Map<String, Double> validate(Module network) {
            return BasketScores.of(validation, scorer(network)).byName();
        }
    }
}
