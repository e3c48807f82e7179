package io.guimo.data;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Files at a public address. What has arrived when a connection breaks or the process ends is kept and continued from (HTTP Range); a continued file
 * that turns out wrong is fetched once more from its beginning.
 */
final class WebSource implements FileSource {
    private static final int CONNECT_MILLIS = 15_000;
    private static final int SILENCE_MILLIS = 30_000;
    private static final int MAX_REDIRECTS = 5;
    private static final Set<Integer> REDIRECTS = Set.of(301, 302, 303, 307, 308);
    /** A compressed file is at most this much larger than its content. */
    private static final long GZIP_OVERHEAD = 1 << 16;

    private final Place.PublicAddress address;
    private final Path partial;

    /**
     * @param partial folder for what has arrived so far
     */
    WebSource(Place.PublicAddress address, Path partial) {
        this.address = address;
        this.partial = partial;
    }

    @Override
    public void collect(CatalogueEntry entry, Staging staging, FetchProgress progress) throws IOException {
        Files.createDirectories(partial);
        long before = 0;
        for (CatalogueEntry.File file : entry.files()) {
            URI uri = Objects.requireNonNull(address.files().get(file.name()), file.name());
            String name = uri.getPath().substring(uri.getPath().lastIndexOf('/') + 1);
            Path part = partial.resolve(file.name() + "." + name + ".part");
            boolean continued = Files.exists(part);
            long arrivedBefore = before;
            fetch(
                    uri,
                    part,
                    file,
                    bytes -> progress.report(entry.name(), uri.getHost(), arrivedBefore + bytes, entry.bytes()));
            try {
                takePart(file, part, staging, uri);
            } catch (IOException wrong) {
                Files.delete(part);
                if (!continued) throw wrong;
                fetch(
                        uri,
                        part,
                        file,
                        bytes -> progress.report(entry.name(), uri.getHost(), arrivedBefore + bytes, entry.bytes()));
                takePart(file, part, staging, uri);
            }
            Files.delete(part);
            before += file.bytes();
        }
        Files.delete(partial);
    }

    private static void takePart(CatalogueEntry.File file, Path part, Staging staging, URI uri) throws IOException {
        try (InputStream in = Files.newInputStream(part)) {
            staging.take(file, in, uri.toString());
        }
    }

    private interface Arrival {
        void bytes(long count);
    }

    private static void fetch(URI uri, Path part, CatalogueEntry.File file, Arrival arrival) throws IOException {
        long have = Files.exists(part) ? Files.size(part) : 0;
        HttpURLConnection connection = open(uri, have);
        try {
            int status = connection.getResponseCode();
            if (status == 416 && have > 0) {
                // Nothing is left to send: the part is whole, or of another version, which its fingerprint will tell.
                return;
            }
            if (status != 200 && status != 206) throw new IOException(uri + " answered with status " + status);
            boolean goesOn = status == 206 && startsAt(connection.getHeaderField("Content-Range"), have);
            if (status == 206 && !goesOn) throw new IOException(uri + " sent another range than asked for");
            long arrived = goesOn ? have : 0;
            long most = file.bytes() + GZIP_OVERHEAD;
            try (InputStream in = connection.getInputStream();
                    OutputStream out = goesOn
                            ? Files.newOutputStream(part, StandardOpenOption.APPEND)
                            : Files.newOutputStream(part)) {
                byte[] block = new byte[1 << 16];
                for (int read = in.read(block); read >= 0; read = in.read(block)) {
                    arrived += read;
                    if (arrived > most) {
                        throw new IOException(
                                uri + " sends more than the " + most + " bytes that " + file.name() + " can have");
                    }
                    out.write(block, 0, read);
                    arrival.bytes(arrived);
                }
            }
            long announced = connection.getContentLengthLong();
            long expected = announced < 0 ? arrived : announced + (goesOn ? have : 0);
            if (arrived < expected) {
                throw new IOException(uri + " broke off after " + arrived + " of " + expected
                        + " bytes; they are kept, the next try goes on from there");
            }
        } finally {
            connection.disconnect();
        }
    }

    private static boolean startsAt(@Nullable String contentRange, long have) {
        return contentRange != null && contentRange.startsWith("bytes " + have + "-");
    }

    /** Follows redirects itself: the JDK does not follow one from http to https, and one from https to http is refused. */
    private static HttpURLConnection open(URI uri, long have) throws IOException {
        URI at = uri;
        for (int hop = 0; hop <= MAX_REDIRECTS; hop++) {
            HttpURLConnection connection = (HttpURLConnection) at.toURL().openConnection();
            connection.setInstanceFollowRedirects(false);
            connection.setConnectTimeout(CONNECT_MILLIS);
            connection.setReadTimeout(SILENCE_MILLIS);
            connection.setRequestProperty("Accept-Encoding", "identity");
            if (have > 0) connection.setRequestProperty("Range", "bytes=" + have + "-");
            if (!REDIRECTS.contains(connection.getResponseCode())) return connection;
            String location = connection.getHeaderField("Location");
            connection.disconnect();
            if (location == null) throw new IOException(at + " redirects to nowhere");
            URI next = at.resolve(location);
            boolean secure = "https".equals(next.getScheme());
            if (!secure && !("http".equals(next.getScheme()) && "http".equals(at.getScheme()))) {
                throw new IOException(at + " redirects to " + next + ", which is not followed");
            }
            at = next;
        }
        throw new IOException(uri + " redirects more than " + MAX_REDIRECTS + " times");
    }
}
