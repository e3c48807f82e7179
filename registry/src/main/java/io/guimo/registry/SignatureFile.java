package io.guimo.registry;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The stored form of a signature, version 1: three lines of ASCII. There is exactly one way to write a signature, and another one is refused, so
 * that no bit of the file can change unseen.
 */
@SuppressWarnings("ArrayRecordComponent") // never compared, and copied in
record SignatureFile(String keyId, byte[] signature) {
    /** An Ed25519 signature has 64 bytes: 86 digits in base 64 and two signs of filling. */
    private static final Pattern FORM =
            Pattern.compile("guimo-signature 1\nkey ([0-9a-f]{32})\ned25519 ([A-Za-z0-9+/]{86}==)\n");

    static final int BYTES = 18 + 37 + 97;

    SignatureFile {
        signature = signature.clone();
    }

    byte[] write() {
        return ("guimo-signature 1\nkey " + keyId + "\ned25519 "
                        + Base64.getEncoder().encodeToString(signature) + "\n")
                .getBytes(StandardCharsets.US_ASCII);
    }

    /** @throws IllegalArgumentException if this is not, byte for byte, how a signature is written */
    static SignatureFile read(byte[] content) {
        Matcher matcher = FORM.matcher(new String(content, StandardCharsets.ISO_8859_1));
        if (!matcher.matches()) {
            throw new IllegalArgumentException("its " + content.length + " bytes are not a signature of version 1 ("
                    + BYTES + " bytes, three lines)");
        }
        SignatureFile file =
                new SignatureFile(matcher.group(1), Base64.getDecoder().decode(matcher.group(2)));
        // The last digit before the filling carries four bits that decoding drops.
        if (!Arrays.equals(file.write(), content)) throw new IllegalArgumentException("its base 64 is not canonical");
        return file;
    }
}
