package io.guimo.registry;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.interfaces.EdECPrivateKey;
import java.security.interfaces.EdECPublicKey;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.Set;

/**
 * The key that signs packages: Ed25519 (RFC 8032) by the JDK. One file, PKCS#8 and X.509 in PEM, mode 0600 from its first byte on; a key file that
 * others can read is refused.
 */
public final class SigningKey {
    private static final Set<PosixFilePermission> OWNER_ONLY = PosixFilePermissions.fromString("rw-------");

    private final PrivateKey secret;
    private final TrustedKeys.Key verifying;

    private SigningKey(PrivateKey secret, PublicKey open) {
        this.secret = secret;
        this.verifying = TrustedKeys.Key.of(open);
    }

    /** A new key that lives in memory only. */
    public static SigningKey generate() {
        KeyPair pair = pair();
        return new SigningKey(pair.getPrivate(), pair.getPublic());
    }

    /**
     * The key of a home folder: made on first use, and then trusted by writing its public half to {@code keys/trusted}.
     *
     * @param keys the folder {@code keys} of the home folder
     * @throws IOException if the key cannot be read or written, or others may read it
     */
    public static SigningKey openOrCreate(Path keys) throws IOException {
        Path file = keys.resolve("signing.pem");
        Files.createDirectories(keys);
        if (!Files.exists(file)) create(file);
        SigningKey key = open(file);
        TrustedKeys.trust(keys.resolve("trusted"), key.verifying);
        return key;
    }

    private static void create(Path file) throws IOException {
        KeyPair pair = pair();
        String pem = pem("PRIVATE KEY", pair.getPrivate().getEncoded())
                + pem("PUBLIC KEY", pair.getPublic().getEncoded());
        // Written whole beside its place and linked there, so that two first starts at once agree on one key and a
        // crash leaves none or all.
        Path part = Files.createTempFile(
                Durable.folderOf(file), "signing", ".part", PosixFilePermissions.asFileAttribute(OWNER_ONLY));
        try {
            try (FileChannel channel = FileChannel.open(part, StandardOpenOption.WRITE)) {
                Durable.write(channel, pem.getBytes(StandardCharsets.US_ASCII));
                channel.force(true);
            }
            Files.createLink(file, part);
            Durable.syncFolder(Durable.folderOf(file));
        } catch (FileAlreadyExistsException another) {
            // Another start was first: its key is the key.
        } finally {
            Files.delete(part);
        }
    }

    private static SigningKey open(Path file) throws IOException {
        Set<PosixFilePermission> mode = Files.getPosixFilePermissions(file);
        if (!OWNER_ONLY.containsAll(mode)) {
            throw new IOException("the signing key " + file + " has mode " + PosixFilePermissions.toString(mode)
                    + "; others must not read it: chmod 600 " + file
                    + ", and make a new key if somebody could have copied it");
        }
        String text = Files.readString(file, StandardCharsets.US_ASCII);
        try {
            KeyFactory factory = KeyFactory.getInstance("Ed25519");
            PrivateKey secret =
                    factory.generatePrivate(new PKCS8EncodedKeySpec(TrustedKeys.body(text, "PRIVATE KEY", file)));
            PublicKey open = TrustedKeys.publicKey(TrustedKeys.body(text, "PUBLIC KEY", file));
            SigningKey key = new SigningKey(secret, open);
            key.requirePair(file);
            return key;
        } catch (GeneralSecurityException e) {
            throw new IOException(
                    "the signing key " + file + " cannot be read as Ed25519 in PEM: " + e.getMessage(), e);
        }
    }

    private void requirePair(Path file) throws IOException {
        byte[] probe = "pair".getBytes(StandardCharsets.US_ASCII);
        if (!verifying.verifies(probe, sign(probe))) {
            throw new IOException("the two halves of the signing key " + file
                    + " do not belong together; restore the file or move it away");
        }
    }

    /** The public half. */
    public TrustedKeys.Key verifying() {
        return verifying;
    }

    public String keyId() {
        return verifying.id();
    }

    byte[] sign(byte[] content) {
        try {
            Signature signature = Signature.getInstance("Ed25519");
            signature.initSign(secret);
            signature.update(content);
            return signature.sign();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("Ed25519 signing failed with a key that was checked when it was read", e);
        }
    }

    private static KeyPair pair() {
        try {
            KeyPair pair = KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
            if (!(pair.getPrivate() instanceof EdECPrivateKey && pair.getPublic() instanceof EdECPublicKey)) {
                throw new IllegalStateException(
                        "this Java runtime's Ed25519 gives " + pair.getPublic().getClass());
            }
            return pair;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java runtime from 15 on must bring Ed25519", e);
        }
    }

    private static String pem(String kind, byte[] der) {
        return "-----BEGIN " + kind + "-----\n"
                + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der) + "\n-----END " + kind + "-----\n";
    }

    static String publicPem(PublicKey key) {
        return pem("PUBLIC KEY", key.getEncoded());
    }
}
