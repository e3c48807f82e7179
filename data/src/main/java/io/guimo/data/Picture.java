package io.guimo.data;

/**
 * A decoded picture.
 *
 * @param argb height × width values, row after row: 8 bits each of opacity, red, green and blue, not premultiplied. The array is the picture's own.
 */
@SuppressWarnings("ArrayRecordComponent") // a pixel is an int
public record Picture(int width, int height, int[] argb) {
    public Picture {
        if (width < 1 || height < 1 || (long) width * height != argb.length) {
            throw new IllegalArgumentException(argb.length + " pixels for " + width + " × " + height);
        }
        argb = argb.clone();
    }
}
