package io.guimo.testkit;

import io.guimo.commerce.Commerce;
import io.guimo.commerce.CommerceSettings;
import io.guimo.commerce.account.NewOrganization;
import io.guimo.commerce.account.Role;
import io.guimo.commerce.command.CommandKey;
import io.guimo.commerce.invoice.Invoice;
import io.guimo.commerce.invoice.InvoicePdf;
import io.guimo.commerce.ledger.GrantKind;
import io.guimo.commerce.meter.UsageFilter;
import io.guimo.commerce.meter.UsageSum;
import io.guimo.commerce.price.NewPrice;
import io.guimo.commerce.price.Rate;
import io.guimo.commerce.price.Tier;
import io.guimo.commerce.price.TierRule;
import io.guimo.console.ConsolePages;
import io.guimo.economics.CostSettings;
import io.guimo.economics.CostWindow;
import io.guimo.economics.UnitEconomics;
import io.guimo.evaluate.Confusion;
import io.guimo.evaluate.EvaluationReport;
import io.guimo.evaluate.EvaluationReport.BaselineResult;
import io.guimo.evaluate.EvaluationReport.ClassScores;
import io.guimo.evaluate.Interval;
import io.guimo.inference.HostedModel;
import io.guimo.inference.ModelHost;
import io.guimo.inference.TextEncoder;
import io.guimo.postgres.Database;
import io.guimo.postgres.DatabaseAddress;
import io.guimo.postgres.EmbeddedPostgres;
import io.guimo.registry.GateResult;
import io.guimo.registry.ModelOwner;
import io.guimo.registry.ModelVersion;
import io.guimo.registry.PackageCheck;
import io.guimo.registry.PackageFile;
import io.guimo.registry.PackageStore;
import io.guimo.registry.PromotionGround;
import io.guimo.registry.Provenance;
import io.guimo.registry.Registry;
import io.guimo.registry.RunRecord;
import io.guimo.registry.SigningKey;
import io.guimo.registry.TrustedKeys;
import io.guimo.serve.Platform;
import io.guimo.serve.ServeSettings;
import io.guimo.serve.Server;
import io.guimo.shop.SearchCollection;
import io.guimo.shop.ShopSearch;
import io.guimo.units.Cursor;
import io.guimo.units.Ids;
import io.guimo.units.Meter;
import io.guimo.units.Money;
import io.guimo.units.OrganizationId;
import io.guimo.units.TimeWindow;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.Polygon;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Currency;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import javax.imageio.ImageIO;
import tools.jackson.databind.json.JsonMapper;

/**
 * A shop that has been open for a week: real server, database, till, books, registry and console, with models that need no training. A
 * customer used it, and its month is invoiced.
 */
final class ServedShop implements AutoCloseable {
    private static final Currency CNY = Currency.getInstance("CNY");
    private static final ZoneId ZONE = ZoneId.of("Asia/Shanghai");
    private static final String PLAN = "payg";
    private static final String PHOTO_LABELS = "photo-labels";
    private static final String GOES_WELL_WITH = "goes-well-with";
    private static final int DAYS_OPEN = 6;

    private final EmbeddedPostgres postgres;
    private final Database database;
    private final Commerce commerce;
    private final ModelHost models = new ModelHost();
    private final Server server;
    private final String ownerKey;
    private final Invoice invoice;

    static ServedShop start(Path folder) throws IOException, InterruptedException {
        return new ServedShop(folder);
    }

    /** @param folder kept between runs: the database server's files */
    private ServedShop(Path folder) throws IOException, InterruptedException {
        Files.createDirectories(folder);
        postgres = EmbeddedPostgres.start(folder.resolve("postgres"));
        database = Database.open(emptyDatabase(postgres.address()));
        InstantSource world = InstantSource.system();
        commerce = Commerce.open(database, world, CommerceSettings.of("console-test"));
        Registry registry = Registry.open(database, world);
        PackageStore packages = PackageStore.open(folder.resolve("packages"));
        SigningKey signingKey = SigningKey.generate();
        registerAll(registry, packages, signingKey);
        TextEncoder english = new PlainModels.Characters("search-en");
        TextEncoder chinese = new PlainModels.Characters("search-zh");
        for (HostedModel model : List.of(
                new PlainModels.Boots(PHOTO_LABELS), new PlainModels.Neighbours(GOES_WELL_WITH), english, chinese)) {
            models.mount(ModelOwner.operator(), model);
        }
        publishPrices();
        OrganizationId operator = commerce.organizations()
                .ensureOperator("运营 Operator", ZONE, CNY)
                .id();
        ownerKey = issueKey(operator, Role.OWNER);
        Platform platform = new Platform(
                database,
                commerce,
                new InvoicePdf(root().resolve(
                                "commerce/src/test/resources/io/guimo/commerce/invoice/wqy-microhei-subset.ttc")),
                models,
                registry,
                packages,
                TrustedKeys.of(signingKey.verifying()),
                this::economics,
                world);
        ShopSearch search = new ShopSearch(
                List.of(
                        new SearchCollection("items", english.name(), PlainModels.ITEMS),
                        new SearchCollection("poems", chinese.name(), PlainModels.POEMS)),
                folder);
        server = Server.start(
                ServeSettings.defaults().withPort(0), platform, List.of(search, (_, _) -> ConsolePages.load()
                        .routes()));
        invoice = weekOfUse();
    }

    String baseUrl() {
        return server.baseUrl().toString();
    }

    String ownerKey() {
        return ownerKey;
    }

    /** A drawing of a boot, PNG. */
    byte[] photo() {
        BufferedImage image = new BufferedImage(320, 240, BufferedImage.TYPE_INT_RGB);
        Graphics2D pen = image.createGraphics();
        pen.setColor(new Color(0xdde6f0));
        pen.fillRect(0, 0, 320, 240);
        pen.setColor(new Color(0x27406b));
        pen.fillPolygon(
                new Polygon(new int[] {110, 170, 172, 240, 240, 100}, new int[] {40, 40, 130, 165, 195, 195}, 6));
        pen.dispose();
        ByteArrayOutputStream png = new ByteArrayOutputStream();
        try {
            ImageIO.write(image, "png", png);
        } catch (IOException e) {
            throw new UncheckedIOException("memory cannot fail to be written", e);
        }
        return png.toByteArray();
    }

    String photoLabel() {
        return "Ankle boot";
    }

    /** What one photo costs the operator, who has used none yet, as English writes it. */
    String photoPrice() {
        return "¥0.002";
    }

    String trainedModel() {
        return PHOTO_LABELS;
    }

    String invoiceNumber() {
        return invoice.number().orElseThrow();
    }

    /** Its address in the console. */
    String invoiceAddress() {
        return invoice.organization() + "/" + invoice.id();
    }

    /** As English writes it. */
    String invoiceTotal() {
        return "¥" + invoice.total().toDisplayString();
    }

    @Override
    public void close() {
        server.close();
        models.close();
        commerce.close();
        database.close();
        postgres.close();
    }

    private static Path root() {
        return Path.of(System.getProperty("guimo.root", ".."));
    }

    private static DatabaseAddress emptyDatabase(DatabaseAddress main) {
        try (Connection connection = DriverManager.getConnection(main.url(), main.user(), main.password());
                Statement statement = connection.createStatement()) {
            statement.execute("drop database if exists console_test with (force)");
            statement.execute("create database console_test");
        } catch (SQLException e) {
            throw new IllegalStateException("cannot make a database for the test", e);
        }
        String url = main.url().substring(0, main.url().lastIndexOf('/') + 1) + "console_test";
        return new DatabaseAddress(url, main.user(), main.password());
    }

    private void publishPrices() {
        commerce.prices().publishPlan(PLAN, Money.zero(CNY), command()).orThrow();
        sell(
                PHOTO_LABELS,
                Meter.IMAGES,
                new TierRule.Graduated(List.of(Tier.upTo(100, each("0.002")), Tier.rest(each("0.001")))));
        sell(GOES_WELL_WITH, Meter.REQUESTS, new TierRule.Flat(each("0.0005")));
        sell("search-en", Meter.INPUT_TOKENS, new TierRule.Flat(each("0.0000008")));
        sell("search-zh", Meter.INPUT_TOKENS, new TierRule.Flat(each("0.0000008")));
    }

    private void sell(String product, Meter meter, TierRule rule) {
        commerce.prices()
                .publish(new NewPrice(PLAN, product, Map.of(meter, rule), Optional.empty()), command())
                .orThrow();
    }

    private static Rate each(String amount) {
        return Rate.each(Money.of(CNY, amount));
    }

    private void open(OrganizationId organization, String paidIn) {
        commerce.prices().subscribe(organization, PLAN, command()).orThrow();
        commerce.ledger()
                .grant(organization, Money.of(CNY, paidIn), GrantKind.CASH, Optional.empty(), command())
                .orThrow();
    }

    private String issueKey(OrganizationId organization, Role role) {
        return commerce.keys()
                .issue(
                        organization,
                        commerce.organizations().defaultProject(organization).id(),
                        role,
                        "test",
                        command())
                .orThrow()
                .secret()
                .orElseThrow();
    }

    private static CommandKey command() {
        return new CommandKey("console-test", Ids.next("cmd"));
    }

    /** A sandbox customer sends requests on some days, more on each; then its clock passes the end of the month. */
    private Invoice weekOfUse() throws IOException, InterruptedException {
        OrganizationId customer = commerce.organizations()
                .create(new NewOrganization("客户 Customer", true, ZONE, CNY), command())
                .orThrow()
                .id();
        open(customer, "20");
        String key = issueKey(customer, Role.CUSTOMER);
        String photo = Base64.getEncoder().encodeToString(photo());
        try (HttpClient client =
                HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build()) {
            for (int day = 0; day < DAYS_OPEN; day++) {
                String photos = ("\"" + photo + "\",").repeat(5 + 2 * day);
                for (int i = 0; i < 2 + day; i++) {
                    send(
                            client,
                            key,
                            "/v1/predict/" + PHOTO_LABELS,
                            "{\"images\":[" + photos.substring(0, photos.length() - 1) + "]}");
                    send(
                            client,
                            key,
                            "/v1/recommendations",
                            "{\"model\":\"" + GOES_WELL_WITH + "\",\"items\":[\"tea\"],\"limit\":3}");
                    send(
                            client,
                            key,
                            "/v1/search",
                            "{\"collection\":\"items\",\"query\":\"something sweet\",\"limit\":3}");
                }
            }
        }
        Instant now = commerce.organizations().now(customer);
        Instant nextMonth = TimeWindow.monthOf(now, ZONE).end().plus(Duration.ofHours(1));
        commerce.turnClock(customer, nextMonth, command()).orThrow();
        return commerce.invoices().list(customer, Cursor.first(1)).items().getFirst();
    }

    private void send(HttpClient client, String key, String path, String body)
            throws IOException, InterruptedException {
        HttpResponse<String> answer = client.send(
                HttpRequest.newBuilder(server.baseUrl().resolve(path))
                        .header("authorization", "Bearer " + key)
                        .header("content-type", "application/json")
                        .POST(HttpRequest.BodyPublishers.ofString(body))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
        if (answer.statusCode() != 200)
            throw new IllegalStateException(path + " answered " + answer.statusCode() + ": " + answer.body());
    }

    private static void registerAll(Registry registry, PackageStore packages, SigningKey key) throws IOException {
        register(registry, packages, key, PHOTO_LABELS, "classify-images", photoLabelsReport());
        register(registry, packages, key, GOES_WELL_WITH, "recommend-items", goesWellWithReport());
        for (String encoder : List.of("search-en", "search-zh")) {
            Provenance asItIs = Provenance.asItIs("embed-text", Map.of("tokenizer", 1), "ab".repeat(32), "test");
            ModelVersion version = packaged(registry, packages, key, encoder, asItIs);
            registry.promote(
                    ModelOwner.operator(),
                    encoder,
                    version.version(),
                    new PromotionGround.Forced("owner", "a pre-trained model, taken as it is"));
        }
    }

    private static void register(
            Registry registry,
            PackageStore packages,
            SigningKey key,
            String model,
            String task,
            EvaluationReport report)
            throws IOException {
        String runId = "run_" + model;
        Instant finished = Instant.parse("2026-11-20T08:00:00Z");
        Map<String, String> data =
                Map.of(task.equals("classify-images") ? "fashion-mnist" : "supermarket", "9c".repeat(32));
        registry.record(new RunRecord(
                runId,
                ModelOwner.operator(),
                model,
                task,
                "{}",
                data,
                "test",
                "{}",
                curve(report.primary()),
                JsonMapper.builder().build().writeValueAsString(report),
                203.4,
                398.2,
                1_480_000_000L,
                Money.of(CNY, "0.0678"),
                finished.minusSeconds(203),
                finished));
        double value = report.metrics().getOrDefault(report.primary(), Double.NaN);
        GateResult gate =
                new GateResult(List.of(new GateResult.Check(report.primary() + " >= 0.5", value, 0.5, value >= 0.5)));
        Provenance provenance = new Provenance(
                task, "{\"kind\":\"test\"}", Map.of(), null, report.metrics(), List.of(), gate, data, runId, "test");
        ModelVersion version = packaged(registry, packages, key, model, provenance);
        registry.promote(ModelOwner.operator(), model, version.version(), new PromotionGround.Gated(gate));
    }

    private static ModelVersion packaged(
            Registry registry, PackageStore packages, SigningKey key, String model, Provenance provenance)
            throws IOException {
        String digest = packages.writer()
                .add(
                        PackageFile.Role.NOTICE,
                        PackageFile.Format.TEXT,
                        "NOTICE",
                        ("Nothing but this notice of " + model).getBytes(StandardCharsets.UTF_8))
                .sign(key, provenance, Instant.parse("2026-11-20T08:00:00Z"));
        return switch (packages.verify(digest, TrustedKeys.of(key.verifying()))) {
            case PackageCheck.Verified(var content, String _) ->
                registry.register(ModelOwner.operator(), model, content);
            case PackageCheck.Refused refused -> throw new IllegalStateException(refused.message());
        };
    }

    private static List<RunRecord.CurvePoint> curve(String metric) {
        List<RunRecord.CurvePoint> curve = new ArrayList<>();
        for (int epoch = 1; epoch <= 9; epoch++) {
            Map<String, Double> values = new LinkedHashMap<>();
            values.put("trainingLoss", .12 + .62 * Math.exp(-.32 * epoch));
            values.put(metric, .93 - .11 * Math.exp(-.5 * epoch));
            curve.add(new RunRecord.CurvePoint(epoch, values));
        }
        return curve;
    }

    private static EvaluationReport photoLabelsReport() {
        SplittableRandom random = new SplittableRandom(1);
        List<String> labels = PlainModels.LABELS;
        List<List<Long>> counts = new ArrayList<>();
        List<ClassScores> perClass = new ArrayList<>();
        for (int truth = 0; truth < labels.size(); truth++) {
            List<Long> row = new ArrayList<>();
            long wrong = 0;
            for (int answer = 0; answer < labels.size(); answer++) {
                long count = answer == truth ? 0 : random.nextInt(16);
                wrong += count;
                row.add(count);
            }
            row.set(truth, 1000 - wrong);
            counts.add(row);
            double recall = (1000 - wrong) / 1000.0;
            perClass.add(new ClassScores(labels.get(truth), recall, recall, recall, 1000));
        }
        return new EvaluationReport(
                "accuracy",
                10_000,
                Map.of("accuracy", .9268, "logLoss", .2114),
                Map.of("accuracy", new Interval(.9268, .9217, .9318, .95)),
                List.of(new BaselineResult(
                        "logistic regression", Map.of("accuracy", .8447, "logLoss", .4521), Map.of(), 12, List.of())),
                new Confusion(labels, counts),
                perClass,
                List.of("figures of a test, not of a model"));
    }

    private static EvaluationReport goesWellWithReport() {
        return new EvaluationReport(
                "hitRateAt10",
                925,
                Map.of("hitRateAt10", .5816, "ndcgAt10", .3382),
                Map.of("hitRateAt10", new Interval(.5816, .562, .601, .95)),
                List.of(
                        new BaselineResult(
                                "popularity", Map.of("hitRateAt10", .538, "ndcgAt10", .305), Map.of(), 0, List.of()),
                        new BaselineResult(
                                "co-occurrence",
                                Map.of("hitRateAt10", .547, "ndcgAt10", .316),
                                Map.of(),
                                0,
                                List.of())),
                null,
                List.of(),
                List.of());
    }

    /** Real revenue, beside costs of a made-up minute in which each unit took a millisecond. */
    private List<UnitEconomics> economics() {
        List<UnitEconomics> economics = new ArrayList<>();
        for (UsageSum sum : commerce.usage().sums(UsageFilter.all())) {
            CostWindow window = new CostWindow(
                    new TimeWindow(Instant.parse("2026-11-20T08:00:00Z"), Instant.parse("2026-11-20T08:01:00Z")),
                    2,
                    Duration.ofSeconds(2).toNanos(),
                    Duration.ofSeconds(1).toNanos(),
                    List.of(new CostWindow.Share(
                            sum.product(),
                            Map.of(sum.meter(), 1000L),
                            100,
                            Duration.ofSeconds(1).toNanos(),
                            Map.of(),
                            Duration.ofSeconds(1).toNanos())));
            boolean trained = sum.product().equals(PHOTO_LABELS);
            economics.add(UnitEconomics.of(
                    new UnitEconomics.Sold(sum.product(), sum.meter(), sum.quantity(), sum.amount()),
                    window,
                    new CostSettings(new CostSettings.MachineSettings(new BigDecimal("1.20"))),
                    trained ? Money.of(CNY, "0.0678") : Money.zero(CNY)));
        }
        return economics;
    }
}
