package io.guimo.data;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** A folder into which a package manager downloads one file. */
final class Downloads {
    private Downloads() {}

    /** The folder, made if need be, without what an interrupted call left in it. */
    static Path emptied(Path folder) throws IOException {
        Files.createDirectories(folder);
        for (Path file : list(folder)) if (Files.isRegularFile(file)) Files.delete(file);
        return folder;
    }

    /** @throws IOException unless exactly one file ends so */
    static Path only(Path folder, String ending) throws IOException {
        List<Path> found =
                list(folder).stream().filter(f -> f.toString().endsWith(ending)).toList();
        if (found.size() != 1) {
            throw new IOException(
                    "the package manager left " + found.size() + " files *" + ending + " instead of one in " + folder);
        }
        return found.getFirst();
    }

    /** How much lies there, for progress. */
    static long bytesIn(Path folder) {
        long bytes = 0;
        try {
            for (Path file : list(folder)) bytes += Files.size(file);
        } catch (IOException e) {
            return 0; // files are renamed while the package manager works; a glimpse of its progress may miss
        }
        return bytes;
    }

    private static List<Path> list(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.toList();
        }
    }
}
