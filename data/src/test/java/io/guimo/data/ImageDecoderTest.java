package io.guimo.data;

import static org.assertj.core.api.Assertions.assertThat;

import io.guimo.data.ImageDecoder.Decoded;
import io.guimo.data.ImageDecoder.Decoding;
import io.guimo.data.ImageDecoder.Reason;
import io.guimo.data.ImageDecoder.Refused;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.SplittableRandom;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ImageDecoderTest {
    /** Made by Pillow: 4 × 2 pixels, lossless, the last of them transparent. */
    private static final byte[] WEBP_LOSSLESS = Base64.getDecoder()
            .decode("UklGRkoAAABXRUJQVlA4TD4AAAAvA0AAED9AFmCyIPqCyl9mGmTCEPv17+JSDZmAxXTwa6R/mwkIivwfLcCQIofUzNfWD6EA"
                    + "GoOJJJh+Ef0PPA==");
    /** Made by Pillow: 16 × 16 pixels of (200, 60, 20), lossy. */
    private static final byte[] WEBP_LOSSY = Base64.getDecoder()
            .decode("UklGRjoAAABXRUJQVlA4IC4AAADQAQCdASoQABAAAUAmJaACdLoB+AADsAD+7tPf/mwK5rn3+//bQ/rQ/rQ/6UAA");
    /** Made by Pillow: 8 × 8 pixels, a red frame, then a green one. */
    private static final byte[] WEBP_ANIMATED = Base64.getDecoder()
            .decode("UklGRoQAAABXRUJQVlA4WAoAAAACAAAABwAABwAAQU5JTQYAAAAAAAAAAABBTk1GKAAAAAAAAAAAAAcAAAcAAAAAAAJWUDhM"
                    + "DwAAAC8HwAEABxD9j/4HIqL/AQBBTk1GKAAAAAAAAAAAAAcAAAcAAAAAAABWUDhMDwAAAC8HwAEAB9D/iP4HIqL/AQA=");
    /** Made by Pillow: 16 × 16 pixels of pure cyan ink. */
    private static final byte[] JPEG_CMYK = Base64.getDecoder()
            .decode("/9j/7gAOQWRvYmUAZAAAAAAA/9sAQwADAgIDAgIDAwMDBAMDBAUIBQUEBAUKBwcGCAwKDAwLCgsLDQ4SEA0OEQ4LCxAWEBET"
                    + "FBUVFQwPFxgWFBgSFBUU/8AAFAgAEAAQBEMRAE0RAFkRAEsRAP/EAB8AAAEFAQEBAQEBAAAAAAAAAAABAgMEBQYHCAkKC//EALUQ"
                    + "AAIBAwMCBAMFBQQEAAABfQECAwAEEQUSITFBBhNRYQcicRQygZGhCCNCscEVUtHwJDNicoIJChYXGBkaJSYnKCkqNDU2Nzg5OkNE"
                    + "RUZHSElKU1RVVldYWVpjZGVmZ2hpanN0dXZ3eHl6g4SFhoeIiYqSk5SVlpeYmZqio6Slpqeoqaqys7S1tre4ubrCw8TFxsfIycrS"
                    + "09TV1tfY2drh4uPk5ebn6Onq8fLz9PX29/j5+v/aAA4EQwBNAFkASwAAPwD8qq/VOv1Tr9U6KKKKKKKKKKKK/9k=");

    private final ImageDecoder decoder = new ImageDecoder(ImageDecoder.Limits.STANDARD);

    @Test
    void decode_greyPng_samplesAsStored() throws IOException {
        int[] samples = new int[256];
        Arrays.setAll(samples, i -> i);
        Picture picture = decoded(Pictures.png(Pictures.grey(16, 16, samples)));
        for (int i = 0; i < 256; i++) {
            assertThat(picture.argb()[i]).isEqualTo(0xff000000 | i << 16 | i << 8 | i);
        }
    }

    @Test
    void decode_losslessWebp_coloursAndOpacityAsStored() {
        Picture picture = decoded(WEBP_LOSSLESS);
        assertThat(picture.width()).isEqualTo(4);
        assertThat(picture.argb())
                .startsWith(0xffff0000, 0xff00ff00, 0xff0000ff, 0xffffffff, 0xff000000, 0xff808080, 0xff0a141e);
        assertThat(picture.argb()[7] >>> 24).isZero();
    }

    @Test
    void decode_lossyWebpJpegAndFirstOfAnimated_colourWithinLoss() throws IOException {
        assertColour(decoded(WEBP_LOSSY), 200, 60, 20, 8);
        assertColour(decoded(WEBP_ANIMATED), 255, 0, 0, 0);
        assertColour(decoded(Pictures.jpeg(Pictures.filled(32, 32, 0xc83c14))), 200, 60, 20, 8);
    }

    @Test
    void decode_cmykJpeg_inkBecomesLight() {
        // Cyan ink takes the red out; how blue and green remain depends on the colour profile.
        Picture picture = decoded(JPEG_CMYK);
        int rgb = picture.argb()[0];
        assertThat(rgb >> 16 & 0xff).isLessThan(90);
        assertThat(rgb >> 8 & 0xff).isGreaterThan(140);
        assertThat(rgb & 0xff).isGreaterThan(180);
    }

    /** A picture of two pixels, red and blue, turned as each EXIF value says. */
    @ParameterizedTest
    @CsvSource({
        "1, 2, 1, red, blue",
        "2, 2, 1, blue, red",
        "3, 2, 1, blue, red",
        "4, 2, 1, red, blue",
        "5, 1, 2, red, blue",
        "6, 1, 2, red, blue",
        "7, 1, 2, blue, red",
        "8, 1, 2, blue, red"
    })
    void decode_exifOrientation_upright(int orientation, int width, int height, String first, String second)
            throws IOException {
        BufferedImage image = new BufferedImage(2, 1, BufferedImage.TYPE_INT_RGB);
        image.setRGB(0, 0, 0xff0000);
        image.setRGB(1, 0, 0x0000ff);
        Picture picture = decoded(withExif(Pictures.png(image), orientation));
        assertThat(picture.width()).isEqualTo(width);
        assertThat(picture.height()).isEqualTo(height);
        assertThat(colour(picture.argb()[0])).isEqualTo(first);
        assertThat(colour(picture.argb()[1])).isEqualTo(second);
    }

    @Test
    void decode_exifInJpeg_read() throws IOException {
        BufferedImage image = new BufferedImage(32, 16, BufferedImage.TYPE_INT_RGB);
        byte[] jpeg = Pictures.jpeg(image);
        byte[] exif = exif(6);
        ByteBuffer turned = ByteBuffer.allocate(jpeg.length + 10 + exif.length);
        turned.put(jpeg, 0, 2).putShort((short) 0xffe1).putShort((short) (8 + exif.length));
        turned.put("Exif\0\0".getBytes(StandardCharsets.US_ASCII)).put(exif).put(jpeg, 2, jpeg.length - 2);
        Picture picture = decoded(turned.array());
        assertThat(picture.width()).isEqualTo(16);
        assertThat(picture.height()).isEqualTo(32);
    }

    @Test
    void decode_headerClaimsTooManyPixels_refusedWithoutDecoding() throws IOException {
        byte[] png = Pictures.png(Pictures.filled(8, 8, 0));
        assertRefused(withPngSize(png, 60_000, 60_000), Reason.TOO_MANY_PIXELS);
        assertRefused(withPngSize(png, 20_000, 1), Reason.TOO_MANY_PIXELS);
        byte[] jpeg = Pictures.jpeg(Pictures.filled(8, 8, 0));
        int frame = indexOf(jpeg, (byte) 0xff, (byte) 0xc0);
        ByteBuffer.wrap(jpeg).putShort(frame + 5, (short) 65_000).putShort(frame + 7, (short) 65_000);
        assertRefused(jpeg, Reason.TOO_MANY_PIXELS);
        byte[] webp = WEBP_LOSSY.clone();
        webp[26] = (byte) 0xff; // width and height of the frame, 14 bits each
        webp[27] = 0x3f;
        webp[28] = (byte) 0xff;
        webp[29] = 0x3f;
        assertRefused(webp, Reason.TOO_MANY_PIXELS);
    }

    @Test
    void decode_notAPicture_refused() {
        assertRefused(new byte[0], Reason.UNKNOWN_FORMAT);
        assertRefused("GIF89a and more".getBytes(StandardCharsets.US_ASCII), Reason.UNKNOWN_FORMAT);
        assertRefused("<svg/>".getBytes(StandardCharsets.US_ASCII), Reason.UNKNOWN_FORMAT);
        assertRefused(new byte[(16 << 20) + 1], Reason.TOO_MANY_BYTES);
    }

    @Test
    void decode_jpegOfManyScans_refused() throws IOException {
        byte[] jpeg = Pictures.jpeg(Pictures.filled(8, 8, 0));
        int scan = indexOf(jpeg, (byte) 0xff, (byte) 0xda);
        ByteArrayOutputStream bomb = new ByteArrayOutputStream();
        bomb.write(jpeg, 0, scan);
        for (int i = 0; i < 1000; i++) bomb.write(jpeg, scan, jpeg.length - scan - 2);
        assertRefused(bomb.toByteArray(), Reason.TOO_COMPLEX);
    }

    @Test
    void decode_anyCutOrDamagedPicture_decodedOrRefusedNeverThrown() throws IOException {
        List<byte[]> pictures = List.of(
                Pictures.png(Pictures.filled(20, 20, 0x123456)),
                Pictures.jpeg(Pictures.filled(20, 20, 0x123456)),
                WEBP_LOSSLESS,
                WEBP_LOSSY,
                WEBP_ANIMATED,
                JPEG_CMYK);
        SplittableRandom random = new SplittableRandom(11);
        ImageDecoder small = new ImageDecoder(new ImageDecoder.Limits(1 << 20, 1 << 20, 4096, 100, 1 << 20));
        for (byte[] picture : pictures) {
            for (int cut = 0; cut < picture.length; cut += 1 + picture.length / 60) {
                assertThat(small.decode(Arrays.copyOf(picture, cut), 28)).isNotNull();
            }
            for (int round = 0; round < 150; round++) {
                byte[] damaged = picture.clone();
                for (int hit = 0; hit < 3; hit++) damaged[random.nextInt(damaged.length)] = (byte) random.nextInt();
                assertThat(small.decode(damaged, 28)).isNotNull();
            }
        }
    }

    @Test
    void decode_largePicture_thinnedOutToEightTimesTheSide() throws IOException {
        Picture picture = decoded(Pictures.png(Pictures.filled(2000, 1000, 0x336699)));
        assertThat(picture.width()).isBetween(8 * 28, 16 * 28);
        assertColour(picture, 0x33, 0x66, 0x99, 0);
        Picture sliver = decoded(Pictures.png(Pictures.filled(4000, 1, 0x336699)));
        assertThat(sliver.height()).isEqualTo(1);
    }

    private Picture decoded(byte[] encoded) {
        Decoding decoding = decoder.decode(encoded, 28);
        assertThat(decoding).isInstanceOf(Decoded.class);
        return ((Decoded) decoding).picture();
    }

    private void assertRefused(byte[] encoded, Reason reason) {
        assertThat(decoder.decode(encoded, 28))
                .isInstanceOfSatisfying(Refused.class, refused -> assertThat(refused.reason())
                        .as(refused.message())
                        .isEqualTo(reason));
    }

    private static void assertColour(Picture picture, int red, int green, int blue, int tolerance) {
        int middle = picture.argb()[picture.argb().length / 2];
        assertThat(Math.abs((middle >> 16 & 0xff) - red)).isLessThanOrEqualTo(tolerance);
        assertThat(Math.abs((middle >> 8 & 0xff) - green)).isLessThanOrEqualTo(tolerance);
        assertThat(Math.abs((middle & 0xff) - blue)).isLessThanOrEqualTo(tolerance);
    }

    private static String colour(int argb) {
        return argb == 0xffff0000 ? "red" : argb == 0xff0000ff ? "blue" : Integer.toHexString(argb);
    }

    /** A TIFF structure of one entry: the orientation. */
    private static byte[] exif(int orientation) {
        return ByteBuffer.allocate(26)
                .put("MM\0*".getBytes(StandardCharsets.US_ASCII))
                .putInt(8)
                .putShort((short) 1)
                .putShort((short) 0x0112)
                .putShort((short) 3)
                .putInt(1)
                .putShort((short) orientation)
                .putShort((short) 0)
                .putInt(0)
                .array();
    }

    private static byte[] withExif(byte[] png, int orientation) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(png, 0, 33); // signature and IHDR
        out.write(chunk("eXIf", exif(orientation)));
        out.write(png, 33, png.length - 33);
        return out.toByteArray();
    }

    private static byte[] withPngSize(byte[] png, int width, int height) throws IOException {
        byte[] header = Arrays.copyOfRange(png, 16, 29);
        ByteBuffer.wrap(header).putInt(0, width).putInt(4, height);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(png, 0, 8);
        out.write(chunk("IHDR", header));
        out.write(png, 33, png.length - 33);
        return out.toByteArray();
    }

    private static byte[] chunk(String type, byte[] data) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        DataOutputStream chunk = new DataOutputStream(out);
        CRC32 check = new CRC32();
        check.update(type.getBytes(StandardCharsets.US_ASCII));
        check.update(data);
        chunk.writeInt(data.length);
        chunk.writeBytes(type);
        chunk.write(data);
        chunk.writeInt((int) check.getValue());
        return out.toByteArray();
    }

    private static int indexOf(byte[] bytes, byte first, byte second) {
        for (int i = 0; i + 1 < bytes.length; i++) if (bytes[i] == first && bytes[i + 1] == second) return i;
        throw new IllegalArgumentException("not found");
    }
}
