package io.guimo.inference.constrain;

import io.guimo.inference.constrain.Term.Shape;
import io.guimo.inference.generate.ConstraintState;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A constraint made ready for a vocabulary: begins any number of answers, in any threads.
 *
 * <p>The mask of a sequence is that of its first term, which is kept, and what the rest permits after those tokens that can complete the first term in
 * their middle, such as {@code ",} in a string. So all strings of a schema share one mask over the whole vocabulary, and a step costs microseconds.
 */
public final class CompiledConstraint {
    /** Terms besides the grammar's, some 400 bytes each, and bytes of kept masks, after which both are forgotten and found again as needed. */
    private static final int MOST_DERIVED = 20_000;

    private static final long MOST_MASK_BYTES = 16 << 20;

    private static final int UNLIMITED = Integer.MAX_VALUE;

    /** Below this share of the vocabulary a mask is kept as a list. */
    private static final int SPARSE = 64;

    private final Terms terms;
    private final Term root;
    private final TokenTrie trie;
    private final Set<Integer> endTokens;
    private long maskBytes;

    /** What a walk has reached at each depth. */
    private final Term[] path;

    CompiledConstraint(Terms terms, Term root, TokenTrie trie, Set<Integer> endTokens) {
        this.terms = terms;
        this.root = root;
        this.trie = trie;
        this.endTokens = endTokens;
        path = new Term[trie.longest() + 1];
    }

    /** A new answer. */
    public ConstraintState start() {
        return new State();
    }

    /** Tokens that are enough for a shortest answer; there may be answers that take fewer. */
    public int shortestTokens() {
        return root.distance;
    }

    /** Parts of the grammar, for the bounds of a cache. */
    int size() {
        return terms.grammarTerms();
    }

    private final class State implements ConstraintState {
        private Term term = root;
        private int remaining = UNLIMITED;
        private boolean ended;
        private long @Nullable [] mask;

        @Override
        public long[] allowed() {
            if (mask == null) {
                mask = new long[(trie.vocabularySize() + 63) / 64];
                if (!ended) {
                    boolean limited = remaining != UNLIMITED && term.distance <= remaining;
                    collect(term, limited ? remaining - 1 : UNLIMITED, mask);
                    if (term.nullable) for (int token : endTokens) set(mask, token);
                }
            }
            return mask;
        }

        @Override
        public void accept(int token) {
            if (!isSet(allowed(), token)) {
                throw new IllegalArgumentException("token " + token + " is not permitted here");
            }
            mask = null;
            if (remaining != UNLIMITED && remaining > 0) remaining--;
            if (endTokens.contains(token)) ended = true;
            else term = after(term, token);
        }

        @Override
        public boolean mayEnd() {
            return ended || term.nullable;
        }

        @Override
        public boolean mustEnd() {
            return ended || term == terms.empty;
        }

        @Override
        public void setRemaining(int tokens) {
            if (tokens < 1) throw new IllegalArgumentException("remaining tokens are " + tokens + "; give 1 or more");
            if (tokens != remaining) mask = null;
            remaining = tokens;
        }
    }

    private synchronized Term after(Term term, int token) {
        for (byte b : trie.bytes(token)) term = terms.derivative(term, b & 0xff);
        return term;
    }

    /**
     * Adds the tokens that may follow.
     *
     * @param most distance that may be left after a token
     */
    private synchronized void collect(Term term, int most, long[] mask) {
        if (terms.derived() > MOST_DERIVED || maskBytes > MOST_MASK_BYTES) {
            terms.forgetDerivatives();
            maskBytes = 0;
        }
        collectBranches(term, most, mask);
    }

    private void collectBranches(Term term, int most, long[] mask) {
        switch (term.shape) {
            case Shape.Choice(List<Term> branches) -> {
                for (Term branch : branches) collectBranches(branch, most, mask);
            }
            case Shape.Sequence(Term first, Term rest) -> collectSequence(first, rest, most, mask);
            default -> collectSequence(term, terms.empty, most, mask);
        }
    }

    private void collectSequence(Term first, Term rest, int most, long[] mask) {
        HeadMask head = headMask(clipped(first));
        if ((long) first.distance + rest.distance + head.growth() <= most) {
            for (int token : head.tokens()) set(mask, token);
            for (int word = 0; word < head.bits().length; word++) mask[word] |= head.bits()[word];
        } else {
            walk(first, TokenTrie.ROOT, (node, term) -> {
                if ((long) term.distance + rest.distance <= most) setTokens(mask, node);
            });
        }
        if (rest == terms.empty) return;
        for (int value = 0; value < head.exits().length; value++) {
            if (head.exits()[value].length == 0) continue;
            Term begun = terms.derivative(rest, value);
            if (begun == terms.nothing) continue;
            for (int node : head.exits()[value]) {
                if (begun.distance <= most) setTokens(mask, node);
                walk(begun, node, (below, term) -> {
                    if (term.distance <= most) setTokens(mask, below);
                });
            }
        }
    }

    /**
     * The same for a repetition that differs only where no token reaches: a token reads no more items than it has bytes. So a string that may have
     * 1,000 characters does not need 1,000 masks.
     */
    private Term clipped(Term term) {
        if (!(term.shape instanceof Shape.Repeat(Term item, int least, int most))) return term;
        int reach = trie.longest();
        return terms.repeat(item, Math.min(least, reach), most >= reach ? Integer.MAX_VALUE : most);
    }

    private HeadMask headMask(Term term) {
        HeadMask known = term.mask;
        if (known != null) return known;
        Gatherer gatherer = new Gatherer(term);
        if (term.nullable) gatherer.addExit(TokenTrie.ROOT);
        walk(term, TokenTrie.ROOT, gatherer);
        HeadMask mask = gatherer.finish();
        term.mask = mask;
        maskBytes += mask.bytes();
        return mask;
    }

    /** What is told of each node that can be reached. */
    private interface Visitor {
        void visit(int node, Term term);
    }

    private final class Gatherer implements Visitor {
        private final int before;
        private int[] nodes = new int[256];
        private int size;
        private final int[][] exits = new int[256][0];
        private final int[] exitSizes = new int[256];
        private int furthest;

        Gatherer(Term start) {
            before = start.distance;
        }

        @Override
        public void visit(int node, Term term) {
            if (term.nullable) addExit(node);
            if (trie.token(node) == TokenTrie.NO_TOKEN) return;
            furthest = Math.max(furthest, term.distance);
            if (size == nodes.length) nodes = Arrays.copyOf(nodes, 2 * size);
            nodes[size++] = node;
        }

        void addExit(int node) {
            for (int child = node + 1; child < trie.end(node); child = trie.end(child)) {
                int value = trie.label(child);
                if (exitSizes[value] == exits[value].length) {
                    exits[value] = Arrays.copyOf(exits[value], 2 * exitSizes[value] + 2);
                }
                exits[value][exitSizes[value]++] = child;
            }
        }

        HeadMask finish() {
            long[] bits = new long[(trie.vocabularySize() + 63) / 64];
            int count = 0;
            for (int i = 0; i < size; i++) count += setTokens(bits, nodes[i]);
            int[] tokens = new int[0];
            if (count < trie.vocabularySize() / SPARSE) {
                tokens = new int[count];
                int filled = 0;
                for (int i = 0; i < size; i++) {
                    for (int t = trie.token(nodes[i]); t != TokenTrie.NO_TOKEN; t = trie.nextOfSameBytes(t))
                        tokens[filled++] = t;
                }
                bits = new long[0];
            }
            for (int value = 0; value < exits.length; value++)
                exits[value] = Arrays.copyOf(exits[value], exitSizes[value]);
            return new HeadMask(tokens, bits, exits, furthest - before);
        }
    }

    /** Visits the nodes below {@code from} that the term can reach. */
    private void walk(Term term, int from, Visitor visitor) {
        path[0] = term;
        int top = trie.depth(from);
        int end = trie.end(from);
        for (int node = from + 1; node < end; ) {
            int depth = trie.depth(node) - top;
            Term reached = terms.derivative(path[depth - 1], trie.label(node));
            if (reached == terms.nothing) {
                node = trie.end(node);
                continue;
            }
            path[depth] = reached;
            visitor.visit(node, reached);
            node++;
        }
    }

    private int setTokens(long[] mask, int node) {
        int count = 0;
        for (int token = trie.token(node); token != TokenTrie.NO_TOKEN; token = trie.nextOfSameBytes(token)) {
            set(mask, token);
            count++;
        }
        return count;
    }

    private static void set(long[] mask, int token) {
        mask[token >> 6] |= 1L << token;
    }

    private static boolean isSet(long[] mask, int token) {
        return token >= 0 && token < mask.length * 64L && (mask[token >> 6] >>> token & 1) != 0;
    }
}
