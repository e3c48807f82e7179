package io.guimo.registry;

import io.guimo.data.Fingerprint;
import java.io.IOException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.regex.Pattern;

/** SHA-256 as packages write it: 64 lower-case hexadecimal digits. */
final class Digests {
    private static final Pattern HEX = Pattern.compile("[0-9a-f]{64}");

    private Digests() {}

    static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java runtime must bring SHA-256", e);
        }
    }

    static String of(byte[] content) {
        return Fingerprint.of(content).sha256();
    }

    static String of(Path file) throws IOException {
        return Fingerprint.of(file).sha256();
    }

    /** @throws IllegalArgumentException if the text is no digest; it is used in paths, so nothing else may pass */
    static String require(String sha256, String owner) {
        if (!HEX.matcher(sha256).matches()) {
            throw new IllegalArgumentException("the digest of " + owner + " is '" + Shown.text(sha256)
                    + "'; 64 lower-case hexadecimal digits (SHA-256) are needed");
        }
        return sha256;
    }
}
