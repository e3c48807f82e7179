package io.guimo.serve.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.guimo.commerce.account.Caller;
import io.guimo.commerce.account.Role;
import io.guimo.units.KeyId;
import io.guimo.units.OrganizationId;
import io.guimo.units.ProjectId;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** The shell alone: no model, no money. */
class HttpServerTest {
    private static final Caller CUSTOMER =
            new Caller(KeyId.next(), OrganizationId.next(), ProjectId.next(), Role.CUSTOMER);
    private static final Caller OWNER = new Caller(KeyId.next(), OrganizationId.next(), ProjectId.next(), Role.OWNER);
    private static final int LIMIT = 100_000;
    private final CountDownLatch slowArrived = new CountDownLatch(1);
    private final CountDownLatch fourSlowArrived = new CountDownLatch(4);
    private final CountDownLatch slowMayEnd = new CountDownLatch(1);
    private final HttpClient client =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private @Nullable HttpServer running;

    @BeforeEach
    void start() {
        Route.About about = Route.About.of("echo", "Test", "Gives the text back")
                .request(Said.class)
                .answer(Said.class);
        List<Route> routes = List.of(
                Route.get(
                        "/health",
                        Access.PUBLIC,
                        Route.About.of("health", "Test", "Up"),
                        e -> Content.json(Map.of("up", true))),
                Route.post("/v1/echo", Access.KEY, LIMIT, about, e -> Content.json(e.json(Said.class))),
                Route.post(
                        "/open",
                        Access.PUBLIC,
                        LIMIT,
                        Route.About.of("open", "Test", "Reads nothing"),
                        e -> Content.json(Map.of())),
                Route.get(
                        "/v1/things/{id}",
                        Access.KEY,
                        Route.About.of("thing", "Test", "One"),
                        e -> Content.json(Map.of("id", e.variable("id"), "limit", e.query("limit", 1, 10, 5)))),
                Route.get(
                        "/admin/v1/all",
                        Access.OWNER,
                        Route.About.of("all", "Test", "All"),
                        e -> Content.json(Map.of())),
                Route.get("/broken", Access.PUBLIC, Route.About.of("broken", "Test", "Fails"), e -> {
                    throw new IllegalStateException("as planned");
                }),
                Route.get("/v1/slow", Access.KEY, Route.About.of("slow", "Test", "Waits"), e -> {
                    slowArrived.countDown();
                    fourSlowArrived.countDown();
                    assertThat(slowMayEnd.await(20, TimeUnit.SECONDS)).isTrue();
                    return Content.json(Map.of("slow", true));
                }),
                Route.get(
                        "/v1/stream",
                        Access.KEY,
                        Route.About.of("stream", "Test", "Streams"),
                        e -> new EventStream(
                                sink -> {
                                    for (int i = 0; i < 3; i++)
                                        sink.send(("data: " + i + "\n\n").getBytes(StandardCharsets.UTF_8));
                                },
                                Map.of())));
        running = HttpServer.start(
                new HttpServer.Options("127.0.0.1", 0, 100, 4, 1 << 20, Duration.ofSeconds(1), Duration.ofSeconds(10)),
                new RouteTable(routes),
                secret -> switch (secret) {
                    case "customer" -> Optional.of(CUSTOMER);
                    case "owner" -> Optional.of(OWNER);
                    default -> Optional.empty();
                },
                new RateLimits(1000, 1000, System::nanoTime),
                new SimpleMeterRegistry());
    }

    @AfterEach
    void stop() {
        slowMayEnd.countDown();
        server().close();
    }

    record Said(String text, @Nullable Integer times) {}

    @Test
    void echo_withAndWithoutVersion_same() throws Exception {
        for (String path : List.of("/v1/echo", "/echo")) {
            HttpResponse<String> answer = post(path, "customer", "{\"text\": \"商店\"}");
            assertThat(answer.statusCode()).isEqualTo(200);
            assertThat(answer.body()).isEqualTo("{\"text\":\"商店\",\"times\":null}");
            assertThat(answer.headers().firstValue("x-request-id").orElseThrow())
                    .startsWith("req_");
            assertThat(answer.headers().firstValue("x-ratelimit-limit-requests"))
                    .contains("1000");
            assertThat(answer.headers().firstValue("x-ratelimit-remaining-tokens"))
                    .contains("1000");
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            {"text": "a"             | 400 | invalid_json
            not json                 | 400 | invalid_json
            []                       | 400 | invalid_type
            null                     | 400 | invalid_json
            "text"                   | 400 | invalid_type
            {"text": 5}              | 400 | invalid_type
            {"text": true}           | 400 | invalid_type
            {"text": ["a"]}          | 400 | invalid_type
            {"text": {"a": 1}}       | 400 | invalid_type
            {"text": "a","times":"5"}| 400 | invalid_type
            {"text": "a","times":1.5}| 400 | invalid_type
            {"text": "a","times":NaN}| 400 | invalid_json
            {"text": "a","times":1e999999999999999999999999999999999999999999}| 400 | invalid_json
            {"text": "a","times":99999999999}| 400 | invalid_type
            {"text": null}           | 400 | missing_required_parameter
            {}                       | 400 | missing_required_parameter
            {"tekst": "a"}           | 400 | unknown_parameter
            {"text": "a", "text": "b"}| 400 | invalid_json
            {"text": "a"} {}         | 400 | invalid_json
            """)
    void echo_badJson_refusedInShape(String body, int status, String code) throws Exception {
        HttpResponse<String> answer = post("/v1/echo", "customer", body);
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
        assertError(answer.body(), code);
        assertThat(answer.headers().firstValue("x-request-id")).isPresent();
        assertThat(answer.body()).doesNotContain("io.guimo").doesNotContain("jackson");
    }

    @Test
    void echo_emptyBody_refused() throws Exception {
        assertError(post("/v1/echo", "customer", "").body(), "invalid_json");
    }

    @Test
    void echo_deepJson_refused() throws Exception {
        String deep = "[".repeat(40_000) + "]".repeat(40_000);
        HttpResponse<String> answer = post("/v1/echo", "customer", "{\"text\": " + deep + "}");
        assertThat(answer.statusCode()).isEqualTo(400);
    }

    @Test
    void echo_invalidUtf8_refused() throws Exception {
        HttpResponse<String> answer = client.send(
                request("/v1/echo", "customer")
                        .POST(HttpRequest.BodyPublishers.ofByteArray(new byte[] {'{', '"', (byte) 0xff, '"', '}'}))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(400);
    }

    @ParameterizedTest
    @CsvSource({
        "GET, /v1/echo, customer, 405, method_not_allowed",
        "PUT, /health, customer, 405, method_not_allowed",
        "DELETE, /v1/things/5, customer, 405, method_not_allowed",
        "GET, /nothing, customer, 404, unknown_url",
        "GET, /, customer, 404, unknown_url",
        "GET, //, customer, 404, unknown_url",
        "GET, /v1/things, customer, 404, unknown_url",
        "GET, /v1/things/a/b, customer, 404, unknown_url",
        "GET, /v1/things/%ff%zz, customer, 400, ",
        "GET, /v1/things/5?limit=no, customer, 400, invalid_value",
        "GET, /v1/things/5?limit=11, customer, 400, invalid_value",
        "GET, /v1/things/5?limit=%zz, customer, 400, ",
        "GET, /v1/things/5, wrong, 401, invalid_api_key",
        "GET, /admin/v1/all, customer, 403, permission_denied",
        "GET, /broken, customer, 500, internal_error",
    })
    void refusal_each_hasShapeAndStatus(String method, String path, String key, int status, @Nullable String code)
            throws Exception {
        String answer = raw(method + " " + path + " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + key
                + "\r\nConnection: close\r\n\r\n");
        assertThat(answer).startsWith("HTTP/1.1 " + status);
        assertThat(answer).containsIgnoringCase("x-request-id: req_");
        String body = answer.substring(answer.indexOf("\r\n\r\n") + 4);
        assertThat(body)
                .contains("\"message\":")
                .contains("\"type\":")
                .contains("\"param\":")
                .contains("\"code\":");
        if (code != null) assertError(body, code);
        if (status == 405) assertThat(answer).containsIgnoringCase("allow: ");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            GET /health HTTP/1.0
            GET /health
            GARBAGE
            GET /health HTTP/1.1\\r\\nHost: a\\r\\nHost: b
            GET /health HTTP/1.1\\r\\nNoColon
            GET /health HTTP/1.1\\r\\nHost: x\\r\\nUpgrade: h2c\\r\\nConnection: upgrade
            POST /open HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: -5
            POST /open HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: abc
            POST /open HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 5\\r\\nTransfer-Encoding: chunked
            POST /open HTTP/1.1\\r\\nHost: x\\r\\nContent-Encoding: gzip\\r\\nContent-Length: 0
            """)
    void malformedHttp_each_neverServerError(String head) throws Exception {
        String answer = raw(head.replace("\\r\\n", "\r\n") + "\r\n\r\n");
        assertThat(answer).doesNotStartWith("HTTP/1.1 5");
        if (answer.startsWith("HTTP/1.1 4")) assertThat(answer).contains("\"error\":{");
    }

    @Test
    void body_otherMediaType_refused() throws Exception {
        HttpResponse<String> answer = client.send(
                HttpRequest.newBuilder(uri("/v1/echo"))
                        .header("authorization", "Bearer customer")
                        .header("content-type", "text/plain")
                        .POST(HttpRequest.BodyPublishers.ofString("{}"))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
        assertThat(answer.statusCode()).isEqualTo(415);
        assertError(answer.body(), "unsupported_media_type");
    }

    @ParameterizedTest
    @EnumSource(HttpClient.Version.class)
    void body_overLimit_refusedWithAnswer(HttpClient.Version version) throws Exception {
        if (version != HttpClient.Version.HTTP_1_1 && version != HttpClient.Version.HTTP_2) return;
        for (int size : new int[] {LIMIT + 1, LIMIT + 5, 20_000_000}) {
            for (boolean chunked : new boolean[] {false, true}) {
                try (HttpClient own = HttpClient.newBuilder().version(version).build()) {
                    byte[] large = new byte[size];
                    HttpRequest.BodyPublisher body = chunked
                            ? HttpRequest.BodyPublishers.ofInputStream(() -> new java.io.ByteArrayInputStream(large))
                            : HttpRequest.BodyPublishers.ofByteArray(large);
                    HttpResponse<String> answer = own.send(
                            request("/v1/echo", "customer").POST(body).build(), HttpResponse.BodyHandlers.ofString());
                    assertThat(answer.statusCode())
                            .as(size + " " + chunked + " " + version)
                            .isEqualTo(413);
                    assertError(answer.body(), "request_too_large");
                }
            }
        }
    }

    @Test
    void body_wrongKeyAndLargeBody_refusedUnread() throws Exception {
        HttpResponse<String> answer = client.send(
                request("/v1/echo", "wrong")
                        .POST(HttpRequest.BodyPublishers.ofByteArray(new byte[LIMIT]))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
        assertThat(answer.statusCode()).isEqualTo(401);
        assertThat(post("/v1/echo", "customer", "{\"text\": \"next\"}").statusCode())
                .isEqualTo(200);
    }

    @Test
    void http2_upgradeWithBody_answered() throws Exception {
        String body = "{\"text\": \"a\"}";
        String answer = raw("POST /v1/echo HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer customer\r\n"
                + "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAAAAAMAAABkAAQBAAAAAAUAAEAA\r\n"
                + "Content-Type: application/json\r\nContent-Length: " + body.length() + "\r\n\r\n" + body);
        assertThat(answer).startsWith("HTTP/1.1 200").endsWith("{\"text\":\"a\",\"times\":null}");
    }

    @Test
    void http2_client_upgradesAndAnswers() throws Exception {
        try (HttpClient http2 =
                HttpClient.newBuilder().version(HttpClient.Version.HTTP_2).build()) {
            HttpResponse<String> first = http2.send(
                    request("/v1/things/%E5%95%86?limit=7", "customer").GET().build(),
                    HttpResponse.BodyHandlers.ofString());
            assertThat(first.body()).contains("\"limit\":7").contains("商");
            HttpResponse<String> second =
                    http2.send(request("/health", "").GET().build(), HttpResponse.BodyHandlers.ofString());
            assertThat(second.version()).isEqualTo(HttpClient.Version.HTTP_2);
            HttpResponse<String> third = http2.send(
                    request("/v1/echo", "customer")
                            .POST(HttpRequest.BodyPublishers.ofString("{\"text\": \"b\"}"))
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
            assertThat(third.version()).isEqualTo(HttpClient.Version.HTTP_2);
            assertThat(third.body()).contains("\"b\"");
            HttpResponse<String> stream =
                    http2.send(request("/v1/stream", "customer").GET().build(), HttpResponse.BodyHandlers.ofString());
            assertThat(stream.body()).isEqualTo("data: 0\n\ndata: 1\n\ndata: 2\n\n");
        }
    }

    @Test
    void stream_http1_arrivesWhole() throws Exception {
        HttpResponse<String> stream =
                client.send(request("/v1/stream", "customer").GET().build(), HttpResponse.BodyHandlers.ofString());
        assertThat(stream.body()).isEqualTo("data: 0\n\ndata: 1\n\ndata: 2\n\n");
        assertThat(stream.headers().firstValue("content-type").orElseThrow()).startsWith("text/event-stream");
    }

    @Test
    void close_requestUnderWay_isAnsweredAndNewOnesRefused() throws Exception {
        var slow =
                client.sendAsync(request("/v1/slow", "customer").GET().build(), HttpResponse.BodyHandlers.ofString());
        assertThat(slowArrived.await(10, TimeUnit.SECONDS)).isTrue();
        Thread closing = Thread.ofVirtual().start(() -> server().close());
        while (server().isTaking()) Thread.onSpinWait();
        assertThat(post("/v1/echo", "customer", "{\"text\": \"late\"}").statusCode())
                .isEqualTo(503);
        slowMayEnd.countDown();
        assertThat(slow.get(10, TimeUnit.SECONDS).statusCode()).isEqualTo(200);
        closing.join();
    }

    @Test
    void places_allTaken_refusedWithRetryAfter() throws Exception {
        List<CompletableFuture<HttpResponse<String>>> underWay = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            underWay.add(client.sendAsync(
                    request("/v1/slow", "customer").GET().build(), HttpResponse.BodyHandlers.ofString()));
        }
        assertThat(fourSlowArrived.await(10, TimeUnit.SECONDS)).isTrue();
        HttpResponse<String> refused = post("/v1/echo", "customer", "{\"text\": \"a\"}");
        assertThat(refused.statusCode()).isEqualTo(503);
        assertThat(refused.headers().firstValue("retry-after")).contains("1");
        assertThat(refused.headers().firstValue("x-should-retry")).contains("true");
        assertThat(underWay).noneMatch(CompletableFuture::isDone);
        assertThat(client.send(request("/health", "").GET().build(), HttpResponse.BodyHandlers.ofString())
                        .statusCode())
                .isEqualTo(200);
    }

    @Test
    void headers_neverComplete_connectionEnds() throws Exception {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server().port())) {
            socket.setSoTimeout(20_000);
            socket.getOutputStream()
                    .write("GET /health HTTP/1.1\r\nHost: x\r\nX-Slow: ".getBytes(StandardCharsets.US_ASCII));
            assertThat(socket.getInputStream().read()).isEqualTo(-1);
        }
    }

    private HttpServer server() {
        HttpServer server = running;
        if (server == null) throw new IllegalStateException("not started");
        return server;
    }

    private URI uri(String path) {
        return URI.create("http://127.0.0.1:" + server().port() + path);
    }

    private HttpRequest.Builder request(String path, String key) {
        return HttpRequest.newBuilder(uri(path))
                .timeout(Duration.ofSeconds(30))
                .header("authorization", "Bearer " + key)
                .header("content-type", "application/json");
    }

    private HttpResponse<String> post(String path, String key, String body) throws Exception {
        return client.send(
                request(path, key)
                        .POST(HttpRequest.BodyPublishers.ofString(body))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }

    /** Sends bytes as they are and reads until the server closes, or nothing more comes for a second. */
    private String raw(String request) throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server().port())) {
            socket.setSoTimeout(300);
            OutputStream out = socket.getOutputStream();
            out.write(request.getBytes(StandardCharsets.UTF_8));
            out.flush();
            ByteArrayOutputStream answer = new ByteArrayOutputStream();
            InputStream in = socket.getInputStream();
            try {
                in.transferTo(answer);
            } catch (IOException e) {
                // the server keeps the connection: what came is the answer
                return answer.toString(StandardCharsets.UTF_8);
            }
            return answer.toString(StandardCharsets.UTF_8);
        }
    }

    private static void assertError(String body, String code) {
        ErrorAnswers.ErrorBody error =
                Json.readOwn(body.getBytes(StandardCharsets.UTF_8), ErrorAnswers.ErrorBody.class);
        assertThat(error.error().code()).as(body).isEqualTo(code);
        assertThat(error.error().message()).isNotBlank();
        assertThat(body).contains("\"param\":");
    }
}
