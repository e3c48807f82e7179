package io.guimo.inference.constrain;

/**
 * The tokens that may follow where a term is the first of a sequence, as far as that can be told without the rest of the sequence.
 *
 * @param tokens those that stay in the term or complete it: ids if they are few, else {@code bits} has them
 * @param bits a mask of the whole vocabulary, or empty
 * @param exits by byte, the nodes to which it leads from a node at which the term may be complete: whether it may come there, the rest decides
 * @param growth most by which one of the tokens raises the distance to the end; may be negative
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record HeadMask(int[] tokens, long[] bits, int[][] exits, int growth) {
    int bytes() {
        int nodes = 0;
        for (int[] some : exits) nodes += some.length;
        return 4 * (tokens.length + nodes) + 8 * bits.length + 20 * exits.length;
    }
}
