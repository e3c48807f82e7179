package io.guimo.postgres;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.JarURLConnection;
import java.net.URL;
import java.net.URLConnection;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import org.tukaani.xz.XZInputStream;

/** Unpacks PostgreSQL's programs from the class path, once for each version of them. */
final class ServerPrograms {
    private static final String ARCHIVE = "/postgres-linux-x86_64.txz";

    private ServerPrograms() {}

    /** @return the folder that holds {@code bin/postgres} */
    static Path unpack(Path folder) throws IOException, InterruptedException {
        URL archive = ServerPrograms.class.getResource(ARCHIVE);
        if (archive == null || !System.getProperty("os.arch").equals("amd64")) {
            throw new EmbeddedPostgresException(
                    "no PostgreSQL for "
                            + System.getProperty("os.name") + " on " + System.getProperty("os.arch")
                            + " comes with this program; start a PostgreSQL 16 or newer yourself and name it as the database's URL.");
        }
        Path programs = folder.resolve("server-" + checksum(archive));
        if (Files.exists(programs)) return programs;
        Path unfinished = folder.resolve("server.unfinished");
        Folders.delete(unfinished);
        Files.createDirectories(unfinished);
        try (InputStream packed = archive.openStream()) {
            untar(packed, unfinished);
        }
        Files.move(unfinished, programs, StandardCopyOption.ATOMIC_MOVE);
        return programs;
    }

    /** The archive's CRC-32 from its jar's directory, so that another version lies in another folder without the archive being read. */
    private static String checksum(URL archive) throws IOException {
        URLConnection connection = archive.openConnection();
        if (connection instanceof JarURLConnection jar)
            return Long.toHexString(jar.getJarEntry().getCrc());
        return Long.toHexString(connection.getContentLengthLong());
    }

    /** With the system's tar: 1 s against 9 s for decompressing in Java, which remains for systems without {@code xz}. */
    private static void untar(InputStream packed, Path into) throws IOException, InterruptedException {
        boolean xz = Commands.succeeds("xz", "--version");
        Process tar = Commands.start(
                List.of("tar", xz ? "-xJf" : "-xf", "-", "--no-same-owner", "-C", into.toString()),
                "unpacking PostgreSQL needs the program tar");
        Thread feeder = Thread.ofVirtual().start(() -> {
            try (OutputStream in = tar.getOutputStream();
                    InputStream plain = xz ? packed : new XZInputStream(packed)) {
                plain.transferTo(in);
            } catch (IOException e) {
                // tar ended early and says why; its exit status is what counts
                tar.destroy();
            }
        });
        String output = Commands.readAll(tar);
        int status = tar.waitFor();
        feeder.join();
        if (status != 0) {
            // a line for each file, and where the disk is full not all of them say so
            String reason = output.lines()
                    .filter(line -> line.contains("No space left"))
                    .findFirst()
                    .or(() -> output.lines().findFirst())
                    .orElse("no word");
            throw new IOException("tar ended with status " + status + ": " + reason);
        }
    }
}
