package io.guimo.data;

/**
 * How a camera was held: the EXIF orientation of a JPEG, PNG or WebP. Reads nothing but this one tag, within the bytes given; anything unexpected
 * counts as upright.
 */
final class ExifOrientation {
    private static final int UPRIGHT = 1;
    private static final int ORIENTATION_TAG = 0x0112;

    private ExifOrientation() {}

    /** 1–8 as in the EXIF standard (CIPA DC-008, section 4.6.4): 1 is upright, 3 upside down, 6 and 8 on a side, the even others mirrored. */
    static int of(byte[] encoded, ImageFormat format) {
        return switch (format) {
            case JPEG -> ofJpeg(encoded);
            case PNG -> ofPng(encoded);
            case WEBP -> ofWebp(encoded);
        };
    }

    private static int ofJpeg(byte[] jpeg) {
        int at = 2;
        while (at + 4 <= jpeg.length && (jpeg[at] & 0xff) == 0xff) {
            int marker = jpeg[at + 1] & 0xff;
            if (marker == 0xda || marker == 0xd9) return UPRIGHT;
            int length = big16(jpeg, at + 2);
            boolean exif = marker == 0xe1 && length >= 8 && ascii(jpeg, at + 4, "Exif\0\0");
            if (exif) return ofTiff(jpeg, at + 10, Math.min(jpeg.length, at + 2 + length));
            at += 2 + Math.max(2, length);
        }
        return UPRIGHT;
    }

    private static int ofPng(byte[] png) {
        int at = 8;
        while (at + 12 <= png.length) {
            long length = big32(png, at);
            if (length < 0 || at + 12 + length > png.length) return UPRIGHT;
            if (ascii(png, at + 4, "eXIf")) return ofTiff(png, at + 8, (int) (at + 8 + length));
            if (ascii(png, at + 4, "IDAT")) return UPRIGHT;
            at += (int) (12 + length);
        }
        return UPRIGHT;
    }

    private static int ofWebp(byte[] webp) {
        int at = 12;
        while (at + 8 <= webp.length) {
            long length = little32(webp, at + 4) & 0xffffffffL;
            if (at + 8 + length > webp.length) return UPRIGHT;
            if (ascii(webp, at, "EXIF")) {
                int start = at + 8 + (ascii(webp, at + 8, "Exif\0\0") ? 6 : 0);
                return ofTiff(webp, start, (int) (at + 8 + length));
            }
            at += (int) (8 + length + (length & 1));
        }
        return UPRIGHT;
    }

    /** The tag in the first directory of a TIFF structure. */
    private static int ofTiff(byte[] bytes, int start, int end) {
        if (start + 8 > end) return UPRIGHT;
        boolean little = ascii(bytes, start, "II");
        if (!little && !ascii(bytes, start, "MM")) return UPRIGHT;
        long directory = (little ? little32(bytes, start + 4) : big32(bytes, start + 4)) & 0xffffffffL;
        if (start + directory + 2 > end) return UPRIGHT;
        int at = (int) (start + directory);
        int entries = little ? little16(bytes, at) : big16(bytes, at);
        at += 2;
        for (int i = 0; i < entries && at + 12 <= end; i++, at += 12) {
            int tag = little ? little16(bytes, at) : big16(bytes, at);
            if (tag == ORIENTATION_TAG) {
                int value = little ? little16(bytes, at + 8) : big16(bytes, at + 8);
                return value >= 1 && value <= 8 ? value : UPRIGHT;
            }
        }
        return UPRIGHT;
    }

    /** The picture as it was meant to be seen. */
    static Picture upright(Picture stored, int orientation) {
        if (orientation == UPRIGHT) return stored;
        int width = stored.width();
        int height = stored.height();
        boolean sideways = orientation >= 5;
        int newWidth = sideways ? height : width;
        int newHeight = sideways ? width : height;
        int[] turned = new int[stored.argb().length];
        for (int y = 0; y < newHeight; y++) {
            for (int x = 0; x < newWidth; x++) {
                int fromX = sideways ? y : x;
                int fromY = sideways ? x : y;
                if (orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8)
                    fromX = width - 1 - fromX;
                if (orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7)
                    fromY = height - 1 - fromY;
                turned[y * newWidth + x] = stored.argb()[fromY * width + fromX];
            }
        }
        return new Picture(newWidth, newHeight, turned);
    }

    private static boolean ascii(byte[] bytes, int at, String expected) {
        if (at < 0 || at + expected.length() > bytes.length) return false;
        for (int i = 0; i < expected.length(); i++) if (bytes[at + i] != expected.charAt(i)) return false;
        return true;
    }

    private static int big16(byte[] b, int at) {
        return (b[at] & 0xff) << 8 | (b[at + 1] & 0xff);
    }

    private static int little16(byte[] b, int at) {
        return (b[at + 1] & 0xff) << 8 | (b[at] & 0xff);
    }

    private static int big32(byte[] b, int at) {
        return big16(b, at) << 16 | big16(b, at + 2);
    }

    private static int little32(byte[] b, int at) {
        return little16(b, at + 2) << 16 | little16(b, at);
    }
}
