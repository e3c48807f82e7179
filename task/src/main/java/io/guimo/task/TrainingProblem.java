package io.guimo.task;

import io.guimo.model.Module;
import io.guimo.tensor.Tensor;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * A trainable task bound to prepared data: all that the training loop asks. Called on the executor of training, inside the scope of a step, so that
 * tensors made here die with the step. A pure function of its arguments and libtorch's random state, so that a run repeats and resumes bit for bit.
 */
public interface TrainingProblem {
    /** A new network in training mode, its parameters drawn from libtorch's seeded state. The caller closes it. */
    Module build();

    /** Rows of the training part, at least 1. */
    int exampleCount();

    /** Tokens of an example, by which the speed of training is told; 0 where examples are not made of tokens. */
    default int tokensPerExample() {
        return 0;
    }

    /**
     * @param examples rows of the training part, each 0 to {@link #exampleCount()} − 1
     * @param augmentation source of all chance in preparing this batch; the same for the same step of the same run
     */
    Batch batch(int[] examples, SplittableRandom augmentation);

    /**
     * @param network in training mode
     * @return mean loss of the batch, [ ]
     */
    Tensor loss(Module network, Batch batch);

    /**
     * Judges on the validation part. Opens scopes of its own where it works through many batches.
     *
     * @param network in evaluation mode; nothing records gradients
     * @return metrics by name, the first the one that chooses the best weights unless the settings name another
     */
    Map<String, Double> validate(Module network);
}
