package io.guimo.testkit;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The program in a process group of its own, as a user starts it, with its output in a file. */
final class GuimoProcess implements AutoCloseable {
    static final int PATIENCE_SECONDS = 300;

    /** Where other tests of this machine have fetched the large files to. */
    private static final Path FETCHED = Path.of(System.getProperty("user.home"), ".guimo", "cache", "data");

    private final Process process;
    private final Path log;

    private GuimoProcess(Process process, Path log) {
        this.process = process;
        this.log = log;
    }

    static GuimoProcess start(Path log, String... arguments) throws IOException {
        Files.createDirectories(log.toAbsolutePath().getParent());
        // The class path stands in a file: ONNX Runtime crashes in a process with a long command line (docs/log.md).
        Path classPath = log.resolveSibling("class-path.args");
        Files.writeString(
                classPath,
                "-cp\n\""
                        + System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"))
                                .replace("\\", "\\\\")
                        + "\"\n");
        List<String> command = new ArrayList<>(List.of(
                "setsid",
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-Xmx600m",
                "-Dorg.bytedeco.javacpp.maxPhysicalBytes=0",
                "-Dstdout.encoding=UTF-8",
                "@" + classPath,
                "io.guimo.launch.Main"));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
                .start();
        return new GuimoProcess(process, log);
    }

    /**
     * {@code up} on a business, with everything in one folder: {@code home}, {@code up.log} and {@code report.json}. What other tests have fetched is
     * taken from there.
     */
    static GuimoProcess up(Path folder, Path business, String... more) throws IOException {
        List<String> arguments = new ArrayList<>(List.of(
                "up",
                business.toString(),
                "--home",
                folder.resolve("home").toString(),
                "--data",
                FETCHED.toString(),
                "--port",
                "0",
                "--report",
                folder.resolve("report.json").toString()));
        arguments.addAll(List.of(more));
        return start(folder.resolve("up.log"), arguments.toArray(String[]::new));
    }

    /** Waits for the report of {@code up}. */
    JsonNode report(Path file) throws IOException, InterruptedException {
        for (int waited = 0; waited < PATIENCE_SECONDS * 10; waited++) {
            if (Files.exists(file)) return JsonMapper.shared().readTree(Files.readString(file));
            if (!process.isAlive()) throw new AssertionError("ended before its report:\n" + output());
            Thread.sleep(100);
        }
        throw new AssertionError("no report within " + PATIENCE_SECONDS + " s:\n" + output());
    }

    boolean isAlive() {
        return process.isAlive();
    }

    /** Every process that it started, and those that they started. */
    Stream<ProcessHandle> descendants() {
        return process.descendants();
    }

    /** Memory of the server itself, without its database and workers. */
    long residentMebibytes() throws IOException {
        return status("VmRSS") / 1024;
    }

    long threads() throws IOException {
        return status("Threads");
    }

    private long status(String field) throws IOException {
        return Files.readAllLines(Path.of("/proc/" + process.pid() + "/status")).stream()
                .filter(line -> line.startsWith(field + ":"))
                .map(line -> line.replaceAll("\\D", ""))
                .mapToLong(Long::parseLong)
                .findFirst()
                .orElseThrow();
    }

    /** Waits for the end. */
    int exitCode(long seconds) throws InterruptedException, IOException {
        if (!process.waitFor(seconds, TimeUnit.SECONDS)) {
            throw new AssertionError("still running after " + seconds + " s:\n" + output());
        }
        return process.exitValue();
    }

    String output() throws IOException {
        return Files.readString(log);
    }

    /** As a power failure would for this program: the whole group at once, nothing is told. */
    void killGroup() throws IOException, InterruptedException {
        signalGroup("KILL");
        process.waitFor();
    }

    /**
     * The polite end. TERM takes the same way through the program as the INT of Ctrl-C, and reaches it also where the tests themselves run in the
     * background, where shells have INT ignored.
     */
    int interrupt(long seconds) throws IOException, InterruptedException {
        signalGroup("TERM");
        return exitCode(seconds);
    }

    /**
     * By the shell's own kill: the one of Debian's procps 4.0.2 takes {@code kill -9 -1234} for "every process".
     */
    private void signalGroup(String signal) throws IOException, InterruptedException {
        // setsid made the process the leader of a group that has its pid.
        new ProcessBuilder("sh", "-c", "kill -s " + signal + " -- -" + process.pid())
                .start()
                .waitFor();
    }

    @Override
    public void close() throws IOException {
        if (!process.isAlive()) return;
        try {
            killGroup();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
