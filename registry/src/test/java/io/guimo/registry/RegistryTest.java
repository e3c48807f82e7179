package io.guimo.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guimo.postgres.Database;
import io.guimo.postgres.EmbeddedPostgres;
import io.guimo.registry.PromotionGround.Forced;
import io.guimo.registry.PromotionGround.Gated;
import io.guimo.registry.PromotionResult.GateFailed;
import io.guimo.registry.PromotionResult.Promoted;
import io.guimo.registry.PromotionResult.UnknownVersion;
import io.guimo.registry.RunRecord.CurvePoint;
import io.guimo.units.Money;
import io.guimo.units.OrganizationId;
import io.guimo.units.VirtualClock;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Every test works on models of its own organisation, so that all share one database. */
final class RegistryTest {
    private static final GateResult FAILED =
            new GateResult(List.of(new GateResult.Check("accuracy >= 0.92", .91, .92, false)));
    private static final Instant START = Instant.parse("2026-11-03T00:00:00Z");

    private static EmbeddedPostgres server;
    private static Database database;

    @TempDir
    private Path home;

    private final ModelOwner owner = new ModelOwner.Organization(OrganizationId.next());
    private final VirtualClock clock = new VirtualClock(() -> START, Duration.ZERO);
    private final SigningKey key = SigningKey.generate();
    private PackageStore store;
    private Registry registry;

    @BeforeAll
    static void start() {
        server = EmbeddedPostgres.start(Path.of("target/postgres"));
        database = Database.open(server.address());
        // The server's folder outlives a run of the tests; what an earlier run registered must not.
        database.perform(connection -> {
            try (Statement statement = connection.createStatement()) {
                statement.execute("drop schema public cascade");
                statement.execute("create schema public");
            }
        });
    }

    @AfterAll
    static void stop() {
        database.close();
        server.close();
    }

    @BeforeEach
    void open() throws IOException {
        store = PackageStore.open(home.resolve("packages"));
        registry = Registry.open(database, clock);
    }

    @Test
    void register_newPackages_numberedFrom1() throws IOException {
        ModelVersion first = registry.register(owner, "labels", content("run_a", new byte[] {1}));
        ModelVersion second = registry.register(owner, "labels", content("run_b", new byte[] {2}));

        assertThat(first.version()).isEqualTo(1);
        assertThat(second.version()).isEqualTo(2);
        assertThat(first.promoted()).isFalse();
        assertThat(first.manifest().provenance()).isEqualTo(PackageFixture.provenance("run_a"));
        assertThat(registry.versions(owner, "labels")).containsExactly(second, first);
        assertThat(registry.find(owner, "labels", 2)).contains(second);
    }

    @Test
    void register_samePackageAgain_sameVersion() throws IOException {
        ModelVersion first = registry.register(owner, "labels", content("run_a", new byte[] {1}));
        ModelVersion again = registry.register(owner, "labels", content("run_a", new byte[] {1}));

        assertThat(again).isEqualTo(first);
    }

    @Test
    void register_fromManyThreads_noGapsNoDoubles() throws Exception {
        try (ExecutorService threads = Executors.newFixedThreadPool(8)) {
            List<Future<ModelVersion>> registrations = new ArrayList<>();
            for (int i = 0; i < 24; i++) {
                ModelPackage content = content("run_" + i % 12, new byte[] {(byte) (i % 12)});
                registrations.add(threads.submit(() -> registry.register(owner, "labels", content)));
            }
            for (Future<ModelVersion> registration : registrations) registration.get();
        }
        assertThat(registry.versions(owner, "labels"))
                .extracting(ModelVersion::version)
                .containsExactly(12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1);
    }

    @Test
    void register_otherTaskUnderTheName_refused() throws IOException {
        registry.register(owner, "labels", content("run_a", new byte[] {1}));
        ModelPackage encoder =
                contentOf(Provenance.asItIs("embed-text", Map.of(), PackageFixture.DATA_DIGEST, "0.1.0"));

        assertThatThrownBy(() -> registry.register(owner, "labels", encoder))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("embed-text", "classify-images");
    }

    @Test
    void register_nameNotPermitted_refused() throws IOException {
        ModelPackage content = content("run_a", new byte[] {1});
        for (String name : List.of("", "../x", "a b", "x".repeat(129), "a/b", "标签")) {
            assertThatThrownBy(() -> registry.register(owner, name, content)).hasMessageContaining("not permitted");
        }
    }

    @Test
    void promote_gatePassed_servesAndIsRecorded() throws IOException {
        registry.register(owner, "labels", content("run_a", new byte[] {1}));
        List<ModelVersion> told = new ArrayList<>();
        registry.onPromotion(told::add);

        Promoted promoted = (Promoted) registry.promote(owner, "labels", 1, new Gated(PackageFixture.GATE));

        assertThat(promoted.changed()).isTrue();
        assertThat(promoted.version().promoted()).isTrue();
        assertThat(registry.promoted(owner, "labels")).contains(promoted.version());
        assertThat(registry.serving()).contains(promoted.version());
        assertThat(told).containsExactly(promoted.version());
        assertThat(registry.promotions(owner, "labels"))
                .containsExactly(new Promotion(owner, "labels", 1, null, new Gated(PackageFixture.GATE), START));
    }

    @Test
    void promote_gateFailed_refusedAndTheOneBeforeServes() throws IOException {
        registry.register(owner, "labels", content("run_a", new byte[] {1}));
        registry.register(owner, "labels", content("run_b", new byte[] {2}));
        registry.promote(owner, "labels", 1, new Gated(PackageFixture.GATE));

        assertThat(registry.promote(owner, "labels", 2, new Gated(FAILED))).isEqualTo(new GateFailed(FAILED));

        assertThat(registry.promoted(owner, "labels"))
                .map(ModelVersion::version)
                .contains(1);
        assertThat(registry.promotions(owner, "labels")).hasSize(1);
    }

    @Test
    void promote_forced_recordedWithWhoAndWhy() throws IOException {
        registry.register(owner, "labels", content("run_a", new byte[] {1}));
        registry.register(owner, "labels", content("run_b", new byte[] {2}));
        registry.promote(owner, "labels", 1, new Gated(PackageFixture.GATE));
        clock.turnTo(START.plusSeconds(60));

        registry.promote(owner, "labels", 2, new Forced("anna", "the season starts on Monday"));

        assertThat(registry.promotions(owner, "labels"))
                .last()
                .isEqualTo(new Promotion(
                        owner,
                        "labels",
                        2,
                        1,
                        new Forced("anna", "the season starts on Monday"),
                        START.plusSeconds(60)));
        assertThatThrownBy(() -> new Forced("anna", " ")).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void promote_servesAlready_nothingRecorded() throws IOException {
        registry.register(owner, "labels", content("run_a", new byte[] {1}));
        registry.promote(owner, "labels", 1, new Gated(PackageFixture.GATE));

        Promoted again = (Promoted) registry.promote(owner, "labels", 1, new Gated(PackageFixture.GATE));

        assertThat(again.changed()).isFalse();
        assertThat(registry.promotions(owner, "labels")).hasSize(1);
    }

    @Test
    void promote_unknown_said() throws IOException {
        assertThat(registry.promote(owner, "nothing", 1, new Forced("a", "b"))).isInstanceOf(UnknownVersion.class);
        registry.register(owner, "labels", content("run_a", new byte[] {1}));
        assertThat(registry.promote(owner, "labels", 7, new Forced("a", "b")))
                .isEqualTo(new UnknownVersion("there is no version 7 of model labels"));
    }

    @Test
    void promote_twoAtOnce_historyIsAChain() throws Exception {
        for (int i = 0; i < 6; i++) registry.register(owner, "labels", content("run_" + i, new byte[] {(byte) i}));
        try (ExecutorService threads = Executors.newFixedThreadPool(6)) {
            List<Future<PromotionResult>> promotions = new ArrayList<>();
            for (int version = 1; version <= 6; version++) {
                int wanted = version;
                promotions.add(threads.submit(() -> registry.promote(owner, "labels", wanted, new Forced("a", "b"))));
            }
            for (Future<PromotionResult> promotion : promotions) promotion.get();
        }
        List<Promotion> history = registry.promotions(owner, "labels");
        assertThat(history).hasSize(6);
        for (int i = 1; i < 6; i++) {
            assertThat(history.get(i).previousVersion())
                    .isEqualTo(history.get(i - 1).version());
        }
        assertThat(registry.promoted(owner, "labels"))
                .map(ModelVersion::version)
                .contains(history.getLast().version());
    }

    @Test
    void models_viewer_seesOperatorsAndOwnOnly() throws IOException {
        OrganizationId mine = OrganizationId.next();
        String shared = "shared-" + mine.value().substring(20);
        registry.register(ModelOwner.operator(), shared, content("run_a", new byte[] {1}));
        registry.register(new ModelOwner.Organization(mine), "ft:mine", content("run_b", new byte[] {2}));
        registry.register(owner, "ft:theirs", content("run_c", new byte[] {3}));

        assertThat(registry.models(mine))
                .extracting(RegisteredModel::name)
                .contains(shared, "ft:mine")
                .doesNotContain("ft:theirs");
        assertThat(registry.models()).extracting(RegisteredModel::name).contains(shared, "ft:mine", "ft:theirs");
        assertThat(registry.find(new ModelOwner.Organization(mine), "ft:theirs", 1))
                .isEmpty();
    }

    @Test
    void models_sameNameOfTwoOwners_twoModels() throws IOException {
        registry.register(owner, "labels", content("run_a", new byte[] {1}));
        ModelOwner other = new ModelOwner.Organization(OrganizationId.next());
        registry.register(other, "labels", content("run_b", new byte[] {2}));
        registry.promote(other, "labels", 1, new Forced("a", "b"));

        assertThat(registry.promoted(owner, "labels")).isEmpty();
        assertThat(registry.versions(owner, "labels")).hasSize(1);
    }

    @Test
    void record_run_keptExactlyAndOnce() {
        RunRecord run = run("run_" + OrganizationId.next().value());
        registry.record(run);
        registry.record(run);

        assertThat(registry.run(run.id())).contains(run);
        assertThat(registry.runs(owner, "labels")).containsExactly(run);
    }

    @Test
    void lineage_trainedVersion_givesRunBaseAndPromotions() throws IOException {
        RunRecord run = run("run_" + OrganizationId.next().value());
        registry.record(run);
        ModelVersion base = registry.register(owner, "base", content("run_base", new byte[] {1}));
        Provenance adapted = new Provenance(
                "classify-images",
                null,
                Map.of(),
                base.packageDigest(),
                Map.of(),
                List.of(),
                null,
                Map.of("photos", "e".repeat(64)),
                run.id(),
                "0.1.0");
        registry.register(owner, "labels", contentOf(adapted));
        registry.promote(owner, "labels", 1, new Forced("a", "b"));

        Lineage lineage = registry.lineage(owner, "labels", 1).orElseThrow();

        assertThat(lineage.run()).isEqualTo(run);
        assertThat(lineage.base()).containsExactly(base);
        assertThat(lineage.promotions()).hasSize(1);
        assertThat(registry.lineage(owner, "labels", 2)).isEmpty();
        assertThat(registry.madeBy(run.id())).containsExactly(lineage.version());
        assertThat(registry.adaptedFrom(base.packageDigest())).containsExactly(lineage.version());
        assertThat(registry.madeFromData("e".repeat(64))).containsExactly(lineage.version());
        assertThat(registry.madeFromData("f".repeat(64))).isEmpty();
    }

    private RunRecord run(String id) {
        return new RunRecord(
                id,
                owner,
                "labels",
                "classify-images",
                "{\"epochs\": 6}",
                Map.of("fashion-mnist", PackageFixture.DATA_DIGEST),
                "0.1.0",
                "{\"threads\": 2}",
                List.of(
                        new CurvePoint(1, Map.of("trainingLoss", .61, "accuracy", .88)),
                        new CurvePoint(2, Map.of("trainingLoss", Double.NaN))),
                "{\"primary\": \"accuracy\"}",
                195.25,
                380.5,
                1L << 31,
                Money.of("CNY", "0.065000000001"),
                START.minusSeconds(200),
                START.minusMillis(1));
    }

    private ModelPackage content(String runId, byte[] weights) throws IOException {
        String digest = PackageFixture.files(store, weights)
                .sign(key, PackageFixture.provenance(runId), PackageFixture.CREATED_AT);
        return verified(digest);
    }

    private ModelPackage contentOf(Provenance provenance) throws IOException {
        return verified(PackageFixture.files(store, new byte[] {9}).sign(key, provenance, PackageFixture.CREATED_AT));
    }

    private ModelPackage verified(String digest) throws IOException {
        return ((PackageCheck.Verified) store.verify(digest, TrustedKeys.of(key.verifying()))).content();
    }
}
