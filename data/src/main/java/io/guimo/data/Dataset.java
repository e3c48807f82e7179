package io.guimo.data;

import java.nio.file.Path;
import java.util.Map;

/**
 * A catalogue entry whose files lie on this machine, each with the fingerprint that the catalogue demands.
 *
 * @param entry what it is
 * @param folder holds every file of the entry under its plain name
 * @param place where it came from, in words
 */
public record Dataset(CatalogueEntry entry, Path folder, String place) {
    public Path file(String name) {
        entry.file(name);
        return folder.resolve(name);
    }

    /** File names and what they hold: goes into every run that used the data. */
    public Map<String, Fingerprint> fingerprints() {
        return entry.fingerprints();
    }
}
