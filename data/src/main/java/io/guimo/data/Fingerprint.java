package io.guimo.data;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.regex.Pattern;

/**
 * SHA-256 of some content.
 *
 * @param sha256 64 hexadecimal digits, lower case
 */
public record Fingerprint(String sha256) {
    private static final Pattern HEX = Pattern.compile("[0-9a-f]{64}");

    public Fingerprint {
        if (!HEX.matcher(sha256).matches()) {
            throw new IllegalArgumentException(
                    "'" + sha256 + "' is no SHA-256: give 64 hexadecimal digits in lower case");
        }
    }

    public static Fingerprint of(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            return of(in);
        }
    }

    public static Fingerprint of(byte[] content) {
        return new Fingerprint(HexFormat.of().formatHex(digest().digest(content)));
    }

    /** Reads the stream to its end, 64 KiB at a time. */
    public static Fingerprint of(InputStream content) throws IOException {
        MessageDigest digest = digest();
        byte[] block = new byte[1 << 16];
        for (int read = content.read(block); read >= 0; read = content.read(block)) digest.update(block, 0, read);
        return new Fingerprint(HexFormat.of().formatHex(digest.digest()));
    }

    static MessageDigest digest() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform must have SHA-256", e);
        }
    }

    @Override
    public String toString() {
        return "sha256:" + sha256;
    }
}
