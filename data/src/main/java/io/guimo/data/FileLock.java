package io.guimo.data;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;

/**
 * A lock among threads and processes, held on an empty file that stays. The system lifts it when its process ends, however it ends; on a network
 * folder it is as good as that folder's locks.
 */
final class FileLock implements AutoCloseable {
    private static final Duration PAUSE = Duration.ofMillis(50);

    private final FileChannel channel;
    private final java.nio.channels.FileLock lock;

    private FileLock(FileChannel channel, java.nio.channels.FileLock lock) {
        this.channel = channel;
        this.lock = lock;
    }

    /** Waits until nobody else holds it. */
    static FileLock acquire(Path file) throws IOException {
        FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        try {
            while (true) {
                try {
                    return new FileLock(channel, channel.lock());
                } catch (OverlappingFileLockException heldByAnotherThread) {
                    // The JDK locks for a whole process and tells its threads apart by this exception alone.
                    Thread.sleep(PAUSE);
                }
            }
        } catch (InterruptedException e) {
            channel.close();
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while waiting for " + file, e);
        } catch (IOException e) {
            channel.close();
            throw e;
        }
    }

    void requireHeld() {
        if (!lock.isValid()) throw new IllegalStateException("the lock was lost");
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
