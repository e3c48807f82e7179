package io.guimo.data;

/** How the border of a data set's pictures looks: what a picture sent later must be brought to. */
public enum Background {
    /** Bright things on black, as in Fashion-MNIST. */
    DARK,
    /** Dark or coloured things on white. */
    LIGHT,
    /** No rule: pictures are taken as they come. */
    MIXED;

    /** Of this share of the training pictures a border must look alike to be taken for the rule. */
    private static final double RULE = .95;

    /** What holds for at least 95 % of the pictures. */
    public static Background of(ImageSet pictures) {
        int light = 0;
        for (int row = 0; row < pictures.size(); row++) {
            if (lightBorder(
                    pictures.pixels(),
                    row * pictures.stride(),
                    pictures.height(),
                    pictures.width(),
                    pictures.channels())) {
                light++;
            }
        }
        if (light >= RULE * pictures.size()) return LIGHT;
        return light <= (1 - RULE) * pictures.size() ? DARK : MIXED;
    }

    /**
     * Whether a picture shows something on a light ground: at least three of its four corners are brighter than the middle grey, and so is more than
     * half of its outermost pixels. Measured on Fashion-MNIST (70,000 pictures): none is taken for light as it is, and of the inverted ones 99.99 % are
     * (docs/log.md).
     *
     * @param pixels values of 0–255, height × width × channels from {@code offset} on
     */
    static boolean lightBorder(byte[] pixels, int offset, int height, int width, int channels) {
        Border border = new Border(pixels, offset, height, width, channels);
        int lightCorners = 0;
        int cornerHeight = Math.max(1, height / 14);
        int cornerWidth = Math.max(1, width / 14);
        for (int corner = 0; corner < 4; corner++) {
            int top = corner < 2 ? 0 : height - cornerHeight;
            int left = corner % 2 == 0 ? 0 : width - cornerWidth;
            long sum = 0;
            for (int y = top; y < top + cornerHeight; y++) {
                for (int x = left; x < left + cornerWidth; x++) sum += border.brightness(y, x);
            }
            if (sum > 127L * cornerHeight * cornerWidth) lightCorners++;
        }
        if (lightCorners < 3) return false;
        int light = 0;
        int ring = 0;
        for (int y = 0; y < height; y++) {
            int step = y == 0 || y == height - 1 ? 1 : Math.max(1, width - 1);
            for (int x = 0; x < width; x += step) {
                ring++;
                if (border.brightness(y, x) > 127) light++;
            }
        }
        return 2 * light > ring;
    }

    @SuppressWarnings("ArrayRecordComponent") // a view for the length of one call
    private record Border(byte[] pixels, int offset, int height, int width, int channels) {
        int brightness(int y, int x) {
            int at = offset + (y * width + x) * channels;
            int sum = 0;
            for (int c = 0; c < channels; c++) sum += pixels[at + c] & 0xff;
            return sum / channels;
        }
    }
}
