package io.guimo.registry;

import io.guimo.registry.PackageFile.Role;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What a model package says of itself. It holds no name, no version and no promotion: those belong to the registry, so that one package can
 * be registered anywhere.
 *
 * @param formatVersion version of the stored form, see {@link ManifestFormat}
 * @param files         1 to {@value #MAX_FILES}, each with an own name
 */
public record Manifest(int formatVersion, Provenance provenance, Instant createdAt, List<PackageFile> files) {
    /** More files than any package needs; bounds a hostile manifest. */
    static final int MAX_FILES = 256;

    public Manifest {
        files = List.copyOf(files);
        if (files.isEmpty() || files.size() > MAX_FILES) {
            throw new IllegalArgumentException(
                    "a package has 1 to " + MAX_FILES + " files, this one has " + files.size());
        }
        Set<String> names = new HashSet<>();
        for (PackageFile file : files) {
            if (!names.add(file.name()))
                throw new IllegalArgumentException("two files of the package are named " + file.name());
        }
    }

    public String task() {
        return provenance.task();
    }

    /** The first file with this role. */
    public Optional<PackageFile> file(Role role) {
        return files.stream().filter(f -> f.role() == role).findFirst();
    }
}
