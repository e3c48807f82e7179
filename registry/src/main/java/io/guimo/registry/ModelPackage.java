package io.guimo.registry;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/** A package whose manifest was read, and where its files lie. */
public final class ModelPackage {
    /** What fits a byte array with room for the runtime's header words. */
    private static final long MAX_IN_MEMORY = Integer.MAX_VALUE - 64;

    private final String digest;
    private final Manifest manifest;
    private final PackageStore store;

    ModelPackage(String digest, Manifest manifest, PackageStore store) {
        this.digest = digest;
        this.manifest = manifest;
        this.store = store;
    }

    /** SHA-256 of the manifest's exact bytes: the package's identity. */
    public String digest() {
        return digest;
    }

    public Manifest manifest() {
        return manifest;
    }

    /** Where a file's plain content lies, for an engine that maps it. Never written to. */
    public Path path(PackageFile file) {
        return store.blob(file.sha256());
    }

    /**
     * A file's content, with its digest checked on the very bytes returned: what was changed on the disk since the package was verified is refused
     * here.
     *
     * @throws IOException if the file cannot be read, differs from its digest, or passes 2 GiB (then {@link #path} is the way)
     */
    public byte[] read(PackageFile file) throws IOException {
        if (file.bytes() > MAX_IN_MEMORY) {
            throw new IOException(file.name() + " has " + file.bytes() + " bytes; at most " + MAX_IN_MEMORY
                    + " are read into memory: map it");
        }
        byte[] content;
        try (InputStream in = Files.newInputStream(path(file))) {
            content = in.readNBytes((int) file.bytes() + 1);
        }
        String found = Digests.of(content);
        if (!found.equals(file.sha256())) {
            throw new IOException(file.name() + " of package " + digest
                    + " was changed on the disk: its manifest says SHA-256 " + file.sha256() + ", found " + found);
        }
        return content;
    }
}
