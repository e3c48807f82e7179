package io.guimo.data;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;

/** A package that the operating system has installed. */
final class InstalledSource implements FileSource {
    private final Place.SystemPackage debian;
    private final Path root;

    InstalledSource(Place.SystemPackage debian, Path root) {
        this.debian = debian;
        this.root = root;
    }

    @Override
    public void collect(CatalogueEntry entry, Staging staging, FetchProgress progress) throws IOException {
        for (CatalogueEntry.File file : entry.files()) {
            String path = Objects.requireNonNull(debian.paths().get(file.name()), file.name());
            Path installed = root.resolve(path.substring(1));
            if (!Files.isRegularFile(installed)) throw new IOException("not installed (no file " + installed + ")");
            staging.take(file, installed);
        }
    }
}
