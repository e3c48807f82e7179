package io.guimo.data;

import java.awt.image.BufferedImage;
import java.awt.image.DataBuffer;
import java.awt.image.IndexColorModel;
import java.awt.image.Raster;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Iterator;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import javax.imageio.ImageIO;
import javax.imageio.ImageReadParam;
import javax.imageio.ImageReader;
import javax.imageio.stream.MemoryCacheImageInputStream;

/**
 * Reads one picture that a stranger sent. Sizes are taken from the header before a pixel is decoded, large pictures are thinned out while they are
 * decoded, and all decodings together hold no more than {@link Limits#pixelsAtOnce} pixels: a caller beyond that waits for its turn. Thread-safe.
 */
public final class ImageDecoder {
    /**
     * @param maxBytes of an encoded picture
     * @param maxPixels width × height that its header may claim
     * @param maxSide pixels of its longer side
     * @param maxScans passes of a progressive JPEG; cameras and editors write about ten, and each costs a walk over all pixels whatever its bytes
     * @param pixelsAtOnce of all pictures being decoded at a time; at least {@code maxPixels}
     */
    public record Limits(int maxBytes, int maxPixels, int maxSide, int maxScans, int pixelsAtOnce) {
        /** 16 MiB, 25 million pixels (a 24-megapixel camera), 16,384 on a side, 100 scans. */
        public static final Limits STANDARD = new Limits(16 << 20, 25_000_000, 16_384, 100, 25_000_000);

        public Limits {
            if (maxBytes < 1 || maxPixels < 1 || maxSide < 1 || maxScans < 1 || pixelsAtOnce < maxPixels) {
                throw new IllegalArgumentException("limits must be at least 1 and pixelsAtOnce (" + pixelsAtOnce
                        + ") at least maxPixels (" + maxPixels + ")");
            }
        }
    }

    /** What became of some bytes. */
    public sealed interface Decoding {}

    /** A picture, upright, of at least the detail asked for. */
    public record Decoded(Picture picture) implements Decoding {}

    /**
     * Not a picture that is read here.
     *
     * @param message what is wrong, what is permitted, what to do
     */
    public record Refused(Reason reason, String message) implements Decoding {}

    /** Why a picture is refused; stable over releases. */
    public enum Reason {
        /** Neither PNG, JPEG nor WebP by its first bytes. */
        UNKNOWN_FORMAT,
        /** The bytes break off or contradict their format. */
        BROKEN,
        TOO_MANY_BYTES,
        TOO_MANY_PIXELS,
        /** More passes than any honest picture has. */
        TOO_COMPLEX
    }

    private static final int PIXELS_A_PERMIT = 4096;
    /** After thinning out, this many source pixels are left for each pixel that the caller wants, in each direction, to be averaged. */
    private static final int DETAIL = 8;

    private final Limits limits;
    private final Semaphore turns;

    public ImageDecoder(Limits limits) {
        this.limits = limits;
        this.turns = new Semaphore(permits(limits.pixelsAtOnce), true);
    }

    public Limits limits() {
        return limits;
    }

    /**
     * @param encoded PNG, JPEG (grey, colour or CMYK; turned by its EXIF orientation) or WebP (its first frame)
     * @param side pixels that the longer side will be scaled to: a larger picture is thinned out to about eight times that while it is decoded
     */
    public Decoding decode(byte[] encoded, int side) {
        if (encoded.length > limits.maxBytes) {
            return new Refused(
                    Reason.TOO_MANY_BYTES,
                    "a picture of " + encoded.length + " bytes; at most " + limits.maxBytes
                            + " are read: send it smaller");
        }
        Optional<ImageFormat> format = ImageFormat.of(encoded);
        if (format.isEmpty()) {
            return new Refused(
                    Reason.UNKNOWN_FORMAT,
                    "these " + encoded.length + " bytes are no PNG, JPEG or WebP: send one of those");
        }
        if (format.get() == ImageFormat.JPEG && scans(encoded) > limits.maxScans) {
            return new Refused(
                    Reason.TOO_COMPLEX,
                    "a JPEG of more than " + limits.maxScans + " scans; save it again as a plain (baseline) JPEG");
        }
        ImageReader reader = reader(format.get());
        try (MemoryCacheImageInputStream in = new MemoryCacheImageInputStream(new ByteArrayInputStream(encoded))) {
            reader.setInput(in, true, true);
            return decode(reader, encoded, format.get(), side);
        } catch (IOException | RuntimeException e) {
            // Readers meet broken bytes with any RuntimeException; the bytes are the cause either way.
            return new Refused(Reason.BROKEN, "a " + format.get() + " that cannot be decoded: " + firstLine(e));
        } finally {
            reader.dispose();
        }
    }

    private Decoding decode(ImageReader reader, byte[] encoded, ImageFormat format, int side) throws IOException {
        int width = reader.getWidth(0);
        int height = reader.getHeight(0);
        if (width < 1 || height < 1)
            return new Refused(Reason.BROKEN, "a " + format + " of " + width + " × " + height + " pixels");
        if ((long) width * height > limits.maxPixels || Math.max(width, height) > limits.maxSide) {
            return new Refused(
                    Reason.TOO_MANY_PIXELS,
                    "a picture of " + width + " × " + height + " pixels; at most " + limits.maxPixels + " pixels and "
                            + limits.maxSide + " on a side are read: send it smaller");
        }
        int permits = permits(width * height);
        turns.acquireUninterruptibly(permits);
        try {
            ImageReadParam param = reader.getDefaultReadParam();
            int period = Math.max(1, Math.max(width, height) / (DETAIL * side));
            // A sliver keeps at least one pixel across.
            param.setSourceSubsampling(Math.min(period, width), Math.min(period, height), 0, 0);
            BufferedImage image = reader.read(0, param);
            Picture stored = new Picture(image.getWidth(), image.getHeight(), argb(image));
            return new Decoded(ExifOrientation.upright(stored, ExifOrientation.of(encoded, format)));
        } finally {
            turns.release(permits);
        }
    }

    private static int permits(int pixels) {
        return pixels / PIXELS_A_PERMIT + 1;
    }

    /** The bundled readers are named, because other libraries on the class path could bring readers with other limits. */
    private static ImageReader reader(ImageFormat format) {
        String origin = format == ImageFormat.PNG ? "com.sun.imageio" : "com.twelvemonkeys";
        Iterator<ImageReader> readers = ImageIO.getImageReadersByFormatName(format.name());
        while (readers.hasNext()) {
            ImageReader reader = readers.next();
            if (reader.getClass().getName().startsWith(origin)) return reader;
        }
        throw new IllegalStateException("no reader of " + origin + " for " + format + " is on the class path");
    }

    /** Scan headers, found by walking the segments; within a scan's data the byte 0xff is followed by 0 or a restart marker. */
    private static int scans(byte[] jpeg) {
        int scans = 0;
        int at = 2;
        while (at + 3 < jpeg.length) {
            if ((jpeg[at] & 0xff) != 0xff) {
                at++;
                continue;
            }
            int marker = jpeg[at + 1] & 0xff;
            boolean bare = marker == 0 || marker == 0xff || marker == 1 || (marker >= 0xd0 && marker <= 0xd9);
            if (marker == 0xda) scans++;
            at += bare ? (marker == 0xff ? 1 : 2) : 2 + Math.max(2, (jpeg[at + 2] & 0xff) << 8 | (jpeg[at + 3] & 0xff));
        }
        return scans;
    }

    /**
     * The samples as they are stored. {@link BufferedImage#getRGB} would take grey samples for linear light and brighten them (128 becomes 188), and walk
     * every pixel of a profiled picture through its colour profile, at a microsecond each.
     */
    private static int[] argb(BufferedImage image) {
        int width = image.getWidth();
        int height = image.getHeight();
        Raster raster = image.getRaster();
        int bands = raster.getNumBands();
        boolean direct = !(image.getColorModel() instanceof IndexColorModel)
                && (raster.getDataBuffer().getDataType() == DataBuffer.TYPE_BYTE
                        || raster.getDataBuffer().getDataType() == DataBuffer.TYPE_USHORT)
                && bands <= 4
                && raster.getSampleModel().getSampleSize(0) >= 8;
        int[] argb = new int[width * height];
        if (!direct) {
            image.getRGB(0, 0, width, height, argb, 0, width);
            return argb;
        }
        int shift = raster.getSampleModel().getSampleSize(0) - 8;
        int[] samples = new int[width * bands];
        for (int y = 0; y < height; y++) {
            raster.getPixels(0, y, width, 1, samples);
            for (int x = 0; x < width; x++) {
                int at = x * bands;
                int first = samples[at] >> shift;
                argb[y * width + x] = switch (bands) {
                    case 1 -> pixel(255, first, first, first);
                    case 2 -> pixel(samples[at + 1] >> shift, first, first, first);
                    case 3 -> pixel(255, first, samples[at + 1] >> shift, samples[at + 2] >> shift);
                    default ->
                        pixel(samples[at + 3] >> shift, first, samples[at + 1] >> shift, samples[at + 2] >> shift);
                };
            }
        }
        return argb;
    }

    private static int pixel(int opacity, int red, int green, int blue) {
        return opacity << 24 | red << 16 | green << 8 | blue;
    }

    private static String firstLine(Exception e) {
        String message = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
        int end = message.indexOf('\n');
        return end < 0 ? message : message.substring(0, end);
    }
}
