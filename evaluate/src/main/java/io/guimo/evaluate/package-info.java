/**
 * How good a model is, and whether that beats what a small model does.
 *
 * <p>Read {@link io.guimo.evaluate.EvaluationReport} first: figures of a model on its test part, the baselines on the same rows, and intervals.
 * {@link io.guimo.evaluate.Metrics} names and defines the figures. {@link io.guimo.evaluate.LogisticRegression}, {@link
 * io.guimo.evaluate.ItemCounts} and {@link io.guimo.evaluate.CharacterNgrams} are small models to be beaten.
 *
 * <p>Owns no stored state; the report is written by whoever trains. Invariants: every figure equals scikit-learn's on the recorded cases in the test
 * resources; a comparison with a baseline is paired over the same examples.
 */
@NullMarked
package io.guimo.evaluate;

import org.jspecify.annotations.NullMarked;
