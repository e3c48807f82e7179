package io.guimo.train;

import io.guimo.data.Catalogue;
import io.guimo.data.CatalogueOptions;
import io.guimo.data.DataSettings;
import io.guimo.data.DataSources;
import io.guimo.data.FetchProgress;
import io.guimo.data.ImageDecoder;
import io.guimo.evaluate.EvaluationReport;
import io.guimo.model.Module;
import io.guimo.model.Safetensors;
import io.guimo.task.Lesson;
import io.guimo.task.TaskName;
import io.guimo.task.TrainingProblem;
import io.guimo.tensor.TensorScope;
import io.guimo.tensor.Torch;
import io.guimo.tensor.TorchSettings;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;

/**
 * The recipe of the photo labels over several seeds: prints for each the seconds and the accuracy on the validation and the test part, and the median. Arguments: home folder,
 * greatest learning rate, weight decay, epochs, seeds. Figures of several recipes are compared on the validation part; the test part's are for the report.
 */
public final class PhotoLabelsRecipe {
    private PhotoLabelsRecipe() {}

    public static void main(String[] arguments) throws InterruptedException {
        Path home = Path.of(arguments[0]);
        double rate = Double.parseDouble(arguments[1]);
        double decay = Double.parseDouble(arguments[2]);
        int epochs = Integer.parseInt(arguments[3]);
        int seeds = Integer.parseInt(arguments[4]);
        Torch torch = Torch.start(TorchSettings.measured(home.resolve("cache")));
        DataSources sources = new DataSources(
                Catalogue.standard(),
                new CatalogueOptions(home, null, FetchProgress.NONE),
                home,
                new ImageDecoder(ImageDecoder.Limits.STANDARD));
        Lesson lesson = Lesson.open(TaskName.CLASSIFY_IMAGES, new DataSettings("fashion-mnist", null, null), sources);
        TrainingProblem problem = lesson.problem(lesson.defaultArchitecture());
        double[] accuracies = new double[seeds];
        for (int seed = 1; seed <= seeds; seed++) {
            TrainSettings settings = new TrainSettings(
                    null, rate, 128, epochs, TrainSettings.Schedule.ONE_CYCLE, decay, null, null, null, (long) seed);
            String name = String.format(Locale.ROOT, "recipe-%s-%s-%d-%d", rate, decay, epochs, seed);
            RunDescription description = new RunDescription(name, Map.of(), Map.of(), "recipe", null, null);
            try (RunFolder folder = RunFolder.open(home.resolve("runs").resolve(name), description)) {
                TrainingResult result = new Trainer(torch).train(problem, settings, folder, ProgressListener.NONE);
                EvaluationReport report = judge(torch, lesson, problem, result.bestWeights());
                accuracies[seed - 1] = report.metrics().getOrDefault("accuracy", Double.NaN);
                System.out.printf(
                        Locale.ROOT,
                        "seed %d: %.0f s, %.0f processor seconds, best epoch %d, validation %s, test %.4f%n",
                        seed,
                        result.seconds(),
                        result.cpuSeconds(),
                        result.bestEpoch(),
                        result.bestMetrics(),
                        accuracies[seed - 1]);
            }
        }
        Arrays.sort(accuracies);
        System.out.printf(Locale.ROOT, "median %.4f, least %.4f%n", accuracies[seeds / 2], accuracies[0]);
    }

    private static EvaluationReport judge(Torch torch, Lesson lesson, TrainingProblem problem, Path weights) {
        Module network = torch.executor().call(() -> {
            try (TensorScope _ = TensorScope.openWithoutGradients()) {
                Module built = problem.build();
                built.load(Safetensors.read(weights).tensors());
                return built;
            }
        });
        try (network) {
            return lesson.judge(network, torch.executor());
        }
    }
}
