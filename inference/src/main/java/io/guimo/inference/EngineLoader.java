package io.guimo.inference;

import io.guimo.data.ImageDecoder;
import io.guimo.inference.generate.Scheduler;
import io.guimo.inference.generate.SchedulerSettings;
import io.guimo.inference.llama.LlamaSettings;
import io.guimo.inference.llama.LlamaTextGenerator;
import io.guimo.inference.torch.TorchDecoderBackend;
import io.guimo.inference.torch.TorchDecoderSettings;
import io.guimo.model.ArchitectureSettings;
import io.guimo.model.Module;
import io.guimo.model.Safetensors;
import io.guimo.model.SmallResNet;
import io.guimo.model.decoder.Decoder;
import io.guimo.model.decoder.DecoderConfig;
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
import io.guimo.text.ChatTemplate;
import io.guimo.text.Tokenizer;
import io.guimo.text.Vocabulary;
import java.io.IOException;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/** Starts the engine that a package needs. */
public final class EngineLoader {
    private static final int MOST_SEQUENCES = 24;
    private static final int BATCH_TOKENS = 512;
    /** State of a decoder's sequences; of one of 20 million parameters some 25,000 positions. */
    private static final long DECODER_CACHE_BYTES = 256L << 20;

    private final Supplier<Torch> torch;
    private final Supplier<Path> llamaLibrary;
    private final ImageDecoder decoder;
    private final Path nativeFolder;
    private final EngineSettings settings;

    /**
     * @param torch        asked when a package first needs libtorch, so that a host of encoders never loads it
     * @param llamaLibrary folder of llama.cpp's libraries, asked when a package first needs them
     * @param decoder      one for all engines: its bound on pixels holds for the process
     * @param nativeFolder where the tokenizer's library unpacks itself, usually {@code cache/tokenizers} of the home folder
     */
    public EngineLoader(
            Supplier<Torch> torch,
            Supplier<Path> llamaLibrary,
            ImageDecoder decoder,
            Path nativeFolder,
            EngineSettings settings) {
        this.torch = torch;
        this.llamaLibrary = llamaLibrary;
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
            case GENERATE_TEXT -> textGenerator(name, version, content);
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

    private HostedModel textGenerator(String name, String version, ModelPackage content) throws IOException {
        return content.manifest()
                        .file(Role.WEIGHTS)
                        .filter(f -> f.format() == Format.GGUF)
                        .isPresent()
                ? llamaTextGenerator(name, version, content)
                : torchTextGenerator(name, version, content);
    }

    /** A model that others trained, in GGUF. */
    private HostedModel llamaTextGenerator(String name, String version, ModelPackage content) throws IOException {
        requireStepVersion(content, DecoderSteps.VERSION);
        DecoderSteps steps = DecoderSteps.read(content.read(file(content, Role.STEPS, Format.JSON)));
        Path gguf = content.path(file(content, Role.WEIGHTS, Format.GGUF));
        Tokenizer tokenizer = Tokenizer.open(
                content.path(file(content, Role.TOKENIZER, Format.JSON)), steps.contextTokens(), nativeFolder);
        try {
            LlamaTextGenerator.Model model = new LlamaTextGenerator.Model(
                    llamaLibrary.get(),
                    gguf,
                    LlamaSettings.standard(steps.contextTokens()),
                    scheduling(name, version),
                    tokenizer.vocabulary());
            return new LlamaTextGenerator(model, tokenizer, chatTemplate(steps, tokenizer), steps.endTokens(), _ -> {});
        } catch (InterruptedException e) {
            tokenizer.close();
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while the model was loading", e);
        } catch (IOException | RuntimeException e) {
            tokenizer.close();
            throw e;
        }
    }

    /** A decoder that was trained here. It continues text; a chat template comes with an adaptation to conversations. */
    private HostedModel torchTextGenerator(String name, String version, ModelPackage content) throws IOException {
        FittedSteps.Text steps = steps(content, FittedSteps.Text.class);
        DecoderConfig config = DecoderConfig.read(content.path(file(content, Role.CONFIG, Format.JSON)));
        Path weights = content.path(file(content, Role.WEIGHTS, Format.SAFETENSORS));
        Tokenizer tokenizer = Tokenizer.open(
                content.path(file(content, Role.TOKENIZER, Format.JSON)), config.contextTokens(), nativeFolder);
        try {
            int end = tokenizer
                    .idOf(steps.endOfText())
                    .orElseThrow(() -> new IllegalArgumentException(
                            "the tokenizer has no token '" + steps.endOfText() + "', with which a text ends"));
            Torch library = torch.get();
            Decoder network = library.executor()
                    .call(() -> withRandomStateKept(() -> {
                        Decoder built = Decoder.drawn(config);
                        try {
                            built.load(Safetensors.read(weights).tensors());
                            built.evaluate();
                            return built;
                        } catch (RuntimeException e) {
                            built.close();
                            throw e;
                        }
                    }));
            TorchDecoderBackend backend = new TorchDecoderBackend(
                    network,
                    library.newExecutor("serve-" + name, 1, 1),
                    new TorchDecoderSettings(0, DECODER_CACHE_BYTES, 2 * MOST_SEQUENCES, BATCH_TOKENS));
            Vocabulary vocabulary = tokenizer.vocabulary();
            return new InProcessTextGenerator(
                    name,
                    version,
                    tokenizer,
                    vocabulary,
                    Optional.empty(),
                    Set.of(end),
                    new Scheduler(backend, vocabulary, scheduling(name, version)));
        } catch (RuntimeException e) {
            tokenizer.close();
            throw e;
        }
    }

    /** Beyond so many sequences at once a step on a few cores only takes longer (docs/log.md); the places left over keep prefixes. */
    private static SchedulerSettings scheduling(String name, String version) {
        return new SchedulerSettings(name, version, MOST_SEQUENCES, 512, 64, Integer.MAX_VALUE);
    }

    private static Optional<ChatTemplate> chatTemplate(DecoderSteps steps, Tokenizer tokenizer) {
        return Optional.ofNullable(steps.chatTemplate())
                .map(source -> ChatTemplate.of(
                        source,
                        Map.of("bos_token", steps.beginText(), "eos_token", steps.endText()),
                        tokenizer.specialTokens(),
                        InstantSource.system()));
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
