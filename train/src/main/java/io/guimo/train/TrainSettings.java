package io.guimo.train;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.guimo.evaluate.Metric;
import io.guimo.evaluate.Metrics;
import org.jspecify.annotations.Nullable;

/**
 * How a network is trained: the {@code train} block of a model in the business file. Whatever is left out gets the default named here, and
 * accessors never return null except {@link #earlyStopping}, {@link #clipGradientNorm}, {@link #warmUp} and {@link #microBatch}.
 *
 * @param optimizer adamw if left out
 * @param learningRate greatest step size, over 0 and at most 10; 0.001 for adamw and 0.1 for sgd if left out
 * @param batch examples a step, 1 to 65,536; 128 if left out. The rows left over at the end of an epoch are skipped in it
 * @param epochs passes over the training part, 1 to 100,000; 10 if left out
 * @param schedule how the learning rate moves; one-cycle if left out
 * @param weightDecay decoupled decay of matrices and kernels (not of biases and normalisation), 0 to 1; 0.01 if left out
 * @param momentum of sgd, 0 to under 1; 0.9 if left out; adamw ignores it
 * @param clipGradientNorm longest gradient, over 0; not clipped if left out
 * @param earlyStopping ends a run that no longer improves; never if left out
 * @param warmUp share of the steps in which a constant or cosine rate rises to its greatest, 0 to under 1; 0 if left out
 * @param microBatch examples computed at a time, whose gradients add up to the batch's, so that a batch may be larger than memory; a divisor of the
 *     batch; the whole batch if left out
 * @param seed of initialisation, order, augmentation and dropout; 1 if left out
 */
public record TrainSettings(
        @Nullable Optimizer optimizer,
        @Nullable Double learningRate,
        @Nullable Integer batch,
        @Nullable Integer epochs,
        @Nullable Schedule schedule,
        @Nullable Double weightDecay,
        @Nullable Double momentum,
        @Nullable Double clipGradientNorm,
        @Nullable EarlyStopping earlyStopping,
        // left out of the stored form where they are not set, so that a run which knew nothing of them stays the same
        // run
        @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable Double warmUp,
        @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable Integer microBatch,
        @Nullable Long seed) {
    /** Without warm-up, each batch at once. */
    public TrainSettings(
            @Nullable Optimizer optimizer,
            @Nullable Double learningRate,
            @Nullable Integer batch,
            @Nullable Integer epochs,
            @Nullable Schedule schedule,
            @Nullable Double weightDecay,
            @Nullable Double momentum,
            @Nullable Double clipGradientNorm,
            @Nullable EarlyStopping earlyStopping,
            @Nullable Long seed) {
        this(
                optimizer,
                learningRate,
                batch,
                epochs,
                schedule,
                weightDecay,
                momentum,
                clipGradientNorm,
                earlyStopping,
                null,
                null,
                seed);
    }

    /** The rule that turns gradients into steps. */
    public enum Optimizer {
        ADAMW,
        SGD
    }

    /** How the learning rate moves over a run, see {@link LearningRate}. */
    public enum Schedule {
        CONSTANT,
        COSINE,
        ONE_CYCLE
    }

    /** Which way is better. */
    public enum Goal {
        MAXIMIZE,
        MINIMIZE
    }

    /**
     * @param metric name of a validation metric; it also chooses the best weights
     * @param patience epochs in a row without improvement after which the run ends, at least 1; 3 if left out
     * @param goal which way is better; if left out the metric's own, or for a name that is none: minimize if it ends in loss or error, else maximize
     */
    public record EarlyStopping(
            String metric,
            @Nullable Integer patience,
            @Nullable Goal goal) {
        private static final int DEFAULT_PATIENCE = 3;

        public EarlyStopping {
            if (metric.isBlank())
                throw new IllegalArgumentException(
                        "earlyStopping.metric is empty: name a metric of the task, such as accuracy");
            if (patience == null) patience = DEFAULT_PATIENCE;
            if (patience < 1)
                throw new IllegalArgumentException("earlyStopping.patience " + patience + " must be at least 1 epoch");
            if (goal == null) goal = goalOf(metric);
        }

        /** Which way a metric of this name is better. */
        static Goal goalOf(String metric) {
            String name = metric.toLowerCase(java.util.Locale.ROOT);
            boolean lower = Metrics.named(metric)
                    .map(known -> known.better() == Metric.Better.LOWER)
                    .orElse(name.endsWith("loss") || name.endsWith("error"));
            return lower ? Goal.MINIMIZE : Goal.MAXIMIZE;
        }

        @Override
        @SuppressWarnings("NullAway") // the constructor filled it in
        public Integer patience() {
            return patience;
        }

        @Override
        @SuppressWarnings("NullAway") // the constructor filled it in
        public Goal goal() {
            return goal;
        }
    }

    public TrainSettings {
        if (optimizer == null) optimizer = Optimizer.ADAMW;
        if (learningRate == null) learningRate = optimizer == Optimizer.ADAMW ? 1e-3 : .1;
        if (batch == null) batch = 128;
        if (epochs == null) epochs = 10;
        if (schedule == null) schedule = Schedule.ONE_CYCLE;
        if (weightDecay == null) weightDecay = .01;
        if (momentum == null) momentum = .9;
        if (seed == null) seed = 1L;
        require(
                learningRate > 0 && learningRate <= 10,
                "learningRate",
                learningRate,
                "over 0 and at most 10, such as 0.001");
        require(batch >= 1 && batch <= 65_536, "batch", batch, "1 to 65536, such as 128");
        require(epochs >= 1 && epochs <= 100_000, "epochs", epochs, "1 to 100000, such as 10");
        require(weightDecay >= 0 && weightDecay <= 1, "weightDecay", weightDecay, "0 to 1, such as 0.01");
        require(momentum >= 0 && momentum < 1, "momentum", momentum, "at least 0 and under 1, such as 0.9");
        if (clipGradientNorm != null) {
            require(
                    clipGradientNorm > 0 && Double.isFinite(clipGradientNorm),
                    "clipGradientNorm",
                    clipGradientNorm,
                    "over 0, such as 1; leave it out not to clip");
        }
        if (warmUp != null) {
            require(warmUp >= 0 && warmUp < 1, "warmUp", warmUp, "at least 0 and under 1, such as 0.05");
            if (schedule == Schedule.ONE_CYCLE) {
                throw new IllegalArgumentException("warmUp " + warmUp
                        + " belongs to the schedules constant and cosine: one-cycle has its own, leave it out");
            }
        }
        if (microBatch != null) {
            require(
                    microBatch >= 1 && batch % microBatch == 0,
                    "microBatch",
                    microBatch,
                    "a divisor of batch " + batch + "; leave it out to compute the batch at once");
        }
    }

    /** Examples computed at a time: {@link #microBatch}, or the batch. */
    int examplesAtOnce() {
        return microBatch == null ? batch() : microBatch;
    }

    private static void require(boolean holds, String name, Object value, String range) {
        if (!holds) throw new IllegalArgumentException(name + " " + value + " must be " + range);
    }

    @Override
    @SuppressWarnings("NullAway") // the constructor filled it in
    public Optimizer optimizer() {
        return optimizer;
    }

    @Override
    @SuppressWarnings("NullAway") // the constructor filled it in
    public Double learningRate() {
        return learningRate;
    }

    @Override
    @SuppressWarnings("NullAway") // the constructor filled it in
    public Integer batch() {
        return batch;
    }

    @Override
    @SuppressWarnings("NullAway") // the constructor filled it in
    public Integer epochs() {
        return epochs;
    }

    @Override
    @SuppressWarnings("NullAway") // the constructor filled it in
    public Schedule schedule() {
        return schedule;
    }

    @Override
    @SuppressWarnings("NullAway") // the constructor filled it in
    public Double weightDecay() {
        return weightDecay;
    }

    @Override
    @SuppressWarnings("NullAway") // the constructor filled it in
    public Double momentum() {
        return momentum;
    }

    @Override
    @SuppressWarnings("NullAway") // the constructor filled it in
    public Long seed() {
        return seed;
    }
}
