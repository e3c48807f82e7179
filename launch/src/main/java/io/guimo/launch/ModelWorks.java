package io.guimo.launch;

import io.guimo.data.CatalogueEntry;
import io.guimo.data.Dataset;
import io.guimo.data.Fingerprint;
import io.guimo.evaluate.EvaluationReport;
import io.guimo.model.ArchitectureSettings;
import io.guimo.model.Module;
import io.guimo.model.Safetensors;
import io.guimo.registry.ArchitectureForm;
import io.guimo.registry.Gate;
import io.guimo.registry.GateResult;
import io.guimo.registry.ModelOwner;
import io.guimo.registry.ModelVersion;
import io.guimo.registry.PackageCheck;
import io.guimo.registry.PromotionGround;
import io.guimo.registry.PromotionResult;
import io.guimo.registry.RunRecord;
import io.guimo.registry.TrainedModel;
import io.guimo.task.Lesson;
import io.guimo.tensor.TensorScope;
import io.guimo.tensor.Torch;
import io.guimo.train.Progress;
import io.guimo.train.RunDescription;
import io.guimo.train.RunFolder;
import io.guimo.train.TrainSettings;
import io.guimo.train.Trainer;
import io.guimo.train.TrainingResult;
import io.guimo.units.Money;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * Brings a model of the business from its data, or from where it was taken, to a registered and promoted version. Every step leaves a mark that the next
 * {@code up} finds, so nothing is done twice: a version made by the same run, a finished run, its evaluation, its package.
 */
final class ModelWorks {
    /** Part of a run's identity: raised when a change of the code changes what the same settings and data produce. */
    private static final int RECIPE = 1;

    private final Installation installation;
    private final Stages stages;

    ModelWorks(Installation installation, Stages stages) {
        this.installation = installation;
        this.stages = stages;
    }

    /** Names of the stages that {@link #make} runs for the model. */
    static List<String> stagesOf(String name, ModelSettings model) {
        if (model.isTrained()) return List.of(name + ": train", name + ": judge", name + ": sign");
        return model.from() != null && model.from().catalog() != null ? List.of(name + ": sign") : List.of();
    }

    void make(String name, ModelSettings model) throws Exception {
        if (model.isTrained()) {
            makeTrained(name, model);
        } else if (Objects.requireNonNull(model.from()).catalog() != null) {
            makePretrained(name, Objects.requireNonNull(model.from().catalog()));
        }
    }

    private void makeTrained(String name, ModelSettings model) throws Exception {
        Plan plan = new Plan(name, model);
        List<ModelVersion> made = plan.cataloguedRunId == null
                ? List.of()
                : installation.registry().madeBy(plan.cataloguedRunId);
        if (made.stream().anyMatch(v -> v.model().equals(name) && v.promoted())) {
            for (String stage : stagesOf(name, model))
                stages.run(stage, s -> {
                    s.outcome("done before: version " + made.getFirst().version());
                    return made;
                });
            return;
        }
        Lesson[] lesson = new Lesson[1];
        TrainingResult result = stages.run(name + ": train", stage -> {
            lesson[0] = plan.openLesson();
            return train(plan, lesson[0], stage);
        });
        EvaluationReport evaluation = stages.run(name + ": judge", stage -> {
            EvaluationReport report = judge(plan, lesson[0], result);
            stage.outcome(summary(report));
            return report;
        });
        stages.run(name + ": sign", stage -> {
            stage.outcome(register(plan, lesson[0], result, evaluation));
            return evaluation;
        });
    }

    private TrainingResult train(Plan plan, Lesson lesson, Stages.Stage stage)
            throws InterruptedException, IOException {
        for (String note : lesson.notes()) stage.say(note);
        Torch torch = installation.torch(plan.folder(lesson));
        try (RunFolder folder = RunFolder.open(plan.folder(lesson), plan.description(lesson))) {
            TrainingResult result = new Trainer(torch)
                    .train(lesson.problem(plan.architecture(lesson)), plan.train, folder, p -> show(stage, p));
            stage.outcome(String.format(
                    Locale.ROOT,
                    "%s on validation, epoch %d; %.0f %s, %s with %d threads",
                    figures(result.bestMetrics()),
                    result.bestEpoch(),
                    result.tokensPerSecond() == null ? result.examplesPerSecond() : result.tokensPerSecond(),
                    result.tokensPerSecond() == null ? "examples/s" : "tokens/s",
                    result.environment().blas(),
                    result.environment().threads()));
            return result;
        }
    }

    private static void show(Stages.Stage stage, Progress progress) {
        stage.progress(progress.stage(), progress.done(), progress.total(), progress.unit(), progress.message());
    }

    /** Reads the test part once in a run's life: the report is kept beside the weights. */
    private EvaluationReport judge(Plan plan, Lesson lesson, TrainingResult result) throws IOException {
        Path file = plan.folder(lesson).resolve("evaluation.json");
        if (Files.exists(file)) return OwnerClient.JSON.readValue(Files.readString(file), EvaluationReport.class);
        Torch torch = installation.torch(plan.folder(lesson));
        Module network = torch.executor().call(() -> {
            try (TensorScope _ = TensorScope.openWithoutGradients()) {
                Module built = lesson.problem(plan.architecture(lesson)).build();
                built.load(Safetensors.read(result.bestWeights()).tensors());
                return built;
            }
        });
        try {
            EvaluationReport report = lesson.judge(network, torch.executor());
            Home.writeAtomically(
                    plan.folder(lesson).resolve("contamination.json"),
                    OwnerClient.JSON.writeValueAsString(lesson.contamination()),
                    "rw-r--r--");
            Home.writeAtomically(file, OwnerClient.JSON.writeValueAsString(report), "rw-r--r--");
            return report;
        } finally {
            torch.executor().run(network::close);
        }
    }

    private String register(Plan plan, Lesson lesson, TrainingResult result, EvaluationReport evaluation)
            throws IOException {
        String runId = plan.runId(lesson);
        Map<String, String> fingerprints = plainFingerprints(lesson.fingerprints());
        GateResult gate = Gate.check(plan.model.gateSettings(), evaluation);
        Instant finished = Files.getLastModifiedTime(result.bestWeights()).toInstant();
        ModelVersion version = installation.registry().madeBy(runId).stream()
                .filter(v -> v.model().equals(plan.name))
                .findFirst()
                .orElse(null);
        if (version == null) {
            installation.registry().record(runRecord(plan, lesson, runId, result, evaluation, finished));
            String digest = new TrainedModel(
                            plan.architecture(lesson),
                            lesson.steps(),
                            result.bestWeights(),
                            evaluation,
                            gate,
                            fingerprints,
                            runId,
                            CodeVersion.current(),
                            finished,
                            lesson.companions(plan.architecture(lesson)))
                    .pack(installation.packages(), installation.signingKey());
            version = register(plan.name, digest);
        }
        return promote(plan.name, version, gate);
    }

    private String promote(String name, ModelVersion version, GateResult gate) {
        PromotionResult promotion = installation
                .registry()
                .promote(ModelOwner.operator(), name, version.version(), new PromotionGround.Gated(gate));
        return switch (promotion) {
            case PromotionResult.Promoted p -> "version " + version.version() + " signed and promoted: the gate passed";
            case PromotionResult.GateFailed failed ->
                throw new CommandFailure("the gate of " + name + " did not pass, so version " + version.version()
                        + " does not serve: "
                        + failed.result().checks().stream()
                                .filter(c -> !c.passed())
                                .map(c -> c.rule() + " (measured " + figure(c.value()) + ")")
                                .toList()
                        + ". Change its training, or promote it by force: ./guimo models promote " + name + " "
                        + version.version() + " --force --why REASON");
            case PromotionResult.UnknownVersion unknown -> throw new IllegalStateException(unknown.message());
        };
    }

    private ModelVersion register(String name, String digest) throws IOException {
        PackageCheck check = installation.packages().verify(digest, installation.trustedKeys());
        return switch (check) {
            case PackageCheck.Verified verified ->
                installation.registry().register(ModelOwner.operator(), name, verified.content());
            case PackageCheck.Refused refused ->
                throw new CommandFailure("the package of " + name + " does not verify: " + refused.findings());
        };
    }

    private void makePretrained(String name, String catalogued) throws Exception {
        stages.run(name + ": sign", stage -> {
            ModelVersion serving = installation
                    .registry()
                    .promoted(ModelOwner.operator(), name)
                    .orElse(null);
            CatalogueEntry entry = installation.catalogue().find(catalogued).orElseThrow();
            if (serving != null && PretrainedModels.isMadeFrom(serving, entry)) {
                stage.outcome("done before: version " + serving.version());
                return serving;
            }
            Dataset dataset = installation.fetch(catalogued, stage);
            if (dataset.entry().content() == CatalogueEntry.Content.LANGUAGE_MODEL)
                installation.fetch("llama-cpp", stage);
            String digest = PretrainedModels.pack(dataset, installation.packages(), installation.signingKey());
            ModelVersion version = register(name, digest);
            installation
                    .registry()
                    .promote(
                            ModelOwner.operator(),
                            name,
                            version.version(),
                            new PromotionGround.Forced("business file", "taken as it is from " + catalogued));
            stage.outcome("version " + version.version() + " from " + catalogued + ", signed");
            return version;
        });
    }

    private RunRecord runRecord(
            Plan plan,
            Lesson lesson,
            String runId,
            TrainingResult result,
            EvaluationReport evaluation,
            Instant finished) {
        return new RunRecord(
                runId,
                ModelOwner.operator(),
                plan.name,
                plan.model.task().fileName(),
                OwnerClient.JSON.writeValueAsString(plan.configuration(lesson)),
                plainFingerprints(lesson.fingerprints()),
                CodeVersion.current(),
                OwnerClient.JSON.writeValueAsString(result.environment()),
                result.curve().stream().map(ModelWorks::point).toList(),
                OwnerClient.JSON.writeValueAsString(evaluation),
                result.seconds(),
                result.cpuSeconds(),
                result.peakMemoryBytes(),
                result.cost() == null
                        ? null
                        : new Money(
                                installation.business().currency(),
                                Objects.requireNonNull(result.cost())
                                        .setScale(Money.SCALE, java.math.RoundingMode.HALF_UP)),
                finished.minusMillis(Math.round(result.seconds() * 1000)),
                finished);
    }

    private static RunRecord.CurvePoint point(io.guimo.train.CurvePoint point) {
        Map<String, Double> values = new TreeMap<>(point.metrics());
        values.put("trainingLoss", point.trainLoss());
        values.put("learningRate", point.learningRate());
        values.put("seconds", point.seconds());
        return new RunRecord.CurvePoint(point.epoch(), values);
    }

    private static String summary(EvaluationReport report) {
        return figures(report.metrics())
                + report.strongestBaseline()
                        .map(b -> "; " + b.name() + ": " + figures(b.metrics()))
                        .orElse("");
    }

    private static String figures(Map<String, Double> metrics) {
        List<String> shown = new ArrayList<>();
        metrics.forEach((name, value) -> shown.add(name + " " + figure(value)));
        return String.join(", ", shown);
    }

    private static String figure(double value) {
        return String.format(Locale.ROOT, "%.4f", value);
    }

    private static Map<String, String> plainFingerprints(Map<String, Fingerprint> fingerprints) {
        Map<String, String> plain = new TreeMap<>();
        fingerprints.forEach((file, fingerprint) -> plain.put(file, fingerprint.sha256()));
        return plain;
    }

    /** A trained model's settings, and the identity of the run that they and the data make. */
    private final class Plan {
        private static final TrainSettings DEFAULTS =
                new TrainSettings(null, null, null, null, null, null, null, null, null, null);

        private final String name;
        private final ModelSettings model;
        private final TrainSettings train;
        private final String dataName;
        /** Known without reading the data where it comes from the catalogue. */
        private final @Nullable String cataloguedRunId;

        Plan(String name, ModelSettings model) {
            this.name = name;
            this.model = model;
            this.train = model.train() != null ? model.train() : DEFAULTS;
            this.dataName = Objects.requireNonNull(model.data());
            String catalogued = Objects.requireNonNull(
                            installation.business().data().get(dataName))
                    .catalog();
            this.cataloguedRunId = catalogued == null
                    ? null
                    : runId(plainFingerprints(installation
                            .catalogue()
                            .find(catalogued)
                            .orElseThrow()
                            .fingerprints()));
        }

        Lesson openLesson() {
            return installation.openLesson(model.task(), dataName);
        }

        ArchitectureSettings architecture(Lesson lesson) {
            return model.architecture() != null ? model.architecture() : lesson.defaultArchitecture();
        }

        String runId(Lesson lesson) {
            return runId(plainFingerprints(lesson.fingerprints()));
        }

        private String runId(Map<String, String> fingerprints) {
            Map<String, Object> identity = new TreeMap<>();
            identity.put("recipe", RECIPE);
            identity.put("task", model.task().fileName());
            identity.put(
                    "architecture",
                    model.architecture() == null ? "default" : ArchitectureForm.write(model.architecture()));
            identity.put("train", train);
            identity.put("data", fingerprints);
            byte[] canonical = OwnerClient.JSON.writeValueAsString(identity).getBytes(StandardCharsets.UTF_8);
            return "run_" + Fingerprint.of(canonical).sha256().substring(0, 26);
        }

        Path folder(Lesson lesson) {
            return installation.home().runs().resolve(name).resolve(runId(lesson));
        }

        RunDescription description(Lesson lesson) {
            return new RunDescription(
                    name,
                    configuration(lesson),
                    plainFingerprints(lesson.fingerprints()),
                    CodeVersion.RELEASE,
                    installation.business().costs().machine().perHour(),
                    installation.business().currency().getCurrencyCode());
        }

        Map<String, String> configuration(Lesson lesson) {
            Map<String, String> flat = new TreeMap<>();
            flat.put("task", model.task().fileName());
            flat.put("data", dataName);
            flatten("train", OwnerClient.JSON.valueToTree(train), flat);
            flatten("architecture", OwnerClient.JSON.readTree(ArchitectureForm.write(architecture(lesson))), flat);
            return flat;
        }

        private static void flatten(String path, JsonNode node, Map<String, String> into) {
            if (node.isObject()) node.properties().forEach(e -> flatten(path + "." + e.getKey(), e.getValue(), into));
            else if (!node.isNull()) into.put(path, node.asString());
        }
    }
}
