package io.guimo.model;

import java.io.BufferedOutputStream;
import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/** A file that is replaced as a whole and on the disk when the call returns: after a crash it is the old one or the new one. */
public final class DurableFile {
    private DurableFile() {}

    /** What writes a file's content. */
    @FunctionalInterface
    public interface Writer {
        void writeTo(OutputStream out) throws IOException;
    }

    /** Writes into a temporary file in the same folder, forces it to the disk and renames it. */
    public static void replace(Path file, Writer writer) throws IOException {
        Path temporary = file.resolveSibling(file.getFileName() + ".tmp");
        // not Files.newOutputStream: an interrupt, which asks training to stop at the next step, would close its
        // channel half way
        try (FileOutputStream raw = new FileOutputStream(temporary.toFile())) {
            BufferedOutputStream out = new BufferedOutputStream(raw, 1 << 16);
            writer.writeTo(out);
            out.flush();
            raw.getFD().sync();
        } catch (IOException | RuntimeException failed) {
            Files.deleteIfExists(temporary);
            throw failed;
        }
        Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        Path folder = file.toAbsolutePath().getParent();
        if (folder != null) forceFolder(folder);
    }

    /** The rename itself is an entry of the folder, which has its own place on the disk. */
    private static void forceFolder(Path folder) throws IOException {
        if (File.separatorChar == '\\') return; // Windows opens no folders
        boolean interrupted = false;
        try {
            while (true) {
                try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
                    channel.force(true);
                    return;
                } catch (ClosedByInterruptException stopAtTheNextStep) {
                    interrupted |= Thread.interrupted(); // and again, since this step is not over
                }
            }
        } finally {
            if (interrupted) Thread.currentThread().interrupt();
        }
    }
}
