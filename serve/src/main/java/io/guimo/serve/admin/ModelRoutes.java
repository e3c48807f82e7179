package io.guimo.serve.admin;

import io.guimo.registry.Comparison;
import io.guimo.registry.GateResult;
import io.guimo.registry.ModelOwner;
import io.guimo.registry.ModelVersion;
import io.guimo.registry.Promotion;
import io.guimo.registry.PromotionGround;
import io.guimo.registry.PromotionResult;
import io.guimo.registry.Provenance;
import io.guimo.registry.RegisteredModel;
import io.guimo.registry.Registry;
import io.guimo.registry.RunRecord;
import io.guimo.serve.http.Access;
import io.guimo.serve.http.Answer;
import io.guimo.serve.http.Content;
import io.guimo.serve.http.Exchange;
import io.guimo.serve.http.Json;
import io.guimo.serve.http.Listing;
import io.guimo.serve.http.Refusal;
import io.guimo.serve.http.RefusedException;
import io.guimo.serve.http.Route;
import io.guimo.units.Money;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The operator's models: versions, how good they are, how they were trained, which one serves. */
final class ModelRoutes {
    private static final String GROUP = "Registry";
    private static final long BODY_LIMIT = 64 * 1024;
    private static final ModelOwner OPERATOR = ModelOwner.operator();
    private final Registry registry;
    private final Once once;

    ModelRoutes(Registry registry, Once once) {
        this.registry = registry;
        this.once = once;
    }

    List<Route> routes() {
        return List.of(
                Route.get(
                        "/admin/v1/models",
                        Access.OWNER,
                        Route.About.of("listRegisteredModels", GROUP, "All models")
                                .list(ModelSummary.class),
                        e -> Content.json(Listing.whole(registry.models(), ModelSummary::of))),
                Route.get(
                        "/admin/v1/models/{model}",
                        Access.OWNER,
                        Route.About.of(
                                        "getRegisteredModel",
                                        GROUP,
                                        "A model with its versions, metrics, gate and training curves")
                                .answer(ModelDetail.class),
                        this::detail),
                Route.post(
                        "/admin/v1/models/{model}/promote",
                        Access.OWNER,
                        BODY_LIMIT,
                        Route.About.of(
                                        "promoteModel",
                                        GROUP,
                                        "Lets a version serve: by its gate, or forced, which is recorded")
                                .request(PromotionRequest.class)
                                .answer(VersionView.class),
                        this::promote));
    }

    private Answer detail(Exchange exchange) {
        RegisteredModel model = existing(exchange);
        List<VersionView> versions = registry.versions(OPERATOR, model.name()).stream()
                .map(VersionView::of)
                .toList();
        List<RunView> runs =
                registry.runs(OPERATOR, model.name()).stream().map(RunView::of).toList();
        List<PromotionView> promotions = registry.promotions(OPERATOR, model.name()).stream()
                .map(PromotionView::of)
                .toList();
        return Content.json(new ModelDetail(ModelSummary.of(model), versions, runs, promotions));
    }

    private RegisteredModel existing(Exchange exchange) {
        String name = exchange.variable("model");
        return registry.models().stream()
                .filter(m -> m.name().equals(name) && m.owner().equals(OPERATOR))
                .findFirst()
                .orElseThrow(() -> Answers.notFound("model", name));
    }

    private Answer promote(Exchange exchange) {
        RegisteredModel model = existing(exchange);
        PromotionRequest wanted = exchange.json(PromotionRequest.class);
        ForceRequest force = wanted.force();
        return once.answer(
                exchange,
                List.of(
                        "model.promote",
                        model.name(),
                        wanted.version().toString(),
                        force == null ? "" : force.by(),
                        force == null ? "" : force.why()),
                () -> promoted(model.name(), wanted),
                version -> VersionView.of(version(model.name(), Integer.parseInt(version))));
    }

    private String promoted(String model, PromotionRequest wanted) {
        PromotionGround ground = ground(wanted, version(model, wanted.version()));
        return switch (registry.promote(OPERATOR, model, wanted.version(), ground)) {
            case PromotionResult.Promoted(ModelVersion promoted, boolean _) -> Integer.toString(promoted.version());
            case PromotionResult.GateFailed(GateResult gate) ->
                throw RefusedException.invalid(
                        "The gate of version " + wanted.version() + " did not pass: " + failed(gate)
                                + "; promote it with 'force' if you take it upon yourself",
                        "version",
                        "gate_failed");
            case PromotionResult.UnknownVersion(String message) ->
                throw new RefusedException(new Refusal.NotFound(message, "version", "version_not_found"));
        };
    }

    private ModelVersion version(String model, int version) {
        return registry.find(OPERATOR, model, version)
                .orElseThrow(() -> Answers.notFound("version", model + " " + version));
    }

    private static PromotionGround ground(PromotionRequest wanted, ModelVersion version) {
        ForceRequest force = wanted.force();
        if (force != null) {
            return Answers.checked("force", () -> new PromotionGround.Forced(force.by(), force.why()));
        }
        GateResult gate = version.manifest().provenance().gate();
        if (gate == null) {
            throw RefusedException.invalid(
                    "Version " + version.version() + " has no gate; promote it with 'force': {by, why}",
                    "force",
                    "gate_missing");
        }
        return new PromotionGround.Gated(gate);
    }

    private static String failed(GateResult gate) {
        return gate.checks().stream()
                .filter(c -> !c.passed())
                .map(c -> c.rule() + " (" + c.value() + ")")
                .toList()
                .toString();
    }

    /** @param force needed where the gate did not pass */
    record PromotionRequest(Integer version, @Nullable ForceRequest force) {}

    record ForceRequest(String by, String why) {}

    /** @param owner null: the operator */
    record ModelSummary(
            String name,
            String task,
            @Nullable String owner,
            @Nullable Integer promotedVersion,
            int latestVersion,
            Instant createdAt) {
        static ModelSummary of(RegisteredModel model) {
            String owner =
                    switch (model.owner()) {
                        case ModelOwner.Operator() -> null;
                        case ModelOwner.Organization(var id) -> id.value();
                    };
            return new ModelSummary(
                    model.name(),
                    model.task(),
                    owner,
                    model.promotedVersion(),
                    model.latestVersion(),
                    model.createdAt());
        }
    }

    /**
     * @param versions the newest first
     * @param runs the newest first
     * @param promotions what served, the first first
     */
    record ModelDetail(
            ModelSummary model, List<VersionView> versions, List<RunView> runs, List<PromotionView> promotions) {}

    /** @param forced null where the gate decided */
    record PromotionView(
            int version,
            @Nullable Integer previousVersion,
            Instant promotedAt,
            @Nullable ForceRequest forced) {
        static PromotionView of(Promotion promotion) {
            ForceRequest forced =
                    switch (promotion.ground()) {
                        case PromotionGround.Gated _ -> null;
                        case PromotionGround.Forced(String by, String why) -> new ForceRequest(by, why);
                    };
            return new PromotionView(promotion.version(), promotion.previousVersion(), promotion.promotedAt(), forced);
        }
    }

    record VersionView(
            int version,
            String digest,
            boolean promoted,
            Instant registeredAt,
            Map<String, Double> metrics,
            List<Comparison> comparisons,
            @Nullable GateView gate,
            @Nullable String runId,
            Map<String, String> dataFingerprints,
            @Nullable String baseModelDigest,
            String codeVersion) {
        static VersionView of(ModelVersion version) {
            Provenance from = version.manifest().provenance();
            return new VersionView(
                    version.version(),
                    version.packageDigest(),
                    version.promoted(),
                    version.registeredAt(),
                    from.metrics(),
                    from.comparisons(),
                    GateView.of(from.gate()),
                    from.runId(),
                    from.dataFingerprints(),
                    from.baseModelDigest(),
                    from.codeVersion());
        }
    }

    record GateView(boolean passed, List<CheckView> checks) {
        static @Nullable GateView of(@Nullable GateResult gate) {
            return gate == null
                    ? null
                    : new GateView(
                            gate.passed(),
                            gate.checks().stream().map(CheckView::of).toList());
        }
    }

    /** @param value null where it was not measured */
    record CheckView(String rule, @Nullable Double value, double threshold, boolean passed) {
        static CheckView of(GateResult.Check check) {
            Double value = Double.isFinite(check.value()) ? check.value() : null;
            return new CheckView(check.rule(), value, check.threshold(), check.passed());
        }
    }

    /**
     * @param evaluation the evaluation's report: metrics, baseline, confusion matrix, labels
     * @param cost null where no machine's price was known
     */
    record RunView(
            String id,
            Instant startedAt,
            Instant finishedAt,
            double seconds,
            double cpuSeconds,
            long peakMemoryBytes,
            @Nullable Money cost,
            @Nullable String currency,
            List<RunRecord.CurvePoint> curve,
            Map<String, Object> evaluation,
            Map<String, Object> configuration,
            Map<String, Object> environment) {
        static RunView of(RunRecord run) {
            Money cost = run.cost();
            return new RunView(
                    run.id(),
                    run.startedAt(),
                    run.finishedAt(),
                    run.seconds(),
                    run.cpuSeconds(),
                    run.peakMemoryBytes(),
                    cost,
                    cost == null ? null : cost.currency().getCurrencyCode(),
                    run.curve(),
                    object(run.evaluation()),
                    object(run.configuration()),
                    object(run.environment()));
        }

        private static Map<String, Object> object(String json) {
            return Json.readMap(json.getBytes(StandardCharsets.UTF_8));
        }
    }
}
