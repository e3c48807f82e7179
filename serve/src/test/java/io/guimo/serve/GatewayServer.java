package io.guimo.serve;

import io.guimo.commerce.Commerce;
import io.guimo.commerce.CommerceSettings;
import io.guimo.commerce.account.NewOrganization;
import io.guimo.commerce.account.Role;
import io.guimo.commerce.command.CommandKey;
import io.guimo.commerce.invoice.InvoicePdf;
import io.guimo.commerce.ledger.GrantKind;
import io.guimo.commerce.price.NewPrice;
import io.guimo.commerce.price.Rate;
import io.guimo.commerce.price.TierRule;
import io.guimo.inference.ModelHost;
import io.guimo.inference.OpenAiRemoteChat;
import io.guimo.inference.RemoteChatSettings;
import io.guimo.inference.UpstreamSettings;
import io.guimo.postgres.Database;
import io.guimo.postgres.EmbeddedPostgres;
import io.guimo.registry.ModelOwner;
import io.guimo.registry.PackageStore;
import io.guimo.registry.Registry;
import io.guimo.registry.TrustedKeys;
import io.guimo.serve.http.Access;
import io.guimo.serve.http.Content;
import io.guimo.serve.http.Route;
import io.guimo.units.Ids;
import io.guimo.units.Meter;
import io.guimo.units.Money;
import io.guimo.units.OrganizationId;
import java.nio.file.Path;
import java.sql.PreparedStatement;
import java.sql.Statement;
import java.time.InstantSource;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Currency;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * The server of {@code benchmarks/gateway}: a model that does nothing, sold, beside the same model ungoverned, and a chat model forwarded to an
 * upstream. Arguments: folder of its database, address of the upstream, number of customers, number of keys of all of them together. Prints one line
 * of JSON when it is ready, with as many of the keys as a client needs to use them by turns.
 */
public final class GatewayServer {
    private static final Currency CNY = Currency.getInstance("CNY");
    private static final int COMMITS = 200;
    private static final int KEYS_SHOWN = 1000;

    private GatewayServer() {}

    public static void main(String[] arguments) throws Exception {
        Path folder = Path.of(arguments[0]).toAbsolutePath();
        int customers = Integer.parseInt(arguments[2]);
        CountDownLatch closed = new CountDownLatch(1);
        try (EmbeddedPostgres postgres = EmbeddedPostgres.start(folder.resolve("postgres"));
                Database database = Database.open(postgres.address());
                Commerce commerce = Commerce.open(database, CommerceSettings.of("benchmark"));
                ModelHost models = new ModelHost()) {
            PlainModels.Rest noop = new PlainModels.Rest("noop");
            models.mount(ModelOwner.operator(), noop);
            models.mount(
                    ModelOwner.operator(),
                    new OpenAiRemoteChat(
                            "chat",
                            "1",
                            RemoteChatSettings.of(Arrays.stream(arguments[1].split(","))
                                    .map(UpstreamSettings::of)
                                    .toArray(UpstreamSettings[]::new))));
            commerce.prices().publishPlan("payg", Money.zero(CNY), command()).orThrow();
            sell(commerce, "noop", Map.of(Meter.REQUESTS, flat("0.0000001")));
            sell(
                    commerce,
                    "chat",
                    Map.of(
                            Meter.INPUT_TOKENS, flat("0.0000001"),
                            Meter.CACHED_INPUT_TOKENS, flat("0.0000001"),
                            Meter.OUTPUT_TOKENS, flat("0.0000001")));
            List<String> keys = new ArrayList<>();
            List<OrganizationId> ids = new ArrayList<>();
            for (int i = 0; i < customers; i++) ids.add(customer(commerce));
            try (ExecutorService issuers = Executors.newFixedThreadPool(8)) {
                List<Future<String>> issued = new ArrayList<>();
                for (int i = 0; i < Math.max(customers, Integer.parseInt(arguments[3])); i++) {
                    OrganizationId id = ids.get(i % customers);
                    issued.add(issuers.submit(() -> key(commerce, id)));
                }
                // evenly out of all of them
                int step = Math.max(1, issued.size() / KEYS_SHOWN);
                for (int i = 0; i < issued.size(); i++) {
                    String secret = issued.get(i).get();
                    if (i % step == 0) keys.add(secret);
                }
            }
            Platform platform = new Platform(
                    database,
                    commerce,
                    new InvoicePdf(
                            Path.of("commerce/src/test/resources/io/guimo/commerce/invoice/wqy-microhei-subset.ttc")),
                    models,
                    Registry.open(database, InstantSource.system()),
                    PackageStore.open(folder.resolve("packages")),
                    TrustedKeys.of(),
                    List::of,
                    InstantSource.system());
            ServeSettings settings =
                    new ServeSettings(null, 0, null, null, null, null, 1_000_000_000L, 1_000_000_000_000L);
            CountDownLatch stopped = new CountDownLatch(1);
            try (Server server =
                    Server.start(settings, platform, List.of((governed, m) -> List.of(ungoverned(noop))))) {
                System.out.printf(
                        "{\"url\":\"%s\",\"keys\":\"%s\",\"java\":%d,\"postgres\":%d,\"commitMillisP50\":%.3f}%n",
                        server.baseUrl(),
                        String.join(",", keys),
                        ProcessHandle.current().pid(),
                        postgres.processId(),
                        commitMillis(database));
                Runtime.getRuntime().addShutdownHook(new Thread(() -> {
                    stopped.countDown();
                    awaitQuietly(closed);
                }));
                stopped.await();
            }
        } finally {
            closed.countDown();
        }
    }

    private static void awaitQuietly(CountDownLatch closed) {
        try {
            closed.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** The same parsing, work and answer, for nothing and to anybody. */
    private static Route ungoverned(PlainModels.Rest model) {
        return Route.post(
                "/v1/ungoverned",
                Access.PUBLIC,
                64 * 1024,
                Route.About.of("ungoverned", "Benchmark", "The model alone"),
                exchange -> {
                    var asked = exchange.json(Recommendations.RecommendationsRequest.class);
                    return Content.json(new Recommendations.RecommendationsAnswer(
                            model.recommend(asked.items(), 2), new Recommendations.RequestUsage(1)));
                });
    }

    private static OrganizationId customer(Commerce commerce) {
        OrganizationId id = commerce.organizations()
                .create(new NewOrganization("customer", false, ZoneId.of("Asia/Shanghai"), CNY), command())
                .orThrow()
                .id();
        commerce.prices().subscribe(id, "payg", command()).orThrow();
        commerce.ledger()
                .grant(id, Money.of(CNY, "1000000"), GrantKind.CASH, Optional.empty(), command())
                .orThrow();
        return id;
    }

    private static String key(Commerce commerce, OrganizationId id) {
        return commerce.keys()
                .issue(id, commerce.organizations().defaultProject(id).id(), Role.CUSTOMER, "load", command())
                .orThrow()
                .secret()
                .orElseThrow();
    }

    /** Median time of a durable commit of one row, one after another. */
    private static double commitMillis(Database database) {
        database.perform(connection -> {
            try (Statement statement = connection.createStatement()) {
                statement.execute("create table if not exists benchmark_commit (at bigint)");
            }
        });
        double[] millis = new double[COMMITS];
        for (int i = 0; i < COMMITS; i++) {
            long started = System.nanoTime();
            database.perform(connection -> {
                try (PreparedStatement insert =
                        connection.prepareStatement("insert into benchmark_commit values (?)")) {
                    insert.setLong(1, started);
                    insert.executeUpdate();
                }
            });
            millis[i] = (double) (System.nanoTime() - started) / 1e6;
        }
        Arrays.sort(millis);
        return millis[COMMITS / 2];
    }

    private static void sell(Commerce commerce, String product, Map<Meter, TierRule> rules) {
        commerce.prices()
                .publish(new NewPrice("payg", product, rules, Optional.empty()), command())
                .orThrow();
    }

    private static TierRule flat(String each) {
        return new TierRule.Flat(Rate.each(Money.of(CNY, each)));
    }

    private static CommandKey command() {
        return new CommandKey("benchmark", Ids.next("cmd"));
    }
}
