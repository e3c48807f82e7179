package io.guimo.registry;

import io.guimo.registry.PackageCheck.Finding;
import io.guimo.registry.PackageCheck.Reason;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The packages of a home folder, every file once, under its digest.
 *
 * <pre>
 * packages/sha256/ab/ab12…      plain content of files and of manifests
 * packages/signed/&lt;digest&gt;.sig  signature of the package whose manifest has that digest
 * packages/incoming/            what is being written
 * </pre>
 *
 * <p>A file appears under its name only when it is whole and on the disk, and a package exists from the moment its signature does, which is written
 * last: a crash leaves no half package, and writing it again continues where it stopped. Several processes
 * may write at once; within a process one object serves a folder, for any number of threads.
 */
public final class PackageStore {
    private static final int COPY_BYTES = 1 << 20;

    private final Path blobs;
    private final Path signed;
    private final Path incoming;
    /** File locks exclude other processes only; this excludes threads of this one. */
    private final ReentrantLock writing = new ReentrantLock();

    private PackageStore(Path root) {
        blobs = root.resolve("sha256");
        signed = root.resolve("signed");
        incoming = root.resolve("incoming");
    }

    /** @param root the folder {@code packages} of the home folder; made if missing */
    public static PackageStore open(Path root) throws IOException {
        PackageStore store = new PackageStore(root);
        Files.createDirectories(store.blobs);
        Files.createDirectories(store.signed);
        Files.createDirectories(store.incoming);
        return store;
    }

    /** Begins a package. */
    public PackageWriter writer() {
        return new PackageWriter(this);
    }

    /** Digests of all signed packages. */
    public List<String> packages() throws IOException {
        try (Stream<Path> files = Files.list(signed)) {
            return files.map(f -> f.getFileName().toString())
                    .filter(n -> n.endsWith(".sig"))
                    .map(n -> n.substring(0, n.length() - 4))
                    .sorted()
                    .toList();
        }
    }

    /**
     * Checks every byte of a package: its signature by a trusted key, its manifest, and each file's length and digest.
     *
     * @param digest the package's identity; foreign text is permitted
     * @throws IOException only if the disk fails; whatever is wrong with the package is a {@link PackageCheck.Refused}
     */
    public PackageCheck verify(String digest, TrustedKeys trusted) throws IOException {
        List<Finding> findings = new ArrayList<>();
        byte @Nullable [] manifest = manifestBytes(digest, findings);
        @Nullable String keyId = checkSignature(digest, manifest, trusted, findings);
        // An unsigned or altered manifest is not even read: it could name any file.
        if (manifest == null || keyId == null || !findings.isEmpty()) return new PackageCheck.Refused(findings);
        Optional<ModelPackage> content = checkFiles(digest, manifest, findings);
        if (content.isEmpty() || !findings.isEmpty()) return new PackageCheck.Refused(findings);
        return new PackageCheck.Verified(content.get(), keyId);
    }

    /**
     * Checks digests but asks for no signature: for hosts that were started explicitly so.
     *
     * @return a verified package whose key id is {@code unsigned}, or why it is refused
     */
    public PackageCheck verifyUnsigned(String digest) throws IOException {
        List<Finding> findings = new ArrayList<>();
        byte @Nullable [] manifest = manifestBytes(digest, findings);
        if (manifest == null) return new PackageCheck.Refused(findings);
        Optional<ModelPackage> content = checkFiles(digest, manifest, findings);
        if (content.isEmpty() || !findings.isEmpty()) return new PackageCheck.Refused(findings);
        return new PackageCheck.Verified(content.get(), "unsigned");
    }

    private byte @Nullable [] manifestBytes(String digest, List<Finding> findings) throws IOException {
        try {
            Digests.require(digest, "the package");
        } catch (IllegalArgumentException e) {
            findings.add(new Finding(Reason.MISSING, "package", String.valueOf(e.getMessage())));
            return null;
        }
        byte[] content;
        try (InputStream in = Files.newInputStream(blob(digest))) {
            content = in.readNBytes(ManifestFormat.MAX_BYTES + 1);
        } catch (NoSuchFileException e) {
            findings.add(new Finding(
                    Reason.MISSING,
                    "manifest",
                    "there is no package " + digest + " in this store: its manifest is missing"));
            return null;
        }
        String found = Digests.of(content);
        if (found.equals(digest)) return content;
        findings.add(new Finding(
                Reason.MANIFEST_DIFFERS,
                "manifest",
                "the manifest was changed: the package is named after SHA-256 " + digest + ", its manifest has "
                        + found));
        return null;
    }

    /** @return the trusted key's id, or null with the reason among the findings */
    private @Nullable String checkSignature(
            String digest, byte @Nullable [] manifest, TrustedKeys trusted, List<Finding> findings) throws IOException {
        if (findings.stream().anyMatch(f -> f.reason() == Reason.MISSING)) return null;
        SignatureFile file;
        try (InputStream in = Files.newInputStream(signatureFile(digest))) {
            file = SignatureFile.read(in.readNBytes(SignatureFile.BYTES + 1));
        } catch (NoSuchFileException e) {
            findings.add(new Finding(Reason.UNSIGNED, "signature", "package " + digest + " is not signed"));
            return null;
        } catch (IllegalArgumentException e) {
            findings.add(new Finding(
                    Reason.SIGNATURE_MALFORMED, "signature", "the signature was changed: " + e.getMessage()));
            return null;
        }
        Optional<TrustedKeys.Key> key = trusted.find(file.keyId());
        if (key.isEmpty()) {
            findings.add(new Finding(
                    Reason.KEY_NOT_TRUSTED,
                    "signature",
                    "the package was signed by key " + file.keyId() + ", which is not trusted (trusted: " + trusted
                            + "); if you trust its owner, put the public key into keys/trusted"));
            return null;
        }
        if (manifest == null) return null;
        if (!key.get().verifies(manifest, file.signature())) {
            findings.add(new Finding(
                    Reason.SIGNATURE_DIFFERS,
                    "signature",
                    "the signature by key " + file.keyId() + " does not fit the manifest: one of them was changed"));
            return null;
        }
        return file.keyId();
    }

    private Optional<ModelPackage> checkFiles(String digest, byte[] manifestBytes, List<Finding> findings)
            throws IOException {
        Manifest manifest;
        try {
            manifest = ManifestFormat.read(manifestBytes);
        } catch (IllegalArgumentException e) {
            findings.add(new Finding(Reason.MANIFEST_MALFORMED, "manifest", String.valueOf(e.getMessage())));
            return Optional.empty();
        }
        for (PackageFile file : manifest.files()) checkFile(file, findings);
        return Optional.of(new ModelPackage(digest, manifest, this));
    }

    private void checkFile(PackageFile file, List<Finding> findings) throws IOException {
        Path path = blob(file.sha256());
        if (!Files.isRegularFile(path)) {
            findings.add(new Finding(Reason.FILE_MISSING, file.name(), file.name() + " is missing: " + path));
            return;
        }
        long bytes = Files.size(path);
        if (bytes != file.bytes()) {
            findings.add(new Finding(
                    Reason.FILE_SIZE_DIFFERS,
                    file.name(),
                    file.name() + " has " + bytes + " bytes, its manifest says " + file.bytes()));
            return;
        }
        String found = Digests.of(path);
        if (found.equals(file.sha256())) return;
        findings.add(new Finding(
                Reason.FILE_DIGEST_DIFFERS,
                file.name(),
                file.name() + " was changed: its manifest says SHA-256 " + file.sha256() + ", found " + found));
    }

    Path blob(String sha256) {
        return blobs.resolve(sha256.substring(0, 2)).resolve(sha256);
    }

    private Path signatureFile(String digest) {
        return signed.resolve(digest + ".sig");
    }

    /** Keeps a file's content; content that is there already, and whole, is not written again. Damaged content is replaced. */
    String put(Path source) throws IOException {
        String sha256 = Digests.of(source);
        try (FileChannel from = FileChannel.open(source, StandardOpenOption.READ)) {
            keep(sha256, from.size(), from::read);
        }
        return sha256;
    }

    String put(byte[] content) throws IOException {
        String sha256 = Digests.of(content);
        keep(sha256, content.length, (into, position) -> {
            int n = (int) Math.min(into.remaining(), content.length - position);
            if (n <= 0) return -1;
            into.put(content, (int) position, n);
            return n;
        });
        return sha256;
    }

    void sign(String digest, SignatureFile signature) throws IOException {
        Durable.replace(signatureFile(digest), signature.write());
    }

    private interface Source {
        /** @return bytes read from that position on, -1 at the end */
        int read(ByteBuffer into, long position) throws IOException;
    }

    private void keep(String sha256, long bytes, Source source) throws IOException {
        Path target = blob(sha256);
        writing.lock();
        try (FileChannel lockFile =
                FileChannel.open(incoming.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            FileLock exclusive = lock(lockFile);
            try {
                if (Files.isRegularFile(target)
                        && Files.size(target) == bytes
                        && Digests.of(target).equals(sha256)) return;
                Path part = incoming.resolve(sha256 + ".part");
                complete(part, sha256, bytes, source);
                Files.createDirectories(Durable.folderOf(target));
                Files.move(part, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
                Durable.syncFolder(Durable.folderOf(target));
                Durable.syncFolder(blobs);
            } finally {
                exclusive.release();
            }
        } finally {
            writing.unlock();
        }
    }

    private static FileLock lock(FileChannel lockFile) throws IOException {
        try {
            return lockFile.lock();
        } catch (OverlappingFileLockException e) {
            throw new IllegalStateException(
                    "two PackageStore objects of one process write to the same folder; share one", e);
        }
    }

    /** Continues a part that an interrupted writing left, and begins anew if the whole then differs. */
    private static void complete(Path part, String sha256, long bytes, Source source) throws IOException {
        for (int attempt = 0; attempt < 2; attempt++) {
            try (FileChannel out = FileChannel.open(
                    part, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
                if (attempt > 0 || out.size() > bytes) out.truncate(0);
                if (append(out, source).equals(sha256)) {
                    out.force(true);
                    return;
                }
            }
        }
        Files.deleteIfExists(part);
        throw new IOException("the content with SHA-256 " + sha256
                + " changed while it was copied, or the disk does not keep what is written; try again");
    }

    private static String append(FileChannel out, Source source) throws IOException {
        MessageDigest digest = Digests.sha256();
        ByteBuffer buffer = ByteBuffer.allocate(COPY_BYTES);
        while (out.read(buffer) >= 0) drain(buffer, digest);
        for (long position = out.position(); source.read(buffer, position) >= 0; position = out.position()) {
            buffer.flip();
            while (buffer.hasRemaining()) out.write(buffer);
            buffer.flip();
            digest.update(buffer);
            buffer.clear();
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    private static void drain(ByteBuffer buffer, MessageDigest digest) {
        buffer.flip();
        digest.update(buffer);
        buffer.clear();
    }
}
