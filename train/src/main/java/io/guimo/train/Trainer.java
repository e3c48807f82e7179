package io.guimo.train;

import io.guimo.task.TrainingProblem;
import io.guimo.tensor.Torch;
import io.guimo.tensor.TorchEnvironment;
import io.guimo.tensor.TorchExecutor;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;

/**
 * Trains a task's problem in a run's folder.
 *
 * <p>An interrupt of the calling thread stops a run at the next step with a checkpoint. Called again with the same folder, a run goes on where its last
 * checkpoint was; a finished one returns its result at once.
 */
public final class Trainer {
    /** A checkpoint of the small networks costs some milliseconds and a kill at most this much work. */
    private static final Duration CHECKPOINT_EVERY = Duration.ofSeconds(10);

    private final Torch torch;
    private final Duration checkpointEvery;

    public Trainer(Torch torch) {
        this(torch, CHECKPOINT_EVERY);
    }

    /** @param checkpointEvery how much work a kill may cost; zero: a checkpoint after every step */
    public Trainer(Torch torch, Duration checkpointEvery) {
        this.torch = torch;
        this.checkpointEvery = checkpointEvery;
    }

    /**
     * Trains to the end.
     *
     * @throws InterruptedException when interrupted, after a checkpoint
     * @throws DivergedException when a loss or metric is no number
     * @throws IllegalStateException when the folder holds another run, or one that began on an environment that this process can't repeat
     */
    public TrainingResult train(
            TrainingProblem problem, TrainSettings settings, RunFolder folder, ProgressListener listener)
            throws InterruptedException {
        Optional<RunRecord> before = folder.record();
        if (before.isPresent()) {
            folder.requireSame("settings", before.get().settings(), settings);
            TrainingResult ended = before.get().result();
            if (ended != null) return ended.in(folder);
        }
        RunRecord run = before.orElseGet(() -> begin(settings, folder));
        requireRepeatable(run.environment(), folder);
        Callable<TrainingResult> loop = () -> new TrainingLoop(problem, run, folder, listener, checkpointEvery).run();
        try {
            return torch.executor().call(() -> onThreads(run.environment().threads(), loop));
        } catch (CancellationException stopped) {
            Thread.interrupted(); // the flag becomes the exception
            InterruptedException stop =
                    new InterruptedException("training was stopped; called again, it goes on from its checkpoint");
            stop.initCause(stopped);
            throw stop;
        }
    }

    private RunRecord begin(TrainSettings settings, RunFolder folder) {
        RunRecord run = new RunRecord(
                RunRecord.FORMAT, folder.description(), settings, torch.environment(), Instant.now(), null);
        folder.write(run);
        return run;
    }

    /** Another BLAS, libtorch or set of vector instructions rounds otherwise, and the run would not be the one that began. */
    private void requireRepeatable(TorchEnvironment began, RunFolder folder) {
        TorchEnvironment now = torch.environment();
        boolean same = now.torch().equals(began.torch())
                && now.blas() == began.blas()
                && now.device() == began.device()
                && now.processor().equals(began.processor());
        if (!same) {
            throw new IllegalStateException(
                    "the run in " + folder.path() + " began on " + began + " and this process has " + now
                            + ", which rounds otherwise: start the process with the former, or delete the folder to begin anew");
        }
    }

    /** Runs on the number of threads that the run began with, while holding the executor of training, where runs take turns. */
    private TrainingResult onThreads(int threads, Callable<TrainingResult> loop) throws Exception {
        if (threads == torch.environment().threads()) return loop.call();
        try (TorchExecutor pinned = torch.newExecutor("torch-pinned", 1, threads)) {
            return pinned.call(loop);
        }
    }
}
