package io.guimo.inference.constrain;

import io.guimo.text.Vocabulary;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;

/**
 * The vocabulary as a tree over the bytes of its tokens, laid out so that a node's descendants follow it: a walk is one loop over arrays that jumps
 * over what can't come.
 */
final class TokenTrie {
    static final int ROOT = 0;
    static final int NO_TOKEN = -1;

    private final byte[] label;
    private final int[] end;
    private final short[] depth;
    private final int[] token;
    private final int[] sameBytes;
    private final Vocabulary vocabulary;
    private final ByteSet singleBytes;
    private final int vocabularySize;
    private final int longest;

    /** @param endTokens are no text, whatever their bytes */
    TokenTrie(Vocabulary vocabulary, Set<Integer> endTokens) {
        this.vocabulary = vocabulary;
        vocabularySize = vocabulary.size();
        List<byte[]> bytes = new ArrayList<>();
        List<Integer> ids = new ArrayList<>();
        int total = 0;
        for (int id = 0; id < vocabularySize; id++) {
            byte[] text = vocabulary.bytes(id);
            if (text.length == 0 || text.length > Short.MAX_VALUE || vocabulary.isSpecial(id) || endTokens.contains(id))
                continue;
            bytes.add(text);
            ids.add(id);
            total += text.length;
        }
        Integer[] order = new Integer[ids.size()];
        Arrays.setAll(order, i -> i);
        Arrays.sort(order, (a, b) -> Arrays.compareUnsigned(bytes.get(a), bytes.get(b)));

        byte[] label = new byte[total + 1];
        int[] end = new int[total + 1];
        short[] depth = new short[total + 1];
        int[] token = new int[total + 1];
        sameBytes = new int[vocabularySize];
        Arrays.fill(sameBytes, NO_TOKEN);
        token[ROOT] = NO_TOKEN;
        int nodes = 1;
        int deepest = 0;
        long[] single = new long[4];
        byte[] previous = new byte[0];
        int[] path = new int[Short.MAX_VALUE + 1]; // node of each depth on the way to the previous token
        for (int i : order) {
            byte[] text = bytes.get(i);
            int id = ids.get(i);
            int shared = Arrays.mismatch(previous, text);
            if (shared < 0) { // the same bytes again
                sameBytes[id] = token[path[text.length]];
                token[path[text.length]] = id;
                continue;
            }
            for (int d = previous.length; d > shared; d--) end[path[d]] = nodes;
            for (int d = shared + 1; d <= text.length; d++) {
                path[d] = nodes;
                label[nodes] = text[d - 1];
                depth[nodes] = (short) d;
                token[nodes++] = NO_TOKEN;
            }
            token[path[text.length]] = id;
            if (text.length == 1) single[(text[0] & 0xff) >> 6] |= 1L << text[0];
            deepest = Math.max(deepest, text.length);
            previous = text;
        }
        for (int d = previous.length; d >= 0; d--) end[path[d]] = nodes;
        this.label = Arrays.copyOf(label, nodes);
        this.end = Arrays.copyOf(end, nodes);
        this.depth = Arrays.copyOf(depth, nodes);
        this.token = Arrays.copyOf(token, nodes);
        singleBytes = new ByteSet(single[0], single[1], single[2], single[3]);
        longest = deepest;
    }

    int vocabularySize() {
        return vocabularySize;
    }

    byte[] bytes(int token) {
        return vocabulary.bytes(token);
    }

    /** Bytes of the longest token. */
    int longest() {
        return longest;
    }

    /** Bytes that are a token by themselves. Only these can be relied upon to spell what no longer token fits. */
    ByteSet singleBytes() {
        return singleBytes;
    }

    /** The byte that leads to a node. */
    int label(int node) {
        return label[node] & 0xff;
    }

    /** The first node behind a node's descendants. */
    int end(int node) {
        return end[node];
    }

    int depth(int node) {
        return depth[node];
    }

    /** A token that ends at a node, or {@link #NO_TOKEN}. */
    int token(int node) {
        return token[node];
    }

    /** Another token of the same bytes, or {@link #NO_TOKEN}. */
    int nextOfSameBytes(int token) {
        return sameBytes[token];
    }

    /** The node that a byte leads to, or −1. */
    int child(int node, int value) {
        for (int child = node + 1; child < end[node]; child = end[child]) {
            if (label(child) == value) return child;
        }
        return -1;
    }
}
