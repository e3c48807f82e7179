package io.guimo.inference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.guimo.model.Module;
import io.guimo.model.Safetensors;
import io.guimo.model.SmallResNet;
import io.guimo.registry.ModelPackage;
import io.guimo.registry.PackageFile;
import io.guimo.task.ClassifyImages;
import io.guimo.tensor.NativeMemory;
import io.guimo.tensor.Tensor;
import io.guimo.tensor.TensorScope;
import io.guimo.units.Meter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class TorchImageClassifierTest extends EngineContract<ImageClassifier> {
    @TempDir
    private Path folder;

    @Override
    ImageClassifier open(EngineSettings settings) throws Exception {
        TestPackages packages = new TestPackages(folder);
        return (ImageClassifier)
                Started.loader(settings).open("labels", "1", packages.verified(packages.classifier(3)));
    }

    @Override
    List<byte[]> randomQuestion(SplittableRandom random, ImageClassifier model) {
        List<byte[]> images = new ArrayList<>();
        for (int i = random.nextInt(4); i >= 0; i--) {
            images.add(TestPackages.image(random, 1 + random.nextInt(60), 1 + random.nextInt(60)));
        }
        return images;
    }

    @Override
    @SuppressWarnings("unchecked") // made above
    double[] ask(ImageClassifier model, Object question) {
        // In the order of the labels: two of nearly the same probability may change places.
        return model.classify((List<byte[]>) question).stream()
                .flatMapToDouble(c -> model.labels().stream().mapToDouble(label -> c.labels().stream()
                        .filter(l -> l.label().equals(label))
                        .findFirst()
                        .orElseThrow()
                        .probability()))
                .toArray();
    }

    @Override
    long units(Object question) {
        return ((List<?>) question).size();
    }

    @Override
    Meter meter() {
        return Meter.IMAGES;
    }

    @Override
    double tolerance() {
        return 1e-5;
    }

    @Test
    void classify_images_asTheNetworkAnswersItself() throws Exception {
        TestPackages packages = new TestPackages(folder);
        ModelPackage content = packages.verified(packages.classifier(7));
        SplittableRandom random = new SplittableRandom(5);
        List<byte[]> images = new ArrayList<>();
        for (int i = 0; i < 5; i++) images.add(TestPackages.image(random, 40, 30));
        try (ImageClassifier model =
                (ImageClassifier) Started.loader(EngineSettings.standard()).open("labels", "1", content)) {
            List<Classification> answers = model.classify(images);
            for (int i = 0; i < images.size(); i++) {
                ClassifyImages.Prepared prepared = (ClassifyImages.Prepared)
                        ClassifyImages.prepare(images.get(i), TestPackages.IMAGE_STEPS, Started.DECODER);
                float[] expected = reference(content, prepared.input());
                List<Classification.LabelScore> labels = answers.get(i).labels();
                assertThat(labels.stream()
                                .mapToDouble(Classification.LabelScore::probability)
                                .sum())
                        .isCloseTo(1, within(1e-5));
                assertThat(labels).isSortedAccordingTo((a, b) -> Double.compare(b.probability(), a.probability()));
                for (Classification.LabelScore label : labels) {
                    int k = model.labels().indexOf(label.label());
                    assertThat(label.probability()).isCloseTo(expected[k], within(1e-5));
                }
                assertThat(answers.get(i).best()).isEqualTo(labels.getFirst());
            }
        }
    }

    private static float[] reference(ModelPackage content, float[] input) {
        Path weights =
                content.path(content.manifest().file(PackageFile.Role.WEIGHTS).orElseThrow());
        return Started.torch().executor().call(() -> {
            try (TensorScope _ = TensorScope.openWithoutGradients();
                    Module network = new SmallResNet(1, 8, 4)) {
                network.load(Safetensors.read(weights).tensors());
                network.evaluate();
                return network.forward(Tensor.of(input, 1, 1, 28, 28))
                        .softmax(1)
                        .toFloats();
            }
        });
    }

    @Test
    void classify_oneIsNoImage_refusedWithItsIndexAndNothingCounted() throws Exception {
        byte[] good = TestPackages.image(new SplittableRandom(1), 20, 20);
        byte[] bad = "GIF89a, or so".getBytes(StandardCharsets.UTF_8);
        try (ImageClassifier model = open(EngineSettings.standard())) {
            for (int i = 0; i < 20; i++) {
                assertThatThrownBy(() -> model.classify(List.of(good, good, bad, good, bad)))
                        .isInstanceOfSatisfying(
                                InvalidInput.class, e -> assertThat(e.index()).isEqualTo(2));
            }
            assertThatThrownBy(() -> model.classify(List.of(Arrays.copyOf(good, good.length / 2))))
                    .isInstanceOf(InvalidInput.class);
            assertThatThrownBy(() -> model.classify(List.of())).isInstanceOf(InvalidInput.class);
            assertThatThrownBy(() -> model.classify(Collections.nCopies(model.maxImages() + 1, good)))
                    .isInstanceOf(InvalidInput.class);
            assertThat(model.usage().requests()).isZero();
            assertThat(model.classify(Collections.nCopies(model.maxImages(), good)))
                    .hasSize(model.maxImages());
            assertThat(model.usage().batches()).isGreaterThanOrEqualTo(8);
        }
    }

    @Test
    void openAndClose_again_nativeMemoryFlat() throws Exception {
        byte[] image = TestPackages.image(new SplittableRandom(1), 20, 20);
        long before = 0;
        for (int round = 0; round < 4; round++) {
            try (ImageClassifier model = open(EngineSettings.standard())) {
                for (int i = 0; i < 50; i++) model.classify(List.of(image, image));
            }
            if (round == 0) before = NativeMemory.liveHandles();
        }
        assertThat(NativeMemory.liveHandles()).isEqualTo(before);
    }
}
