package io.guimo.units;

import java.security.SecureRandom;

/**
 * Makes identifiers such as {@code org_01k9…}: a prefix that names the kind, 48 bits of time in milliseconds and 80 random bits (the layout of a
 * ULID) in Crockford's base 32, lower case. They sort by the time they were made.
 */
public final class Ids {
    private static final char[] ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz".toCharArray();
    private static final SecureRandom RANDOM = new SecureRandom();

    private Ids() {}

    /**
     * @param prefix kind of thing, such as {@code org}
     * @return prefix, underscore and 26 characters
     */
    public static String next(String prefix) {
        byte[] random = new byte[10];
        RANDOM.nextBytes(random);
        StringBuilder id =
                new StringBuilder(prefix.length() + 27).append(prefix).append('_');
        long time = System.currentTimeMillis();
        for (int shift = 45; shift >= 0; shift -= 5) id.append(ALPHABET[(int) (time >>> shift) & 31]);
        long bits = 0;
        int held = 0;
        for (byte b : random) {
            bits = bits << 8 | (b & 0xff);
            held += 8;
            while (held >= 5) {
                held -= 5;
                id.append(ALPHABET[(int) (bits >>> held) & 31]);
            }
        }
        return id.toString();
    }
}
