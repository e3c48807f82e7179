package io.guimo.console;

import io.guimo.serve.http.Access;
import io.guimo.serve.http.Answer;
import io.guimo.serve.http.Content;
import io.guimo.serve.http.Exchange;
import io.guimo.serve.http.Refusal;
import io.guimo.serve.http.Route;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * The console as routes: the page at {@code /}, and its files at {@code /console/{release}/{file}}.
 *
 * <p>The release is a digest of all files, so that a browser keeps each file for ever and still gets new ones with a new build. Libraries name
 * each other by bare names ({@code "preact"}), which browsers resolve by an inline import map; that would need an exception in the
 * Content-Security-Policy, so the names are rewritten to files instead.
 */
public final class ConsolePages {
    /**
     * Nothing but our own files; pictures also from memory, for the photo that a visitor drops. Trusted types are not required: the plot
     * library clears its element through {@code innerHTML}.
     */
    static final String CONTENT_SECURITY_POLICY =
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
                    + "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private static final String HTML = "text/html; charset=utf-8";

    private static final List<String> OWN_FILES = List.of(
            "api.js",
            "app.js",
            "chat.js",
            "desk.js",
            "door.js",
            "economics.js",
            "format.js",
            "icons.js",
            "invoices.js",
            "language.js",
            "loading.js",
            "models.js",
            "overview.js",
            "parts.js",
            "playground.js",
            "plot.js",
            "session.js",
            "tags.js",
            "usage.js",
            "words.js",
            "style.css",
            "mark.svg");

    private static final List<WebLibrary> LIBRARIES = List.of(
            new WebLibrary("preact.js", "preact", "dist/preact.module.js", Map.of()),
            new WebLibrary("hooks.js", "preact", "hooks/dist/hooks.module.js", Map.of("preact", "./preact.js")),
            new WebLibrary("echarts.js", "echarts", "dist/echarts.esm.min.js", Map.of()));

    /** Large and not needed by every page: fetched when the first plot is shown. */
    private static final String FETCHED_LATER = "echarts.js";

    private final Map<String, WebFile> files;
    private final String release;
    private final byte[] page;

    private ConsolePages(Map<String, WebFile> files, String release, byte[] page) {
        this.files = files;
        this.release = release;
        this.page = page;
    }

    /** Reads the page's own files; libraries are read when they are first asked for. */
    public static ConsolePages load() {
        Map<String, WebFile> files = new LinkedHashMap<>();
        for (String name : OWN_FILES) files.put(name, WebFile.own(name));
        for (WebLibrary library : LIBRARIES) files.put(library.file(), library.load());
        String release = WebFile.digest(files.values());
        String assets = "/console/" + release;
        String modules = files.keySet().stream()
                .filter(name -> name.endsWith(".js") && !name.equals(FETCHED_LATER))
                .map(name -> "<link rel=\"modulepreload\" href=\"" + assets + "/" + name + "\">")
                .collect(Collectors.joining("\n  "));
        String page = new String(WebFile.own("index.html").bytes(), StandardCharsets.UTF_8)
                .replace("{modules}", modules)
                .replace("{assets}", assets);
        return new ConsolePages(files, release, page.getBytes(StandardCharsets.UTF_8));
    }

    public List<Route> routes() {
        Route.About about = Route.About.of("getConsole", "Console", "The web console");
        Route.About file = Route.About.of("getConsoleFile", "Console", "A script, style or picture of the web console");
        return List.of(
                Route.get("/", Access.PUBLIC, about.answerMediaType(HTML), _ -> page()),
                Route.get(
                        "/console/{release}/{file}",
                        Access.PUBLIC,
                        file.answerMediaType("text/javascript"),
                        this::file));
    }

    private Content page() {
        return new Content(
                200,
                HTML,
                page,
                Map.of(
                        "content-security-policy", CONTENT_SECURITY_POLICY,
                        "cache-control", "no-cache",
                        "cross-origin-opener-policy", "same-origin",
                        "referrer-policy", "no-referrer",
                        "x-content-type-options", "nosniff"));
    }

    private Answer file(Exchange exchange) {
        String name = exchange.variable("file");
        WebFile file = files.get(name);
        if (file == null) {
            return new Refusal.NotFound("The console has no file '" + name + "'", null, "unknown_url");
        }
        Map<String, String> headers = new LinkedHashMap<>();
        // a page from before an update may still ask: it gets the present file, and must not keep it under the old
        // address
        boolean present = exchange.variable("release").equals(release);
        headers.put("cache-control", present ? "public, max-age=31536000, immutable" : "no-store");
        headers.put("cross-origin-resource-policy", "same-origin");
        headers.put("x-content-type-options", "nosniff");
        headers.put("vary", "accept-encoding");
        boolean compressed = acceptsGzip(exchange.header("accept-encoding").orElse(""));
        if (compressed) headers.put("content-encoding", "gzip");
        return new Content(200, file.mediaType(), compressed ? file.compressed() : file.bytes(), headers);
    }

    /** Whether gzip is listed and not refused by a weight of 0 (RFC 9110, section 12.5.3). */
    static boolean acceptsGzip(String acceptEncoding) {
        for (String coding : acceptEncoding.split(",")) {
            String[] parts = coding.trim().split("\\s*;\\s*q=", 2);
            if (parts[0].equalsIgnoreCase("gzip")) return parts.length == 1 || !parts[1].matches("0(\\.0*)?");
        }
        return false;
    }
}
