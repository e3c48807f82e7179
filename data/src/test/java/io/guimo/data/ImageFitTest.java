package io.guimo.data;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ImageFitTest {
    /** A bright T on black that reaches the upper and lower edge, as garments of Fashion-MNIST do. */
    private static byte[] garment() {
        byte[] pixels = new byte[28 * 28];
        for (int y = 0; y < 28; y++) {
            for (int x = y < 8 ? 4 : 9; x < (y < 8 ? 24 : 19); x++) pixels[y * 28 + x] = (byte) (120 + 4 * y);
        }
        return pixels;
    }

    private static Picture picture(byte[] grey, int side, int scale, int margin, boolean inverted) {
        int size = side * scale + 2 * margin;
        int[] argb = new int[size * size];
        for (int y = 0; y < size; y++) {
            for (int x = 0; x < size; x++) {
                int sourceY = Math.floorDiv(y - margin, scale);
                int sourceX = Math.floorDiv(x - margin, scale);
                boolean inside = sourceX >= 0 && sourceX < side && sourceY >= 0 && sourceY < side;
                int value = inside ? grey[sourceY * side + sourceX] & 0xff : 0;
                if (inverted) value = 255 - value;
                argb[y * size + x] = 0xff000000 | value << 16 | value << 8 | value;
            }
        }
        return new Picture(size, size, argb);
    }

    @Test
    void fit_rightSizeAndGround_unchanged() {
        assertThat(ImageFit.fit(picture(garment(), 28, 1, 0, false), 28, 28, 1, Background.DARK))
                .isEqualTo(garment());
    }

    @Test
    void fit_lightGround_exchanged() {
        assertThat(ImageFit.fit(picture(garment(), 28, 1, 0, true), 28, 28, 1, Background.DARK))
                .isEqualTo(garment());
        assertThat(ImageFit.fit(picture(garment(), 28, 1, 0, true), 28, 28, 1, Background.MIXED))
                .isNotEqualTo(garment());
    }

    @Test
    void fit_largePhotoWithWideMarginOnWhite_asTheNetworkSawIt() {
        byte[] fitted = ImageFit.fit(picture(garment(), 28, 10, 90, true), 28, 28, 1, Background.DARK);
        assertThat(meanDifference(fitted, garment())).isLessThan(3);
    }

    @Test
    void fit_transparentGround_countsAsWhite() {
        Picture opaque = picture(garment(), 28, 1, 0, true);
        int[] argb = opaque.argb().clone();
        for (int i = 0; i < argb.length; i++) if (argb[i] == 0xffffffff) argb[i] = 0x00123456;
        assertThat(ImageFit.fit(new Picture(28, 28, argb), 28, 28, 1, Background.DARK))
                .isEqualTo(garment());
    }

    @Test
    void fit_widePicture_centredOnItsBorder() {
        int[] argb = new int[40 * 10];
        for (int i = 0; i < argb.length; i++) argb[i] = i / 40 == 0 || i / 40 == 9 ? 0xff000000 : 0xffffffff;
        byte[] fitted = ImageFit.fit(new Picture(40, 10, argb), 20, 20, 1, Background.MIXED);
        assertThat(fitted[10 * 20 + 10] & 0xff).isGreaterThan(200);
        assertThat(fitted[0] & 0xff).isEqualTo(fitted[19 * 20 + 19] & 0xff);
    }

    @Test
    void fit_onePixelAndSliver_neverFails() {
        for (int width : new int[] {1, 2, 3, 1000}) {
            int[] argb = new int[width];
            for (Background background : Background.values()) {
                assertThat(ImageFit.fit(new Picture(width, 1, argb), 28, 28, 3, background))
                        .hasSize(28 * 28 * 3);
                assertThat(ImageFit.fit(new Picture(1, width, argb), 28, 28, 1, background))
                        .hasSize(28 * 28);
            }
        }
    }

    private static double meanDifference(byte[] one, byte[] other) {
        double sum = 0;
        for (int i = 0; i < one.length; i++) sum += Math.abs((one[i] & 0xff) - (other[i] & 0xff));
        return sum / one.length;
    }
}
