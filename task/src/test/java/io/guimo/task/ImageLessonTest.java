package io.guimo.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guimo.data.Background;
import io.guimo.data.DataException;
import io.guimo.data.ImageDecoder;
import io.guimo.data.ImageSet;
import io.guimo.data.ImageSource;
import io.guimo.evaluate.EvaluationReport;
import io.guimo.model.ArchitectureSettings;
import io.guimo.model.Module;
import io.guimo.tensor.TensorScope;
import io.guimo.tensor.Torch;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** On pictures of upright and lying bars, made in sight and seeded. */
class ImageLessonTest {
    private static final List<String> LABELS = List.of("upright", "lying");
    private static final ArchitectureSettings RESNET = new ArchitectureSettings.Resnet(4);

    private static ImageSet bars(int count, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        byte[] pixels = new byte[count * 144];
        int[] label = new int[count];
        for (int row = 0; row < count; row++) {
            label[row] = random.nextInt(2);
            int at = random.nextInt(2, 10);
            for (int i = 0; i < 144; i++) {
                boolean bar = (label[row] == 0 ? i % 12 : i / 12) == at;
                pixels[row * 144 + i] = (byte) (bar ? random.nextInt(150, 256) : random.nextInt(20));
            }
        }
        return new ImageSet(LABELS, 12, 12, 1, pixels, label);
    }

    private static ImageSource source(ImageSet development, @Nullable ImageSet test, boolean mirrorable) {
        return new ImageSource("bars", development, test, mirrorable, Background.DARK, Map.of(), List.of());
    }

    @Test
    void of_testPictureAmongTraining_droppedAndListed() {
        ImageSet test = bars(50, 2);
        ImageSet clean = bars(300, 1);
        byte[] pixels = clean.pixels().clone();
        System.arraycopy(test.pixels(), 7 * 144, pixels, 123 * 144, 144);
        ImageLesson lesson = ImageLesson.of(source(new ImageSet(LABELS, 12, 12, 1, pixels, clean.label()), test, true));
        assertThat(lesson.contamination().dropped()).contains(123);
        assertThat(lesson.contamination().exactPairs()).isEqualTo(1);
        assertThat(lesson.trainingRows() + lesson.validationRows())
                .isEqualTo(300 - lesson.contamination().dropped().size());
        assertThat(lesson.testRows()).isEqualTo(50);
    }

    @Test
    void of_noTestPart_setApartAndSameEachTime() {
        ImageLesson one = ImageLesson.of(source(bars(400, 1), null, true));
        ImageLesson other = ImageLesson.of(source(bars(400, 1), null, true));
        assertThat(one.testRows()).isEqualTo(80);
        assertThat(one.steps().json()).isEqualTo(other.steps().json());
        assertThat(one.contamination()).isEqualTo(other.contamination());
    }

    @Test
    void of_tooLittle_refused() {
        assertThatThrownBy(() -> ImageLesson.of(source(bars(5, 1), null, true)))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("at least 10 pictures");
    }

    @Test
    void prepare_trainingPictureAsPng_equalsTrainingInput() throws IOException {
        ImageSet all = bars(400, 1);
        ImageLesson lesson = ImageLesson.of(source(all, bars(50, 2), false));
        // The one training row is found by its content: a batch of a lesson that does not mirror holds the plain input.
        float[] batch = TestTorch.call(() -> {
            try (TensorScope _ = TensorScope.open()) {
                return lesson.problem(RESNET)
                        .batch(IntStream.range(0, lesson.trainingRows()).toArray(), new SplittableRandom(1))
                        .inputs()
                        .toFloats();
            }
        });
        int found = 0;
        for (int row = 0; row < all.size(); row++) {
            var prepared = ClassifyImages.prepare(
                    png(all.picture(row)), lesson.steps(), new ImageDecoder(ImageDecoder.Limits.STANDARD));
            float[] input = ((ClassifyImages.Prepared) prepared).input();
            for (int at = 0; at < batch.length; at += 144) {
                if (Arrays.equals(batch, at, at + 144, input, 0, 144)) {
                    found++;
                    break;
                }
            }
        }
        assertThat(found).isEqualTo(lesson.trainingRows());
    }

    @Test
    void prepare_notAPicture_codeAndReason() {
        ImageLesson lesson = ImageLesson.of(source(bars(100, 1), null, true));
        assertThat(ClassifyImages.prepare(
                        new byte[] {1, 2, 3}, lesson.steps(), new ImageDecoder(ImageDecoder.Limits.STANDARD)))
                .isInstanceOfSatisfying(ClassifyImages.Unreadable.class, refused -> assertThat(refused.reason())
                        .isEqualTo(ImageDecoder.Reason.UNKNOWN_FORMAT));
    }

    @Test
    void batch_mirrorable_someMirroredAndRepeatable() {
        ImageLesson lesson = ImageLesson.of(source(bars(100, 1), null, true));
        int[] rows = IntStream.range(0, 30).toArray();
        List<float[]> inputs = TestTorch.call(() -> {
            try (TensorScope _ = TensorScope.open()) {
                TrainingProblem problem = lesson.problem(RESNET);
                return List.of(
                        problem.batch(rows, new SplittableRandom(1)).inputs().toFloats(),
                        problem.batch(rows, new SplittableRandom(1)).inputs().toFloats(),
                        problem.batch(rows, new SplittableRandom(2)).inputs().toFloats());
            }
        });
        assertThat(inputs.get(0)).isEqualTo(inputs.get(1)).isNotEqualTo(inputs.get(2));
    }

    @Test
    void judge_afterSomeSteps_learnsAndIsComparedOnTheSameRows() {
        ImageLesson lesson = ImageLesson.of(source(bars(400, 1), bars(100, 2), false));
        Torch torch = TestTorch.start();
        TrainingProblem problem = lesson.problem(RESNET);
        Module network = TestTorch.learnt(problem, 60, 32, .1);
        EvaluationReport report = lesson.judge(network, torch.executor());
        network.close();
        assertThat(report.metrics()).containsOnlyKeys("accuracy", "macroF1", "logLoss");
        assertThat(report.metrics().get("accuracy")).isGreaterThan(.9);
        assertThat(report.examples()).isEqualTo(100);
        assertThat(report.baselines()).singleElement().satisfies(baseline -> {
            assertThat(baseline.name()).isEqualTo("logistic regression");
            assertThat(baseline.advantage()).containsOnlyKeys("accuracy");
        });
    }

    @Test
    void problem_architectureOfAnotherTask_refused() {
        ImageLesson lesson = ImageLesson.of(source(bars(100, 1), null, true));
        assertThatThrownBy(() -> lesson.problem(new ArchitectureSettings.LinearAutoencoder(.5)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("resnet");
    }

    private static byte[] png(byte[] grey) throws IOException {
        BufferedImage image = new BufferedImage(12, 12, BufferedImage.TYPE_BYTE_GRAY);
        image.getRaster().setDataElements(0, 0, 12, 12, grey);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ImageIO.write(image, "png", out);
        return out.toByteArray();
    }
}
