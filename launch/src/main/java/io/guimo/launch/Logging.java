package io.guimo.launch;

import java.util.logging.Level;
import java.util.logging.LogManager;

/** Where the log goes; must run before the first logger is made. */
final class Logging {
    private Logging() {}

    static void configure(SharedOptions options) {
        System.setProperty("guimo.logs", options.home().folder().resolve("logs").toString());
        System.setProperty("guimo.terminal", options.debug ? "INFO" : "WARN");
        // Libraries that log through java.util.logging (Tribuo, Helidon) say there what only their authors need.
        LogManager.getLogManager().getLogger("").setLevel(options.debug ? Level.INFO : Level.WARNING);
    }
}
