package io.guimo.train;

import io.guimo.task.Batch;
import io.guimo.tensor.Torch;
import io.guimo.tensor.TorchSettings;
import java.nio.file.Path;
import java.time.Duration;
import java.util.SplittableRandom;

/** A process to be killed: trains {@link Patterns} and prints a line for each batch. Arguments: the run's folder, threads. */
final class TrainingChild {
    static final TrainSettings SETTINGS = new TrainSettings(
            TrainSettings.Optimizer.ADAMW, .01, 16, 4, TrainSettings.Schedule.ONE_CYCLE, .01, null, 1.0, null, 8L);
    static final int EXAMPLES = 240;

    private TrainingChild() {}

    public static void main(String[] arguments) throws InterruptedException {
        Torch torch = Torch.start(new TorchSettings(
                Path.of(System.getProperty("user.home"), ".guimo", "cache"),
                Started.blas(),
                Integer.valueOf(arguments[1])));
        Patterns problem = new Patterns(EXAMPLES) {
            @Override
            public Batch batch(int[] examples, SplittableRandom augmentation) {
                System.out.println("batch");
                return super.batch(examples, augmentation);
            }
        };
        try (RunFolder folder = RunFolder.open(Path.of(arguments[0]), Started.description("patterns"))) {
            // every step is stored, so that a child which lives for some steps gets further
            new Trainer(torch, Duration.ZERO).train(problem, SETTINGS, folder, ProgressListener.NONE);
        }
    }
}
