package io.guimo.data;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** A folder of the user's: {@code DIR/ENTRY/FILE} or {@code DIR/FILE}, each also as {@code .gz}. */
final class FolderSource implements FileSource {
    private final Path folder;

    FolderSource(Path folder) {
        this.folder = folder;
    }

    @Override
    public void collect(CatalogueEntry entry, Staging staging, FetchProgress progress) throws IOException {
        if (!Files.isDirectory(folder)) throw new IOException("there is no such folder");
        for (CatalogueEntry.File file : entry.files()) {
            List<Path> candidates = List.of(
                    folder.resolve(entry.name()).resolve(file.name()),
                    folder.resolve(entry.name()).resolve(file.name() + ".gz"),
                    folder.resolve(file.name()),
                    folder.resolve(file.name() + ".gz"));
            Optional<Path> found =
                    candidates.stream().filter(Files::isRegularFile).findFirst();
            if (found.isEmpty()) {
                throw new IOException("neither " + file.name() + " nor " + entry.name() + "/" + file.name()
                        + " lies in it, with or without .gz");
            }
            staging.take(file, found.get());
        }
    }
}
