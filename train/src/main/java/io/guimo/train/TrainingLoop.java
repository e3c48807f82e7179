package io.guimo.train;

import io.guimo.model.Module;
import io.guimo.model.Safetensors;
import io.guimo.task.Batch;
import io.guimo.task.TrainingProblem;
import io.guimo.tensor.ParameterKernels;
import io.guimo.tensor.RandomState;
import io.guimo.tensor.Tensor;
import io.guimo.tensor.TensorScope;
import io.guimo.train.Checkpoint.Position;
import io.guimo.train.TrainSettings.EarlyStopping;
import io.guimo.train.TrainSettings.Goal;
import io.guimo.units.NearestName;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The loop: for each epoch a new order of the examples; for each step a batch, its loss, its gradients and an update; at each epoch's end the
 * validation that chooses the best weights. One object runs once, on the executor of training.
 *
 * <p>What a step does depends on the seed, its number and what {@link Checkpoint} stores, and on nothing else: never on a clock.
 */
final class TrainingLoop {
    private static final Logger LOG = LoggerFactory.getLogger(TrainingLoop.class);
    private static final Duration REPORT_EVERY = Duration.ofMillis(500);

    /** An epoch's end is stored too, unless the last checkpoint is younger: epochs of tiny data take milliseconds. */
    private static final Duration EPOCH_CHECKPOINT_AFTER = Duration.ofSeconds(1);

    private static final long ORDER = 1; // streams of chance, all from the one seed
    private static final long AUGMENTATION = 2;

    private final TrainingProblem problem;
    private final RunRecord run;
    private final TrainSettings settings;
    private final RunFolder folder;
    private final ProgressListener listener;
    private final Duration checkpointEvery;
    private final int batchSize;
    private final int stepsPerEpoch;
    private final LearningRate learningRate;

    // the position: what Checkpoint.Position stores
    private int epoch;
    private int stepInEpoch;
    private long step;
    private double lossSum;
    private int bestEpoch;
    private Map<String, Double> bestMetrics = Map.of();
    private int epochsWithoutImprovement;
    private List<CurvePoint> curve = new ArrayList<>();
    private RunClock clock = new RunClock(0, 0, 0);

    // the rate, of this part of the run
    private long reportedNanos;
    private long reportedStep;
    private double examplesPerSecond;
    private long checkpointNanos;

    TrainingLoop(
            TrainingProblem problem,
            RunRecord run,
            RunFolder folder,
            ProgressListener listener,
            Duration checkpointEvery) {
        this.problem = problem;
        this.run = run;
        this.settings = run.settings();
        this.folder = folder;
        this.listener = listener;
        this.checkpointEvery = checkpointEvery;
        int examples = problem.exampleCount();
        if (examples < 1)
            throw new IllegalArgumentException("the training part is empty: there is nothing to learn from");
        batchSize = Math.min(settings.batch(), examples);
        stepsPerEpoch = examples / batchSize;
        learningRate = new LearningRate(
                settings.schedule(),
                settings.learningRate(),
                Math.multiplyExact((long) stepsPerEpoch, settings.epochs()),
                settings.warmUp() == null ? 0 : settings.warmUp());
    }

    /** @throws InterruptedException after a checkpoint, when this thread was interrupted */
    TrainingResult run() throws InterruptedException {
        RandomState.seed(settings.seed());
        try (TensorScope scope = TensorScope.open();
                Module network = problem.build();
                UpdateRule rule = UpdateRule.of(settings, network.parameters())) {
            Map<String, Tensor> parameters = network.parameters();
            Map<String, Tensor> best = new LinkedHashMap<>();
            network.state().forEach((name, tensor) -> best.put(name, scope.adopt(detachedCopy(tensor))));
            resume(network, best, rule);
            while (epoch < settings.epochs() && !exhausted()) {
                int[] order = order(epoch);
                while (stepInEpoch < stepsPerEpoch) {
                    step(network, parameters, rule, order);
                    if (System.nanoTime() - reportedNanos >= REPORT_EVERY.toNanos()) report("");
                    if (Thread.interrupted()) {
                        checkpoint(network, best, rule);
                        throw new InterruptedException("stopped after step " + step);
                    }
                    if (sinceCheckpoint().compareTo(checkpointEvery) >= 0) checkpoint(network, best, rule);
                }
                endEpoch(network, best);
                if (sinceCheckpoint().compareTo(EPOCH_CHECKPOINT_AFTER) >= 0) checkpoint(network, best, rule);
            }
            return finish(best);
        }
    }

    private void resume(Module network, Map<String, Tensor> best, UpdateRule rule) {
        if (Files.exists(folder.checkpoint())) {
            Position at = Checkpoint.restore(folder.checkpoint(), network, best, rule);
            epoch = at.epoch();
            stepInEpoch = at.stepInEpoch();
            step = at.step();
            lossSum = at.lossSum();
            bestEpoch = at.bestEpoch();
            bestMetrics = at.bestMetrics();
            epochsWithoutImprovement = at.epochsWithoutImprovement();
            curve = new ArrayList<>(at.curve());
            clock = new RunClock(at.seconds(), at.cpuSeconds(), at.peakMemoryBytes());
            LOG.info("run in {} resumes after step {}", folder.path(), step);
        }
        checkpointNanos = System.nanoTime();
        reportedNanos = System.nanoTime();
        reportedStep = step;
    }

    private void step(Module network, Map<String, Tensor> parameters, UpdateRule rule, int[] order) {
        int[] examples = Arrays.copyOfRange(order, stepInEpoch * batchSize, (stepInEpoch + 1) * batchSize);
        SplittableRandom augmentation = chance(AUGMENTATION, step);
        int atOnce = Math.min(settings.examplesAtOnce(), batchSize);
        double value = 0;
        for (int from = 0; from < batchSize; from += atOnce) {
            int to = Math.min(from + atOnce, batchSize);
            value += gradients(network, Arrays.copyOfRange(examples, from, to), augmentation);
        }
        double gradientNorm = update(parameters, rule);
        if (!Double.isFinite(gradientNorm)) throw unstable("gradient's norm", gradientNorm);
        lossSum += value;
        stepInEpoch++;
        step++;
    }

    /**
     * Adds the gradients of a part of the batch, which may be all of it, to those that the parameters have.
     *
     * @return its share in the batch's mean loss
     */
    private double gradients(Module network, int[] examples, SplittableRandom augmentation) {
        try (TensorScope _ = TensorScope.open()) {
            Batch batch = problem.batch(examples, augmentation);
            Tensor loss = problem.loss(network, batch);
            double value = loss.item();
            if (!Double.isFinite(value)) throw diverged("loss", value, batch, examples);
            if (examples.length == batchSize) {
                loss.backward();
                return value;
            }
            double share = (double) examples.length / batchSize;
            loss.multiply(share).backward();
            return value * share;
        }
    }

    /** @return the gradient's norm before clipping; if it is no number, the parameters are left as they were */
    private double update(Map<String, Tensor> parameters, UpdateRule rule) {
        try (TensorScope _ = TensorScope.openWithoutGradients()) {
            List<Tensor> gradients = new ArrayList<>();
            parameters.forEach((name, parameter) -> {
                gradients.add(parameter
                        .gradient()
                        .orElseThrow(() -> new IllegalStateException("the loss does not depend on the parameter " + name
                                + ": the network has a part that nothing trains")));
                parameter.clearGradient();
            });
            double norm = ParameterKernels.norm(gradients);
            if (!Double.isFinite(norm)) return norm;
            Double longest = settings.clipGradientNorm();
            if (longest != null && norm > longest) ParameterKernels.multiplyInPlace(gradients, longest / norm);
            rule.step(gradients, learningRate.at(step), step + 1);
            return norm;
        }
    }

    private void endEpoch(Module network, Map<String, Tensor> best) {
        Map<String, Double> metrics = validate(network);
        String metric = choosingMetric(metrics);
        double value = metrics.getOrDefault(metric, Double.NaN);
        epoch++;
        if (Double.isNaN(value)) {
            throw new DivergedException("the validation's " + metric + " is not a number after epoch " + epoch
                    + ": look for missing values in the validation part, or lower learningRate "
                    + settings.learningRate());
        }
        curve.add(new CurvePoint(
                epoch,
                step,
                step * batchSize,
                learningRate.at(step - 1),
                lossSum / stepsPerEpoch,
                metrics,
                clock.seconds()));
        lossSum = 0;
        stepInEpoch = 0;
        if (bestEpoch == 0 || better(goal(metric), value, bestMetrics.getOrDefault(metric, Double.NaN))) {
            bestEpoch = epoch;
            bestMetrics = metrics;
            epochsWithoutImprovement = 0;
            try (TensorScope _ = TensorScope.openWithoutGradients()) {
                network.state().forEach((name, tensor) -> {
                    Tensor kept = best.get(name);
                    if (kept != null) kept.copyInPlace(tensor);
                });
            }
        } else {
            epochsWithoutImprovement++;
        }
        report(", " + metric + " " + String.format(Locale.ROOT, "%.4f", value));
    }

    private Map<String, Double> validate(Module network) {
        network.evaluate();
        try (TensorScope _ = TensorScope.openWithoutGradients()) {
            return new LinkedHashMap<>(problem.validate(network));
        } finally {
            network.train();
        }
    }

    private String choosingMetric(Map<String, Double> metrics) {
        EarlyStopping stopping = settings.earlyStopping();
        if (stopping == null) return metrics.keySet().iterator().next();
        if (!metrics.containsKey(stopping.metric())) {
            throw new IllegalArgumentException(
                    "earlyStopping.metric " + stopping.metric() + " is none of the task's metrics "
                            + metrics.keySet()
                            + NearestName.of(stopping.metric(), metrics.keySet())
                                    .map(name -> ": did you mean " + name + "?")
                                    .orElse(""));
        }
        return stopping.metric();
    }

    private Goal goal(String metric) {
        EarlyStopping stopping = settings.earlyStopping();
        return stopping == null ? EarlyStopping.goalOf(metric) : stopping.goal();
    }

    private static boolean better(Goal goal, double value, double than) {
        return switch (goal) {
            case MAXIMIZE -> value > than;
            case MINIMIZE -> value < than;
        };
    }

    private boolean exhausted() {
        EarlyStopping stopping = settings.earlyStopping();
        return stopping != null && epochsWithoutImprovement >= stopping.patience();
    }

    private TrainingResult finish(Map<String, Tensor> best) {
        Safetensors.write(folder.bestWeights(), best, Map.of());
        folder.writeCurve(curve);
        double seconds = clock.seconds();
        BigDecimal costPerHour = run.description().costPerHour();
        TrainingResult result = new TrainingResult(
                folder.bestWeights(),
                bestEpoch,
                bestMetrics,
                curve,
                epoch < settings.epochs(),
                step,
                step * batchSize / seconds,
                problem.tokensPerExample() == 0 ? null : step * batchSize * problem.tokensPerExample() / seconds,
                seconds,
                clock.cpuSeconds(),
                clock.peakMemoryBytes(),
                costPerHour == null ? null : cost(costPerHour, seconds),
                run.description().currency(),
                run.environment());
        folder.write(run.withResult(result));
        try {
            Files.deleteIfExists(folder.checkpoint());
        } catch (IOException kept) {
            LOG.warn("{} is no longer needed and could not be deleted: {}", folder.checkpoint(), kept.getMessage());
        }
        LOG.info("run in {} ended after {} steps: {}", folder.path(), step, bestMetrics);
        return result;
    }

    /** To a millionth of the currency's unit; a measurement, not a posting. */
    private static BigDecimal cost(BigDecimal perHour, double seconds) {
        return perHour.multiply(BigDecimal.valueOf(seconds))
                .divide(BigDecimal.valueOf(3600), 6, RoundingMode.HALF_EVEN);
    }

    private void checkpoint(Module network, Map<String, Tensor> best, UpdateRule rule) {
        Position at = new Position(
                epoch,
                stepInEpoch,
                step,
                lossSum,
                bestEpoch,
                bestMetrics,
                epochsWithoutImprovement,
                curve,
                clock.seconds(),
                clock.cpuSeconds(),
                clock.peakMemoryBytes());
        Checkpoint.write(folder.checkpoint(), network, best, rule, at);
        folder.writeCurve(curve);
        checkpointNanos = System.nanoTime();
    }

    private Duration sinceCheckpoint() {
        return Duration.ofNanos(System.nanoTime() - checkpointNanos);
    }

    private void report(String news) {
        long now = System.nanoTime();
        if (step > reportedStep) {
            double lately = (step - reportedStep) * batchSize / ((now - reportedNanos) / 1e9);
            // steady enough to read
            examplesPerSecond = examplesPerSecond == 0 ? lately : .7 * examplesPerSecond + .3 * lately;
        }
        reportedNanos = now;
        reportedStep = step;
        boolean tokens = problem.tokensPerExample() > 0;
        long unitsPerStep = (long) batchSize * (tokens ? problem.tokensPerExample() : 1);
        long total = learningRate.steps() * unitsPerStep;
        long done = step * unitsPerStep;
        double perSecond = examplesPerSecond / batchSize * unitsPerStep;
        Duration remaining = perSecond == 0 ? null : Duration.ofMillis((long) (1000 * (total - done) / perSecond));
        double meanLoss = stepInEpoch == 0 ? curve.getLast().trainLoss() : lossSum / stepInEpoch;
        String message = String.format(
                Locale.ROOT,
                "epoch %d of %d, loss %.4f%s",
                Math.min(epoch + 1, settings.epochs()),
                settings.epochs(),
                meanLoss,
                news);
        listener.progressed(new Progress("train", done, total, perSecond, tokens ? "tok" : "ex", remaining, message));
    }

    /** Which examples come in which order in an epoch. */
    private int[] order(int epoch) {
        int[] order = IntStream.range(0, problem.exampleCount()).toArray();
        SplittableRandom chance = chance(ORDER, epoch);
        for (int last = order.length - 1; last > 0; last--) { // Fisher and Yates
            int other = chance.nextInt(last + 1);
            int swapped = order[last];
            order[last] = order[other];
            order[other] = swapped;
        }
        return order;
    }

    private SplittableRandom chance(long stream, long index) {
        // an odd factor other than SplittableRandom's own increment: with that, neighbouring indices would share their
        // sequence, shifted by one
        long mixed =
                (settings.seed() * 0xD1B54A32D192ED03L + stream) * 0xAEF17502108EF2D9L + index * 0xDB4F0B9175AE2165L;
        return new SplittableRandom(mixed);
    }

    private DivergedException diverged(String what, double value, Batch batch, int[] examples) {
        int[] bad = IntStream.range(0, batch.size())
                .filter(row -> !batch.inputs().narrow(0, row, 1).isFinite())
                .map(row -> examples[row])
                .limit(10)
                .toArray();
        if (bad.length > 0) {
            return new DivergedException(where(what, value) + "the inputs of rows " + Arrays.toString(bad)
                    + " of the training part hold infinite or missing numbers; clean or drop those rows");
        }
        return unstable(what, value);
    }

    private DivergedException unstable(String what, double value) {
        return new DivergedException(
                where(what, value) + "the inputs are sound, so training left its stable range; lower learningRate "
                        + settings.learningRate() + " (for instance to " + settings.learningRate() / 10 + ")"
                        + (settings.clipGradientNorm() == null ? " or set clipGradientNorm: 1" : ""));
    }

    private String where(String what, double value) {
        return "the " + what + " is " + value + " at step " + (step + 1) + " (epoch " + (epoch + 1) + ", batch "
                + (stepInEpoch + 1) + "): ";
    }

    private static Tensor detachedCopy(Tensor tensor) {
        try (TensorScope scope = TensorScope.openWithoutGradients()) {
            return scope.moveOut(tensor.copy());
        }
    }
}
