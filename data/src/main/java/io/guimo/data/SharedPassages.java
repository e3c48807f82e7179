package io.guimo.data;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Passages that two texts have in common, whatever their blanks, punctuation and case: found by a hash that rolls over every position (Karp and Rabin
 * 1987) and then compared character by character.
 */
public final class SharedPassages {
    /** Any odd number that is not small; the hash only proposes. */
    private static final long BASE = 0x2545F4914F6CDD1DL;

    /**
     * A passage of one text that the other has too. Positions count code points.
     *
     * @param from where it begins in the first text
     * @param to behind its end there
     * @param otherFrom where it begins in the other text; one place, if it has several
     */
    public record Passage(int from, int to, int otherFrom) {}

    private SharedPassages() {}

    /**
     * All passages of at least that length, as long as they go, in their order.
     *
     * @param text code points
     * @param other code points
     * @param letters length of the shortest passage that counts, in letters and digits
     */
    public static List<Passage> find(int[] text, int[] other, int letters) {
        Canonical one = Canonical.of(text);
        Canonical two = Canonical.of(other);
        Map<Long, Integer> positions = new HashMap<>();
        two.roll(letters, (hash, at) -> positions.putIfAbsent(hash, at));
        List<Passage> found = new ArrayList<>();
        one.roll(letters, (hash, at) -> {
            Integer there = positions.get(hash);
            if (there == null || !Arrays.equals(one.letters, at, at + letters, two.letters, there, there + letters))
                return;
            int from = one.places[at];
            int to = one.places[at + letters - 1] + 1;
            Passage last = found.isEmpty() ? null : found.getLast();
            if (last != null && from < last.to) {
                found.set(found.size() - 1, new Passage(last.from, to, last.otherFrom));
            } else {
                found.add(new Passage(from, to, two.places[there]));
            }
        });
        return found;
    }

    @FunctionalInterface
    private interface AtPosition {
        void accept(long hash, int position);
    }

    /** Letters and digits in lower case, and where they stood. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Canonical(int[] letters, int[] places) {
        static Canonical of(int[] text) {
            int[] letters = new int[text.length];
            int[] places = new int[text.length];
            int length = 0;
            for (int i = 0; i < text.length; i++) {
                if (!Character.isLetterOrDigit(text[i])) continue;
                letters[length] = Character.toLowerCase(text[i]);
                places[length++] = i;
            }
            return new Canonical(Arrays.copyOf(letters, length), Arrays.copyOf(places, length));
        }

        void roll(int length, AtPosition visitor) {
            long leaving = 1;
            for (int i = 0; i < length; i++) leaving *= BASE;
            long hash = 0;
            for (int i = 0; i < letters.length; i++) {
                hash = hash * BASE + letters[i];
                if (i >= length) hash -= leaving * letters[i - length];
                if (i >= length - 1) visitor.accept(hash, i - length + 1);
            }
        }
    }
}
