package io.guimo.launch;

import io.guimo.commerce.Commerce;
import io.guimo.commerce.CommerceSettings;
import io.guimo.commerce.TillSettings;
import io.guimo.commerce.account.Organization;
import io.guimo.commerce.account.Role;
import io.guimo.commerce.command.CommandKey;
import io.guimo.commerce.invoice.InvoicePdf;
import io.guimo.commerce.invoice.InvoiceSettings;
import io.guimo.commerce.meter.UsageFilter;
import io.guimo.commerce.meter.UsageSum;
import io.guimo.console.ConsolePages;
import io.guimo.data.Dataset;
import io.guimo.data.TextSet;
import io.guimo.economics.CostLog;
import io.guimo.economics.CostWindow;
import io.guimo.economics.CpuLedger;
import io.guimo.economics.EngineReading;
import io.guimo.economics.UnitEconomics;
import io.guimo.inference.EngineLoader;
import io.guimo.inference.EngineSettings;
import io.guimo.inference.HostedModel;
import io.guimo.inference.LoadResult;
import io.guimo.inference.ModelHost;
import io.guimo.inference.PackagedModels;
import io.guimo.inference.TextEncoder;
import io.guimo.inference.UnsignedPackages;
import io.guimo.registry.ModelOwner;
import io.guimo.serve.ExtraRoutes;
import io.guimo.serve.Platform;
import io.guimo.serve.ServeSettings;
import io.guimo.serve.Server;
import io.guimo.shop.SearchCollection;
import io.guimo.shop.ShopSearch;
import io.guimo.units.Ids;
import io.guimo.units.Money;
import io.guimo.units.TimeWindow;
import java.io.IOException;
import java.net.BindException;
import java.net.URI;
import java.nio.file.Files;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The running business: accounts and prices, engines, the API with the console, and the measuring of what it all costs. */
final class Service implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Service.class);
    private static final Duration COST_WINDOW = Duration.ofMinutes(1);
    private static final Duration LOOK_FOR_PROMOTIONS = Duration.ofSeconds(5);
    /** Before anything could have been measured. */
    private static final Instant LONG_AGO = Instant.parse("2020-01-01T00:00:00Z");

    private final Installation installation;
    private final Commerce commerce;
    private final ModelHost models;
    private final Server server;
    private final CpuLedger cpu;
    private final CostLog costs;
    private final InvoicePdf invoicePdf;
    /** Closed from the last to the first. */
    private final Deque<AutoCloseable> opened;

    private Service(
            Installation installation,
            Commerce commerce,
            ModelHost models,
            Server server,
            CpuLedger cpu,
            CostLog costs,
            InvoicePdf invoicePdf,
            Deque<AutoCloseable> opened) {
        this.installation = installation;
        this.commerce = commerce;
        this.models = models;
        this.server = server;
        this.cpu = cpu;
        this.costs = costs;
        this.invoicePdf = invoicePdf;
        this.opened = opened;
    }

    static Commerce openCommerce(Home home, Business business, Databases databases) throws IOException {
        InvoiceSettings invoices = new InvoiceSettings(business.business(), null, null, null);
        Commerce commerce =
                Commerce.open(databases.database(), new CommerceSettings(TillSettings.of(serverName(home)), invoices));
        commerce.organizations().ensureOperator(business.business(), business.zoneId(), business.currency());
        return commerce;
    }

    /** Loads what serves, starts the API and writes where it is to {@code server.json}. */
    static Service start(
            Installation installation,
            Commerce commerce,
            Databases databases,
            ServeSettings settings,
            Stages.Stage stage)
            throws IOException {
        Deque<AutoCloseable> opened = new ArrayDeque<>();
        try {
            return start(installation, commerce, databases, settings, stage, opened);
        } catch (IOException | RuntimeException e) {
            closeAll(opened);
            throw e;
        }
    }

    private static Service start(
            Installation installation,
            Commerce commerce,
            Databases databases,
            ServeSettings settings,
            Stages.Stage stage,
            Deque<AutoCloseable> opened)
            throws IOException {
        Home home = installation.home();
        ModelHost models = new ModelHost();
        opened.push(models);
        EngineLoader loader = new EngineLoader(
                installation::servingTorch,
                installation::llamaLibrary,
                installation.decoder(),
                home.cache().resolve("tokenizers"),
                EngineSettings.standard());
        PackagedModels packaged = new PackagedModels(
                models, installation.packages(), installation.trustedKeys(), UnsignedPackages.REFUSE, loader);
        opened.push(packaged);
        for (LoadResult result : packaged.follow(installation.registry(), LOOK_FOR_PROMOTIONS)) {
            if (result instanceof LoadResult.Refused refused)
                stage.say(refused.model() + " is not served: " + refused.message());
        }
        installation
                .remoteModels()
                .mount(models, installation.folder(), home.cache().resolve("tokenizers"), opened);
        CostLog costs = CostLog.open(databases.database());
        CpuLedger cpu = new CpuLedger(InstantSource.system(), () -> databaseProcess(databases), () -> readings(models));
        ScheduledExecutorService measuring = Executors.newSingleThreadScheduledExecutor(
                Thread.ofPlatform().daemon().name("measure-costs").factory());
        opened.push(measuring::shutdownNow);
        Dataset font = installation.fetch("font-wqy-microhei", stage);
        InvoicePdf invoicePdf =
                new InvoicePdf(font.file(font.entry().files().getFirst().name()));
        Platform platform = new Platform(
                databases.database(),
                commerce,
                invoicePdf,
                models,
                installation.registry(),
                installation.packages(),
                installation.trustedKeys(),
                () -> economics(installation, commerce, costs),
                InstantSource.system());
        Server server = listen(settings, platform, extras(installation, models, stage));
        opened.push(server);
        Service service = new Service(installation, commerce, models, server, cpu, costs, invoicePdf, opened);
        var _ = measuring.scheduleWithFixedDelay(
                service::measureOrLog, COST_WINDOW.toSeconds(), COST_WINDOW.toSeconds(), TimeUnit.SECONDS);
        service.ensureOwnerKey();
        Home.writeAtomically(
                home.server(),
                OwnerClient.JSON.writeValueAsString(Map.of(
                        "baseUrl",
                        service.baseUrl().toString(),
                        "pid",
                        ProcessHandle.current().pid())),
                "rw-r--r--");
        opened.push(() -> Files.deleteIfExists(home.server()));
        return service;
    }

    private static OptionalLong databaseProcess(Databases databases) {
        return databases.embedded() == null
                ? OptionalLong.empty()
                : OptionalLong.of(databases.embedded().processId());
    }

    private static Server listen(ServeSettings settings, Platform platform, List<ExtraRoutes> extras) {
        try {
            return Server.start(settings, platform, extras);
        } catch (RuntimeException e) {
            for (Throwable cause = e; cause != null; cause = cause.getCause()) {
                if (cause instanceof BindException) {
                    throw new CommandFailure(
                            "port " + settings.port() + " on " + settings.host()
                                    + " is taken by another program. Name another one by --port PORT, or --port 0 for any free one; nothing was lost.",
                            e);
                }
            }
            throw e;
        }
    }

    private static List<ExtraRoutes> extras(Installation installation, ModelHost models, Stages.Stage stage) {
        List<ExtraRoutes> extras = new ArrayList<>();
        List<SearchCollection> collections = searchCollections(installation);
        if (!collections.isEmpty()) {
            ShopSearch search = new ShopSearch(collections, installation.home().folder());
            List<TextEncoder> encoders = models.all().stream()
                    .filter(TextEncoder.class::isInstance)
                    .map(TextEncoder.class::cast)
                    .toList();
            stage.say("index of "
                    + String.join(
                            ", ",
                            collections.stream().map(SearchCollection::name).toList()));
            search.prepare(encoders);
            extras.add(search);
        }
        extras.add((governed, known) -> ConsolePages.load().routes());
        return extras;
    }

    /** What a shop searches: the items of its baskets in English, and poems in Chinese, each where a model for it is served. */
    private static List<SearchCollection> searchCollections(Installation installation) {
        Business business = installation.business();
        List<SearchCollection> collections = new ArrayList<>();
        business.models().forEach((name, model) -> {
            String catalogued = model.from() == null ? null : model.from().catalog();
            if ("bge-small-en".equals(catalogued)) {
                business.data().forEach((dataName, data) -> {
                    if ("supermarket".equals(data.catalog())) {
                        collections.add(new SearchCollection(
                                "items",
                                name,
                                installation.sources().baskets(data).baskets().items()));
                    }
                });
            } else if ("bge-small-zh".equals(catalogued)) {
                var settings = new io.guimo.data.DataSettings("fortunes-zh", null, null);
                List<String> poems = installation.sources().texts(settings).stream()
                        .filter(set ->
                                set.name().startsWith("tang") || set.name().startsWith("song"))
                        .map(TextSet::texts)
                        .flatMap(List::stream)
                        .toList();
                collections.add(new SearchCollection("poems", name, poems));
            }
        });
        return collections;
    }

    private static List<EngineReading> readings(ModelHost models) {
        return models.all().stream().map(Service::reading).toList();
    }

    private static EngineReading reading(HostedModel model) {
        var usage = model.usage();
        return new EngineReading(
                model.name(),
                model.version(),
                usage.units(),
                usage.requests(),
                usage.cpuNanos(),
                usage.cpuNanosByMeter(),
                usage.workerNanos(),
                usage.busyNanos());
    }

    /** A name of its own for each home folder, the same after a restart: it finds its own reservations again. */
    private static String serverName(Home home) throws IOException {
        var file = home.folder().resolve("server.name");
        if (!Files.exists(file)) Home.writeAtomically(file, Ids.next("server"), "rw-r--r--");
        return Files.readString(file).strip();
    }

    private void ensureOwnerKey() throws IOException {
        var file = installation.home().ownerKey();
        if (Files.exists(file)
                && commerce.keys().authenticate(Files.readString(file).strip()).isPresent()) return;
        Organization operator = commerce.organizations().operator().orElseThrow();
        var issued = commerce.keys()
                .issue(
                        operator.id(),
                        commerce.organizations().defaultProject(operator.id()).id(),
                        Role.OWNER,
                        "owner",
                        new CommandKey("launch", Ids.next("owner")))
                .orThrow();
        Home.writeAtomically(file, issued.secret().orElseThrow() + "\n", "rw-------");
    }

    Commerce commerce() {
        return commerce;
    }

    Installation installation() {
        return installation;
    }

    ModelHost models() {
        return models;
    }

    URI baseUrl() {
        return server.baseUrl();
    }

    String ownerKey() throws IOException {
        return Files.readString(installation.home().ownerKey()).strip();
    }

    byte[] print(io.guimo.commerce.invoice.Invoice invoice) {
        return invoicePdf.print(invoice);
    }

    /** Ends the window of measurement that is open, keeps it, and begins the next. */
    void measure() throws IOException {
        costs.append(cpu.close());
    }

    private void measureOrLog() {
        try {
            measure();
        } catch (IOException | RuntimeException e) {
            LOG.warn("a window of cost measurement was lost: {}", e.toString());
        }
    }

    /** Of every product that was sold, over all that this installation ever measured. */
    List<UnitEconomics> economics() {
        return economics(installation, commerce, costs);
    }

    private static List<UnitEconomics> economics(Installation installation, Commerce commerce, CostLog costs) {
        Optional<CostWindow> window =
                costs.sum(new TimeWindow(LONG_AGO, Instant.now().plusSeconds(1)));
        if (window.isEmpty()) return List.of();
        List<UnitEconomics> economics = new ArrayList<>();
        List<UsageSum> sums = commerce.usage().sums(UsageFilter.all());
        for (UsageSum sum : sums) {
            Money ofProduct = sums.stream()
                    .filter(other -> other.product().equals(sum.product())
                            && other.amount().currency().equals(sum.amount().currency()))
                    .map(UsageSum::amount)
                    .reduce(Money.zero(sum.amount().currency()), Money::plus);
            economics.add(UnitEconomics.of(
                    new UnitEconomics.Sold(sum.product(), sum.meter(), sum.quantity(), sum.amount()),
                    window.get(),
                    installation.business().costs(),
                    UnitEconomics.trainingPart(trainingCost(installation, sum.product()), sum.amount(), ofProduct)));
        }
        return economics;
    }

    private static Money trainingCost(Installation installation, String model) {
        return installation
                .registry()
                .promoted(ModelOwner.operator(), model)
                .flatMap(v -> Optional.ofNullable(v.manifest().provenance().runId()))
                .flatMap(installation.registry()::run)
                .flatMap(run -> Optional.ofNullable(run.cost()))
                .orElse(Money.zero(installation.business().currency()));
    }

    @Override
    public void close() {
        measureOrLog();
        closeAll(opened);
    }

    private static void closeAll(Deque<AutoCloseable> opened) {
        while (!opened.isEmpty()) {
            try {
                opened.pop().close();
            } catch (Exception e) {
                // The rest must be closed too; what could not be is said.
                LOG.warn("closing failed: {}", e.toString());
            }
        }
    }
}
