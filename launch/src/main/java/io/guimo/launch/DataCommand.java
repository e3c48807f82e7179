package io.guimo.launch;

import io.guimo.data.Catalogue;
import io.guimo.data.CatalogueEntry;
import io.guimo.data.CatalogueOptions;
import io.guimo.data.Dataset;
import io.guimo.data.FetchProgress;
import io.guimo.data.Place;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

@Command(name = "data", description = "The data catalogue: list, show, get.", mixinStandardHelpOptions = true)
final class DataCommand {
    @ParentCommand
    Main main = new Main();

    @Spec
    @Nullable
    CommandSpec spec;

    /** The standard entries and what this home has pulled. */
    private Catalogue catalogue() throws IOException {
        return new PulledModels(main.options.home()).catalogue();
    }

    private PrintWriter out() {
        return Objects.requireNonNull(spec).commandLine().getOut();
    }

    @Command(name = "list", description = "Every entry with its size and licence.")
    void list() throws IOException {
        Table table = new Table("name", "size", "licence", "what");
        for (CatalogueEntry entry : catalogue().list())
            table.row(entry.name(), megabytes(entry.bytes()), entry.licence(), entry.title());
        table.print(out());
    }

    @Command(name = "show", description = "One entry: licence, size, fingerprints, the places it can come from.")
    void show(@Parameters(paramLabel = "NAME") String name) throws IOException {
        CatalogueEntry entry = entry(name);
        out().println(entry.name() + ": " + entry.title());
        out().println("  licence  " + entry.licence());
        out().println("  size     " + megabytes(entry.bytes()));
        for (CatalogueEntry.File file : entry.files()) {
            out().println("  file     " + file.name() + "  " + file.bytes() + " bytes  " + file.fingerprint());
        }
        out().println("  places, in the order they are tried:");
        out().println("    the cache in the home folder");
        out().println("    --data DIR");
        for (Place place : entry.places()) out().println("    " + place.describe());
    }

    @Command(name = "get", description = "Fetches an entry into the cache, verifies it and prints its folder.")
    void get(
            @Parameters(paramLabel = "NAME") String name,
            @Option(names = "--data", paramLabel = "DIR", description = "A folder that may already hold the files.")
                    @Nullable
                    Path dataDir)
            throws Exception {
        entry(name);
        Home home = main.options.home().open();
        Dataset dataset = new Stages(out()).run("get " + name, stage -> {
            Dataset got = catalogue().get(name, new CatalogueOptions(home.folder(), dataDir, progress(stage)));
            stage.outcome(megabytes(got.entry().bytes()) + " from " + got.place());
            return got;
        });
        out().println(dataset.folder());
    }

    static FetchProgress progress(Stages.Stage stage) {
        return (name, place, bytes, total) -> stage.progress(name, bytes, total, "MB", place);
    }

    private CatalogueEntry entry(String name) throws IOException {
        Catalogue catalogue = catalogue();
        return catalogue.find(name).orElseThrow(() -> {
            List<String> names =
                    catalogue.list().stream().map(CatalogueEntry::name).toList();
            return new CommandFailure("the catalogue has no '" + name + "'; "
                    + io.guimo.units.NearestName.of(name, names)
                            .map(n -> "did you mean " + n + "? ")
                            .orElse("") + "It has " + String.join(", ", names)
                    + ".");
        });
    }

    static String megabytes(long bytes) {
        return String.format(Locale.ROOT, "%.1f MB", bytes / 1e6);
    }
}
