package io.guimo.postgres;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import org.jspecify.annotations.Nullable;

/** Which process owns a folder: a lock of the operating system, which ends with the process however it ends, and the owner's name in the file. */
final class FolderLock implements AutoCloseable {
    private final FileChannel channel;

    private FolderLock(FileChannel channel) {
        this.channel = channel;
    }

    /** @throws EmbeddedPostgresException if another process, or this one, owns the folder already */
    static FolderLock take(Path folder) throws IOException {
        FileChannel channel = FileChannel.open(
                folder.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
        try {
            if (tryLock(channel) == null) {
                throw new EmbeddedPostgresException("the database folder " + folder + " is in use by " + owner(channel)
                        + ". Stop that one first, or start this one with another home folder (--home DIR).");
            }
            ByteBuffer self = StandardCharsets.UTF_8.encode(describeSelf());
            channel.truncate(0);
            while (self.hasRemaining()) channel.write(self, self.position());
            return new FolderLock(channel);
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }

    private static @Nullable FileLock tryLock(FileChannel channel) throws IOException {
        try {
            return channel.tryLock();
        } catch (OverlappingFileLockException e) {
            return null; // held by this very process
        }
    }

    private static String owner(FileChannel channel) throws IOException {
        ByteBuffer text = ByteBuffer.allocate(500);
        channel.read(text, 0);
        String owner = StandardCharsets.UTF_8.decode(text.flip()).toString().strip();
        return owner.isEmpty() ? "another process" : owner;
    }

    private static String describeSelf() {
        ProcessHandle self = ProcessHandle.current();
        return "process " + self.pid()
                + self.info()
                        .startInstant()
                        .map(at -> ", started " + at.truncatedTo(ChronoUnit.SECONDS))
                        .orElse(", seen " + Instant.now().truncatedTo(ChronoUnit.SECONDS));
    }
}
