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
import io.guimo.postgres.Database;
import io.guimo.postgres.DatabaseAddress;
import io.guimo.postgres.EmbeddedPostgres;
import io.guimo.registry.ModelOwner;
import io.guimo.registry.PackageStore;
import io.guimo.registry.Registry;
import io.guimo.registry.TrustedKeys;
import io.guimo.units.Ids;
import io.guimo.units.Meter;
import io.guimo.units.Money;
import io.guimo.units.OrganizationId;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.InstantSource;
import java.time.ZoneId;
import java.util.Currency;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** The whole API over real HTTP, a real database and plain models, on a plan that sells everything cheaply. */
public final class TestPlatform implements AutoCloseable {
    public static final Currency CNY = Currency.getInstance("CNY");
    public static final String PLAN = "payg";
    private static @Nullable EmbeddedPostgres postgres;

    public final Platform platform;
    public final Commerce commerce;
    public final Server server;
    public final String ownerKey;
    public final AtomicInteger chatCalls = new AtomicInteger();
    public final ScriptedGenerator scripted = new ScriptedGenerator("scripted");
    public final HttpClient client =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    /** @param name of the database, one for each test class */
    public static TestPlatform start(String name) {
        TestPlatform platform = new TestPlatform(fresh(name), "test");
        platform.sell();
        return platform;
    }

    /** A further server on the database of another, with the same models. */
    public static TestPlatform replica(DatabaseAddress address, String server) {
        return new TestPlatform(address, server);
    }

    private TestPlatform(DatabaseAddress address, String serverName) {
        Database database = Database.open(address);
        InstantSource world = InstantSource.system();
        commerce = Commerce.open(database, world, CommerceSettings.of(serverName));
        ModelHost models = new ModelHost();
        platform = new Platform(
                database,
                commerce,
                new InvoicePdf(
                        Path.of("../commerce/src/test/resources/io/guimo/commerce/invoice/wqy-microhei-subset.ttc")),
                models,
                Registry.open(database, world),
                packages(),
                TrustedKeys.of(),
                List::of,
                world);
        models.mount(ModelOwner.operator(), new PlainModels.Shapes("shapes"));
        models.mount(ModelOwner.operator(), new PlainModels.Rest("rest"));
        models.mount(ModelOwner.operator(), new PlainModels.Letters("letters"));
        models.mount(ModelOwner.operator(), new PlainModels.Talker("talker", 5, 0, chatCalls));
        models.mount(ModelOwner.operator(), new PlainModels.Talker("long-talker", 700, 0, chatCalls));
        models.mount(ModelOwner.operator(), new PlainModels.Talker("slow-talker", 600, 25, chatCalls));
        models.mount(ModelOwner.operator(), scripted);
        models.mount(ModelOwner.operator(), new PlainModels.Rest("unsold"));
        OrganizationId operator = commerce.organizations()
                .ensureOperator("运营 Operator", ZoneId.of("Asia/Shanghai"), CNY)
                .id();
        ownerKey = commerce.keys()
                .issue(
                        operator,
                        commerce.organizations().defaultProject(operator).id(),
                        Role.OWNER,
                        "owner",
                        command())
                .orThrow()
                .secret()
                .orElseThrow();
        server = Server.start(ServeSettings.defaults().withPort(0), platform, List.of());
    }

    private void sell() {
        commerce.prices().publishPlan(PLAN, Money.zero(CNY), command()).orThrow();
        sell("shapes", Map.of(Meter.IMAGES, flat("0.002")));
        sell("rest", Map.of(Meter.REQUESTS, flat("0.0005")));
        sell("letters", Map.of(Meter.INPUT_TOKENS, flat("0.0000002")));
        for (String chat : List.of("talker", "long-talker", "slow-talker", "scripted")) {
            sell(
                    chat,
                    Map.of(
                            Meter.INPUT_TOKENS, flat("0.001"),
                            Meter.CACHED_INPUT_TOKENS, flat("0.0005"),
                            Meter.OUTPUT_TOKENS, flat("0.002")));
        }
    }

    /** An organisation on the plan and its key. */
    public record Customer(OrganizationId organization, String key) {}

    public Customer customer(String paidIn) {
        OrganizationId id = commerce.organizations()
                .create(new NewOrganization("客户 Customer", true, ZoneId.of("Asia/Shanghai"), CNY), command())
                .orThrow()
                .id();
        commerce.prices().subscribe(id, PLAN, command()).orThrow();
        if (!paidIn.equals("0")) {
            commerce.ledger()
                    .grant(id, Money.of(CNY, paidIn), GrantKind.CASH, Optional.empty(), command())
                    .orThrow();
        }
        String secret = commerce.keys()
                .issue(id, commerce.organizations().defaultProject(id).id(), Role.CUSTOMER, "test", command())
                .orThrow()
                .secret()
                .orElseThrow();
        return new Customer(id, secret);
    }

    public Money available(Customer customer) {
        return commerce.ledger().balance(customer.organization()).available();
    }

    public URI uri(String path) {
        return server.baseUrl().resolve(path);
    }

    public HttpRequest.Builder request(String path, String key) {
        return HttpRequest.newBuilder(uri(path))
                .timeout(Duration.ofSeconds(60))
                .header("authorization", "Bearer " + key)
                .header("content-type", "application/json");
    }

    public HttpResponse<String> get(String path, String key) throws Exception {
        return client.send(request(path, key).GET().build(), HttpResponse.BodyHandlers.ofString());
    }

    public HttpResponse<String> post(String path, String key, String body, String... headers) throws Exception {
        HttpRequest.Builder request = request(path, key).POST(HttpRequest.BodyPublishers.ofString(body));
        if (headers.length > 0) request.headers(headers);
        return client.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }

    private static PackageStore packages() {
        try {
            return PackageStore.open(Path.of("target/packages"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public static CommandKey command() {
        return new CommandKey("test", Ids.next("cmd"));
    }

    public void sell(String product, Map<Meter, TierRule> rules) {
        commerce.prices()
                .publish(new NewPrice(PLAN, product, rules, Optional.empty()), command())
                .orThrow();
    }

    public static TierRule flat(String each) {
        return new TierRule.Flat(Rate.each(Money.of(CNY, each)));
    }

    private static synchronized DatabaseAddress fresh(String name) {
        EmbeddedPostgres running = postgres;
        if (running == null) {
            running = EmbeddedPostgres.start(Path.of("target/postgres"));
            postgres = running;
        }
        DatabaseAddress main = running.address();
        try (Connection connection = DriverManager.getConnection(main.url(), main.user(), main.password());
                Statement statement = connection.createStatement()) {
            statement.execute("drop database if exists " + name + " with (force)");
            statement.execute("create database " + name);
        } catch (SQLException e) {
            throw new IllegalStateException("cannot make a scratch database", e);
        }
        String url = main.url().substring(0, main.url().lastIndexOf('/') + 1) + name;
        return new DatabaseAddress(url, main.user(), main.password());
    }

    @Override
    public void close() {
        server.close();
        commerce.close();
        platform.models().close();
        platform.database().close();
        client.close();
    }
}
