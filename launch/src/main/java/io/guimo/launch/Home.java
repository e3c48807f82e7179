package io.guimo.launch;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;

/**
 * The folder that holds all that Guimo keeps on this machine: {@code ~/.guimo}, or the one named by {@code --home}.
 *
 * @param folder absolute
 */
record Home(Path folder) {
    /** The layout of the folder; a home of another layout is refused, never guessed at. */
    private static final int LAYOUT = 1;

    static Home at(Path folder) {
        return new Home(folder.toAbsolutePath().normalize());
    }

    /** Creates the folder if it is new, and checks that this program can read one that is not. */
    Home open() throws IOException {
        Files.createDirectories(folder);
        Path layout = folder.resolve("layout");
        if (!Files.exists(layout)) {
            writeAtomically(layout, Integer.toString(LAYOUT), "rw-r--r--");
            return this;
        }
        String found = Files.readString(layout).strip();
        if (!found.equals(Integer.toString(LAYOUT))) {
            throw new CommandFailure(
                    "the home folder " + folder + " has layout '" + found + "', this program knows " + LAYOUT
                            + ". Use the version of Guimo that wrote it, or another folder by --home DIR; nothing was changed.");
        }
        return this;
    }

    Path cache() {
        return folder.resolve("cache");
    }

    Path postgres() {
        return folder.resolve("postgres");
    }

    Path runs() {
        return folder.resolve("runs");
    }

    Path packages() {
        return folder.resolve("packages");
    }

    Path keys() {
        return folder.resolve("keys");
    }

    Path ownerKey() {
        return folder.resolve("owner.key");
    }

    Path server() {
        return folder.resolve("server.json");
    }

    Path documents() {
        return folder.resolve("documents");
    }

    /** Writes a file so that a reader sees the old content or the new, never a part; the permissions hold from its first byte on. */
    static void writeAtomically(Path file, String content, String permissions) throws IOException {
        Files.createDirectories(file.toAbsolutePath().getParent());
        Path part = file.resolveSibling(file.getFileName() + ".part");
        Files.deleteIfExists(part);
        Files.createFile(part, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(permissions)));
        Files.write(part, content.getBytes(StandardCharsets.UTF_8));
        Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }
}
