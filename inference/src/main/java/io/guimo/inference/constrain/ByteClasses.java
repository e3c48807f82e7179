package io.guimo.inference.constrain;

import java.util.HashMap;
import java.util.Map;
import java.util.function.IntPredicate;

/** A partition of the byte values: bytes that a grammar never tells apart share a class, which keeps its tables small. */
final class ByteClasses {
    private final int[] classOf = new int[256];
    private int count = 1;

    int of(int value) {
        return classOf[value];
    }

    int count() {
        return count;
    }

    /** Tells bytes for which this holds from others. */
    void split(IntPredicate distinguishes) {
        int[] other = new int[256];
        for (int value = 0; value < 256; value++) other[value] = distinguishes.test(value) ? 1 : 0;
        split(other);
    }

    /** Tells bytes apart that another partition does. */
    void split(ByteClasses other) {
        split(other.classOf);
    }

    private void split(int[] other) {
        Map<Integer, Integer> classOfPair = new HashMap<>();
        for (int value = 0; value < 256; value++) {
            Integer pair = classOf[value] << 8 | other[value];
            Integer known = classOfPair.putIfAbsent(pair, classOfPair.size());
            classOf[value] = known == null ? classOfPair.size() - 1 : known;
        }
        count = classOfPair.size();
    }
}
