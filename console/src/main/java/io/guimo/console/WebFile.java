package io.guimo.console;

import java.io.ByteArrayOutputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Collection;
import java.util.HexFormat;
import java.util.function.Supplier;
import java.util.zip.GZIPOutputStream;
import org.jspecify.annotations.Nullable;

/** A file of the page. Its content is read when it is first asked for, and kept, also compressed. */
final class WebFile {
    private static final int DIGEST_BYTES_SHOWN = 8;

    private final String mediaType;
    private final String identity;
    private final Supplier<byte[]> content;
    private volatile byte @Nullable [] bytes;
    private volatile byte @Nullable [] compressed;

    /**
     * @param name file name, whose ending tells the media type
     * @param identity changes whenever the content does
     */
    WebFile(String name, String identity, Supplier<byte[]> content) {
        this.mediaType = mediaType(name);
        this.identity = identity;
        this.content = content;
    }

    /** A file of this package's folder {@code web}. */
    static WebFile own(String name) {
        byte[] bytes = resource(WebFile.class, "web/" + name);
        return new WebFile(name, name + HexFormat.of().formatHex(sha256().digest(bytes)), () -> bytes);
    }

    String mediaType() {
        return mediaType;
    }

    /** Not a copy. */
    byte[] bytes() {
        byte[] read = bytes;
        if (read == null) {
            read = content.get();
            bytes = read;
        }
        return read;
    }

    /** The content through gzip; not a copy. */
    byte[] compressed() {
        byte[] made = compressed;
        if (made == null) {
            made = gzip(bytes());
            compressed = made;
        }
        return made;
    }

    /** A short digest that changes whenever one of the files does. */
    static String digest(Collection<WebFile> files) {
        MessageDigest digest = sha256();
        for (WebFile file : files) digest.update((file.identity + "\n").getBytes(StandardCharsets.UTF_8));
        return HexFormat.of().formatHex(digest.digest(), 0, DIGEST_BYTES_SHOWN);
    }

    /** @throws UncheckedIOException if there is no such resource: the build left it out */
    static byte[] resource(Class<?> beside, String name) {
        try (InputStream in = beside.getResourceAsStream(name)) {
            if (in == null)
                throw new FileNotFoundException(name + " is not on the class path beside " + beside.getName());
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String mediaType(String name) {
        return switch (name.substring(name.lastIndexOf('.') + 1)) {
            case "html" -> "text/html; charset=utf-8";
            case "js" -> "text/javascript; charset=utf-8";
            case "css" -> "text/css; charset=utf-8";
            case "svg" -> "image/svg+xml";
            default -> throw new IllegalArgumentException("no media type is known for " + name);
        };
    }

    private static byte[] gzip(byte[] bytes) {
        ByteArrayOutputStream out = new ByteArrayOutputStream(bytes.length / 3);
        try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
            gzip.write(bytes);
        } catch (IOException e) {
            throw new UncheckedIOException("memory cannot fail to be written", e);
        }
        return out.toByteArray();
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java runtime must bring SHA-256", e);
        }
    }
}
