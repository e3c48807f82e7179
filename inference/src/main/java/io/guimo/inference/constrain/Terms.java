package io.guimo.inference.constrain;

import io.guimo.inference.InvalidInput;
import io.guimo.inference.constrain.Term.Shape;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Makes terms and their derivatives, each once. Used by one thread at a time.
 *
 * <p>First a grammar is built and its references are defined; {@link #seal} then finds how far each term is from its end. From there on a term that can
 * never be completed is {@link #nothing}, so that whatever a derivative leads to can be finished.
 */
final class Terms {
    /** A choice this wide holds more readings of one text than any honest schema or pattern has. */
    private static final int MOST_BRANCHES = 10_000;

    /** Branches looked at while a grammar is built or a pattern becomes an automaton: about a second. */
    private static final int MOST_WORK = 5_000_000;

    final Term nothing;
    final Term empty;

    private final int mostTerms;
    private final Map<Shape, Term> interned = new HashMap<>();
    private final List<Term> all = new ArrayList<>();
    private final List<@Nullable Term> definitions = new ArrayList<>();
    private final Set<Dfa> automata = new LinkedHashSet<>();
    private final ByteClasses classes = new ByteClasses();
    private boolean sealed;
    private int work;
    private int nextId;
    /** Terms that belong to the grammar; the others are derivatives. */
    private int grammarTerms;

    /** @param mostTerms of the grammar; more are refused */
    Terms(int mostTerms) {
        this.mostTerms = mostTerms;
        nothing = intern(new Shape.Nothing());
        empty = intern(new Shape.Empty());
    }

    Term bytes(ByteSet set) {
        if (set.equals(new ByteSet(0, 0, 0, 0))) return nothing;
        classes.split(set::contains);
        return intern(new Shape.Bytes(set));
    }

    Term automaton(Dfa dfa, int state) {
        if (state < 0) return nothing;
        if (dfa.isLast(state)) return empty;
        if (automata.add(dfa)) classes.split(dfa.classes());
        return intern(new Shape.Automaton(dfa, state));
    }

    Term sequence(Term first, Term rest) {
        if (first == nothing || rest == nothing) return nothing;
        if (first == empty) return rest;
        if (rest == empty) return first;
        if (first.shape instanceof Shape.Sequence(Term head, Term tail)) return sequence(head, sequence(tail, rest));
        return intern(new Shape.Sequence(first, rest));
    }

    Term sequence(Term... parts) {
        Term sequence = empty;
        for (int i = parts.length - 1; i >= 0; i--) sequence = sequence(parts[i], sequence);
        return sequence;
    }

    /** Branches that begin with the same term are drawn together, so that readings which differ later only share their beginning, and their end. */
    Term choice(List<Term> branches) {
        List<Term> flat = new ArrayList<>(branches.size());
        for (Term branch : branches) addBranch(flat, branch);
        if (flat.size() > MOST_BRANCHES) {
            throw new InvalidInput(
                    -1,
                    "the constraint has more than " + MOST_BRANCHES
                            + " readings of one text; make its alternatives distinct");
        }
        work += flat.size();
        if (!sealed && work > MOST_WORK) throw tooLarge();
        flat.sort(Comparator.comparingInt((Term t) -> t.id));
        List<Term> distinct = new ArrayList<>(flat.size());
        Map<Term, Term> byHead = new HashMap<>();
        for (Term branch : flat) {
            if (!distinct.isEmpty() && distinct.getLast() == branch) continue;
            if (byHead.put(head(branch), branch) != null) return choice(drawnTogether(flat));
            distinct.add(branch);
        }
        if (distinct.isEmpty()) return nothing;
        if (distinct.size() == 1) return distinct.getFirst();
        return intern(new Shape.Choice(List.copyOf(distinct)));
    }

    private void addBranch(List<Term> flat, Term branch) {
        if (branch.shape instanceof Shape.Choice(List<Term> inner)) flat.addAll(inner);
        else if (branch != nothing) flat.add(branch);
    }

    private List<Term> drawnTogether(List<Term> branches) {
        Map<Term, List<Term>> restsByHead = new LinkedHashMap<>();
        for (Term branch : branches) {
            Term rest = branch.shape instanceof Shape.Sequence(Term _, Term after) ? after : empty;
            restsByHead.computeIfAbsent(head(branch), h -> new ArrayList<>()).add(rest);
        }
        List<Term> drawn = new ArrayList<>();
        restsByHead.forEach((head, rests) -> drawn.add(sequence(head, choice(rests))));
        return drawn;
    }

    private static Term head(Term branch) {
        return branch.shape instanceof Shape.Sequence(Term first, Term _) ? first : branch;
    }

    Term choice(Term... branches) {
        return choice(List.of(branches));
    }

    /** @param most {@link Integer#MAX_VALUE}: any number */
    Term repeat(Term item, int least, int most) {
        if (most < least) return nothing;
        if (most == 0 || item == empty) return empty;
        if (item == nothing) return least == 0 ? empty : nothing;
        if (least == 1 && most == 1) return item;
        // (a{0,m}){n,k} and (a{1,m}){n,k} leave no count out: a{0,m·k} and a{n,m·k}
        if (item.shape instanceof Shape.Repeat(Term inner, int fewest, int greatest) && fewest <= 1) {
            long product = most == Integer.MAX_VALUE || greatest == Integer.MAX_VALUE
                    ? Integer.MAX_VALUE
                    : (long) most * greatest;
            return repeat(inner, fewest * least, (int) Math.min(product, Integer.MAX_VALUE));
        }
        return intern(new Shape.Repeat(item, item.nullable ? 0 : least, most));
    }

    Term optional(Term term) {
        return choice(empty, term);
    }

    Term both(Term left, Term right) {
        if (left == nothing || right == nothing) return nothing;
        if (left == right) return left;
        return intern(left.id < right.id ? new Shape.Both(left, right) : new Shape.Both(right, left));
    }

    Term not(Term term) {
        return term.shape instanceof Shape.Not(Term inner) ? inner : intern(new Shape.Not(term));
    }

    /** A new reference, to be given to {@link #define}. */
    Term reference() {
        definitions.add(null);
        return intern(new Shape.Reference(definitions.size() - 1));
    }

    void define(Term reference, Term definition) {
        if (!(reference.shape instanceof Shape.Reference(int index)))
            throw new IllegalArgumentException(reference + " is no reference");
        definitions.set(index, definition);
    }

    private Term definition(int index) {
        Term definition = definitions.get(index);
        if (definition == null) throw new IllegalStateException("reference " + index + " is not defined");
        return definition;
    }

    /**
     * Ends the building of the grammar.
     *
     * @throws InvalidInput if a reference leads to itself before anything is read
     */
    void seal() {
        boolean[] done = new boolean[definitions.size()];
        for (int i = 0; i < done.length; i++) refuseLoop(i, done, new LinkedHashSet<>());
        // Distances only ever fall, from endless, by what a round finds out about definitions, until a round changes
        // nothing.
        boolean changed;
        do {
            changed = false;
            for (Term term : all) {
                int distance = distance(term.shape);
                if (distance < term.distance) {
                    term.distance = distance;
                    changed = true;
                }
            }
        } while (changed);
        grammarTerms = all.size();
        sealed = true;
    }

    private void refuseLoop(int index, boolean[] done, Set<Integer> path) {
        if (done[index]) return;
        if (!path.add(index)) {
            throw new InvalidInput(-1, "the schema has a $ref that leads back to itself; a value must stand between");
        }
        for (Term head : heads(definition(index))) {
            if (head.shape instanceof Shape.Reference(int next)) refuseLoop(next, done, path);
        }
        path.remove(index);
        done[index] = true;
    }

    private static List<Term> heads(Term term) {
        return switch (term.shape) {
            case Shape.Choice(List<Term> branches) ->
                branches.stream().flatMap(b -> heads(b).stream()).toList();
            case Shape.Sequence(Term first, Term _) -> List.of(first);
            default -> List.of(term);
        };
    }

    /** What may follow a byte; {@link #nothing} if the byte may not come. */
    Term derivative(Term term, int value) {
        int byteClass = classes.of(value);
        @Nullable Term @Nullable [] known = term.derivatives;
        if (known == null) {
            known = new Term[classes.count()];
            term.derivatives = known;
        }
        Term derivative = known[byteClass];
        if (derivative == null) {
            derivative = derive(term, value);
            known[byteClass] = derivative;
        }
        return derivative;
    }

    private Term derive(Term term, int value) {
        return switch (term.shape) {
            case Shape.Nothing() -> nothing;
            case Shape.Empty() -> nothing;
            case Shape.Bytes(ByteSet set) -> set.contains(value) ? empty : nothing;
            case Shape.Automaton(Dfa dfa, int state) -> automaton(dfa, dfa.next(state, value));
            case Shape.Sequence(Term first, Term rest) -> {
                Term inFirst = sequence(derivative(first, value), rest);
                yield first.nullable ? choice(inFirst, derivative(rest, value)) : inFirst;
            }
            case Shape.Choice(List<Term> branches) ->
                choice(branches.stream().map(b -> derivative(b, value)).toList());
            case Shape.Repeat(Term item, int least, int most) ->
                sequence(
                        derivative(item, value),
                        repeat(item, Math.max(0, least - 1), most == Integer.MAX_VALUE ? most : most - 1));
            case Shape.Both(Term left, Term right) -> both(derivative(left, value), derivative(right, value));
            case Shape.Not(Term inner) -> not(derivative(inner, value));
            case Shape.Reference(int index) -> derivative(definition(index), value);
        };
    }

    /** Bytes that no term tells apart have one class. Fixed with the first derivative. */
    ByteClasses classes() {
        return classes;
    }

    /** Terms that are held besides those of the grammar. */
    int derived() {
        return all.size() - grammarTerms;
    }

    int grammarTerms() {
        return grammarTerms;
    }

    /** Lets go of all derivatives and masks. Terms that somebody still holds stay good. */
    void forgetDerivatives() {
        for (Term term : all) {
            term.derivatives = null;
            term.mask = null;
        }
        interned.clear();
        all.subList(grammarTerms, all.size()).clear();
        for (Term term : all) interned.put(term.shape, term);
    }

    private Term intern(Shape shape) {
        Term known = interned.get(shape);
        if (known != null) return sealed && known.distance >= Term.ENDLESS ? nothing : known;
        int distance = distance(shape);
        if (sealed && distance >= Term.ENDLESS) return nothing;
        if (!sealed && all.size() >= mostTerms) {
            throw new InvalidInput(
                    -1,
                    "the constraint is too large: it takes more than " + mostTerms
                            + " parts; make counts or alternatives fewer");
        }
        Term term = new Term(nextId++, shape, nullable(shape), distance);
        interned.put(shape, term);
        all.add(term);
        return term;
    }

    private static InvalidInput tooLarge() {
        return new InvalidInput(
                -1, "the constraint is too large or too ambiguous; make its counts smaller and its alternatives fewer");
    }

    private static boolean nullable(Shape shape) {
        return switch (shape) {
            case Shape.Nothing() -> false;
            case Shape.Empty() -> true;
            case Shape.Bytes(ByteSet _) -> false;
            case Shape.Automaton(Dfa dfa, int state) -> dfa.accepts(state);
            case Shape.Sequence(Term first, Term rest) -> first.nullable && rest.nullable;
            case Shape.Choice(List<Term> branches) -> branches.stream().anyMatch(b -> b.nullable);
            case Shape.Repeat(Term item, int least, int _) -> least == 0 || item.nullable;
            case Shape.Both(Term left, Term right) -> left.nullable && right.nullable;
            case Shape.Not(Term inner) -> !inner.nullable;
            case Shape.Reference(int _) -> false;
        };
    }

    private int distance(Shape shape) {
        long distance =
                switch (shape) {
                    case Shape.Nothing() -> Term.ENDLESS;
                    case Shape.Empty() -> 0;
                    case Shape.Bytes(ByteSet _) -> 1;
                    case Shape.Automaton(Dfa dfa, int state) -> dfa.distance(state);
                    case Shape.Sequence(Term first, Term rest) -> (long) first.distance + rest.distance;
                    case Shape.Choice(List<Term> branches) ->
                        branches.stream().mapToInt(b -> b.distance).min().orElse(Term.ENDLESS);
                    case Shape.Repeat(Term item, int least, int _) -> (long) least * item.distance;
                    case Shape.Both(Term left, Term right) -> Math.max(left.distance, right.distance);
                    case Shape.Not(Term _) -> 0;
                    case Shape.Reference(int index) -> {
                        Term definition = definitions.get(index);
                        yield definition == null ? Term.ENDLESS : definition.distance;
                    }
                };
        return (int) Math.min(distance, Term.ENDLESS);
    }
}
