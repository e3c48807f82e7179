package io.guimo.evaluate;

import io.guimo.evaluate.EvaluationReport.ClassScores;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Every figure of a classifier on one set of examples, from its probabilities. Undefined ratios (a class never predicted, a class without examples)
 * count 0, as scikit-learn's {@code zero_division=0}.
 *
 * @param predicted the most probable label of each example; the first of equals
 * @param macro unweighted means over classes
 * @param micro over all decisions together; for one label an example all three equal the accuracy
 */
@SuppressWarnings("ArrayRecordComponent") // one entry an example; read only
public record ClassificationScores(
        int[] predicted,
        double accuracy,
        double logLoss,
        Average macro,
        Average micro,
        List<ClassScores> perClass,
        Confusion confusion) {
    public record Average(double precision, double recall, double f1) {}

    /**
     * @param labels names of the K labels
     * @param truth label index of each of N examples
     * @param probabilities [N, K]
     */
    public static ClassificationScores of(List<String> labels, int[] truth, double[][] probabilities) {
        int[] predicted = new int[truth.length];
        for (int i = 0; i < truth.length; i++) predicted[i] = mostProbable(probabilities[i]);
        Confusion confusion = Confusion.of(labels, truth, predicted);
        List<ClassScores> perClass = perClass(labels, confusion);
        double accuracy = Metrics.accuracy(truth, predicted);
        Average macro = new Average(
                perClass.stream().mapToDouble(ClassScores::precision).average().orElse(0),
                perClass.stream().mapToDouble(ClassScores::recall).average().orElse(0),
                perClass.stream().mapToDouble(ClassScores::f1).average().orElse(0));
        return new ClassificationScores(
                predicted,
                accuracy,
                Metrics.logLoss(truth, probabilities),
                macro,
                new Average(accuracy, accuracy, accuracy),
                perClass,
                confusion);
    }

    /** The task's metrics by name. */
    public Map<String, Double> byName() {
        Map<String, Double> byName = new LinkedHashMap<>();
        byName.put(Metrics.ACCURACY.name(), accuracy);
        byName.put(Metrics.MACRO_F1.name(), macro.f1());
        byName.put(Metrics.LOG_LOSS.name(), logLoss);
        return byName;
    }

    /** 1 for each example that was right, else 0: what bootstrap intervals of the accuracy resample. */
    public double[] hits(int[] truth) {
        double[] hits = new double[truth.length];
        for (int i = 0; i < truth.length; i++) hits[i] = truth[i] == predicted[i] ? 1 : 0;
        return hits;
    }

    private static int mostProbable(double[] probabilities) {
        int best = 0;
        for (int k = 1; k < probabilities.length; k++) if (probabilities[k] > probabilities[best]) best = k;
        return best;
    }

    private static List<ClassScores> perClass(List<String> labels, Confusion confusion) {
        List<ClassScores> scores = new ArrayList<>();
        for (int k = 0; k < labels.size(); k++) {
            long right = confusion.counts().get(k).get(k);
            long support = confusion.counts().get(k).stream()
                    .mapToLong(Long::longValue)
                    .sum();
            int column = k;
            long claimed = confusion.counts().stream()
                    .mapToLong(row -> row.get(column))
                    .sum();
            double precision = claimed == 0 ? 0 : (double) right / claimed;
            double recall = support == 0 ? 0 : (double) right / support;
            // 2PR / (P + R) written without the division that is undefined when nothing is right
            double f1 = claimed + support == 0 ? 0 : 2.0 * right / (claimed + support);
            scores.add(new ClassScores(labels.get(k), precision, recall, f1, support));
        }
        return scores;
    }
}
