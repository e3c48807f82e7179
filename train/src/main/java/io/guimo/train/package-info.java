/**
 * The one training loop: from a task's problem to the weights that validate best.
 *
 * <p>Read {@link io.guimo.train.Trainer} first, then {@code TrainingLoop}, the loop itself. {@link io.guimo.train.TrainSettings} is its block in the
 * business file; {@link io.guimo.train.LearningRate} and {@code UpdateRule} are the formulas.
 *
 * <p>Owns the folder of a run, one format version for all of it ({@link io.guimo.train.RunFolder}): {@code run.json} (what it is a run of, what it ran on, in the end
 * what came out), {@code checkpoint.safetensors} (all that the rest of the run depends on), {@code curve.jsonl}, {@code best.safetensors}.
 * What is learnt, from what and how it is judged belongs to {@code task}; packages and promotion to {@code registry}.
 *
 * <p>Invariants: the same seed, data, settings and environment give the same weights bit for bit, whether or not the run was interrupted or killed
 * at any point; a checkpoint is replaced as a whole; one process at a time works in a run's folder.
 */
@NullMarked
package io.guimo.train;

import org.jspecify.annotations.NullMarked;
