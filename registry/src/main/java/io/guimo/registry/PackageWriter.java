package io.guimo.registry;

import io.guimo.registry.PackageFile.Format;
import io.guimo.registry.PackageFile.Role;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Makes one package: add its files, then sign it. For one thread. */
public final class PackageWriter {
    private final PackageStore store;
    private final List<PackageFile> files = new ArrayList<>();

    PackageWriter(PackageStore store) {
        this.store = store;
    }

    /** Copies a file into the store; the source is not kept and may be deleted. */
    public PackageWriter add(Role role, Format format, String name, Path source) throws IOException {
        long bytes = Files.size(source);
        files.add(new PackageFile(role, format, name, bytes, store.put(source)));
        return this;
    }

    public PackageWriter add(Role role, Format format, String name, byte[] content) throws IOException {
        files.add(new PackageFile(role, format, name, content.length, store.put(content)));
        return this;
    }

    /**
     * Writes the manifest and signs it; from here on the package exists.
     *
     * @param createdAt for a trained model the end of its run, so that packaging it again after an interruption gives the same package
     * @return the package's digest
     */
    public String sign(SigningKey key, Provenance provenance, Instant createdAt) throws IOException {
        byte[] manifest = manifest(provenance, createdAt);
        String digest = store.put(manifest);
        store.sign(digest, new SignatureFile(key.keyId(), key.sign(manifest)));
        return digest;
    }

    /** Writes the manifest and no signature: only a host that was started for unsigned packages loads it. */
    public String leaveUnsigned(Provenance provenance, Instant createdAt) throws IOException {
        return store.put(manifest(provenance, createdAt));
    }

    private byte[] manifest(Provenance provenance, Instant createdAt) {
        files.sort(Comparator.comparing(PackageFile::name));
        Manifest manifest =
                new Manifest(ManifestFormat.VERSION, provenance, createdAt.truncatedTo(ChronoUnit.MILLIS), files);
        byte[] bytes = ManifestFormat.write(manifest);
        if (bytes.length > ManifestFormat.MAX_BYTES) {
            throw new IllegalArgumentException("the manifest would have " + bytes.length + " bytes; permitted are "
                    + ManifestFormat.MAX_BYTES + ": shorten metrics, comparisons or notes");
        }
        return bytes;
    }
}
