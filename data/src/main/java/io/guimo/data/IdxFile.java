package io.guimo.data;

import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * The IDX format of MNIST-like data sets: a magic number whose third byte is the type and whose fourth the number of dimensions, the sizes as big-endian
 * integers, then the values (LeCun, Cortes, Burges, "The MNIST database").
 */
final class IdxFile {
    private static final int UNSIGNED_BYTES = 0x08;
    private static final long MAX_VALUES = 1L << 30;

    private IdxFile() {}

    /**
     * @param pictures an IDX file of three dimensions: count, height, width
     * @param labels an IDX file of one dimension: count
     */
    static ImageSet read(Path pictures, Path labels, List<String> names) {
        int[] sizes = new int[3];
        byte[] pixels = values(pictures, sizes);
        byte[] label = values(labels, new int[1]);
        if (label.length != sizes[0]) {
            throw new DataException(
                    DataException.Code.MALFORMED,
                    pictures + " has " + sizes[0] + " pictures, " + labels + " has " + label.length + " labels");
        }
        int[] index = new int[label.length];
        for (int row = 0; row < index.length; row++) {
            index[row] = label[row] & 0xff;
            if (index[row] >= names.size()) {
                throw new DataException(
                        DataException.Code.MALFORMED,
                        labels + ": row " + row + " has label " + index[row] + "; permitted are 0 to "
                                + (names.size() - 1));
            }
        }
        return new ImageSet(names, sizes[1], sizes[2], 1, pixels, index);
    }

    /**
     * @param sizes receives the size of each dimension; its length is the number of dimensions expected
     */
    private static byte[] values(Path file, int[] sizes) {
        try (InputStream in = Files.newInputStream(file);
                DataInputStream data = new DataInputStream(in)) {
            int magic = data.readInt();
            if (magic != (UNSIGNED_BYTES << 8 | sizes.length)) {
                throw new DataException(
                        DataException.Code.MALFORMED,
                        "%s begins with 0x%08x; an IDX file of bytes in %d dimensions begins with 0x%08x"
                                .formatted(file, magic, sizes.length, UNSIGNED_BYTES << 8 | sizes.length));
            }
            long count = 1;
            for (int i = 0; i < sizes.length; i++) {
                sizes[i] = data.readInt();
                count = sizes[i] < 0 ? Long.MAX_VALUE : Math.multiplyExact(count, (long) sizes[i]);
                if (count > MAX_VALUES) {
                    throw new DataException(
                            DataException.Code.TOO_LARGE,
                            file + " claims more than " + MAX_VALUES + " values, which are not read");
                }
            }
            // The header's claim is checked against the file before memory is set aside for it.
            if (Files.size(file) != 4L + 4L * sizes.length + count) {
                throw new DataException(
                        DataException.Code.MALFORMED,
                        file + " has " + Files.size(file) + " bytes; its header claims "
                                + (4L + 4L * sizes.length + count));
            }
            byte[] values = new byte[(int) count];
            data.readFully(values);
            return values;
        } catch (EOFException e) {
            throw new DataException(DataException.Code.MALFORMED, file + " breaks off", e);
        } catch (IOException e) {
            throw new DataException(DataException.Code.UNAVAILABLE, file + " cannot be read: " + e.getMessage(), e);
        }
    }
}
