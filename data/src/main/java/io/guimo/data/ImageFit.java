package io.guimo.data;

import java.util.Arrays;

/**
 * Brings a picture of any size to the size a network reads. A pure function, the same in training and in serving.
 *
 * <p>In order: what is transparent becomes white; colours become grey if the network reads one channel (ITU-R BT.601 luma); unless the picture already
 * has the network's size, a uniform border is cut off (where training pictures stand on a ground), the rest is scaled so that its longer side fits, and
 * centred on its border's colour; at last light and dark are exchanged if the picture's ground is not the one that the network knows. Cutting, fitting
 * the longer side, centring and inverting are how Fashion-MNIST was made from shop photos (Xiao et al. 2017, arXiv 1708.07747, section 2), so a photo of
 * a garment on white arrives as the network saw them; a picture of exactly the right size and ground passes unchanged.
 */
public final class ImageFit {
    /** A pixel may differ by this much of 255 from the border's colour and still be ground: JPEG leaves such noise on a white wall. */
    private static final int GROUND_TOLERANCE = 16;
    /** So much of the outermost pixels must be ground before any is cut off: a thing may touch an edge, a photo of a room has no ground at all. */
    private static final double GROUND_SHARE = .75;

    private final int height;
    private final int width;
    private final int channels;
    /** height × width × channels, 0–255. */
    private final float[] values;
    /** Median of the outermost pixels, a value a channel. */
    private final float[] ground;

    private ImageFit(int height, int width, int channels, float[] values, float[] ground) {
        this.height = height;
        this.width = width;
        this.channels = channels;
        this.values = values;
        this.ground = ground;
    }

    /**
     * @param height pixels of the network's input
     * @param width pixels of the network's input
     * @param channels 1 or 3
     * @param background what the network's training pictures stand on
     * @return height × width × channels values of 0–255
     */
    public static byte[] fit(Picture picture, int height, int width, int channels, Background background) {
        if (channels != 1 && channels != 3) {
            throw new IllegalArgumentException("channels are " + channels + "; permitted are 1 and 3");
        }
        ImageFit fitted = of(picture, channels);
        if (picture.height() != height || picture.width() != width) {
            if (background != Background.MIXED) fitted = fitted.withoutBorder();
            fitted = fitted.scaledAndCentred(height, width);
        }
        byte[] pixels = new byte[fitted.values.length];
        for (int i = 0; i < pixels.length; i++) pixels[i] = (byte) Math.round(fitted.values[i]);
        boolean exchange =
                switch (background) {
                    case DARK -> Background.lightBorder(pixels, 0, height, width, channels);
                    case LIGHT -> !Background.lightBorder(pixels, 0, height, width, channels);
                    case MIXED -> false;
                };
        if (exchange) {
            for (int i = 0; i < pixels.length; i++) pixels[i] = (byte) (255 - (pixels[i] & 0xff));
        }
        return pixels;
    }

    private static ImageFit of(Picture picture, int channels) {
        int[] argb = picture.argb();
        float[] values = new float[argb.length * channels];
        for (int i = 0; i < argb.length; i++) {
            int opacity = argb[i] >>> 24;
            int red = onWhite(argb[i] >> 16 & 0xff, opacity);
            int green = onWhite(argb[i] >> 8 & 0xff, opacity);
            int blue = onWhite(argb[i] & 0xff, opacity);
            if (channels == 1) {
                int luma = (299 * red + 587 * green + 114 * blue + 500) / 1000;
                values[i] = luma;
            } else {
                values[3 * i] = red;
                values[3 * i + 1] = green;
                values[3 * i + 2] = blue;
            }
        }
        float[] ground = new float[channels];
        for (int c = 0; c < channels; c++) {
            ground[c] = medianOfBorder(picture.height(), picture.width(), channels, values, c);
        }
        return new ImageFit(picture.height(), picture.width(), channels, values, ground);
    }

    private static int onWhite(int value, int opacity) {
        return (value * opacity + 255 * (255 - opacity) + 127) / 255;
    }

    private static float medianOfBorder(int height, int width, int channels, float[] values, int channel) {
        float[] border = new float[2 * (height + width)];
        int n = 0;
        for (int x = 0; x < width; x++) {
            border[n++] = values[x * channels + channel];
            border[n++] = values[((height - 1) * width + x) * channels + channel];
        }
        for (int y = 0; y < height; y++) {
            border[n++] = values[y * width * channels + channel];
            border[n++] = values[(y * width + width - 1) * channels + channel];
        }
        Arrays.sort(border);
        return border[n / 2];
    }

    /** Without the rows and columns at the edges that show nothing but ground; unchanged where the edges don't look alike or all is ground. */
    private ImageFit withoutBorder() {
        int groundPixels = groundInRow(0) + groundInRow(height - 1) + groundInColumn(0) + groundInColumn(width - 1);
        if (groundPixels < GROUND_SHARE * 2 * (height + width)) return this;
        int top = 0;
        while (top < height && groundInRow(top) == width) top++;
        if (top == height) return this;
        int bottom = height - 1;
        while (groundInRow(bottom) == width) bottom--;
        int left = 0;
        while (groundInColumn(left) == height) left++;
        int right = width - 1;
        while (groundInColumn(right) == height) right--;
        int newHeight = bottom - top + 1;
        int newWidth = right - left + 1;
        float[] kept = new float[newHeight * newWidth * channels];
        for (int y = 0; y < newHeight; y++) {
            int from = ((top + y) * width + left) * channels;
            System.arraycopy(values, from, kept, y * newWidth * channels, newWidth * channels);
        }
        return new ImageFit(newHeight, newWidth, channels, kept, ground);
    }

    private int groundInRow(int y) {
        int count = 0;
        for (int x = 0; x < width; x++) if (isGround(y, x)) count++;
        return count;
    }

    private int groundInColumn(int x) {
        int count = 0;
        for (int y = 0; y < height; y++) if (isGround(y, x)) count++;
        return count;
    }

    private boolean isGround(int y, int x) {
        for (int c = 0; c < channels; c++) {
            if (Math.abs(values[(y * width + x) * channels + c] - ground[c]) > GROUND_TOLERANCE) return false;
        }
        return true;
    }

    private ImageFit scaledAndCentred(int toHeight, int toWidth) {
        double scale = Math.min((double) toHeight / height, (double) toWidth / width);
        int newHeight = Math.clamp(Math.round(height * scale), 1, toHeight);
        int newWidth = Math.clamp(Math.round(width * scale), 1, toWidth);
        float[][] rowWeights = weights(height, newHeight);
        float[][] columnWeights = weights(width, newWidth);
        int[] rowStarts = starts(height, newHeight);
        int[] columnStarts = starts(width, newWidth);
        float[] result = new float[toHeight * toWidth * channels];
        for (int i = 0; i < result.length; i++) result[i] = ground[i % channels];
        int marginTop = (toHeight - newHeight) / 2;
        int marginLeft = (toWidth - newWidth) / 2;
        float[] row = new float[width * channels];
        for (int y = 0; y < newHeight; y++) {
            Arrays.fill(row, 0);
            for (int k = 0; k < rowWeights[y].length; k++) {
                int from = (rowStarts[y] + k) * width * channels;
                for (int i = 0; i < row.length; i++) row[i] += rowWeights[y][k] * values[from + i];
            }
            for (int x = 0; x < newWidth; x++) {
                for (int c = 0; c < channels; c++) {
                    float sum = 0;
                    for (int k = 0; k < columnWeights[x].length; k++) {
                        sum += columnWeights[x][k] * row[(columnStarts[x] + k) * channels + c];
                    }
                    result[((marginTop + y) * toWidth + marginLeft + x) * channels + c] = sum;
                }
            }
        }
        return new ImageFit(toHeight, toWidth, channels, result, ground);
    }

    /** For each target pixel the first source pixel it is made of. */
    private static int[] starts(int from, int to) {
        double step = (double) from / to;
        int[] starts = new int[to];
        for (int i = 0; i < to; i++) {
            starts[i] = step >= 1 ? (int) (i * step) : (int) Math.clamp((i + .5) * step - .5, 0, from - 1);
        }
        return starts;
    }

    /** For each target pixel the shares of the source pixels from its start on: the mean of what it covers, or between two when enlarging. */
    private static float[][] weights(int from, int to) {
        double step = (double) from / to;
        float[][] weights = new float[to][];
        for (int i = 0; i < to; i++) {
            if (step >= 1) {
                double begin = i * step;
                double end = Math.min((i + 1) * step, from);
                int first = (int) begin;
                int last = Math.min(from, (int) Math.ceil(end - 1e-9));
                weights[i] = new float[last - first];
                for (int k = first; k < last; k++) {
                    weights[i][k - first] = (float) ((Math.min(end, k + 1) - Math.max(begin, k)) / (end - begin));
                }
            } else {
                double centre = Math.clamp((i + .5) * step - .5, 0, from - 1);
                int first = (int) centre;
                float second = (float) (centre - first);
                weights[i] = first + 1 < from ? new float[] {1 - second, second} : new float[] {1};
            }
        }
        return weights;
    }
}
