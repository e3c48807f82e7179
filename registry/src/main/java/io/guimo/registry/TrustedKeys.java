package io.guimo.registry;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.Signature;
import java.security.SignatureException;
import java.security.spec.X509EncodedKeySpec;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * The public keys whose signatures count, from the folder {@code keys/trusted} of the home folder: one PEM file per key, named after its id. To
 * trust another installation, copy its file there; to stop, delete it.
 */
public final class TrustedKeys {
    /** A public key in X.509: 12 bytes that name the algorithm, then the 32 bytes of the key (RFC 8410, section 4). */
    private static final int PREFIX_BYTES = 12;

    private static final int KEY_BYTES = 32;
    private static final int MAX_FILE_BYTES = 4096;

    /** A public key and its id: the first 128 bits of the SHA-256 of the 32 key bytes, in hexadecimal. */
    public static final class Key {
        static final int ID_LENGTH = 32;

        private final String id;
        private final PublicKey key;

        private Key(String id, PublicKey key) {
            this.id = id;
            this.key = key;
        }

        static Key of(PublicKey key) {
            byte[] encoded = key.getEncoded();
            if (!key.getAlgorithm().equals("EdDSA") || encoded.length != PREFIX_BYTES + KEY_BYTES) {
                throw new IllegalArgumentException("a key of algorithm " + key.getAlgorithm() + " with "
                        + encoded.length + " bytes is not Ed25519, the one permitted kind");
            }
            byte[] raw = Arrays.copyOfRange(encoded, PREFIX_BYTES, encoded.length);
            return new Key(Digests.of(raw).substring(0, ID_LENGTH), key);
        }

        public String id() {
            return id;
        }

        boolean verifies(byte[] content, byte[] signatureBytes) {
            try {
                Signature signature = Signature.getInstance("Ed25519");
                signature.initVerify(key);
                signature.update(content);
                return signature.verify(signatureBytes);
            } catch (SignatureException malformed) {
                return false;
            } catch (GeneralSecurityException e) {
                throw new IllegalStateException(
                        "Ed25519 verification failed with a key that was checked when it was read", e);
            }
        }
    }

    private final Map<String, Key> byId = new TreeMap<>();

    private TrustedKeys(Collection<Key> keys) {
        keys.forEach(k -> byId.put(k.id(), k));
    }

    public static TrustedKeys of(Key... keys) {
        return new TrustedKeys(Arrays.asList(keys));
    }

    /**
     * @param folder {@code keys/trusted}; a folder that does not exist trusts nobody
     * @throws IOException if a file in it is no Ed25519 public key, or is named after another one: a half-read trust would refuse or accept in silence
     */
    public static TrustedKeys open(Path folder) throws IOException {
        TrustedKeys trusted = new TrustedKeys(Set.of());
        if (!Files.isDirectory(folder)) return trusted;
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file :
                    files.filter(f -> f.toString().endsWith(".pem")).sorted().toList()) {
                Key key = read(file);
                if (!file.getFileName().toString().equals(key.id() + ".pem")) {
                    throw new IOException("the trusted key " + file + " has the id " + key.id() + "; name the file "
                            + key.id() + ".pem, or delete it if it was exchanged");
                }
                trusted.byId.put(key.id(), key);
            }
        }
        return trusted;
    }

    private static Key read(Path file) throws IOException {
        if (Files.size(file) > MAX_FILE_BYTES) {
            throw new IOException("the trusted key " + file + " has " + Files.size(file) + " bytes; at most "
                    + MAX_FILE_BYTES + " are permitted");
        }
        String text = Files.readString(file, StandardCharsets.ISO_8859_1);
        try {
            return Key.of(publicKey(body(text, "PUBLIC KEY", file)));
        } catch (GeneralSecurityException | IllegalArgumentException e) {
            throw new IOException("the trusted key " + file + " is no Ed25519 public key in PEM: " + e.getMessage(), e);
        }
    }

    /** Writes a key into the folder of the trusted; the same key again changes nothing. */
    public static void trust(Path folder, Key key) throws IOException {
        Files.createDirectories(folder);
        Path file = folder.resolve(key.id() + ".pem");
        byte[] pem = SigningKey.publicPem(key.key).getBytes(StandardCharsets.US_ASCII);
        if (Files.exists(file) && Arrays.equals(Files.readAllBytes(file), pem)) return;
        Durable.replace(file, pem);
    }

    public Optional<Key> find(String keyId) {
        return Optional.ofNullable(byId.get(keyId));
    }

    public Set<String> ids() {
        return Set.copyOf(byId.keySet());
    }

    static PublicKey publicKey(byte[] der) throws GeneralSecurityException {
        return KeyFactory.getInstance("Ed25519").generatePublic(new X509EncodedKeySpec(der));
    }

    static byte[] body(String text, String kind, Path file) throws IOException {
        String begin = "-----BEGIN " + kind + "-----";
        String end = "-----END " + kind + "-----";
        int from = text.indexOf(begin);
        int to = text.indexOf(end);
        if (from < 0 || to < from) {
            throw new IOException(file + " holds no " + kind + " in PEM (" + begin
                    + "): restore it, or delete it to have one made anew");
        }
        try {
            return Base64.getMimeDecoder().decode(text.substring(from + begin.length(), to));
        } catch (IllegalArgumentException e) {
            throw new IOException(file + " is damaged: " + e.getMessage(), e);
        }
    }

    /** For messages: the ids, shortened to be read by people. */
    @Override
    public String toString() {
        return byId.isEmpty() ? "none" : String.join(", ", byId.keySet());
    }
}
