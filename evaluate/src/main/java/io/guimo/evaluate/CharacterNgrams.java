package io.guimo.evaluate;

import java.util.Arrays;

/**
 * The counting model of text: how likely a character is after those before it, by how often it followed them in the training part. Contexts of all
 * lengths are mixed as Witten and Bell 1991 do (method C in the words of Chen and Goodman 1998, section 2.5):
 *
 * <pre>p(c | h) = (count(h c) + λ D(h) p(c | h′)) / (count(h) + λ D(h))</pre>
 *
 * where h′ is h without its first character, D(h) how many different characters followed h, and below the empty context all characters are alike. Theirs
 * is λ = 1; more trusts long contexts less, and how much is best is chosen on the validation part, as is the greatest length.
 */
public final class CharacterNgrams {
    /** Longest n-gram that is ever counted. Of Shakespeare's plays longer ones gain .003 nats per character, and take a third more memory. */
    public static final int MOST_ORDER = 8;

    private static final double[] FACTORS = {1, 1.5, 2, 3, 4, 6, 8, 12, 16, 24};

    private final int order;
    // of each known character, and of each unknown one: a gift to this model, since the unknown ones share no mass
    private final double uniform;
    private final HashedCounts followed = new HashedCounts(); // by n-gram
    private final HashedCounts total = new HashedCounts(); // by context
    private final HashedCounts distinct = new HashedCounts(); // by context

    /**
     * How to mix.
     *
     * @param order characters of the longest n-gram, context and next one together
     * @param factor λ
     */
    public record Smoothing(int order, double factor) {}

    private CharacterNgrams(int order, int alphabet) {
        this.order = order;
        this.uniform = 1.0 / alphabet;
    }

    /**
     * Counts.
     *
     * @param characters code points of the training part
     * @param order characters of the longest n-gram, 1 to {@link #MOST_ORDER}
     */
    public static CharacterNgrams of(int[] characters, int order) {
        if (characters.length == 0 || order < 1 || order > MOST_ORDER) {
            throw new IllegalArgumentException("n-grams of 1 to " + MOST_ORDER
                    + " characters are counted in a text, not " + order + " in " + characters.length + " characters");
        }
        CharacterNgrams counted = new CharacterNgrams(
                order, (int) Arrays.stream(characters).distinct().count());
        for (int i = 0; i < characters.length; i++) {
            long context = EMPTY;
            for (int length = 0; length < order && length <= i; length++) {
                if (length > 0) context = longer(context, characters[i - length], length);
                counted.total.add(context, 1);
                if (counted.followed.add(with(context, characters[i]), 1) == 1) counted.distinct.add(context, 1);
            }
        }
        return counted;
    }

    /**
     * The mixture that says a text best.
     *
     * @param text code points
     * @param from where the part begins that is said; what stands before it is context
     * @param to where it ends
     */
    public Smoothing choose(int[] text, int from, int to) {
        Smoothing best = new Smoothing(order, 1);
        double least = Double.POSITIVE_INFINITY;
        for (double factor : FACTORS) {
            double[] byOrder = new double[order];
            double[] probabilities = new double[order];
            for (int i = from; i < to; i++) {
                probabilities(text, i, factor, probabilities);
                for (int n = 0; n < order; n++) byOrder[n] -= Math.log(probabilities[n]);
            }
            for (int n = 0; n < order; n++) {
                if (byOrder[n] < least) {
                    least = byOrder[n];
                    best = new Smoothing(n + 1, factor);
                }
            }
        }
        return best;
    }

    /**
     * −ln of the probability of each character.
     *
     * @param text code points
     * @param from where the part begins that is said; what stands before it is context
     * @param to where it ends
     * @return to − from numbers
     */
    public double[] nats(int[] text, int from, int to, Smoothing smoothing) {
        double[] nats = new double[to - from];
        double[] probabilities = new double[order];
        for (int i = from; i < to; i++) {
            probabilities(text, i, smoothing.factor, probabilities);
            nats[i - from] = -Math.log(probabilities[smoothing.order - 1]);
        }
        return nats;
    }

    /** @param byOrder filled with the probability of the character at i by n-grams of up to 1, 2, … characters */
    private void probabilities(int[] text, int i, double factor, double[] byOrder) {
        double p = uniform;
        long context = EMPTY;
        boolean known = true;
        for (int length = 0; length < order; length++) {
            if (length > 0 && known && length <= i) context = longer(context, text[i - length], length);
            int seen = known && length <= i ? total.get(context) : 0;
            known = seen > 0; // a context that never occurred has no longer one that did
            if (known) {
                double trust = factor * distinct.get(context);
                p = (followed.get(with(context, text[i])) + trust * p) / (seen + trust);
            }
            byOrder[length] = p;
        }
    }

    // n-grams are known by 64 bits of hash: among 10⁷ of them two share one with a probability of 3 · 10⁻⁶

    private static final long EMPTY = mix(0x9E3779B97F4A7C15L);

    private static long longer(long context, int earlier, int length) {
        return mix(context * 0xD1B54A32D192ED03L + (earlier + 1L) * 0x2545F4914F6CDD1DL + length);
    }

    private static long with(long context, int next) {
        return mix(context ^ (next + 1L) * 0xAEF17502108EF2D9L);
    }

    /** The finaliser of SplitMix64 (Steele, Lea, Flood 2014). */
    private static long mix(long z) {
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }

    /** Counts by hash, without an object for each: open addressing with linear probing. */
    private static final class HashedCounts {
        private long[] keys = new long[1 << 10];
        private int[] counts = new int[1 << 10]; // 0: the slot is free
        private int size;

        int get(long key) {
            return counts[slot(key)];
        }

        int add(long key, int count) {
            if (2 * (size + 1) > keys.length) grow();
            int slot = slot(key);
            if (counts[slot] == 0) {
                keys[slot] = key;
                size++;
            }
            return counts[slot] += count;
        }

        private int slot(long key) {
            int slot = (int) key & (keys.length - 1);
            while (counts[slot] != 0 && keys[slot] != key) slot = (slot + 1) & (keys.length - 1);
            return slot;
        }

        private void grow() {
            long[] oldKeys = keys;
            int[] oldCounts = counts;
            keys = new long[2 * oldKeys.length];
            counts = new int[keys.length];
            for (int i = 0; i < oldKeys.length; i++) {
                if (oldCounts[i] == 0) continue;
                int slot = slot(oldKeys[i]);
                keys[slot] = oldKeys[i];
                counts[slot] = oldCounts[i];
            }
        }
    }
}
