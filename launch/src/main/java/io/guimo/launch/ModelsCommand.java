package io.guimo.launch;

import io.guimo.data.Catalogue;
import io.guimo.data.CatalogueEntry;
import io.guimo.data.CatalogueOptions;
import io.guimo.data.Dataset;
import io.guimo.data.Fingerprint;
import io.guimo.data.Place;
import io.guimo.model.gguf.GgufFile;
import io.guimo.registry.PackageCheck;
import io.guimo.registry.PackageStore;
import io.guimo.registry.TrustedKeys;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "models", description = "Models: pull, list, show, verify, promote.", mixinStandardHelpOptions = true)
final class ModelsCommand extends OwnerCommands.Noun {
    @Command(name = "list", description = "Every model with its serving version.")
    void list() throws Exception {
        list("/models", Map.of(), "name", "task", "promoted_version", "latest_version");
    }

    @Command(name = "show", description = "One model: versions, metrics, gate, lineage.")
    void show(@Parameters(paramLabel = "MODEL") String name) throws Exception {
        get("/models/" + name);
    }

    /** Needs no server. */
    @Command(
            name = "pull",
            description = {
                "Fetches a language model into the home folder, verified, with its licence.",
                "A business file then names it: chat: {task: generate-text, from: {catalog: NAME}}."
            })
    void pull(
            @Parameters(
                            paramLabel = "SOURCE",
                            description =
                                    "A name of the catalogue, hf:ORG/REPO of the Hugging Face Hub, or a GGUF file.")
                    String source,
            @Option(names = "--name", paramLabel = "NAME", description = "What to call it; left out: after the source.")
                    @Nullable
                    String name,
            @Option(names = "--file", paramLabel = "FILE", description = "Which file of the repository.") @Nullable
                    String file,
            @Option(
                            names = "--licence",
                            paramLabel = "TEXT",
                            description = "Licence of a file of yours, kept with the model.")
                    @Nullable
                    String licence,
            @Option(
                            names = "--hub",
                            paramLabel = "URL",
                            defaultValue = "https://huggingface.co",
                            description = "A mirror of the hub (default: ${DEFAULT-VALUE}).")
                    URI hub)
            throws Exception {
        Home home = main.options.home().open();
        PulledModels pulled = new PulledModels(home);
        Catalogue catalogue = pulled.catalogue();
        CatalogueEntry entry;
        if (source.startsWith("hf:")) {
            String repository = source.substring("hf:".length());
            entry = new HuggingFaceHub(hub).entry(nameOr(name, repository), repository, file);
        } else if (catalogue.find(source).isPresent()) {
            entry = catalogue.find(source).get();
            if (PretrainedModels.taskOf(entry).isEmpty())
                throw new CommandFailure(source + " is no model; fetch it by ./guimo data get " + source);
        } else if (Files.isRegularFile(Path.of(source))) {
            Path path = Path.of(source).toAbsolutePath();
            GgufFile.open(path).close(); // anything else is refused before it is copied
            entry = PulledModels.entry(
                    nameOr(name, path.getFileName().toString()),
                    path.getFileName().toString(),
                    licence != null ? licence : "not stated",
                    Files.size(path),
                    Fingerprint.of(path),
                    new Place.LocalFiles(Map.of("model.gguf", path)));
        } else {
            throw new CommandFailure("there is no file " + source + " and no catalogue entry of that name; name one of "
                    + catalogue.list().stream()
                            .filter(e -> PretrainedModels.taskOf(e).isPresent())
                            .map(CatalogueEntry::name)
                            .toList()
                    + ", a repository as hf:ORG/REPO, or a GGUF file");
        }
        out().println(entry.name() + ": " + entry.title());
        out().println("  licence  " + entry.licence());
        out().println("  size     " + DataCommand.megabytes(entry.bytes()));
        boolean known = catalogue.find(entry.name()).isPresent();
        Catalogue all = known ? catalogue : catalogue.with(List.of(entry));
        Dataset fetched = new Stages(out()).run("pull " + entry.name(), stage -> {
            Dataset dataset =
                    all.get(entry.name(), new CatalogueOptions(home.folder(), null, DataCommand.progress(stage)));
            stage.outcome(DataCommand.megabytes(entry.bytes()) + " from " + dataset.place());
            return dataset;
        });
        if (!known) pulled.add(entry);
        out().println("  in " + fetched.folder() + ". Serve it by a business file:");
        out().println("  " + entry.name() + ": {task: "
                + PretrainedModels.taskOf(entry).orElseThrow().fileName() + ", from: {catalog: " + entry.name() + "}}");
    }

    /** A name that a business file, a price and a route can have. */
    private static String nameOr(@Nullable String name, String source) {
        if (name != null) return name;
        String last = source.substring(source.lastIndexOf('/') + 1).replaceFirst("(?i)[.-]gguf$", "");
        return last.toLowerCase(java.util.Locale.ROOT).replaceAll("[^a-z0-9.-]+", "-");
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
