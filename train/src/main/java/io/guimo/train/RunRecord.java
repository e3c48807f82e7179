package io.guimo.train;

import io.guimo.tensor.TorchEnvironment;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * What {@code run.json} says.
 *
 * @param format version of the whole folder
 * @param description what it is a run of
 * @param settings how it trains, defaults filled in
 * @param environment what it began on, and goes on upon
 * @param begunAt when it began
 * @param result what came out, null until it has ended
 */
record RunRecord(
        int format,
        RunDescription description,
        TrainSettings settings,
        TorchEnvironment environment,
        Instant begunAt,
        @Nullable TrainingResult result) {
    /** The version that this code writes and reads. */
    static final int FORMAT = 1;

    RunRecord withResult(TrainingResult ended) {
        return new RunRecord(format, description, settings, environment, begunAt, ended);
    }
}
