package io.guimo.launch;

import java.nio.file.Files;
import java.nio.file.Path;

/** Where the program's own files are: the folder of the clone, which the launcher passes on. */
final class Workplace {
    private Workplace() {}

    static Path root() {
        String root = System.getenv("GUIMO_ROOT");
        return Path.of(root != null ? root : System.getProperty("guimo.root", ""))
                .toAbsolutePath();
    }

    /** A path as the user wrote it, seen from the current folder; one that is not there is looked for in the clone: {@code examples/shop}. */
    static Path resolve(Path path) {
        return Files.exists(path) || path.isAbsolute() || !Files.exists(root().resolve(path))
                ? path
                : root().resolve(path);
    }
}
