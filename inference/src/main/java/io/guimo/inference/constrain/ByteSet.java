package io.guimo.inference.constrain;

/** A set of byte values; bit {@code b % 64} of word {@code b / 64} is byte {@code b}. */
record ByteSet(long w0, long w1, long w2, long w3) {
    static ByteSet of(int value) {
        return range(value, value);
    }

    /** @param last included */
    static ByteSet range(int first, int last) {
        return new ByteSet(word(first, last, 0), word(first, last, 64), word(first, last, 128), word(first, last, 192));
    }

    private static long word(int first, int last, int base) {
        int from = Math.max(first - base, 0);
        int to = Math.min(last - base, 63);
        return from > to ? 0 : (-1L >>> (63 - to + from)) << from;
    }

    boolean contains(int value) {
        long word =
                switch (value >> 6) {
                    case 0 -> w0;
                    case 1 -> w1;
                    case 2 -> w2;
                    default -> w3;
                };
        return (word >>> value & 1) != 0;
    }
}
