package io.guimo.inference.generate;

/**
 * Tokens to evaluate in one step, of any number of sequences: arrays with one entry for each token, the first {@link #size} of which count. Reused
 * from step to step. For one sequence the positions go up by one, from where its cached state ends.
 */
public final class DecoderBatch {
    final int[] tokens;
    final int[] positions;
    final int[] sequences;
    final boolean[] wantsLogits;
    private int size;

    /** @param capacity most tokens of one step */
    public DecoderBatch(int capacity) {
        tokens = new int[capacity];
        positions = new int[capacity];
        sequences = new int[capacity];
        wantsLogits = new boolean[capacity];
    }

    public int capacity() {
        return tokens.length;
    }

    public int size() {
        return size;
    }

    public void clear() {
        size = 0;
    }

    /** @param wantsLogits whether the logits after this token are read */
    public void add(int token, int position, int sequence, boolean wantsLogits) {
        if (size == tokens.length) throw new IllegalStateException("a batch of " + size + " tokens is full");
        tokens[size] = token;
        positions[size] = position;
        sequences[size] = sequence;
        this.wantsLogits[size] = wantsLogits;
        size++;
    }

    public int token(int index) {
        return tokens[index];
    }

    public int position(int index) {
        return positions[index];
    }

    public int sequence(int index) {
        return sequences[index];
    }

    public boolean wantsLogits(int index) {
        return wantsLogits[index];
    }
}
