package io.guimo.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.guimo.evaluate.EvaluationReport;
import io.guimo.model.ArchitectureSettings;
import io.guimo.model.Module;
import io.guimo.model.Safetensors;
import io.guimo.task.CorpusLesson;
import io.guimo.task.TrainingProblem;
import io.guimo.tensor.NativeMemory;
import io.guimo.tensor.Tensor;
import io.guimo.tensor.TensorScope;
import io.guimo.train.TrainSettings.EarlyStopping;
import io.guimo.train.TrainSettings.Optimizer;
import io.guimo.train.TrainSettings.Schedule;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class TrainerTest {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path home;

    @ParameterizedTest
    @EnumSource(Optimizer.class)
    void train_patterns_learnsThem(Optimizer optimizer) throws Exception {
        List<Progress> heard = new ArrayList<>();
        TrainingResult result = train(
                "learns",
                new Patterns(600),
                settings(optimizer, optimizer == Optimizer.ADAMW ? .01 : .1, 6, 1, null),
                heard::add);

        assertThat(result.bestMetrics().get("accuracy")).isGreaterThan(.95);
        assertThat(result.curve()).hasSize(6);
        assertThat(result.steps()).isEqualTo(6 * (600 / 32));
        assertThat(result.stoppedEarly()).isFalse();
        assertThat(result.cpuSeconds()).isPositive();
        assertThat(result.peakMemoryBytes()).isGreaterThan(50 << 20);
        assertThat(result.cost())
                .isCloseTo(BigDecimal.valueOf(result.seconds() * 1.2 / 3600), within(new BigDecimal("0.000001")));
        assertThat(heard.getLast().done()).isEqualTo(heard.getLast().total());
        assertThat(Files.readAllLines(home.resolve("learns/curve.jsonl"))).hasSize(6);
    }

    @Test
    void train_decoderOnSentences_wellBelowTheLettersEntropy() throws Exception {
        CorpusLesson lesson = Sentences.lesson();
        TrainingProblem problem = lesson.problem(new ArchitectureSettings.Gpt2(2, 32, 2, 16, 280, .05));
        List<Progress> heard = new ArrayList<>();
        TrainSettings settings =
                new TrainSettings(Optimizer.ADAMW, .01, 32, 16, Schedule.ONE_CYCLE, .01, null, 1.0, null, 1L);
        TrainingResult result = train("decoder", problem, settings, heard::add);

        // letters alone take about 2.7 nats each; which of two words comes next is chance: ln 2 for about 5 characters,
        // beside some of the line ends
        assertThat(result.bestMetrics().get("natsPerCharacter")).isLessThan(.45);
        assertThat(result.bestEpoch()).isGreaterThan(1); // the least is the best
        assertThat(heard.getLast().unit()).isEqualTo("tok");
        assertThat(heard.getLast().done()).isEqualTo(result.steps() * 32 * 16);
        assertThat(result.tokensPerSecond()).isCloseTo(16 * result.examplesPerSecond(), within(1e-6));

        EvaluationReport report;
        try (Module network = Started.torch().executor().call(() -> {
            try (TensorScope _ = TensorScope.openWithoutGradients()) {
                Module built = problem.build();
                built.load(Safetensors.read(result.bestWeights()).tensors());
                return built;
            }
        })) {
            report = lesson.judge(network, Started.torch().executor());
        }
        assertThat(report.metrics().get("natsPerCharacter"))
                .isCloseTo(result.bestMetrics().get("natsPerCharacter"), within(.05));
    }

    /** The parts of a batch add up to what the whole batch gives, but for the order in which numbers are added. */
    @Test
    void train_inPartsOfABatch_sameWeightsAsAtOnce() throws Exception {
        TrainingProblem problem = Sentences.lesson().problem(new ArchitectureSettings.Llama(1, 16, 2, 2, 16, 260, 0.0));
        TrainSettings whole =
                new TrainSettings(Optimizer.SGD, .1, 32, 1, Schedule.COSINE, 0.0, null, 1.0, null, .2, null, 1L);
        TrainSettings parts =
                new TrainSettings(Optimizer.SGD, .1, 32, 1, Schedule.COSINE, 0.0, null, 1.0, null, .2, 8, 1L);
        TrainingResult one = train("whole", problem, whole, ProgressListener.NONE);
        TrainingResult other = train("parts", problem, parts, ProgressListener.NONE);

        assertThat(other.steps()).isEqualTo(one.steps());
        Started.torch().executor().run(() -> {
            try (TensorScope _ = TensorScope.openWithoutGradients()) {
                Map<String, Tensor> expected =
                        Safetensors.read(one.bestWeights()).tensors();
                Safetensors.read(other.bestWeights()).tensors().forEach((name, tensor) -> {
                    float[] values = tensor.toFloats();
                    float[] wanted = Objects.requireNonNull(expected.get(name)).toFloats();
                    for (int i = 0; i < values.length; i++)
                        assertThat(values[i]).as(name).isCloseTo(wanted[i], within(1e-5f));
                });
            }
        });
    }

    @Test
    void train_sameSeed_sameWeightsBitForBit() throws Exception {
        TrainSettings settings = settings(Optimizer.ADAMW, .01, 2, 3, null);
        TrainingResult one = train("one", new Patterns(200), settings, ProgressListener.NONE);
        TrainingResult two = train("two", new Patterns(200), settings, ProgressListener.NONE);
        TrainingResult other =
                train("other", new Patterns(200), settings(Optimizer.ADAMW, .01, 2, 4, null), ProgressListener.NONE);

        assertThat(two.bestWeights()).hasSameBinaryContentAs(one.bestWeights());
        assertThat(Files.readAllBytes(other.bestWeights())).isNotEqualTo(Files.readAllBytes(one.bestWeights()));
    }

    @Test
    void train_interruptedAtManySteps_sameWeightsAsUninterrupted() throws Exception {
        TrainSettings settings = settings(Optimizer.SGD, .05, 3, 5, null);
        TrainingResult straight = train("straight", new Patterns(200), settings, ProgressListener.NONE);

        int stops = 0;
        @Nullable TrainingResult result = null;
        while (result == null) {
            InterruptingPatterns problem = new InterruptingPatterns(4);
            try (RunFolder folder = RunFolder.open(home.resolve("stopped"), Started.description("patterns"))) {
                result = new Trainer(Started.torch()).train(problem, settings, folder, ProgressListener.NONE);
            } catch (InterruptedException expected) {
                stops++;
            }
        }
        assertThat(stops).isGreaterThanOrEqualTo(4);
        assertThat(result.bestWeights()).hasSameBinaryContentAs(straight.bestWeights());
        assertThat(result.curve())
                .usingRecursiveFieldByFieldElementComparatorIgnoringFields("seconds")
                .isEqualTo(straight.curve());
        assertThat(Thread.currentThread().isInterrupted()).isFalse();
    }

    @Test
    void train_finishedRun_returnsItsResultWithoutTraining() throws Exception {
        TrainSettings settings = settings(Optimizer.ADAMW, .01, 1, 1, null);
        TrainingResult first = train("finished", new Patterns(100), settings, ProgressListener.NONE);
        TrainingResult again = train("finished", new Patterns(100), settings, progress -> {
            throw new AssertionError("trained again");
        });
        assertThat(again).isEqualTo(first);
    }

    @Test
    void train_noImprovement_stopsEarlyWithTheBestWeights() throws Exception {
        // a learning rate of next to nothing: the first epoch's accuracy is never beaten by much, the patience ends
        // soon
        TrainSettings settings = settings(Optimizer.ADAMW, 1e-12, 50, 1, new EarlyStopping("accuracy", 2, null));
        TrainingResult result = train("early", new Patterns(100), settings, ProgressListener.NONE);

        assertThat(result.stoppedEarly()).isTrue();
        assertThat(result.curve().size()).isEqualTo(result.bestEpoch() + 2);
    }

    @Test
    void train_unknownMetric_refusedWithTheNearest() {
        TrainSettings settings = settings(Optimizer.ADAMW, .01, 1, 1, new EarlyStopping("acuracy", 2, null));
        assertThatThrownBy(() -> train("metric", new Patterns(100), settings, ProgressListener.NONE))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("acuracy")
                .hasMessageContaining("did you mean accuracy?");
    }

    @Test
    void train_missingNumberInARow_namesStepAndRow() {
        Patterns problem = new Patterns(100);
        problem.spoil(42);
        assertThatThrownBy(() ->
                        train("spoilt", problem, settings(Optimizer.ADAMW, .01, 2, 1, null), ProgressListener.NONE))
                .isInstanceOf(DivergedException.class)
                .hasMessageContaining("rows [42]")
                .hasMessageContaining("step ");
    }

    @Test
    void train_learningRateTooGreat_saysWhatToLower() {
        TrainSettings settings =
                new TrainSettings(Optimizer.SGD, 10.0, 32, 200, Schedule.CONSTANT, 1.0, .99, null, null, 1L);
        assertThatThrownBy(() -> train("diverges", new Patterns(100), settings, ProgressListener.NONE))
                .isInstanceOf(DivergedException.class)
                .hasMessageContaining("lower learningRate 10.0")
                .hasMessageContaining("clipGradientNorm");
    }

    @Test
    void open_otherRunsFolder_refused() throws Exception {
        train("mine", new Patterns(100), settings(Optimizer.ADAMW, .01, 1, 1, null), ProgressListener.NONE);
        assertThatThrownBy(() -> RunFolder.open(home.resolve("mine"), Started.description("another")))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("another description");
        assertThatThrownBy(() -> train(
                        "mine", new Patterns(100), settings(Optimizer.ADAMW, .02, 1, 1, null), ProgressListener.NONE))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("another settings");
    }

    @Test
    void open_folderInUse_refused() {
        try (RunFolder open = RunFolder.open(home.resolve("used"), Started.description("patterns"))) {
            assertThatThrownBy(() -> RunFolder.open(open.path(), Started.description("patterns")))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("another process trains");
        }
    }

    @Test
    void train_manySteps_nativeMemoryStaysFlat() throws Exception {
        train("warm", new Patterns(320), settings(Optimizer.ADAMW, .01, 2, 1, null), ProgressListener.NONE);
        System.gc(); // handles that no scope owns (constants of libtorch's) are Java's to free
        long handles = NativeMemory.liveHandles();
        long bytes = NativeMemory.liveBytes();
        train(
                "flat",
                new Patterns(320),
                settings(Optimizer.ADAMW, .01, 200, 1, null),
                ProgressListener.NONE); // 2,000 steps
        assertThat(NativeMemory.liveHandles()).isLessThanOrEqualTo(handles + 20);
        assertThat(NativeMemory.liveBytes() - bytes)
                .isLessThan(16 << 20); // the JVM's compilers; a leak would be gigabytes
    }

    private TrainingResult train(
            String folder, TrainingProblem problem, TrainSettings settings, ProgressListener listener)
            throws InterruptedException {
        try (RunFolder run = RunFolder.open(home.resolve(folder), Started.description("patterns"))) {
            return new Trainer(Started.torch(), Duration.ofSeconds(10)).train(problem, settings, run, listener);
        }
    }

    private static TrainSettings settings(
            Optimizer optimizer, double rate, int epochs, long seed, @Nullable EarlyStopping stopping) {
        return new TrainSettings(optimizer, rate, 32, epochs, Schedule.ONE_CYCLE, .01, null, null, stopping, seed);
    }
}
