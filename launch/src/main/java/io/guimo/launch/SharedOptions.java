package io.guimo.launch;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options that every command takes. */
final class SharedOptions {
    @Option(
            names = "--home",
            paramLabel = "DIR",
            scope = picocli.CommandLine.ScopeType.INHERIT,
            description = "Folder for all that Guimo keeps (default: ~/.guimo).")
    @Nullable
    Path home;

    @Option(
            names = "--debug",
            scope = picocli.CommandLine.ScopeType.INHERIT,
            description = "Show the stack trace of an error, and more of the log.")
    boolean debug;

    Home home() {
        return Home.at(home != null ? home : Path.of(System.getProperty("user.home"), ".guimo"));
    }
}
