package io.guimo.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NearPicturesTest {
    private static final List<String> LABELS = List.of("a", "b");

    @ParameterizedTest
    @ValueSource(ints = {1, 3, 28})
    void compare_randomPictures_equalsComparingAllPixels(int side) {
        Random random = new Random(side);
        ImageSet training = pictures(random, 200, side, null);
        ImageSet test = pictures(random, 60, side, training);
        for (double threshold : new double[] {0, .05, .1, .3}) {
            ContaminationReport report = NearPictures.compare(training, test, threshold);
            List<String> plain = IntStream.range(0, test.size())
                    .boxed()
                    .flatMap(t -> IntStream.range(0, training.size())
                            .filter(r -> plainDistance(training.picture(r), test.picture(t)) <= threshold)
                            .mapToObj(r -> r + "-" + t))
                    .sorted()
                    .toList();
            assertThat(report.pairs().stream()
                            .map(pair -> pair.trainingRow() + "-" + pair.testRow())
                            .sorted())
                    .containsExactlyElementsOf(plain);
            assertThat(plain).isNotEmpty();
        }
    }

    @Test
    void compare_blackPictures_nearOnlyToBlack() {
        ImageSet training = new ImageSet(LABELS, 1, 2, 1, new byte[] {0, 0, 1, 0}, new int[] {0, 0});
        ImageSet test = new ImageSet(LABELS, 1, 2, 1, new byte[] {0, 0}, new int[] {0});
        ContaminationReport report = NearPictures.compare(training, test, .1);
        assertThat(report.dropped()).containsExactly(0);
        assertThat(report.exactPairs()).isEqualTo(1);
    }

    @Test
    void duplicates_sameAndOtherLabels_firstKeptOrAllDropped() {
        byte[] pixels = {1, 2, 3, 1, 2, 2};
        ImageSet pictures = new ImageSet(LABELS, 1, 1, 1, pixels, new int[] {0, 0, 1, 0, 1, 0});
        // picture 1 twice with one label: the second goes; picture 2 three times with two labels: all go
        assertThat(NearPictures.duplicates(pictures)).containsExactly(1, 3, 4, 5);
    }

    /** Random pictures, a third of them slightly changed copies of given ones. */
    private static ImageSet pictures(Random random, int count, int side, @Nullable ImageSet alike) {
        byte[] pixels = new byte[count * side * side];
        random.nextBytes(pixels);
        for (int row = 0; alike != null && row < count; row += 3) {
            byte[] copy = alike.picture(random.nextInt(alike.size()));
            int noise = row % 2 == 0 ? 0 : 1 + random.nextInt(40);
            for (int i = 0; i < copy.length; i++) {
                int value = (copy[i] & 0xff) + (noise == 0 ? 0 : random.nextInt(noise));
                pixels[row * copy.length + i] = (byte) Math.min(255, value);
            }
        }
        int[] label = new int[count];
        Arrays.setAll(label, _ -> random.nextInt(2));
        return new ImageSet(LABELS, side, side, 1, pixels, label);
    }

    private static double plainDistance(byte[] one, byte[] other) {
        double difference = 0;
        double a = 0;
        double b = 0;
        for (int i = 0; i < one.length; i++) {
            difference += Math.pow((one[i] & 0xff) - (other[i] & 0xff), 2);
            a += Math.pow(one[i] & 0xff, 2);
            b += Math.pow(other[i] & 0xff, 2);
        }
        return Math.max(a, b) == 0 ? 0 : Math.sqrt(difference / Math.max(a, b));
    }
}
