package io.guimo.launch;

import io.guimo.commerce.Commerce;
import io.guimo.data.Catalogue;
import io.guimo.serve.ServeSettings;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;

/**
 * Starts and stops everything that a start needs, on a home folder that is thrown away: the launcher runs it after a build with
 * {@code -XX:AOTCacheOutput}, so that the JVM learns which classes to have ready.
 */
@Command(name = "rehearse", hidden = true)
final class RehearseCommand implements Callable<Integer> {
    private static final String BUSINESS = """
            business: Rehearsal
            currency: CNY
            models:
              chat: {task: generate-text, from: {upstream: "http://127.0.0.1:9/v1"}}
            plans:
              - {name: payg, prices: {chat: {per: 1M tokens, input: 1, output: 2}}}
            costs: {machine: {perHour: 1}}
            """;

    @Override
    public Integer call() throws Exception {
        Path folder = Files.createTempDirectory("guimo-rehearsal");
        Stages stages = new Stages(new PrintWriter(Writer.nullWriter()));
        try {
            Home home = Home.at(folder).open();
            Catalogue catalogue = Catalogue.standard();
            Business business = BusinessFile.parse("rehearsal.yaml", BUSINESS, catalogue);
            try (Databases databases = stages.run("database", stage -> Databases.open(home, null, stage));
                    Commerce commerce = Service.openCommerce(home, business, databases)) {
                commerce.prices().apply(business.plans(), business.currency());
                Installation installation =
                        new Installation(home, business, folder, null, catalogue, databases.database());
                try (Service service = stages.run(
                        "serve",
                        stage -> Service.start(
                                installation,
                                commerce,
                                databases,
                                ServeSettings.defaults().withPort(0),
                                stage))) {
                    try (OwnerClient client = OwnerClient.of(home)) {
                        client.get("/models", java.util.Map.of());
                        client.get("/ledger/verify", java.util.Map.of());
                    }
                    service.measure();
                }
            }
            return 0;
        } finally {
            delete(folder);
        }
    }

    private static void delete(Path folder) throws IOException {
        List<Path> paths;
        try (Stream<Path> all = Files.walk(folder)) {
            paths = all.sorted(Comparator.reverseOrder()).toList();
        }
        for (Path path : paths) Files.delete(path);
    }
}
