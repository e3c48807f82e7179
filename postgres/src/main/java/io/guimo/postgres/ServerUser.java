package io.guimo.postgres;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * As whom the server runs. PostgreSQL refuses root, so for root there are two ways: a user namespace in which the process is nobody while its
 * files stay root's, or, where namespaces are forbidden (most containers), the user nobody with the one capability of passing through
 * folders of root.
 *
 * @param prefix command line that comes before a program's own
 * @param owner who must own the data folder; null where that is this process's own user
 */
record ServerUser(List<String> prefix, @Nullable String owner) {
    private static final String NOBODY = "nobody";
    private static final List<String> NAMESPACE = List.of("unshare", "-U");
    private static final List<String> SETPRIV = List.of(
            "setpriv",
            "--reuid",
            NOBODY,
            "--regid",
            "65534",
            "--clear-groups",
            "--inh-caps",
            "-all,+dac_override",
            "--ambient-caps",
            "-all,+dac_override");

    static ServerUser choose() throws IOException, InterruptedException {
        if (!isRoot()) return new ServerUser(List.of(), null);
        if (Commands.succeeds(append(NAMESPACE, "true"))) return new ServerUser(NAMESPACE, null);
        return lowered();
    }

    /** The way for a root without user namespaces. */
    static ServerUser lowered() throws InterruptedException {
        if (Commands.succeeds(append(SETPRIV, "true"))) return new ServerUser(SETPRIV, NOBODY);
        throw new EmbeddedPostgresException(
                "PostgreSQL refuses to run as root, and neither unshare nor setpriv (package util-linux) can lower its rights here. "
                        + "Run as an ordinary user, or name a database of your own by its URL.");
    }

    List<String> command(Path program, String... arguments) {
        List<String> command = new ArrayList<>(prefix);
        command.add(program.toString());
        command.addAll(List.of(arguments));
        return command;
    }

    private static boolean isRoot() throws IOException {
        Path status = Path.of("/proc/self/status");
        if (!Files.exists(status)) return System.getProperty("user.name").equals("root");
        return Files.readAllLines(status).stream()
                .anyMatch(line -> line.startsWith("Uid:") && line.split("\\s+")[2].equals("0"));
    }

    private static String[] append(List<String> prefix, String program) {
        List<String> command = new ArrayList<>(prefix);
        command.add(program);
        return command.toArray(String[]::new);
    }
}
