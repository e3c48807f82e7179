package io.guimo.data;

import java.io.File;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/**
 * What the machine offers for finding and fetching.
 *
 * @param programs folders that are searched for programs, in order
 * @param installedRoot where packages of the operating system are installed: {@code /}
 * @param mavenRepository local repository of Maven
 */
record CatalogueTools(List<Path> programs, Path installedRoot, Path mavenRepository) {
    private static final Duration TICK = Duration.ofMillis(500);
    private static final int SHOWN_OUTPUT = 2000;

    CatalogueTools {
        programs = List.copyOf(programs);
    }

    static CatalogueTools ofThisMachine() {
        Map<String, String> environment = System.getenv();
        List<Path> programs = new ArrayList<>();
        for (String maven : List.of("MAVEN_HOME", "M2_HOME")) {
            if (environment.containsKey(maven)) programs.add(Path.of(environment.get(maven), "bin"));
        }
        Arrays.stream(environment.getOrDefault("PATH", "").split(File.pathSeparator))
                .filter(folder -> !folder.isEmpty())
                .map(Path::of)
                .forEach(programs::add);
        String repository = System.getProperty("maven.repo.local");
        Path mavenRepository = repository != null
                ? Path.of(repository)
                : Path.of(System.getProperty("user.home"), ".m2", "repository");
        return new CatalogueTools(programs, Path.of("/"), mavenRepository);
    }

    Optional<Path> find(String program) {
        return programs.stream()
                .map(folder -> folder.resolve(program))
                .filter(Files::isExecutable)
                .findFirst();
    }

    /**
     * How a program ended.
     *
     * @param status its exit status, or −1 if it was stopped because its time was over
     * @param output the end of what it wrote
     */
    record Ended(int status, String output) {
        boolean failed() {
            return status != 0;
        }

        void orThrow(String what) throws IOException {
            if (!failed()) return;
            throw new IOException(what + (status < 0 ? " took too long" : " ended with status " + status) + told());
        }

        /** The lines that name an error, or the last one. */
        private String told() {
            List<String> lines = output.lines().filter(line -> !line.isBlank()).toList();
            String errors = lines.stream()
                    .filter(line -> line.startsWith("E:") || line.startsWith("npm error") || line.contains("ERROR"))
                    .limit(3)
                    .collect(Collectors.joining("; "));
            if (!errors.isEmpty()) return ": " + errors;
            return lines.isEmpty() ? "" : ": " + lines.getLast();
        }
    }

    /**
     * Runs a program to its end.
     *
     * @param folder its working folder, which also receives its output in a file
     * @param limit after which it and its children are stopped
     * @param tick called twice a second while it runs
     */
    Ended run(List<String> command, Path folder, Duration limit, Runnable tick) throws IOException {
        Path log = Files.createTempFile(folder, "command", ".log");
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null")))
                .redirectOutput(log.toFile());
        builder.environment().put("LC_ALL", "C");
        // Maven runs on the JDK that runs us: the default one may be too old for its plugins.
        builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
        Process process = builder.start();
        try {
            long deadline = System.nanoTime() + limit.toNanos();
            while (!process.waitFor(TICK.toMillis(), TimeUnit.MILLISECONDS)) {
                tick.run();
                if (System.nanoTime() - deadline > 0) return new Ended(-1, tail(log));
            }
            return new Ended(process.exitValue(), tail(log));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while " + command.getFirst() + " was running", e);
        } finally {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
            Files.deleteIfExists(log);
        }
    }

    private static String tail(Path log) throws IOException {
        try (RandomAccessFile file = new RandomAccessFile(log.toFile(), "r")) {
            long from = Math.max(0, file.length() - SHOWN_OUTPUT);
            byte[] end = new byte[(int) (file.length() - from)];
            file.seek(from);
            file.readFully(end);
            return new String(end, StandardCharsets.UTF_8);
        }
    }
}
