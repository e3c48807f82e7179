package io.guimo.serve.http;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Pages from the class path, named one by one, so that no path of a request is ever looked up on it. Read once; each with a strong ETag, so that a
 * browser asks again and receives nothing new until the build changes.
 */
public final class StaticPages {
    /**
     * What a page may do: load what this server gives and nothing else. Styles may be set by script, which charts need.
     */
    private static final String CONTENT_SECURITY_POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline';"
            + " img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'";

    private static final Map<String, String> MEDIA_TYPES = Map.ofEntries(
            Map.entry("html", "text/html; charset=utf-8"),
            Map.entry("js", "text/javascript; charset=utf-8"),
            Map.entry("mjs", "text/javascript; charset=utf-8"),
            Map.entry("css", "text/css; charset=utf-8"),
            Map.entry("json", "application/json"),
            Map.entry("svg", "image/svg+xml"),
            Map.entry("png", "image/png"),
            Map.entry("ico", "image/x-icon"),
            Map.entry("woff2", "font/woff2"),
            Map.entry("txt", "text/plain; charset=utf-8"),
            Map.entry("map", "application/json"));

    private final Map<String, String> resources = new LinkedHashMap<>();
    private final ClassLoader loader;

    /** @param loader finds the resources */
    public StaticPages(ClassLoader loader) {
        this.loader = loader;
    }

    /**
     * Adds a page.
     *
     * @param path where it is served, such as {@code /} or {@code /assets/app.js}
     * @param resource name on the class path without a leading slash, such as {@code META-INF/resources/webjars/preact/10.28.0/dist/preact.module.js}
     */
    public StaticPages add(String path, String resource) {
        mediaType(resource); // fails now rather than at the start
        resources.put(path, resource);
        return this;
    }

    /** A public GET route for each page. @throws IllegalStateException if a resource is missing */
    public List<Route> routes() {
        List<Route> routes = new ArrayList<>();
        resources.forEach((path, resource) -> {
            byte[] bytes = read(resource);
            String mediaType = mediaType(resource);
            String etag = '"' + digest(bytes) + '"';
            Map<String, String> headers = Map.of(
                    "etag", etag,
                    "cache-control", "no-cache",
                    "content-security-policy", CONTENT_SECURITY_POLICY,
                    "x-content-type-options", "nosniff",
                    "referrer-policy", "no-referrer");
            Content whole = new Content(200, mediaType, bytes, headers);
            Content unchanged = new Content(304, mediaType, new byte[0], headers);
            Route.About about =
                    Route.About.of("page:" + path, "Pages", "The page " + path).answerMediaType(mediaType);
            routes.add(Route.get(
                    path,
                    Access.PUBLIC,
                    about,
                    exchange -> exchange.header("if-none-match")
                                    .filter(etag::equals)
                                    .isPresent()
                            ? unchanged
                            : whole));
        });
        return routes;
    }

    private byte[] read(String resource) {
        try (InputStream in = loader.getResourceAsStream(resource)) {
            if (in == null) throw new IllegalStateException("the page " + resource + " is not on the class path");
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read the page " + resource, e);
        }
    }

    private static String mediaType(String resource) {
        String known = MEDIA_TYPES.get(resource.substring(resource.lastIndexOf('.') + 1));
        if (known == null) {
            throw new IllegalArgumentException("no media type for " + resource + "; known endings: "
                    + MEDIA_TYPES.keySet().stream().sorted().toList());
        }
        return known;
    }

    private static String digest(byte[] bytes) {
        try {
            byte[] sha = MessageDigest.getInstance("SHA-256").digest(bytes);
            return Base64.getUrlEncoder().withoutPadding().encodeToString(sha).substring(0, 22);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
