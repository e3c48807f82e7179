package io.guimo.train;

import io.guimo.model.Module;
import io.guimo.task.Batch;
import io.guimo.task.TrainingProblem;
import io.guimo.tensor.Tensor;
import io.guimo.tensor.Torch;
import io.guimo.tensor.TorchSettings;
import io.guimo.train.TrainSettings.Optimizer;
import io.guimo.train.TrainSettings.Schedule;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.SplittableRandom;

/** A process to be killed: trains a {@link Job} and prints a line for each batch. Arguments: the run's folder, threads, the job. */
final class TrainingChild {
    /** What there is to learn, and how. */
    enum Job {
        PATTERNS,
        /** A decoder, by batches in two parts, with warm-up. */
        SENTENCES;

        TrainingProblem problem() {
            return switch (this) {
                case PATTERNS -> new Patterns(240);
                case SENTENCES -> Sentences.problem();
            };
        }

        TrainSettings settings() {
            return switch (this) {
                case PATTERNS ->
                    new TrainSettings(Optimizer.ADAMW, .01, 16, 4, Schedule.ONE_CYCLE, .01, null, 1.0, null, 8L);
                case SENTENCES ->
                    new TrainSettings(Optimizer.ADAMW, .01, 32, 2, Schedule.COSINE, .01, null, 1.0, null, .1, 16, 8L);
            };
        }
    }

    private TrainingChild() {}

    public static void main(String[] arguments) throws InterruptedException {
        Torch torch = Torch.start(new TorchSettings(
                Path.of(System.getProperty("user.home"), ".guimo", "cache"),
                Started.blas(),
                Integer.valueOf(arguments[1])));
        Job job = Job.valueOf(arguments[2]);
        try (RunFolder folder = RunFolder.open(Path.of(arguments[0]), Started.description("patterns"))) {
            // every step is stored, so that a child which lives for some steps gets further
            new Trainer(torch, Duration.ZERO)
                    .train(new Announced(job.problem()), job.settings(), folder, ProgressListener.NONE);
        }
    }

    private record Announced(TrainingProblem problem) implements TrainingProblem {
        @Override
        public Batch batch(int[] examples, SplittableRandom augmentation) {
            System.out.println("batch");
            return problem.batch(examples, augmentation);
        }

        @Override
        public Module build() {
            return problem.build();
        }

        @Override
        public int exampleCount() {
            return problem.exampleCount();
        }

        @Override
        public Tensor loss(Module network, Batch batch) {
            return problem.loss(network, batch);
        }

        @Override
        public Map<String, Double> validate(Module network) {
            return problem.validate(network);
        }
    }
}
