package io.guimo.train;

import io.guimo.data.Catalogue;
import io.guimo.data.CatalogueOptions;
import io.guimo.data.DataSettings;
import io.guimo.data.DataSources;
import io.guimo.data.FetchProgress;
import io.guimo.data.ImageDecoder;
import io.guimo.evaluate.EvaluationReport;
import io.guimo.model.ArchitectureSettings;
import io.guimo.model.Module;
import io.guimo.model.Safetensors;
import io.guimo.task.Lesson;
import io.guimo.task.TaskName;
import io.guimo.task.TrainingProblem;
import io.guimo.tensor.TensorScope;
import io.guimo.tensor.Torch;
import io.guimo.tensor.TorchSettings;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import tools.jackson.databind.json.JsonMapper;

/**
 * Pre-trains a decoder on a corpus of the catalogue and judges it beside counting: what {@code ./guimo up examples/writer} does, for trying settings.
 * Arguments: home folder, folder of data or "-", corpus, run's name, architecture and training settings as JSON objects, threads. Called again, it resumes.
 */
public final class Pretraining {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private Pretraining() {}

    public static void main(String[] arguments) throws InterruptedException {
        Path home = Path.of(arguments[0]);
        Path data = arguments[1].equals("-") ? null : Path.of(arguments[1]);
        String corpus = arguments[2];
        ArchitectureSettings architecture = arguments[4].contains("\"gpt2\"")
                ? JSON.readerFor(ArchitectureSettings.Gpt2.class).readValue(withoutKind(arguments[4]))
                : JSON.readerFor(ArchitectureSettings.Llama.class).readValue(withoutKind(arguments[4]));
        TrainSettings settings = JSON.readValue(arguments[5], TrainSettings.class);
        Torch torch =
                Torch.start(new TorchSettings(home.resolve("cache"), Started.blas(), Integer.valueOf(arguments[6])));
        DataSources sources = new DataSources(
                Catalogue.standard(),
                new CatalogueOptions(home, data, FetchProgress.NONE),
                home,
                new ImageDecoder(ImageDecoder.Limits.STANDARD));
        Lesson lesson = Lesson.open(TaskName.GENERATE_TEXT, new DataSettings(corpus, null, null), sources);
        lesson.notes().forEach(System.out::println);
        TrainingProblem problem = lesson.problem(architecture);
        RunDescription description = new RunDescription(
                arguments[3], Map.of("architecture", architecture.toString()), Map.of(), "pretraining", null, null);
        try (RunFolder folder = RunFolder.open(home.resolve("runs").resolve(arguments[3]), description)) {
            String[] shown = {""};
            TrainingResult result = new Trainer(torch).train(problem, settings, folder, progress -> {
                if (progress.message().contains("natsPerCharacter")
                        && !progress.message().equals(shown[0])) {
                    shown[0] = progress.message();
                    System.out.printf(
                            Locale.ROOT,
                            "%s; %,d of %,d tokens; %.0f tokens/s%n",
                            shown[0],
                            progress.done(),
                            progress.total(),
                            progress.perSecond());
                }
            });
            System.out.printf(
                    Locale.ROOT,
                    "%.0f s, %.0f processor seconds, best epoch %d of %d, validation %s%n",
                    result.seconds(),
                    result.cpuSeconds(),
                    result.bestEpoch(),
                    result.curve().size(),
                    result.bestMetrics());
            EvaluationReport report = judge(torch, lesson, problem, result.bestWeights());
            System.out.println(JSON.writerWithDefaultPrettyPrinter().writeValueAsString(report));
        }
    }

    private static String withoutKind(String json) {
        return json.replaceFirst("\"kind\":\"[a-z0-9]*\",?", "");
    }

    private static EvaluationReport judge(Torch torch, Lesson lesson, TrainingProblem problem, Path weights) {
        Module network = torch.executor().call(() -> {
            try (TensorScope _ = TensorScope.openWithoutGradients()) {
                Module built = problem.build();
                System.out.println(built.parameterCount() + " parameters");
                built.load(Safetensors.read(weights).tensors());
                return built;
            }
        });
        try (network) {
            return lesson.judge(network, torch.executor());
        }
    }
}
