package io.guimo.inference;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** Which upstream a conversation's beginning prefers: the same in every process, whatever order the upstreams are named in. */
final class Prefixes {
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final long ODD = 0x9E3779B97F4A7C15L;

    private Prefixes() {}

    static long hash(byte[] text) {
        return hash(text, 0, text.length);
    }

    /** Spreads well, resists nobody: whoever chooses texts for one upstream loads it only as far as the bound on its load permits. */
    static long hash(byte[] text, int from, int to) {
        long hash = (long) to - from;
        int i = from;
        for (; i + Long.BYTES <= to; i += Long.BYTES) hash = mix(hash ^ (long) LONG.get(text, i));
        long rest = 0;
        for (; i < to; i++) rest = rest << 8 | (text[i] & 0xff);
        return mix(hash ^ rest);
    }

    /** The finaliser of SplitMix64 (Steele, Lea and Flood 2014). */
    private static long mix(long z) {
        z += ODD;
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }

    /**
     * How much a prefix prefers an upstream; the one with the greatest value is preferred, each in proportion to its weight, and one that comes or goes
     * moves only its own share (weighted rendezvous hashing: Thaler and Ravishankar 1998; Schindelhauer and Schomaker 2005).
     */
    static double rank(long prefix, Upstream upstream) {
        return rank(prefix, upstream.seed(), upstream.weight());
    }

    static double rank(long prefix, long seed, int weight) {
        double uniform = ((mix(prefix ^ seed) >>> 11) + 0.5) * 0x1p-53; // in (0, 1)
        return -weight / Math.log(uniform);
    }
}
