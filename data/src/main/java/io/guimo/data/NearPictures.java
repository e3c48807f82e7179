package io.guimo.data;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.IntStream;

/**
 * Finds pictures that are the same photo: exactly, or nearly by a distance.
 *
 * <p>The distance of two pictures is the Euclidean length of their difference over that of the longer of the two, so that dark pictures are not all near.
 * The search is exact, and fast by pruning: sums over 1, 16 and 64 equal blocks, each divided by the root of its pixels, are projections on orthonormal
 * vectors, so that a difference of sums is never longer than the difference of the pictures; what differs too much in coarse sums is not compared
 * finely. On Fashion-MNIST (60,000 × 10,000) a full comparison takes 4.7 × 10¹¹ multiplications, this a few seconds (docs/log.md).
 */
public final class NearPictures {
    private static final int[] BLOCKS_A_SIDE = {1, 4, 8};

    private NearPictures() {}

    /**
     * Compares every training picture with every test picture.
     *
     * @param threshold greatest distance that counts as near, 0 to .5
     */
    public static ContaminationReport compare(ImageSet training, ImageSet test, double threshold) {
        if (!(threshold >= 0 && threshold <= .5)) {
            throw new IllegalArgumentException("threshold is " + threshold + "; permitted is 0 to 0.5");
        }
        if (training.stride() != test.stride()
                || training.height() != test.height()
                || training.channels() != test.channels()) {
            throw new IllegalArgumentException("training and test pictures differ in size");
        }
        // By brightness, so that what can be near lies together in memory and is walked in one sweep.
        int[] byBrightness = byBrightness(training);
        Sums trained = Sums.of(training, byBrightness);
        Sums tested = Sums.of(test, IntStream.range(0, test.size()).toArray());
        float[] brightness = trained.levels[0];
        List<List<ContaminationReport.Pair>> found = IntStream.range(0, test.size())
                .parallel()
                .mapToObj(row -> {
                    List<ContaminationReport.Pair> pairs = new ArrayList<>();
                    // |a − b| ≤ t max(|a|, |b|) implies max ≤ |b| / (1 − t)
                    double reach = threshold * tested.norms[row] / (1 - threshold) + 1e-4;
                    float own = tested.levels[0][row];
                    for (int i = firstAtLeast(brightness, own - reach);
                            i < brightness.length && brightness[i] <= own + reach;
                            i++) {
                        double limit = threshold * Math.max(tested.norms[row], trained.norms[i]) + 1e-4;
                        if (Math.abs(tested.norms[row] - trained.norms[i]) > limit
                                || Sums.farther(tested, row, trained, i, 1, limit)
                                || Sums.farther(tested, row, trained, i, 2, limit)) {
                            continue;
                        }
                        int other = byBrightness[i];
                        double distance = distance(training, other, test, row);
                        if (distance <= threshold) pairs.add(new ContaminationReport.Pair(other, row, distance));
                    }
                    return pairs;
                })
                .toList();
        List<ContaminationReport.Pair> pairs =
                found.stream().flatMap(List::stream).toList();
        TreeSet<Integer> dropped = new TreeSet<>();
        pairs.forEach(pair -> dropped.add(pair.trainingRow()));
        return new ContaminationReport(
                "equal pixels, or a difference no longer than " + threshold
                        + " of the longer picture (Euclidean); the training picture of such a pair is dropped",
                threshold,
                training.size(),
                test.size(),
                pairs,
                List.copyOf(dropped));
    }

    /**
     * Rows of pictures that come more than once: of equal pictures with one label all but the first, of equal pictures with different labels all, since
     * nobody can say which is right. Ascending.
     */
    public static int[] duplicates(ImageSet pictures) {
        Map<ByteBuffer, List<Integer>> rowsByContent = new HashMap<>();
        for (int row = 0; row < pictures.size(); row++) {
            ByteBuffer content = ByteBuffer.wrap(Fingerprint.digest().digest(pictures.picture(row)));
            rowsByContent.computeIfAbsent(content, _ -> new ArrayList<>()).add(row);
        }
        return rowsByContent.values().stream()
                .filter(rows -> rows.size() > 1)
                .flatMap(rows -> {
                    boolean oneLabel = rows.stream()
                                    .map(row -> pictures.label()[row])
                                    .distinct()
                                    .count()
                            == 1;
                    return rows.stream().skip(oneLabel ? 1 : 0);
                })
                .mapToInt(Integer::intValue)
                .sorted()
                .toArray();
    }

    private static int[] byBrightness(ImageSet pictures) {
        long[] sums = new long[pictures.size()];
        for (int row = 0; row < sums.length; row++) {
            for (int i = 0; i < pictures.stride(); i++)
                sums[row] += pictures.pixels()[row * pictures.stride() + i] & 0xff;
        }
        return IntStream.range(0, sums.length)
                .boxed()
                .sorted(Comparator.comparingLong(row -> sums[row]))
                .mapToInt(Integer::intValue)
                .toArray();
    }

    private static int firstAtLeast(float[] ascending, double value) {
        int low = 0;
        int high = ascending.length;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (ascending[middle] < value) low = middle + 1;
            else high = middle;
        }
        return low;
    }

    private static double distance(ImageSet one, int rowOfOne, ImageSet other, int rowOfOther) {
        int stride = one.stride();
        int at = rowOfOne * stride;
        int otherAt = rowOfOther * stride;
        long difference = 0;
        long lengthOfOne = 0;
        long lengthOfOther = 0;
        for (int i = 0; i < stride; i++) {
            int a = one.pixels()[at + i] & 0xff;
            int b = other.pixels()[otherAt + i] & 0xff;
            difference += (long) (a - b) * (a - b);
            lengthOfOne += (long) a * a;
            lengthOfOther += (long) b * b;
        }
        long longer = Math.max(lengthOfOne, lengthOfOther);
        return longer == 0 ? 0 : Math.sqrt((double) difference / longer);
    }

    /** Norms and block sums of every picture, values scaled to 0–1. */
    private static final class Sums {
        /** Rounding of sums in float stays far under the slack of 10⁻⁴ that every comparison is given. */
        final float[][] levels;

        final float[] norms;

        private Sums(float[][] levels, float[] norms) {
            this.levels = levels;
            this.norms = norms;
        }

        /**
         * @param order rows of the pictures in the order in which their sums are kept
         */
        static Sums of(ImageSet pictures, int[] order) {
            float[][] levels = new float[BLOCKS_A_SIDE.length][];
            for (int level = 0; level < levels.length; level++) {
                levels[level] = new float[pictures.size() * BLOCKS_A_SIDE[level] * BLOCKS_A_SIDE[level]];
            }
            float[] norms = new float[pictures.size()];
            for (int at = 0; at < order.length; at++) {
                int row = order[at];
                long squares = 0;
                for (int i = 0; i < pictures.stride(); i++) {
                    int value = pictures.pixels()[row * pictures.stride() + i] & 0xff;
                    squares += (long) value * value;
                }
                norms[at] = (float) (Math.sqrt((double) squares) / 255);
                for (int level = 0; level < levels.length; level++)
                    sum(pictures, row, at, BLOCKS_A_SIDE[level], levels[level]);
            }
            return new Sums(levels, norms);
        }

        private static void sum(ImageSet pictures, int row, int at, int blocks, float[] into) {
            int height = pictures.height();
            int width = pictures.width();
            int channels = pictures.channels();
            for (int by = 0; by < blocks; by++) {
                for (int bx = 0; bx < blocks; bx++) {
                    int top = by * height / blocks;
                    int bottom = (by + 1) * height / blocks;
                    int left = bx * width / blocks;
                    int right = (bx + 1) * width / blocks;
                    long sum = 0;
                    for (int y = top; y < bottom; y++) {
                        int from = row * pictures.stride() + (y * width + left) * channels;
                        for (int i = 0; i < (right - left) * channels; i++) sum += pictures.pixels()[from + i] & 0xff;
                    }
                    int values = (bottom - top) * (right - left) * channels;
                    into[(at * blocks + by) * blocks + bx] =
                            values == 0 ? 0 : (float) (sum / 255.0 / Math.sqrt(values));
                }
            }
        }

        /** Whether the block sums alone show that two pictures are farther apart than the limit. */
        static boolean farther(Sums one, int rowOfOne, Sums other, int rowOfOther, int level, double limit) {
            int size = BLOCKS_A_SIDE[level] * BLOCKS_A_SIDE[level];
            float[] a = one.levels[level];
            float[] b = other.levels[level];
            int at = rowOfOne * size;
            int otherAt = rowOfOther * size;
            double squared = limit * limit;
            float sum = 0;
            for (int i = 0; i < size; i++) {
                float difference = a[at + i] - b[otherAt + i];
                sum += difference * difference;
            }
            return sum > squared;
        }
    }
}
