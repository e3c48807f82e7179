package io.guimo.data;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;

/** Picture formats that are read, told by their first bytes; what a sender calls them is not asked. */
public enum ImageFormat {
    PNG,
    JPEG,
    WEBP;

    private static final byte[] PNG_SIGNATURE = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    private static final byte[] JPEG_SIGNATURE = {(byte) 0xff, (byte) 0xd8, (byte) 0xff};

    public static Optional<ImageFormat> of(byte[] encoded) {
        if (startsWith(encoded, 0, PNG_SIGNATURE)) return Optional.of(PNG);
        if (startsWith(encoded, 0, JPEG_SIGNATURE)) return Optional.of(JPEG);
        boolean webp = startsWith(encoded, 0, "RIFF".getBytes(StandardCharsets.US_ASCII))
                && startsWith(encoded, 8, "WEBP".getBytes(StandardCharsets.US_ASCII));
        return webp ? Optional.of(WEBP) : Optional.empty();
    }

    private static boolean startsWith(byte[] bytes, int at, byte[] prefix) {
        return bytes.length >= at + prefix.length
                && Arrays.equals(bytes, at, at + prefix.length, prefix, 0, prefix.length);
    }
}
