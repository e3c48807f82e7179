package io.guimo.launch;

import io.guimo.data.DataException;
import io.guimo.postgres.EmbeddedPostgresException;
import io.guimo.tensor.TorchException;
import io.guimo.train.DivergedException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/**
 * The command line. Exit codes: 0 done, 1 failed, 2 wrong usage.
 *
 * <p>{@link UpCommand} is the main one: from a business file to a served, priced, invoiced model.
 */
@Command(
        name = "guimo",
        mixinStandardHelpOptions = true,
        version = "guimo 0.1.0",
        description = "From raw data to a large model that earns money.",
        synopsisSubcommandLabel = "COMMAND",
        commandListHeading = "%nCommands:%n",
        footer = {
            "  test     Run the tests (./guimo test --help).",
            "",
            "Exit codes: 0 done, 1 failed, 2 wrong usage.",
            "Start with: ./guimo up"
        },
        subcommands = {
            UpCommand.class,
            CheckCommand.class,
            DataCommand.class,
            ModelsCommand.class,
            ChatCommand.class,
            OwnerCommands.Organizations.class,
            OwnerCommands.Keys.class,
            OwnerCommands.Plans.class,
            OwnerCommands.Credits.class,
            OwnerCommands.Usage.class,
            OwnerCommands.Receipts.class,
            OwnerCommands.InvoicesCommand.class,
            OwnerCommands.LedgerCommand.class,
            SecretCommand.class,
            RehearseCommand.class
        })
public final class Main implements Runnable {
    @Mixin
    SharedOptions options = new SharedOptions();

    @CommandLine.Spec
    CommandLine.Model.@Nullable CommandSpec spec;

    public static void main(String[] arguments) {
        // picocli's writers would otherwise use the platform's charset, which is ASCII under LANG=C.
        CommandLine commandLine = commandLine(
                new PrintWriter(System.out, true, StandardCharsets.UTF_8),
                new PrintWriter(System.err, true, StandardCharsets.UTF_8));
        System.exit(commandLine.execute(arguments));
    }

    static CommandLine commandLine(PrintWriter out, PrintWriter err) {
        Main main = new Main();
        return new CommandLine(main)
                .setOut(out)
                .setErr(err)
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setExecutionStrategy(parsed -> {
                    Logging.configure(main.options);
                    return new CommandLine.RunLast().execute(parsed);
                })
                .setExecutionExceptionHandler((failure, line, parsed) -> {
                    err.println(line.getColorScheme().errorText("guimo: " + paragraph(failure)));
                    if (main.options.debug) failure.printStackTrace(err);
                    else if (!isForPeople(failure)) err.println("Repeat the command with --debug for the stack trace.");
                    return 1;
                });
    }

    /** Without a command there is nothing to do: wrong usage. */
    @Override
    public void run() {
        throw new CommandLine.ParameterException(Objects.requireNonNull(spec).commandLine(), "a command is missing");
    }

    /** Failures whose message was written for the person who runs the command. */
    private static boolean isForPeople(Throwable failure) {
        return failure instanceof CommandFailure
                || failure instanceof IllegalArgumentException
                || failure instanceof DataException
                || failure instanceof EmbeddedPostgresException
                || failure instanceof TorchException
                || failure instanceof DivergedException;
    }

    private static String paragraph(Throwable failure) {
        String message = failure.getMessage();
        if (message == null || message.isBlank()) return failure.getClass().getSimpleName();
        if (isForPeople(failure)) return message;
        if (isDiskFull(failure)) {
            return "the disk is full (" + message
                    + "). Free some space and repeat the command: it goes on where it stopped; nothing was lost.";
        }
        String kind = failure.getClass().getSimpleName().replaceAll("(?<=[a-z])(?=[A-Z])", " ");
        return kind.toLowerCase(Locale.ROOT) + ": " + message;
    }

    private static boolean isDiskFull(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            String message = String.valueOf(cause.getMessage());
            if (message.contains("No space left on device") || message.contains("Disk quota exceeded")) return true;
        }
        return false;
    }
}
