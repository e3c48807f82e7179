package io.guimo.console;

import static org.assertj.core.api.Assertions.assertThat;

import io.guimo.serve.http.HttpServer;
import io.guimo.serve.http.RateLimits;
import io.guimo.serve.http.RouteTable;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The page as a browser fetches it, from a running server. */
class ConsolePagesTest {
    private static final Pattern ASSET = Pattern.compile("(?:href|src)=\"(/console/[^\"]+)\"");
    private static final Pattern IMPORT = Pattern.compile("(?:from|import)\\s*\\(?\\s*[\"']([^\"']+)[\"']");

    private static HttpServer server;
    private static URI address;
    private static HttpClient client;

    @BeforeAll
    static void start() {
        server = HttpServer.start(
                new HttpServer.Options("127.0.0.1", 0, 100, 10, 1 << 20, Duration.ofSeconds(10), Duration.ofSeconds(1)),
                new RouteTable(ConsolePages.load().routes()),
                _ -> Optional.empty(),
                new RateLimits(1_000, 1_000, System::nanoTime),
                new SimpleMeterRegistry());
        address = URI.create("http://127.0.0.1:" + server.port());
        client = HttpClient.newHttpClient();
    }

    @AfterAll
    static void stop() {
        client.close();
        server.close();
    }

    @Test
    void page_fetched_runsNothingButItsOwnFiles() throws Exception {
        HttpResponse<String> page = get("/");

        assertThat(page.statusCode()).isEqualTo(200);
        assertThat(page.headers().firstValue("content-security-policy")).hasValueSatisfying(policy -> assertThat(policy)
                .contains("default-src 'none'", "script-src 'self'", "style-src 'self'")
                .doesNotContain("unsafe", "data:", "*"));
        assertThat(page.body())
                .doesNotContainPattern("<script(?![^>]* src=)")
                .doesNotContain("<style", " style=", " on");
        assertThat(page.body()).doesNotContain("{assets}", "{modules}");
    }

    @Test
    void modules_followedFromThePage_areAllServed() throws Exception {
        Deque<String> waiting = new ArrayDeque<>(
                ASSET.matcher(get("/").body()).results().map(m -> m.group(1)).toList());
        Set<String> seen = new HashSet<>();
        while (!waiting.isEmpty()) {
            String path = waiting.pop();
            if (!seen.add(path)) continue;
            HttpResponse<String> file = get(path);
            assertThat(file.statusCode()).as(path).isEqualTo(200);
            if (!path.endsWith(".js")) continue;
            assertThat(file.headers().firstValue("content-type")).as(path).hasValue("text/javascript; charset=utf-8");
            for (String imported : imports(file.body())) {
                assertThat(imported)
                        .as("import of " + path + ": a bare name needs an import map")
                        .startsWith("./");
                waiting.add(URI.create(path).resolve(imported).toString());
            }
        }

        assertThat(seen).anyMatch(path -> path.endsWith("/echarts.js")).anyMatch(path -> path.endsWith("/hooks.js"));
    }

    @Test
    void file_ofThisRelease_keptForEver_ofAnother_notKept() throws Exception {
        String app = scriptPath();

        assertThat(get(app).headers().firstValue("cache-control")).hasValue("public, max-age=31536000, immutable");
        HttpResponse<String> old = get("/console/0123456789abcdef/app.js");
        assertThat(old.statusCode()).isEqualTo(200);
        assertThat(old.headers().firstValue("cache-control")).hasValue("no-store");
        assertThat(get("/").headers().firstValue("cache-control")).hasValue("no-cache");
    }

    @Test
    void file_gzipAccepted_isTheSameContent() throws Exception {
        String app = scriptPath();
        HttpResponse<byte[]> packed = client.send(
                HttpRequest.newBuilder(address.resolve(app))
                        .header("accept-encoding", "gzip, deflate, br")
                        .build(),
                HttpResponse.BodyHandlers.ofByteArray());

        assertThat(packed.headers().firstValue("content-encoding")).hasValue("gzip");
        assertThat(packed.headers().firstValue("vary")).hasValue("accept-encoding");
        try (GZIPInputStream in = new GZIPInputStream(new ByteArrayInputStream(packed.body()))) {
            assertThat(new String(in.readAllBytes(), StandardCharsets.UTF_8)).isEqualTo(get(app).body());
        }
    }

    @ParameterizedTest
    @CsvSource({
        "'gzip, br', true",
        "'br;q=1, GZIP;q=0.5', true",
        "'gzip;q=0', false",
        "'gzip ; q=0.000', false",
        "'br', false",
        "'', false"
    })
    void acceptsGzip_byHeader(String header, boolean accepted) {
        assertThat(ConsolePages.acceptsGzip(header)).isEqualTo(accepted);
    }

    @ParameterizedTest
    @CsvSource({"nothing.js", "..%2Findex.html", "..%2F..%2FConsolePages.class", "index.html"})
    void file_thatIsNoneOfThePage_notFound(String name) throws Exception {
        assertThat(get("/console/x/" + name).statusCode()).isEqualTo(404);
    }

    private static String scriptPath() throws Exception {
        return ASSET.matcher(get("/").body())
                .results()
                .map(m -> m.group(1))
                .filter(path -> path.endsWith("/app.js"))
                .findFirst()
                .orElseThrow();
    }

    /** Names that a module imports; strings of libraries that merely look like one hold no slash or a space. */
    private static List<String> imports(String module) {
        return IMPORT.matcher(module)
                .results()
                .map((MatchResult m) -> m.group(1))
                .filter(name -> !name.contains(" "))
                .toList();
    }

    private static HttpResponse<String> get(String path) throws IOException, InterruptedException {
        return client.send(HttpRequest.newBuilder(address.resolve(path)).build(), HttpResponse.BodyHandlers.ofString());
    }
}
