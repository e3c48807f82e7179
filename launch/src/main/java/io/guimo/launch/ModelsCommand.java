package io.guimo.launch;

import io.guimo.registry.PackageCheck;
import io.guimo.registry.PackageStore;
import io.guimo.registry.TrustedKeys;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "models", description = "Models: list, show, verify, promote.", mixinStandardHelpOptions = true)
final class ModelsCommand extends OwnerCommands.Noun {
    @Command(name = "list", description = "Every model with its serving version.")
    void list() throws Exception {
        list("/models", Map.of(), "name", "task", "promoted_version", "latest_version");
    }

    @Command(name = "show", description = "One model: versions, metrics, gate, lineage.")
    void show(@Parameters(paramLabel = "MODEL") String name) throws Exception {
        get("/models/" + name);
    }

    /** Needs no server: reads every byte of the packages in the home folder. */
    @Command(
            name = "verify",
            description = "Checks signature and digests of every package in the home folder, or of one.")
    int verify(@Parameters(arity = "0..1", paramLabel = "DIGEST", defaultValue = "") String digest) throws Exception {
        Home home = main.options.home();
        PackageStore store = PackageStore.open(home.packages());
        TrustedKeys trusted = TrustedKeys.open(home.keys().resolve("trusted"));
        int refusals = 0;
        for (String each : digest.isEmpty() ? store.packages() : java.util.List.of(digest)) {
            switch (store.verify(each, trusted)) {
                case PackageCheck.Verified verified ->
                    out().println(each.substring(0, 12) + "  verified, signed by " + verified.keyId() + ", "
                            + verified.content().manifest().provenance().task());
                case PackageCheck.Refused refused -> {
                    refusals++;
                    out().println(each + "  REFUSED");
                    refused.findings().forEach(f -> out().println("    " + f.subject() + ": " + f.message()));
                }
            }
        }
        return refusals == 0 ? 0 : 1;
    }

    @Command(
            name = "promote",
            description = "Lets a version serve: its gate passed, or by force with a reason that is recorded.")
    void promote(
            @Parameters(paramLabel = "MODEL") String name,
            @Parameters(paramLabel = "VERSION") int version,
            @Option(names = "--force", description = "Without or against the gate.") boolean force,
            @Option(
                            names = "--why",
                            paramLabel = "REASON",
                            defaultValue = "",
                            description = "For those who read the history later.")
                    String why)
            throws Exception {
        post(
                "/models/" + name + "/promote",
                force
                        ? Map.of("version", version, "force", Map.of("by", System.getProperty("user.name"), "why", why))
                        : Map.of("version", version));
    }
}
