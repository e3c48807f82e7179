package io.guimo.data;

import io.guimo.units.NearestName;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Named data sets, found on this machine or fetched from the nearest place that has them. */
public final class Catalogue {
    private final List<CatalogueEntry> entries;

    public Catalogue(List<CatalogueEntry> entries) {
        this.entries = List.copyOf(entries);
    }

    public List<CatalogueEntry> list() {
        return entries;
    }

    public Optional<CatalogueEntry> find(String name) {
        return entries.stream().filter(entry -> entry.name().equals(name)).findFirst();
    }

    /**
     * The entry's files on this machine, fetched if need be.
     *
     * @throws DataException if there is no such entry, or no place has its files; the message names every place tried and why it failed
     */
    public Dataset get(String name, CatalogueOptions options) {
        CatalogueEntry entry = find(name).orElseThrow(() -> unknown(name));
        List<String> tries = new ArrayList<>();
        List<Path> folders = new ArrayList<>();
        folders.add(options.home().resolve("cache").resolve("data").resolve(name));
        if (options.dataDir() != null) folders.add(options.dataDir().resolve(name));
        for (Path folder : folders) {
            Optional<String> fault = fault(entry, folder);
            if (fault.isEmpty()) return new Dataset(entry, folder, folder.toString());
            tries.add(folder + ": " + fault.get());
        }
        throw new DataException(
                DataException.Code.UNAVAILABLE,
                "'" + name + "' could not be had from any place:\n  " + String.join("\n  ", tries));
    }

    private static Optional<String> fault(CatalogueEntry entry, Path folder) {
        for (CatalogueEntry.File file : entry.files()) {
            Path path = folder.resolve(file.name());
            try {
                if (!Files.isRegularFile(path)) return Optional.of("no file " + file.name());
                if (!Fingerprint.of(path).equals(file.fingerprint())) {
                    return Optional.of(file.name() + " is not what the catalogue names: its content differs");
                }
            } catch (IOException e) {
                return Optional.of(path + " cannot be read: " + e);
            }
        }
        return Optional.empty();
    }

    private DataException unknown(String name) {
        List<String> names = entries.stream().map(CatalogueEntry::name).toList();
        return new DataException(
                DataException.Code.UNKNOWN_NAME,
                "the catalogue has no '" + name + "'"
                        + NearestName.of(name, names)
                                .map(near -> "; did you mean '" + near + "'?")
                                .orElse("")
                        + " It has " + String.join(", ", names) + ".");
    }
}
