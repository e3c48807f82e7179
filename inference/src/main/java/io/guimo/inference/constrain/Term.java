package io.guimo.inference.constrain;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A language of byte strings, interned by {@link Terms}: two terms of one shape are one object, so that identity is equality.
 *
 * <p>Taking derivatives of a term (Brzozowski 1964, "Derivatives of regular expressions") leaves what may still come, so a term is also the state of an
 * automaton. With references it goes beyond regular languages: {@code Sequence(rest of this value, rest of the object around it, …)} is a pushdown
 * automaton's stack.
 */
final class Term {
    /** Distance of what can never be completed. */
    static final int ENDLESS = 1 << 30;

    sealed interface Shape {
        /** No string at all. */
        record Nothing() implements Shape {}

        /** The empty string. */
        record Empty() implements Shape {}

        record Bytes(ByteSet set) implements Shape {}

        /** What leads from a state to acceptance. */
        record Automaton(Dfa dfa, int state) implements Shape {}

        /** @param first is itself no sequence */
        record Sequence(Term first, Term rest) implements Shape {}

        /** @param branches two or more, none of which is a choice, in the order of their ids; no two begin with the same term */
        record Choice(List<Term> branches) implements Shape {}

        /** @param most {@link Integer#MAX_VALUE}: any number */
        record Repeat(Term item, int least, int most) implements Shape {}

        /** What is in both; regular languages only. */
        record Both(Term left, Term right) implements Shape {}

        /** Every string that is not in it; regular languages only. */
        record Not(Term term) implements Shape {}

        /** What is defined apart, perhaps by itself; holds no empty string. */
        record Reference(int definition) implements Shape {}
    }

    final int id;
    final Shape shape;

    /** Whether the empty string is in it. */
    final boolean nullable;

    /** A number of tokens that is enough to complete it; {@link #ENDLESS} if it can't be. */
    int distance;

    /** Derivatives by byte class, as far as they were asked for. */
    @Nullable
    Term @Nullable [] derivatives;

    @Nullable
    HeadMask mask;

    Term(int id, Shape shape, boolean nullable, int distance) {
        this.id = id;
        this.shape = shape;
        this.nullable = nullable;
        this.distance = distance;
    }

    @Override
    public String toString() {
        return "#" + id + " " + shape.getClass().getSimpleName();
    }
}
