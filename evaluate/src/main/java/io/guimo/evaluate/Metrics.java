package io.guimo.evaluate;

import io.guimo.evaluate.Metric.Better;

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

    private Metrics() {}
}
