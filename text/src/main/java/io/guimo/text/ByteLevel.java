package io.guimo.text;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The alphabet in which byte-level tokenizers write their tokens: one printable character for each byte. Bytes that print in Latin-1 stand for
 * themselves, the others for the characters from U+0100 on, in order. Source: Radford et al. 2019 (GPT-2), {@code bytes_to_unicode} of its encoder.
 */
final class ByteLevel {
    private static final char[] CHARACTER = new char[256];
    private static final short[] BYTE = new short[512];

    static {
        Arrays.fill(BYTE, (short) -1);
        char next = 256;
        for (int b = 0; b < 256; b++) {
            boolean prints = (b >= '!' && b <= '~') || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE;
            CHARACTER[b] = prints ? (char) b : next++;
            BYTE[CHARACTER[b]] = (short) b;
        }
    }

    private ByteLevel() {}

    /** The character that stands for a byte, 0 to 255. */
    static char character(int unsignedByte) {
        return CHARACTER[unsignedByte];
    }

    /** The bytes that a token's characters stand for; a token with any other character, which was added as it is, in UTF-8. */
    static byte[] bytes(String token) {
        byte[] bytes = new byte[token.length()];
        for (int i = 0; i < bytes.length; i++) {
            char c = token.charAt(i);
            if (c >= BYTE.length || BYTE[c] < 0) return token.getBytes(StandardCharsets.UTF_8);
            bytes[i] = (byte) BYTE[c];
        }
        return bytes;
    }
}
