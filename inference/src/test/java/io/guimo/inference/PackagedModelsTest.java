package io.guimo.inference;

import static org.assertj.core.api.Assertions.assertThat;

import io.guimo.model.ArchitectureSettings;
import io.guimo.model.LinearAutoencoder;
import io.guimo.model.SmallResNet;
import io.guimo.postgres.Database;
import io.guimo.postgres.EmbeddedPostgres;
import io.guimo.registry.ModelOwner;
import io.guimo.registry.ModelPackage;
import io.guimo.registry.ModelVersion;
import io.guimo.registry.PackageCheck;
import io.guimo.registry.PackageFile;
import io.guimo.registry.PromotionGround.Forced;
import io.guimo.registry.Provenance;
import io.guimo.registry.Registry;
import io.guimo.registry.SigningKey;
import io.guimo.registry.TrustedKeys;
import io.guimo.units.OrganizationId;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
final class PackagedModelsTest {
    private static final Forced GROUND = new Forced("test", "to serve");
    private static final EngineSettings ENGINES = EngineSettings.standard();

    private static EmbeddedPostgres server;
    private static Database database;

    @TempDir
    private Path folder;

    private final OrganizationId organization = OrganizationId.next();
    private final ModelOwner owner = new ModelOwner.Organization(organization);
    private final ModelHost host = new ModelHost();
    private TestPackages packages;
    private Registry registry;
    private PackagedModels models;

    @BeforeAll
    static void start() {
        server = EmbeddedPostgres.start(Path.of("target/postgres"));
        database = Database.open(server.address());
    }

    @AfterAll
    static void stop() {
        database.close();
        server.close();
    }

    @BeforeEach
    void open() throws IOException {
        database.perform(c -> c.createStatement().execute("drop schema public cascade; create schema public"));
        registry = Registry.open(database, InstantSource.system());
        packages = new TestPackages(folder);
        models = models(packages.trusted(), UnsignedPackages.REFUSE);
    }

    @AfterEach
    void close() {
        models.close();
        host.close();
    }

    private PackagedModels models(TrustedKeys trusted, UnsignedPackages unsigned) {
        return new PackagedModels(host, packages.store, trusted, unsigned, Started.loader(ENGINES));
    }

    @Test
    void refresh_promotedVersions_servedToTheirOwner() throws IOException {
        promote("goes-with", packages.recommender(1));
        promote("labels", packages.classifier(1));
        registry.register(owner, "not-promoted", packages.verified(packages.recommender(5)));

        assertThat(models.refresh(registry)).hasSize(2).allMatch(r -> r instanceof LoadResult.Loaded);

        assertThat(host.visible(organization)).extracting(HostedModel::name).containsExactly("goes-with", "labels");
        assertThat(host.find(organization, "labels")).containsInstanceOf(ImageClassifier.class);
        assertThat(host.visible(OrganizationId.next())).isEmpty();
        assertThat(models.refresh(registry)).isEmpty();
    }

    @Test
    void refresh_fileChangedOnDisk_refusedAndTheVersionBeforeServes() throws IOException {
        promote("goes-with", packages.recommender(1));
        models.refresh(registry);
        ModelVersion second = promote("goes-with", packages.recommender(2));
        ModelPackage content = packages.verified(second.packageDigest());
        Path weights =
                content.path(content.manifest().file(PackageFile.Role.WEIGHTS).orElseThrow());
        byte[] bytes = Files.readAllBytes(weights);
        bytes[bytes.length / 2] ^= 4;
        Files.write(weights, bytes);

        assertThat(models.refresh(registry))
                .singleElement()
                .isInstanceOfSatisfying(LoadResult.Refused.class, refused -> assertThat(refused.message())
                        .contains("model.safetensors was changed"));

        assertThat(models.refused()).hasSize(1);
        assertThat(host.find(organization, "goes-with"))
                .map(HostedModel::version)
                .contains("1");
        // Not read again and again.
        assertThat(models.refresh(registry)).isEmpty();
    }

    @Test
    void load_signedByAStranger_refused() throws IOException {
        ModelVersion version = promote("goes-with", packages.recommender(1));

        LoadResult result = models(TrustedKeys.of(SigningKey.generate().verifying()), UnsignedPackages.LOAD)
                .load(version);

        assertThat(result).isInstanceOfSatisfying(LoadResult.Refused.class, r -> assertThat(r.message())
                .contains("not trusted"));
        assertThat(host.all()).isEmpty();
    }

    @Test
    void load_unsigned_onlyWhereStartedSo() throws IOException {
        String signed = packages.recommender(1);
        Files.delete(folder.resolve("packages/signed").resolve(signed + ".sig"));
        ModelPackage content = ((PackageCheck.Verified) packages.store.verifyUnsigned(signed)).content();
        ModelVersion version = registry.register(owner, "goes-with", content);

        assertThat(models.load(version)).isInstanceOf(LoadResult.Refused.class);
        assertThat(models(packages.trusted(), UnsignedPackages.LOAD).load(version))
                .isInstanceOf(LoadResult.Loaded.class);
    }

    @Test
    void load_filesThatDoNotBelongTogether_refusedWithTheReason() throws IOException {
        String otherLabels = packages.trained(
                new ArchitectureSettings.Resnet(8), TestPackages.IMAGE_STEPS, 1, () -> new SmallResNet(1, 8, 7));
        String otherKind = packages.trained(
                new ArchitectureSettings.Resnet(8), TestPackages.ITEM_STEPS, 2, () -> new LinearAutoencoder(40, .5));
        String noSafetensors = sign(
                "recommend-items", "{\"kind\":\"linear-autoencoder\",\"dropout\":0.5}", Map.of("recommend-items", 1));
        String otherSteps = sign(
                "recommend-items", "{\"kind\":\"linear-autoencoder\",\"dropout\":0.5}", Map.of("recommend-items", 99));
        String otherArchitecture = sign("classify-images", "{\"kind\":\"transformer\"}", Map.of("classify-images", 1));
        String otherTask = sign("fold-proteins", null, Map.of());
        String text = sign("generate-text", null, Map.of());
        for (String digest :
                List.of(otherLabels, otherKind, noSafetensors, otherSteps, otherArchitecture, otherTask, text)) {
            ModelVersion version = registry.register(owner, "m-" + digest.substring(0, 8), packages.verified(digest));
            assertThat(models.load(version)).as(digest).isInstanceOf(LoadResult.Refused.class);
        }
        assertThat(host.all()).isEmpty();
    }

    private String sign(String task, @Nullable String architecture, Map<String, Integer> steps) throws IOException {
        return packages.store
                .writer()
                .add(PackageFile.Role.WEIGHTS, PackageFile.Format.SAFETENSORS, "model.safetensors", new byte[10])
                .add(
                        PackageFile.Role.STEPS,
                        PackageFile.Format.JSON,
                        "steps.json",
                        task.equals("recommend-items")
                                ? TestPackages.ITEM_STEPS.json()
                                : "{}".getBytes(StandardCharsets.UTF_8))
                .sign(
                        packages.key,
                        new Provenance(
                                task, architecture, steps, null, Map.of(), List.of(), null, Map.of(), null, "0.1.0"),
                        TestPackages.CREATED_AT);
    }

    @Test
    void follow_promotionUnderLoad_noCallFailsForGood() throws Exception {
        promote("goes-with", packages.recommender(1));
        models.follow(registry, Duration.ofMinutes(10));
        AtomicBoolean stop = new AtomicBoolean();
        try (ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<Integer>> calls = IntStream.range(0, 4)
                    .mapToObj(_ -> callers.submit(() -> callUntil(stop)))
                    .toList();
            promote("goes-with", packages.recommender(2));
            while (host.find(organization, "goes-with")
                    .filter(m -> m.version().equals("2"))
                    .isEmpty()) Thread.onSpinWait();
            stop.set(true);
            for (Future<Integer> call : calls) assertThat(call.get()).isPositive();
        }
    }

    /** As a server does: a model closed between finding and asking is found once more. */
    private int callUntil(AtomicBoolean stop) {
        int answered = 0;
        do {
            for (int attempt = 0; ; attempt++) {
                ItemRecommender model =
                        (ItemRecommender) host.find(organization, "goes-with").orElseThrow();
                try {
                    model.recommend(List.of("item-1"), 3);
                    answered++;
                    break;
                } catch (EngineClosed replaced) {
                    if (attempt == 1) throw replaced;
                }
            }
        } while (!stop.get());
        return answered;
    }

    @Test
    void follow_promotionByAnotherServer_seenWithinTheInterval() throws Exception {
        promote("goes-with", packages.recommender(1));
        models.follow(registry, Duration.ofMillis(20));
        Registry elsewhere = Registry.open(database, InstantSource.system());
        ModelVersion second = elsewhere.register(owner, "goes-with", packages.verified(packages.recommender(2)));
        elsewhere.promote(owner, "goes-with", second.version(), GROUND);

        while (host.find(organization, "goes-with")
                .filter(m -> m.version().equals("2"))
                .isEmpty()) Thread.onSpinWait();
    }

    private ModelVersion promote(String name, String digest) throws IOException {
        ModelVersion version = registry.register(owner, name, packages.verified(digest));
        registry.promote(owner, name, version.version(), GROUND);
        return version;
    }
}
