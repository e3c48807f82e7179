package io.guimo.evaluate;

import io.guimo.evaluate.Metric.Better;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/** The figures by which models are compared, by name and definition. */
public final class Metrics {
    public static final Metric ACCURACY =
            new Metric("accuracy", Better.HIGHER, "share of examples whose most probable label is the true one");
    public static final Metric MACRO_F1 = new Metric(
            "macroF1",
            Better.HIGHER,
            "mean over classes of F1, the harmonic mean of precision and recall; a class never predicted counts 0");
    public static final Metric LOG_LOSS =
            new Metric("logLoss", Better.LOWER, "mean of −ln(probability given to the true label)");
    public static final Metric HIT_RATE_AT_10 = new Metric(
            "hitRateAt10", Better.HIGHER, "share of examples whose held-out item is among the first ten recommended");
    public static final Metric NDCG_AT_10 = new Metric(
            "ndcgAt10",
            Better.HIGHER,
            "mean of 1 / log2(1 + rank) of the held-out item where rank ≤ 10, else 0 (Järvelin and Kekäläinen 2002,"
                    + " one relevant item)");
    public static final Metric MRR = new Metric("mrr", Better.HIGHER, "mean of 1 / rank of the held-out item");

    public static final Metric NATS_PER_CHARACTER = new Metric(
            "natsPerCharacter",
            Better.LOWER,
            "−ln(probability of the text) divided by its characters (Unicode code points); of a token model the sum over its tokens, from which the"
                    + " text can be restored, so that models with other tokens compare");

    private static final List<Metric> ALL =
            List.of(ACCURACY, MACRO_F1, LOG_LOSS, HIT_RATE_AT_10, NDCG_AT_10, MRR, NATS_PER_CHARACTER);

    private Metrics() {}

    /** The metric of that name, if it is one of these. */
    public static Optional<Metric> named(String name) {
        return ALL.stream().filter(metric -> metric.name().equals(name)).findFirst();
    }

    /**
     * @param truth label indices
     * @param predicted as many label indices
     */
    public static double accuracy(int[] truth, int[] predicted) {
        requireSameLength(truth.length, predicted.length);
        int right = 0;
        for (int i = 0; i < truth.length; i++) if (truth[i] == predicted[i]) right++;
        return (double) right / truth.length;
    }

    /**
     * Mean of −ln(probability of the true label); probabilities are clipped to the smallest float64 step from 0 and 1, as scikit-learn does.
     *
     * @param truth label indices
     * @param probabilities one row an example, one column a label
     */
    public static double logLoss(int[] truth, double[][] probabilities) {
        requireSameLength(truth.length, probabilities.length);
        double epsilon = Math.ulp(1.0);
        double sum = 0;
        for (int i = 0; i < truth.length; i++) {
            sum -= Math.log(Math.clamp(probabilities[i][truth[i]], epsilon, 1 - epsilon));
        }
        return sum / truth.length;
    }

    /**
     * Area under the receiver operating characteristic: the chance that a positive example scores above a negative one, ties counting half
     * (the Mann-Whitney statistic).
     *
     * @throws IllegalArgumentException unless there are both positive and negative examples
     */
    public static double rocAuc(boolean[] positive, double[] scores) {
        requireSameLength(positive.length, scores.length);
        Integer[] order = IntStream.range(0, scores.length).boxed().toArray(Integer[]::new);
        Arrays.sort(order, Comparator.comparingDouble(i -> scores[i]));
        double positiveRanks = 0;
        long positives = 0;
        for (int start = 0; start < order.length; ) {
            int end = start;
            while (end < order.length && scores[order[end]] == scores[order[start]]) end++;
            double rank = (start + 1 + end) / 2.0; // the mean rank of a run of ties, ranks counting from 1
            for (int i = start; i < end; i++) {
                if (positive[order[i]]) {
                    positiveRanks += rank;
                    positives++;
                }
            }
            start = end;
        }
        long negatives = scores.length - positives;
        if (positives == 0 || negatives == 0) {
            throw new IllegalArgumentException(
                    "the area under the curve needs positive and negative examples; there are " + positives + " and "
                            + negatives);
        }
        return (positiveRanks - positives * (positives + 1) / 2.0) / ((double) positives * negatives);
    }

    private static void requireSameLength(int left, int right) {
        if (left != right || left == 0)
            throw new IllegalArgumentException(
                    left + " true values for " + right + " predictions; give as many, at least 1");
    }
}
