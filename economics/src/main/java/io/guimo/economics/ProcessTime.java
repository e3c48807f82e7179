package io.guimo.economics;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Processor time of processes. On Linux from {@code /proc/PID/stat} (proc(5)); elsewhere what the operating system tells the JVM. */
final class ProcessTime {
    /** Clock ticks a second in /proc: USER_HZ is 100 on every Linux architecture that runs the JVM. */
    private static final long NANOS_PER_TICK = 10_000_000L;

    private static final Path PROC = Path.of("/proc");

    private ProcessTime() {}

    /** Processor time of this JVM, all threads, native ones included. */
    static long ofThisProcess() {
        return ProcessHandle.current()
                .info()
                .totalCpuDuration()
                .map(Duration::toNanos)
                .orElse(0L);
    }

    /**
     * Processor time of a process and everything it ever started: the time of children that ended and were waited for is part of their parent's
     * figure, so nothing is lost when one ends.
     */
    static long ofTree(long root) throws IOException {
        if (!Files.isDirectory(PROC.resolve(Long.toString(root)))) return ofHandles(root);
        Map<Long, List<Long>> children = new HashMap<>();
        Map<Long, Long> nanos = new HashMap<>();
        try (DirectoryStream<Path> processes = Files.newDirectoryStream(PROC, "[0-9]*")) {
            for (Path process : processes) {
                read(process).ifPresent(stat -> {
                    children.computeIfAbsent(stat.parent, p -> new ArrayList<>())
                            .add(stat.pid);
                    nanos.put(stat.pid, stat.nanos);
                });
            }
        }
        long sum = 0;
        Deque<Long> open = new ArrayDeque<>(List.of(root));
        while (!open.isEmpty()) {
            long pid = open.pop();
            sum += nanos.getOrDefault(pid, 0L);
            open.addAll(children.getOrDefault(pid, List.of()));
        }
        return sum;
    }

    private static long ofHandles(long root) {
        return ProcessHandle.of(root).stream()
                .flatMap(p -> java.util.stream.Stream.concat(java.util.stream.Stream.of(p), p.descendants()))
                .mapToLong(
                        p -> p.info().totalCpuDuration().map(Duration::toNanos).orElse(0L))
                .sum();
    }

    private record Stat(long pid, long parent, long nanos) {}

    private static Optional<Stat> read(Path process) throws IOException {
        String line;
        try {
            line = Files.readString(process.resolve("stat"), StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            // Processes end while the folder is read.
            if (Files.exists(process.resolve("stat"))) throw e;
            return Optional.empty();
        }
        // The name in parentheses may hold blanks and parentheses; fields 3 and on follow the last one.
        String[] fields = line.substring(line.lastIndexOf(')') + 2).split(" ");
        long ticks = 0;
        for (int field = 14; field <= 17; field++)
            ticks += Long.parseLong(fields[field - 3]); // utime, stime, cutime, cstime
        return Optional.of(new Stat(
                Long.parseLong(process.getFileName().toString()), Long.parseLong(fields[1]), ticks * NANOS_PER_TICK));
    }
}
