/**
 * The closed set of tasks: what a model is for decides its data, loss, metrics, baselines, endpoint and the unit it is sold in.
 *
 * <p>Read {@link io.guimo.task.Task} first, then one of its records; each says what its task is in one file. {@link io.guimo.task.Lesson} is a task
 * bound to data: split, cleaned, free of test rows, ready to be trained and judged.
 * {@link io.guimo.task.FittedSteps} is the preprocessing that training fitted, as data that travels with the model.
 *
 * <p>Owns no stored state. The training loop belongs to {@code train}, engines to {@code inference}, routes to {@code serve}.
 */
@NullMarked
package io.guimo.task;

import org.jspecify.annotations.NullMarked;
