package io.guimo.train;

import io.guimo.model.DurableFile;
import io.guimo.tensor.TorchEnvironment;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * The folder of one run, locked by the process that works in it until it is closed. Files as the package's map says; all replaced as a whole.
 */
public final class RunFolder implements AutoCloseable {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private final Path folder;
    private final RunDescription description;
    private final RandomAccessFile lockFile;
    private final FileLock lock;

    private RunFolder(Path folder, RunDescription description, RandomAccessFile lockFile, FileLock lock) {
        this.folder = folder;
        this.description = description;
        this.lockFile = lockFile;
        this.lock = lock;
    }

    /**
     * Opens a folder for a run, new or to be resumed.
     *
     * @throws IllegalStateException when another process works in it, or when it holds a run of something else
     */
    public static RunFolder open(Path folder, RunDescription description) {
        try {
            Files.createDirectories(folder);
            RandomAccessFile lockFile =
                    new RandomAccessFile(folder.resolve("lock").toFile(), "rw");
            try {
                FileLock lock = tryLock(lockFile);
                if (lock == null) {
                    throw new IllegalStateException(
                            "another process trains in " + folder + ": wait for it, or end it first");
                }
                RunFolder opened = new RunFolder(folder, description, lockFile, lock);
                Optional<RunRecord> before = opened.record();
                if (before.isPresent())
                    opened.requireSame("description", before.get().description(), description);
                return opened;
            } catch (RuntimeException | IOException failed) {
                lockFile.close();
                throw failed;
            }
        } catch (IOException failed) {
            throw new UncheckedIOException("cannot work in " + folder + ": " + failed.getMessage(), failed);
        }
    }

    /** What the unfinished or finished run in a folder began on, so that a process can start libtorch alike; empty where there is none. */
    public static Optional<TorchEnvironment> recordedEnvironment(Path folder) {
        return read(folder).map(RunRecord::environment);
    }

    public Path path() {
        return folder;
    }

    public RunDescription description() {
        return description;
    }

    /** The weights that validate best; written when the run ends. */
    public Path bestWeights() {
        return folder.resolve("best.safetensors");
    }

    /** One JSON object a line, one line an epoch: {@link CurvePoint}. */
    public Path curve() {
        return folder.resolve("curve.jsonl");
    }

    Path checkpoint() {
        return folder.resolve("checkpoint.safetensors");
    }

    Optional<RunRecord> record() {
        return read(folder);
    }

    void write(RunRecord record) {
        replace(
                folder.resolve("run.json"),
                JSON.writerWithDefaultPrettyPrinter().writeValueAsString(record) + "\n");
    }

    void writeCurve(List<CurvePoint> points) {
        StringBuilder lines = new StringBuilder();
        for (CurvePoint point : points)
            lines.append(JSON.writeValueAsString(point)).append('\n');
        replace(curve(), lines.toString());
    }

    /** Refuses to mix two runs in a folder. */
    void requireSame(String what, Object recorded, Object wanted) {
        if (!recorded.equals(wanted)) {
            throw new IllegalStateException(folder + " holds a run with another " + what + ": recorded " + recorded
                    + ", wanted " + wanted + "; train in another folder, or delete this one");
        }
    }

    @Override
    public void close() {
        try {
            lock.release();
            lockFile.close();
        } catch (IOException failed) {
            throw new UncheckedIOException("cannot unlock " + folder, failed);
        }
    }

    private static Optional<RunRecord> read(Path folder) {
        Path file = folder.resolve("run.json");
        if (!Files.exists(file)) return Optional.empty();
        try {
            RunRecord record = JSON.readValue(Files.readString(file), RunRecord.class);
            if (record.format() != RunRecord.FORMAT) {
                throw new IllegalStateException(file + " has format " + record.format() + ", this version reads "
                        + RunRecord.FORMAT + ": finish the run with the version that began it, or delete the folder");
            }
            return Optional.of(record);
        } catch (IOException | JacksonException damaged) {
            throw new IllegalStateException(
                    file + " cannot be read: " + damaged.getMessage() + "; delete the folder to begin anew", damaged);
        }
    }

    private static @Nullable FileLock tryLock(RandomAccessFile file) throws IOException {
        try {
            return file.getChannel().tryLock();
        } catch (OverlappingFileLockException ours) {
            return null; // this process itself, in another run
        }
    }

    private static void replace(Path file, String text) {
        try {
            DurableFile.replace(file, out -> out.write(text.getBytes(StandardCharsets.UTF_8)));
        } catch (IOException failed) {
            throw new UncheckedIOException("cannot write " + file + ": " + failed.getMessage(), failed);
        }
    }
}
