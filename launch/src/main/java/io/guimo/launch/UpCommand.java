package io.guimo.launch;

import io.guimo.commerce.Commerce;
import io.guimo.data.Catalogue;
import io.guimo.serve.ServeSettings;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** From a business file to served, priced, invoiced models. Every stage finds what an earlier run did, so the command can be ended and repeated at will. */
@Command(
        name = "up",
        description = "From a business file to served, priced, invoiced models; stays up until Ctrl-C.",
        mixinStandardHelpOptions = true)
final class UpCommand implements Callable<Integer> {
    @ParentCommand
    Main main = new Main();

    @Spec
    @Nullable
    CommandSpec spec;

    @Parameters(
            arity = "0..1",
            defaultValue = "examples/shop",
            paramLabel = "BUSINESS",
            description = "Business file or its folder (default: ${DEFAULT-VALUE}).")
    Path business = Path.of("examples/shop");

    @Option(names = "--once", description = "End after the report.")
    boolean once;

    @Option(
            names = "--report",
            paramLabel = "FILE",
            description = "Write the report as JSON too, readable by its owner only.")
    @Nullable
    Path report;

    @Option(
            names = "--port",
            paramLabel = "PORT",
            description = "Port to serve on; 0 chooses a free one (default: 8080).")
    @Nullable
    Integer port;

    @Option(
            names = "--data",
            paramLabel = "DIR",
            description = "A folder that may already hold data sets, one folder each.")
    @Nullable
    Path dataDir;

    @Option(
            names = "--database",
            paramLabel = "URL",
            description = "postgresql://user:password@host:port/name instead of the embedded server.")
    @Nullable
    String databaseUrl;

    @Override
    public Integer call() throws Exception {
        try (Interruption interruption = Interruption.ofThisThread()) {
            try {
                return run();
            } catch (Exception e) {
                // A driver or a pool may wrap the interrupt in an exception of its own.
                if (!interruption.asked()) throw e;
                throw new CommandFailure("stopped; the same command goes on from here.", e);
            }
        }
    }

    private int run() throws Exception {
        PrintWriter out = Objects.requireNonNull(spec).commandLine().getOut();
        Path file = Workplace.resolve(business);
        Catalogue catalogue = new PulledModels(main.options.home()).catalogue();
        Business described = BusinessFile.read(file, catalogue);
        Home home = main.options.home().open();
        Stages stages = new Stages(out);
        List<String> plan = new ArrayList<>(List.of("database"));
        described.models().forEach((name, model) -> plan.addAll(ModelWorks.stagesOf(name, model)));
        plan.addAll(List.of("prices", "serve"));
        if (described.demonstration() != null) plan.add("demonstrate");
        out.println(described.business() + ", home folder " + home.folder());
        stages.plan(plan);
        try (Databases databases = stages.run("database", stage -> Databases.open(home, databaseUrl, stage));
                Commerce commerce = Service.openCommerce(home, described, databases)) {
            Path folder = Files.isDirectory(file)
                    ? file
                    : Objects.requireNonNull(file.toAbsolutePath().getParent());
            Installation installation =
                    new Installation(home, described, folder, dataDir, catalogue, databases.database());
            installation.remoteModels().requireKeys();
            ModelWorks works = new ModelWorks(installation, stages);
            for (Map.Entry<String, ModelSettings> model : described.models().entrySet()) {
                works.make(model.getKey(), model.getValue());
            }
            stages.run("prices", stage -> {
                int published = commerce.prices()
                        .apply(described.plans(), described.currency())
                        .size();
                stage.outcome(published == 0 ? "unchanged" : published + " price versions published");
                return published;
            });
            try (Service service = stages.run("serve", stage -> {
                Service started = Service.start(installation, commerce, databases, settings(), stage);
                stage.outcome(started.models().all().size() + " models at " + started.baseUrl());
                return started;
            })) {
                demonstrateAndReport(service, stages, out);
                if (!once) stayUp(service, out);
            }
        }
        return 0;
    }

    private ServeSettings settings() {
        return port == null
                ? ServeSettings.defaults()
                : ServeSettings.defaults().withPort(port);
    }

    private void demonstrateAndReport(Service service, Stages stages, PrintWriter out) throws Exception {
        DemonstrationSettings demonstrated = service.installation().business().demonstration();
        Demonstration.Outcome outcome =
                demonstrated == null ? null : stages.run("demonstrate", new Demonstration(service, demonstrated)::play);
        Path pdf = outcome == null ? null : writePdf(service, outcome);
        service.measure();
        Reporter reporter = new Reporter(service, outcome, pdf);
        UpReport gathered = reporter.gather(stages.timings());
        if (report != null) {
            Home.writeAtomically(
                    report.toAbsolutePath(),
                    OwnerClient.JSON.writerWithDefaultPrettyPrinter().writeValueAsString(gathered),
                    "rw-------");
        }
        reporter.print(out, gathered);
        out.println();
        out.println("Console  " + service.baseUrl() + "/   owner's key in "
                + service.installation().home().ownerKey());
        if (outcome != null)
            out.println("Try it   curl " + service.baseUrl() + "/v1/models -H 'authorization: Bearer "
                    + outcome.customerKey() + "'");
        out.flush();
    }

    private static Path writePdf(Service service, Demonstration.Outcome outcome) throws IOException {
        Path file = service.installation()
                .home()
                .documents()
                .resolve(outcome.invoice().number().orElseThrow() + ".pdf");
        Files.createDirectories(file.getParent());
        Files.write(file, service.print(outcome.invoice()));
        return file;
    }

    /** Until Ctrl-C or a stop signal; then the server drains, and what was begun is finished before the database stops. */
    private static void stayUp(Service service, PrintWriter out) {
        out.println("Serving at " + service.baseUrl() + "; Ctrl-C ends it.");
        out.flush();
        try {
            new CountDownLatch(1).await();
        } catch (InterruptedException e) {
            // The flag stays clear: closing the database and the server still has to wait for things.
            out.println("Stopping: requests under way are finished.");
            out.flush();
        }
    }
}
