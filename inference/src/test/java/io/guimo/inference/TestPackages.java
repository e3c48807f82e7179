package io.guimo.inference;

import io.guimo.data.Background;
import io.guimo.data.Dataset;
import io.guimo.evaluate.EvaluationReport;
import io.guimo.model.ArchitectureSettings;
import io.guimo.model.LinearAutoencoder;
import io.guimo.model.Module;
import io.guimo.model.Safetensors;
import io.guimo.model.SmallResNet;
import io.guimo.registry.ModelPackage;
import io.guimo.registry.PackageCheck;
import io.guimo.registry.PackageStore;
import io.guimo.registry.SigningKey;
import io.guimo.registry.TrainedModel;
import io.guimo.registry.TrustedKeys;
import io.guimo.task.FittedSteps;
import io.guimo.tensor.RandomState;
import io.guimo.tensor.TensorScope;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;

/** Small models with random weights, packaged and signed as trained ones are. */
final class TestPackages {
    static final Instant CREATED_AT = Instant.parse("2026-11-02T00:00:00Z");
    static final FittedSteps.Images IMAGE_STEPS = new FittedSteps.Images(
            List.of("coat", "shirt", "boot", "bag"), 28, 28, 1, List.of(.3), List.of(.35), Background.DARK);
    static final FittedSteps.Items ITEM_STEPS = new FittedSteps.Items(
            IntStream.range(0, 40).mapToObj(i -> "item-" + i).toList());

    final PackageStore store;
    final SigningKey key = SigningKey.generate();
    private final Path folder;

    TestPackages(Path folder) throws IOException {
        this.folder = folder;
        this.store = PackageStore.open(folder.resolve("packages"));
    }

    TrustedKeys trusted() {
        return TrustedKeys.of(key.verifying());
    }

    String classifier(long seed) throws IOException {
        return trained(
                new ArchitectureSettings.Resnet(8),
                IMAGE_STEPS,
                seed,
                () -> new SmallResNet(1, 8, IMAGE_STEPS.labels().size()));
    }

    String recommender(long seed) throws IOException {
        return trained(
                new ArchitectureSettings.LinearAutoencoder(.5),
                ITEM_STEPS,
                seed,
                () -> new LinearAutoencoder(ITEM_STEPS.items().size(), .5));
    }

    String encoder(String name, int dimensions) throws IOException {
        Dataset files = Started.catalogued(name);
        return EncoderPackager.pack(
                store,
                key,
                files.file("model.onnx"),
                files.file("tokenizer.json"),
                new EncoderSteps(EncoderSteps.Pooling.CLS, 512, dimensions),
                "MIT licence\n",
                "0.1.0",
                CREATED_AT);
    }

    String trained(ArchitectureSettings architecture, FittedSteps steps, long seed, Supplier<Module> network)
            throws IOException {
        Path weights = Files.createTempFile(folder, "weights", ".safetensors");
        Started.torch().executor().run(() -> {
            try (TensorScope _ = TensorScope.openWithoutGradients()) {
                RandomState.seed(seed);
                try (Module built = network.get()) {
                    Safetensors.write(weights, built.state(), Map.of());
                }
            }
        });
        EvaluationReport report = new EvaluationReport(
                "accuracy", 1, Map.of("accuracy", .9), Map.of(), List.of(), null, List.of(), List.of());
        return new TrainedModel(
                        architecture, steps, weights, report, null, Map.of(), "run_" + seed, "0.1.0", CREATED_AT)
                .pack(store, key);
    }

    ModelPackage verified(String digest) throws IOException {
        return switch (store.verify(digest, trusted())) {
            case PackageCheck.Verified(ModelPackage content, String _) -> content;
            case PackageCheck.Refused refused -> throw new IOException(refused.message());
        };
    }

    /** A PNG of random squares. */
    static byte[] image(SplittableRandom random, int width, int height) {
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        int shade = random.nextInt(256);
        int side = 1 + random.nextInt(8);
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                int value = (x / side + y / side) % 2 == 0 ? shade : random.nextInt(256);
                image.setRGB(x, y, value << 16 | value << 8 | value);
            }
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try {
            ImageIO.write(image, "png", bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }
}
