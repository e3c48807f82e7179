package io.guimo.launch;

import java.io.BufferedReader;
import java.io.Console;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** A value is never an argument: arguments stand in the shell's history and in every list of processes. */
@Command(
        name = "secret",
        description = "Keys for remote models, encrypted in the home folder: set, list, remove.",
        mixinStandardHelpOptions = true)
final class SecretCommand {
    @ParentCommand
    Main main = new Main();

    @Spec
    @Nullable
    CommandSpec spec;

    @Command(name = "set", description = "Keeps a value, asked for without showing it, or read from standard input.")
    void set(@Parameters(paramLabel = "NAME", description = "As key: {secret: NAME} names it.") String name)
            throws IOException {
        Secrets secrets = secrets();
        secrets.set(name, value(name));
        out().println("The secret '" + name + "' is kept. A running server reads it when it starts next.");
    }

    @Command(name = "list", description = "Names, and when each was set; never values.")
    void list() throws IOException {
        List<Secrets.Listed> kept = secrets().list();
        if (kept.isEmpty()) out().println("  (none)");
        kept.forEach(s -> out().printf("  %-24s set %s%n", s.name(), s.setAt()));
    }

    @Command(name = "remove", description = "Forgets a value.")
    int remove(@Parameters(paramLabel = "NAME") String name) throws IOException {
        boolean removed = secrets().remove(name);
        out().println(removed ? "The secret '" + name + "' is removed." : "There is no secret '" + name + "'.");
        return removed ? 0 : 1;
    }

    private Secrets secrets() throws IOException {
        return new Secrets(main.options.home().open(), System.getenv());
    }

    private PrintWriter out() {
        return Objects.requireNonNull(spec).commandLine().getOut();
    }

    @SuppressWarnings("SystemConsoleNull") // it is null without a terminal here: SecretsTest's processes showed it
    private static String value(String name) throws IOException {
        Console console = System.console();
        if (console != null && console.isTerminal()) {
            char[] typed = console.readPassword("Value of %s: ", name);
            if (typed == null) throw new CommandFailure("no value was typed; nothing was changed.");
            return new String(typed);
        }
        String line = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8)).readLine();
        if (line == null) throw new CommandFailure("standard input was empty; nothing was changed.");
        return line.strip();
    }
}
