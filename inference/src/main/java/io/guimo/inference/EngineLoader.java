package io.guimo.inference;

import io.guimo.data.ImageDecoder;
import io.guimo.model.ArchitectureSettings;
import io.guimo.model.Module;
import io.guimo.model.Safetensors;
import io.guimo.model.SmallResNet;
import io.guimo.registry.ArchitectureForm;
import io.guimo.registry.ModelPackage;
import io.guimo.registry.PackageFile;
import io.guimo.registry.PackageFile.Format;
import io.guimo.registry.PackageFile.Role;
import io.guimo.registry.Provenance;
import io.guimo.task.FittedSteps;
import io.guimo.task.TaskName;
import io.guimo.tensor.RandomState;
import io.guimo.tensor.Tensor;
import io.guimo.tensor.TensorScope;
import io.guimo.tensor.Torch;
import io.guimo.tensor.TorchExecutor;
import io.guimo.text.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/** Starts the engine that a package needs. */
public final class EngineLoader {
    private final Supplier<Torch> torch;
    private final ImageDecoder decoder;
    private final Path nativeFolder;
    private final EngineSettings settings;

    /**
     * @param torch        asked when a package first needs libtorch, so that a host of encoders never loads it
     * @param decoder      one for all engines: its bound on pixels holds for the process
     * @param nativeFolder where the tokenizer's library unpacks itself, usually {@code cache/tokenizers} of the home folder
     */
    public EngineLoader(Supplier<Torch> torch, ImageDecoder decoder, Path nativeFolder, EngineSettings settings) {
        this.torch = torch;
        this.decoder = decoder;
        this.nativeFolder = nativeFolder;
        this.settings = settings;
    }

    /**
     * @param content a verified package
     * @throws IOException              if a file cannot be read
     * @throws IllegalArgumentException if this build has no engine for the package, or its files do not belong together
     */
    public HostedModel open(String name, String version, ModelPackage content) throws IOException {
        Provenance made = content.manifest().provenance();
        return switch (task(made.task())) {
            case CLASSIFY_IMAGES -> imageClassifier(name, version, content);
            case RECOMMEND_ITEMS -> itemRecommender(name, version, content);
            case EMBED_TEXT -> textEncoder(name, version, content);
            case GENERATE_TEXT ->
                throw new IllegalArgumentException(
                        "the package generates text, for which this build has remote engines only;"
                                + " serve it with an OpenAI-compatible server and name that one");
        };
    }

    private static TaskName task(String name) {
        return Arrays.stream(TaskName.values())
                .filter(t -> t.fileName().equals(name))
                .findFirst()
                .orElseThrow(() ->
                        new IllegalArgumentException("the package is for the task '" + name + "'; this build knows "
                                + String.join(
                                        ", ",
                                        Arrays.stream(TaskName.values())
                                                .map(TaskName::fileName)
                                                .toList())));
    }

    private HostedModel imageClassifier(String name, String version, ModelPackage content) throws IOException {
        FittedSteps.Images steps = steps(content, FittedSteps.Images.class);
        if (!(architecture(content) instanceof ArchitectureSettings.Resnet resnet)) {
            throw new IllegalArgumentException("a classifier of images has the architecture resnet, this package has "
                    + content.manifest().provenance().architecture());
        }
        Path weights = content.path(file(content, Role.WEIGHTS, Format.SAFETENSORS));
        Torch library = torch.get();
        Module network = library.executor()
                .call(() -> withRandomStateKept(() -> {
                    Module built = new SmallResNet(
                            steps.channels(), resnet.width(), steps.labels().size());
                    try {
                        built.load(Safetensors.read(weights).tensors());
                        built.evaluate();
                        return built;
                    } catch (RuntimeException e) {
                        built.close();
                        throw e;
                    }
                }));
        TorchExecutor executor = library.newExecutor("serve-" + name, settings.workers(), 1);
        return new TorchImageClassifier(name, version, steps, network, decoder, executor, settings);
    }

    /**
     * A new network draws its first parameters from the generator that training uses, and they are overwritten at once. So it is built on training's
     * executor, in turn, and the generator put back: loading a model never changes what a run computes.
     */
    private static <T> T withRandomStateKept(Supplier<T> work) {
        try (TensorScope _ = TensorScope.openWithoutGradients()) {
            Tensor before = RandomState.save();
            try {
                return work.get();
            } finally {
                RandomState.restore(before);
            }
        }
    }

    private HostedModel itemRecommender(String name, String version, ModelPackage content) throws IOException {
        FittedSteps.Items steps = steps(content, FittedSteps.Items.class);
        if (!(architecture(content) instanceof ArchitectureSettings.LinearAutoencoder)) {
            throw new IllegalArgumentException(
                    "a recommender has the architecture linear-autoencoder, this package has "
                            + content.manifest().provenance().architecture());
        }
        Path weights = content.path(file(content, Role.WEIGHTS, Format.SAFETENSORS));
        List<float[]> parameters = torch.get().executor().call(() -> {
            try (TensorScope _ = TensorScope.openWithoutGradients()) {
                Map<String, Tensor> tensors = Safetensors.read(weights).tensors();
                return List.of(parameter(tensors, "weight"), parameter(tensors, "bias"));
            }
        });
        return new LinearItemRecommender(name, version, steps, parameters.getFirst(), parameters.getLast());
    }

    private static float[] parameter(Map<String, Tensor> tensors, String name) {
        Tensor found = tensors.get(name);
        if (found == null)
            throw new IllegalArgumentException("the weights have no '" + name + "'; they have " + tensors.keySet());
        return found.toFloats();
    }

    private HostedModel textEncoder(String name, String version, ModelPackage content) throws IOException {
        requireStepVersion(content, EncoderSteps.VERSION);
        EncoderSteps steps = EncoderSteps.read(content.read(file(content, Role.STEPS, Format.JSON)));
        Path onnx = content.path(file(content, Role.WEIGHTS, Format.ONNX));
        Tokenizer tokenizer = Tokenizer.open(
                content.path(file(content, Role.TOKENIZER, Format.JSON)), steps.maxTokens(), nativeFolder);
        try {
            return new OnnxTextEncoder(name, version, steps, onnx, tokenizer, settings);
        } catch (IOException | RuntimeException e) {
            tokenizer.close();
            throw e;
        }
    }

    private static <S extends FittedSteps> S steps(ModelPackage content, Class<S> kind) throws IOException {
        requireStepVersion(content, FittedSteps.VERSION);
        FittedSteps steps = FittedSteps.read(content.read(file(content, Role.STEPS, Format.JSON)));
        if (kind.isInstance(steps)) return kind.cast(steps);
        throw new IllegalArgumentException(
                "the package is for " + content.manifest().task() + ", its steps are for "
                        + steps.task().fileName());
    }

    private static void requireStepVersion(ModelPackage content, int known) {
        Map<String, Integer> versions = content.manifest().provenance().stepVersions();
        Map<String, Integer> expected = Map.of(content.manifest().task(), known);
        if (versions.equals(expected)) return;
        throw new IllegalArgumentException("the package was made with preprocessing steps of versions " + versions
                + "; this build has " + expected);
    }

    private static ArchitectureSettings architecture(ModelPackage content) {
        String json = content.manifest().provenance().architecture();
        if (json == null)
            throw new IllegalArgumentException("the package names no architecture, and its weights do not say one");
        return ArchitectureForm.read(json);
    }

    private static PackageFile file(ModelPackage content, Role role, Format format) {
        Optional<PackageFile> found = content.manifest().file(role);
        return found.filter(f -> f.format() == format)
                .orElseThrow(() -> new IllegalArgumentException("the package has "
                        + found.map(f -> "a file of role " + role + " in the format " + f.format())
                                .orElse("no file of role " + role)
                        + "; its task needs one in the format " + format));
    }
}
