package io.guimo.inference.constrain;

import io.guimo.inference.InvalidInput;
import io.guimo.inference.generate.Constraint;
import io.guimo.text.Vocabulary;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** Makes constraints ready for one model's vocabulary, and keeps those that were asked for lately. For any number of threads. */
public final class ConstraintCompiler {
    /** Parts of one grammar, and states of one pattern: some megabytes. */
    static final int MOST_TERMS = 50_000;

    static final int MOST_STATES = 10_000;

    /** Terms that may be made while a pattern becomes an automaton, which bounds the time that a hostile one takes. */
    static final int MOST_DERIVATIVES = 300_000;

    /** Of all kept grammars together. */
    private static final int MOST_KEPT_TERMS = 400_000;

    private static final int MOST_KEPT = 64;

    private final TokenTrie trie;
    private final Set<Integer> endTokens;
    private final Map<Constraint, CompiledConstraint> kept = new LinkedHashMap<>(16, .75f, true);
    private int keptTerms;

    /** By pattern, of those that all schemas have, such as a string's characters. */
    private final Map<String, Dfa> sharedAutomata = new ConcurrentHashMap<>();

    /** @param endTokens tokens that end an answer; they are permitted wherever an answer may end, and nowhere else */
    public ConstraintCompiler(Vocabulary vocabulary, Set<Integer> endTokens) {
        this.endTokens = Set.copyOf(endTokens);
        trie = new TokenTrie(vocabulary, this.endTokens);
    }

    /**
     * Returns at once what was compiled lately, else takes milliseconds, at most some seconds.
     *
     * @throws InvalidInput the constraint is not well-formed, uses what is not supported, is too large, or nothing fulfils it
     */
    public CompiledConstraint compile(Constraint constraint) {
        synchronized (kept) {
            CompiledConstraint known = kept.get(constraint);
            if (known != null) return known;
        }
        CompiledConstraint compiled = compileAnew(constraint);
        synchronized (kept) {
            if (kept.putIfAbsent(constraint, compiled) == null) keptTerms += compiled.size();
            for (Iterator<CompiledConstraint> eldest = kept.values().iterator();
                    kept.size() > MOST_KEPT || (keptTerms > MOST_KEPT_TERMS && kept.size() > 1); ) {
                keptTerms -= eldest.next().size();
                eldest.remove();
            }
        }
        return compiled;
    }

    private CompiledConstraint compileAnew(Constraint constraint) {
        Terms terms = new Terms(MOST_TERMS);
        Term root =
                switch (constraint) {
                    case Constraint.JsonObject() -> new SchemaCompiler(terms, trie, sharedAutomata, "{}").freeObject();
                    case Constraint.JsonSchema(String schema) ->
                        new SchemaCompiler(terms, trie, sharedAutomata, schema).compile();
                    case Constraint.Regex(String pattern) -> pattern(terms, pattern);
                    case Constraint.Framed framed ->
                        new SchemaCompiler(terms, trie, sharedAutomata, framed.schema()).compile(framed);
                };
        terms.seal();
        if (root.distance >= Term.ENDLESS) {
            throw new InvalidInput(-1, "nothing that this model can write fulfils the constraint");
        }
        return new CompiledConstraint(terms, root, trie, endTokens);
    }

    private Term pattern(Terms terms, String pattern) {
        Terms regular = new Terms(MOST_DERIVATIVES);
        Term framed = RegexParser.matchesWhole(regular, pattern, CharacterCode.UTF8);
        return terms.automaton(Dfa.of(regular, framed, trie, MOST_STATES), 0);
    }
}
