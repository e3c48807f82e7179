/**
 * Holds an answer to a form: which tokens may come next so that the text becomes JSON, JSON of a schema, or what a regular expression matches.
 *
 * <p>Read {@link io.guimo.inference.constrain.ConstraintCompiler} first, the door. A constraint becomes a {@code Term} over bytes: regular parts
 * (patterns, numbers, literals) are determined beforehand as {@code Dfa}s by {@code RegexParser} and Brzozowski's derivatives; what nests
 * ({@code SchemaCompiler}) stays a term whose derivatives are taken as the answer grows, a term being a pushdown automaton's state with its stack.
 * {@code CompiledConstraint} walks the vocabulary as a {@code TokenTrie} with them and keeps the parts of masks that return.
 *
 * <p>Owns no stored state. How tokens are drawn under a mask belongs to {@code io.guimo.inference.generate}.
 *
 * <p>Invariants: a permitted token can always be continued to a whole answer; compiling and stepping are bounded in time and memory, and what exceeds
 * the bounds is refused before the first token; a schema keyword is kept or refused, never ignored in silence unless the standard calls it an
 * annotation.
 */
@NullMarked
package io.guimo.inference.constrain;

import org.jspecify.annotations.NullMarked;
