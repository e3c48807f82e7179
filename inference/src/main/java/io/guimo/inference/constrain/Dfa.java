package io.guimo.inference.constrain;

import io.guimo.inference.InvalidInput;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;

/** A deterministic automaton over bytes, from each of whose states an accepting one can be reached by tokens of the vocabulary. State 0 is the start. */
final class Dfa {
    private static final int DEAD = -1;

    private final ByteClasses classes;
    /** {@code state * classes + class of the byte} → state. */
    private final int[] next;

    private final boolean[] accepting;
    private final boolean[] last;
    private final int[] distance;

    private Dfa(ByteClasses classes, int[] next, boolean[] accepting, TokenTrie trie) {
        this.classes = classes;
        this.next = next;
        this.accepting = accepting;
        distance = distances(trie);
        last = new boolean[accepting.length];
        for (int state = 0; state < accepting.length; state++) {
            last[state] = accepting[state];
            for (int c = state * classes.count(); c < (state + 1) * classes.count(); c++) {
                if (next[c] != DEAD && distance[next[c]] == Term.ENDLESS) next[c] = DEAD;
                if (next[c] != DEAD) last[state] = false;
            }
        }
    }

    /**
     * Builds all states of a regular term that was {@linkplain Terms framed}.
     *
     * @param framed holds strings from {@link RegexParser#START} to {@link RegexParser#END}
     * @throws InvalidInput if there are more than {@code mostStates}
     */
    static Dfa of(Terms terms, Term framed, TokenTrie trie, int mostStates) {
        terms.classes().split(trie.singleBytes()::contains);
        terms.classes().split(b -> b == RegexParser.START || b == RegexParser.END);
        ByteClasses classes = terms.classes();
        int[] byteOfClass = new int[classes.count()];
        Arrays.fill(byteOfClass, DEAD);
        for (int b = 0; b < 256; b++) {
            if (trie.singleBytes().contains(b) && b != RegexParser.START && b != RegexParser.END)
                byteOfClass[classes.of(b)] = b;
        }

        Map<Term, Integer> states = new HashMap<>();
        List<Term> order = new ArrayList<>();
        Term start = terms.derivative(framed, RegexParser.START);
        states.put(start, 0);
        order.add(start);
        List<int[]> rows = new ArrayList<>();
        for (int state = 0; state < order.size(); state++) {
            int[] row = new int[classes.count()];
            for (int c = 0; c < row.length; c++) {
                Term target =
                        byteOfClass[c] == DEAD ? terms.nothing : terms.derivative(order.get(state), byteOfClass[c]);
                if (target == terms.nothing) {
                    row[c] = DEAD;
                    continue;
                }
                Integer known = states.putIfAbsent(target, order.size());
                row[c] = known == null ? order.size() : known;
                if (known == null) order.add(target);
            }
            rows.add(row);
            if (order.size() > mostStates) {
                throw new InvalidInput(
                        -1,
                        "the pattern is too large: it takes more than " + mostStates
                                + " states; make its counts smaller");
            }
        }
        int[] next = new int[rows.size() * classes.count()];
        boolean[] accepting = new boolean[rows.size()];
        for (int state = 0; state < rows.size(); state++) {
            System.arraycopy(rows.get(state), 0, next, state * classes.count(), classes.count());
            accepting[state] = terms.derivative(order.get(state), RegexParser.END).nullable;
        }
        return new Dfa(classes, next, accepting, trie);
    }

    /** Accepts exactly these strings, none of which is empty. */
    static Dfa ofStrings(Collection<byte[]> strings, TokenTrie trie) {
        ByteClasses classes = new ByteClasses();
        boolean[] used = new boolean[256];
        int most = 1;
        for (byte[] string : strings) {
            most += string.length;
            for (byte b : string) used[b & 0xff] = true;
        }
        for (int b = 0; b < 256; b++) {
            int value = b;
            if (used[b]) classes.split(other -> other == value);
        }
        int width = classes.count();
        int[] next = new int[most * width];
        Arrays.fill(next, DEAD);
        boolean[] accepting = new boolean[most];
        int states = 1;
        for (byte[] string : strings) {
            int state = 0;
            for (byte b : string) {
                int edge = state * width + classes.of(b & 0xff);
                if (!trie.singleBytes().contains(b & 0xff)) {
                    state = DEAD;
                    break;
                }
                if (next[edge] == DEAD) next[edge] = states++;
                state = next[edge];
            }
            if (state != DEAD) accepting[state] = true;
        }
        return new Dfa(classes, Arrays.copyOf(next, states * width), Arrays.copyOf(accepting, states), trie);
    }

    ByteClasses classes() {
        return classes;
    }

    /** @return −1 if the byte may not come */
    int next(int state, int value) {
        return next[state * classes.count() + classes.of(value)];
    }

    boolean accepts(int state) {
        return accepting[state];
    }

    /** Whether it accepts and nothing may follow. */
    boolean isLast(int state) {
        return last[state];
    }

    /** Tokens that are enough to reach acceptance. */
    int distance(int state) {
        return distance[state];
    }

    int states() {
        return accepting.length;
    }

    /** Steps backwards from acceptance, where a step is a single byte or a longer token along a stretch that leaves no choice, as in a literal. */
    private int[] distances(TokenTrie trie) {
        int width = classes.count();
        int[] byteOfClass = new int[width];
        int[] sizeOfClass = new int[width];
        for (int b = 0; b < 256; b++) {
            byteOfClass[classes.of(b)] = b;
            sizeOfClass[classes.of(b)]++;
        }
        int states = accepting.length;
        int[] forced = new int[states]; // the only byte that may come, or −1
        List<List<Integer>> before = new ArrayList<>();
        for (int state = 0; state < states; state++) before.add(new ArrayList<>(2));
        for (int state = 0; state < states; state++) {
            int ways = 0;
            for (int c = 0; c < width; c++) {
                int target = next[state * width + c];
                if (target == DEAD) continue;
                before.get(target).add(state);
                ways += sizeOfClass[c];
                forced[state] = byteOfClass[c];
            }
            if (ways != 1) forced[state] = DEAD;
        }
        for (int state = 0; state < states; state++) {
            int at = state;
            for (int node = TokenTrie.ROOT; forced[at] != DEAD; ) {
                node = trie.child(node, forced[at]);
                if (node < 0) break;
                at = next(at, forced[at]);
                if (trie.depth(node) > 1 && trie.token(node) != TokenTrie.NO_TOKEN)
                    before.get(at).add(state);
            }
        }
        int[] distance = new int[states];
        Arrays.fill(distance, Term.ENDLESS);
        Queue<Integer> queue = new ArrayDeque<>();
        for (int state = 0; state < states; state++) {
            if (!accepting[state]) continue;
            distance[state] = 0;
            queue.add(state);
        }
        while (!queue.isEmpty()) {
            int state = queue.remove();
            for (int earlier : before.get(state)) {
                if (distance[earlier] != Term.ENDLESS) continue;
                distance[earlier] = distance[state] + 1;
                queue.add(earlier);
            }
        }
        return distance;
    }
}
