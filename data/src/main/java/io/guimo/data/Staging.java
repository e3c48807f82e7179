package io.guimo.data;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.Map;
import java.util.Objects;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/** A folder in which the files of one entry gather until all are there and right. Nothing larger than the catalogue says is ever written. */
final class Staging {
    private final Path folder;

    Staging(Path folder) {
        this.folder = folder;
    }

    /** Takes a file from elsewhere; {@code name.gz} is unpacked if the entry wants {@code name}. */
    void take(CatalogueEntry.File file, Path from) throws IOException {
        try (InputStream in = Files.newInputStream(from)) {
            take(file, in, from.toString());
        }
    }

    /**
     * @param origin where the content is from: its ending tells whether it is compressed
     * @throws IOException if the content is not the one demanded
     */
    void take(CatalogueEntry.File file, InputStream content, String origin) throws IOException {
        boolean packed = origin.endsWith(".gz") && !file.name().endsWith(".gz");
        try (InputStream plain = packed ? new GZIPInputStream(content, 1 << 16) : content;
                OutputStream out = Files.newOutputStream(folder.resolve(file.name()))) {
            MessageDigest digest = Fingerprint.digest();
            byte[] block = new byte[1 << 16];
            long written = 0;
            for (int read = plain.read(block); read >= 0; read = plain.read(block)) {
                written += read;
                if (written > file.bytes()) {
                    throw new IOException(origin + " holds more than the " + file.bytes() + " bytes of " + file.name());
                }
                digest.update(block, 0, read);
                out.write(block, 0, read);
            }
            if (written < file.bytes()) {
                throw new IOException(
                        origin + " holds " + written + " bytes instead of the " + file.bytes() + " of " + file.name());
            }
            Fingerprint found = new Fingerprint(HexFormat.of().formatHex(digest.digest()));
            if (!found.equals(file.fingerprint())) {
                throw new IOException(origin + " has the fingerprint " + found + " instead of " + file.fingerprint()
                        + ": another version, or damaged");
            }
        } catch (EOFException e) {
            throw new IOException(origin + " breaks off", e);
        }
    }

    /**
     * Takes every file of the entry out of a zip archive.
     *
     * @param paths by file name of the entry: the path inside the archive
     */
    void takeFromZip(CatalogueEntry entry, Path archive, Map<String, String> paths) throws IOException {
        try (ZipFile zip = new ZipFile(archive.toFile())) {
            for (CatalogueEntry.File file : entry.files()) {
                String path = Objects.requireNonNull(paths.get(file.name()), file.name());
                ZipEntry packed = zip.getEntry(path);
                if (packed == null) throw new IOException(archive + " has no " + path);
                try (InputStream content = zip.getInputStream(packed)) {
                    take(file, content, archive + "!" + path);
                }
            }
        }
    }
}
