package io.guimo.postgres;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Runs the programs that the server needs around it. */
final class Commands {
    private Commands() {}

    /** Whether the command can be run here and ends with status 0. */
    static boolean succeeds(String... command) throws InterruptedException {
        try {
            Process process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            return process.waitFor() == 0;
        } catch (IOException e) {
            return false; // not installed
        }
    }

    static Process start(List<String> command, String need) {
        try {
            return new ProcessBuilder(command).redirectErrorStream(true).start();
        } catch (IOException e) {
            throw new EmbeddedPostgresException(need + ": " + e.getMessage(), e);
        }
    }

    static String readAll(Process process) throws IOException {
        return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    }

    /** Runs to the end and returns what was printed; a status other than 0 is an {@link IOException} with it. */
    static String run(List<String> command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String output = readAll(process);
        int status = process.waitFor();
        if (status != 0) {
            throw new IOException(command.getFirst() + " … ended with status " + status + ": " + output);
        }
        return output;
    }

    /** PostgreSQL's fast shutdown is SIGINT, which {@link Process#destroy()} cannot send. */
    static void interrupt(long processId) throws IOException, InterruptedException {
        run(List.of("sh", "-c", "kill -INT \"$0\" || ! kill -0 \"$0\"", Long.toString(processId)));
    }
}
