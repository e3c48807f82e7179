package io.guimo.data;

import java.util.Arrays;
import java.util.List;

/**
 * Labelled pictures of one size, held as the bytes they were stored in.
 *
 * @param labels names of the K classes; a row's label is an index into them
 * @param height pixels
 * @param width pixels
 * @param channels 1 (grey) or 3 (red, green, blue)
 * @param pixels N × height × width × channels values of 0–255, row after row (NHWC). The array is the set's own: read it, don't write to it.
 * @param label N indices into {@code labels}. The set's own, as above.
 */
@SuppressWarnings("ArrayRecordComponent") // a list of boxed bytes would take twenty times the memory
public record ImageSet(List<String> labels, int height, int width, int channels, byte[] pixels, int[] label) {
    public ImageSet {
        labels = List.copyOf(labels);
        if (height < 1 || width < 1 || (channels != 1 && channels != 3)) {
            throw new IllegalArgumentException("pictures of " + height + " × " + width + " pixels in " + channels
                    + " channels: height and width must be at least 1, channels 1 or 3");
        }
        if ((long) label.length * height * width * channels != pixels.length) {
            throw new IllegalArgumentException(pixels.length + " pixel values for " + label.length + " pictures of "
                    + height + " × " + width + " × " + channels);
        }
        for (int row = 0; row < label.length; row++) {
            if (label[row] < 0 || label[row] >= labels.size()) {
                throw new IllegalArgumentException(
                        "row " + row + " has label " + label[row] + "; permitted are 0 to " + (labels.size() - 1));
            }
        }
        pixels = pixels.clone();
        label = label.clone();
    }

    public int size() {
        return label.length;
    }

    /** Values in one picture: height × width × channels. */
    public int stride() {
        return height * width * channels;
    }

    /** A copy of one picture's values, height × width × channels. */
    public byte[] picture(int row) {
        return Arrays.copyOfRange(pixels, row * stride(), (row + 1) * stride());
    }

    /** The rows named, in that order. */
    public ImageSet select(int[] rows) {
        byte[] chosen = new byte[rows.length * stride()];
        int[] chosenLabel = new int[rows.length];
        for (int i = 0; i < rows.length; i++) {
            System.arraycopy(pixels, rows[i] * stride(), chosen, i * stride(), stride());
            chosenLabel[i] = label[rows[i]];
        }
        return new ImageSet(labels, height, width, channels, chosen, chosenLabel);
    }
}
