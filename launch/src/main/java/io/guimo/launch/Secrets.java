package io.guimo.launch;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;

/**
 * Keys that Guimo needs to use others' services, encrypted in the home folder: AES-256 in Galois/counter mode (NIST SP 800-38D), a fresh nonce of 96
 * bits for each value, the secret's name as additional data so that values cannot change places.
 *
 * <p>The master key is 32 random bytes in base64: those of the environment variable {@value #MASTER_KEY_VARIABLE}, so that they need not lie on the
 * same disk, else those of {@code keys/master.key}, which is made at first use and readable by its owner only.
 */
final class Secrets {
    static final String MASTER_KEY_VARIABLE = "GUIMO_MASTER_KEY";
    private static final int VERSION = 1;
    private static final int KEY_BYTES = 32;
    private static final int NONCE_BYTES = 12;
    private static final int TAG_BITS = 128;
    private static final int LONGEST_VALUE = 8192;
    private static final String NAME = "[a-z0-9][a-z0-9._-]{0,62}";
    private static final String OWNER_ONLY = "rw-------";

    /** The file: {@code secrets.json}. */
    private record Content(int version, Map<String, Sealed> secrets) {}

    /**
     * @param masterKey identifies the key that it was sealed with, and tells nothing else about it
     * @param nonce     base64
     * @param sealed    base64 of ciphertext and tag
     */
    private record Sealed(String setAt, String masterKey, String nonce, String sealed) {}

    /** A secret without its value. */
    record Listed(String name, String setAt) {}

    private final Path file;
    private final Path masterKeyFile;
    private final @Nullable String masterKeyGiven;

    /** @param environment of the process */
    Secrets(Home home, Map<String, String> environment) {
        this.file = home.folder().resolve("secrets.json");
        this.masterKeyFile = home.keys().resolve("master.key");
        this.masterKeyGiven = environment.get(MASTER_KEY_VARIABLE);
    }

    /** Keeps a value under a name, in place of the one before. */
    void set(String name, String value) throws IOException {
        if (!name.matches(NAME)) {
            throw new CommandFailure(
                    "'" + name
                            + "' is no name for a secret: it has 1 to 63 of the characters a-z 0-9 . _ - and begins with a letter or digit");
        }
        requireSendable("the value", value);
        byte[] key = masterKey(true);
        byte[] nonce = new byte[NONCE_BYTES];
        new SecureRandom().nextBytes(nonce);
        byte[] sealed;
        try {
            sealed = cipher(Cipher.ENCRYPT_MODE, key, nonce, name).doFinal(value.getBytes(StandardCharsets.US_ASCII));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JDK has AES/GCM", e);
        }
        Base64.Encoder base64 = Base64.getEncoder();
        Sealed entry = new Sealed(
                Instant.now().truncatedTo(ChronoUnit.SECONDS).toString(),
                idOf(key),
                base64.encodeToString(nonce),
                base64.encodeToString(sealed));
        change(secrets -> secrets.put(name, entry));
    }

    /** What can travel in a header: anything else was copied wrongly, or would break out of it. The value itself is not shown. */
    static void requireSendable(String what, String value) {
        if (value.isEmpty() || value.length() > LONGEST_VALUE || !value.chars().allMatch(c -> c > ' ' && c < 127)) {
            throw new CommandFailure(what + " has " + value.length()
                    + " characters; a key has 1 to " + LONGEST_VALUE
                    + ", all of them printable ASCII and none of them blank; copy it again");
        }
    }

    /** @return whether there was one of that name */
    boolean remove(String name) throws IOException {
        return change(secrets -> secrets.remove(name)) != null;
    }

    List<Listed> list() throws IOException {
        return read().secrets.entrySet().stream()
                .map(e -> new Listed(e.getKey(), e.getValue().setAt))
                .toList();
    }

    /** The value under this name; empty if there is none. */
    Optional<String> reveal(String name) throws IOException {
        Sealed entry = read().secrets.get(name);
        if (entry == null) return Optional.empty();
        byte[] key = masterKey(false);
        if (!idOf(key).equals(entry.masterKey)) {
            throw new CommandFailure("the secret '" + name + "' was kept under another master key (" + entry.masterKey
                    + ", this one is " + idOf(key) + "). Bring back that key, in " + masterKeyFile + " or "
                    + MASTER_KEY_VARIABLE + ", or keep the secret anew by ./guimo secret set " + name);
        }
        try {
            Base64.Decoder base64 = Base64.getDecoder();
            byte[] plain = cipher(Cipher.DECRYPT_MODE, key, base64.decode(entry.nonce), name)
                    .doFinal(base64.decode(entry.sealed));
            return Optional.of(new String(plain, StandardCharsets.US_ASCII));
        } catch (AEADBadTagException | IllegalArgumentException e) {
            throw new CommandFailure(
                    file + " was changed by hand: the secret '" + name
                            + "' cannot be read. Keep it anew by ./guimo secret set " + name,
                    e);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JDK has AES/GCM", e);
        }
    }

    private static Cipher cipher(int mode, byte[] key, byte[] nonce, String name) throws GeneralSecurityException {
        Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
        cipher.init(mode, new SecretKeySpec(key, "AES"), new GCMParameterSpec(TAG_BITS, nonce));
        cipher.updateAAD(("guimo secret " + VERSION + " " + name).getBytes(StandardCharsets.UTF_8));
        return cipher;
    }

    private byte[] masterKey(boolean makeIfNew) throws IOException {
        if (masterKeyGiven != null) return decoded(masterKeyGiven, "the environment variable " + MASTER_KEY_VARIABLE);
        if (!Files.exists(masterKeyFile)) {
            if (!makeIfNew) {
                throw new CommandFailure("there are secrets and no master key: neither " + masterKeyFile
                        + " nor the environment variable " + MASTER_KEY_VARIABLE
                        + ". Bring it back, or keep the secrets anew by ./guimo secret set NAME");
            }
            makeMasterKey();
        }
        Set<PosixFilePermission> permissions = Files.getPosixFilePermissions(masterKeyFile);
        if (!PosixFilePermissions.fromString(OWNER_ONLY).containsAll(permissions)) {
            throw new CommandFailure(masterKeyFile + " is open to others ("
                    + PosixFilePermissions.toString(permissions) + "). Close it by chmod 600 " + masterKeyFile
                    + ", and consider whether somebody read it");
        }
        return decoded(Files.readString(masterKeyFile).strip(), masterKeyFile.toString());
    }

    /** Whoever comes second uses the key of whoever came first. */
    private void makeMasterKey() throws IOException {
        byte[] key = new byte[KEY_BYTES];
        new SecureRandom().nextBytes(key);
        Path part = masterKeyFile.resolveSibling(
                "master.key." + ProcessHandle.current().pid());
        Home.writeAtomically(part, Base64.getEncoder().encodeToString(key) + "\n", OWNER_ONLY);
        try {
            Files.createLink(masterKeyFile, part);
        } catch (FileAlreadyExistsException another) {
            // theirs counts
        } finally {
            Files.delete(part);
        }
    }

    private static byte[] decoded(String text, String place) {
        try {
            byte[] key = Base64.getDecoder().decode(text);
            if (key.length == KEY_BYTES) return key;
        } catch (IllegalArgumentException notBase64) {
            throw new CommandFailure(place + " holds no master key: " + KEY_BYTES + " bytes in base64", notBase64);
        }
        throw new CommandFailure(place + " holds no master key: " + KEY_BYTES + " bytes in base64, such as"
                + " `head -c 32 /dev/urandom | base64` prints");
    }

    private static String idOf(byte[] key) {
        try {
            MessageDigest sha = MessageDigest.getInstance("SHA-256");
            sha.update("guimo master key ".getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(sha.digest(key), 0, 8);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    private interface Change {
        @Nullable
        Sealed to(Map<String, Sealed> secrets);
    }

    private @Nullable Sealed change(Change change) throws IOException {
        Files.createDirectories(file.getParent());
        try (FileChannel lock = FileChannel.open(
                        file.resolveSibling("secrets.lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                FileLock _ = lock.lock()) {
            Map<String, Sealed> secrets = new TreeMap<>(read().secrets);
            @Nullable Sealed before = change.to(secrets);
            Home.writeAtomically(
                    file,
                    OwnerClient.JSON.writerWithDefaultPrettyPrinter().writeValueAsString(new Content(VERSION, secrets)),
                    OWNER_ONLY);
            return before;
        }
    }

    private Content read() throws IOException {
        if (!Files.exists(file)) return new Content(VERSION, Map.of());
        try {
            Content content = OwnerClient.JSON.readValue(Files.readString(file), Content.class);
            if (content.version == VERSION) return content;
            throw new CommandFailure(file + " has version " + content.version + ", this program knows " + VERSION
                    + ". Use the version of Guimo that wrote it");
        } catch (JacksonException e) {
            throw new CommandFailure(file + " was changed by hand and cannot be read: " + e.getOriginalMessage(), e);
        }
    }
}
