package io.guimo.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The whole program as a user runs it: from pictures in folders to a final invoice, killed and repeated. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class SpineTest {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final int CLIENTS = 32;
    private static final long PATIENCE_SECONDS = 300;

    @TempDir
    static Path folder;

    private static Path home() {
        return folder.resolve("home");
    }

    private static GuimoProcess up(String log, Path report, String... more) throws Exception {
        Path business = folder.resolve("small.yaml");
        if (!Files.exists(business)) SmallBusiness.write(folder);
        Files.deleteIfExists(report);
        List<String> arguments = new ArrayList<>(List.of(
                "up", business.toString(), "--home", home().toString(), "--port", "0", "--report", report.toString()));
        arguments.addAll(List.of(more));
        return GuimoProcess.start(folder.resolve(log), arguments.toArray(String[]::new));
    }

    @Test
    @Order(1)
    void up_killedInEveryPartOfItsWay_goesOnAndNothingIsDoneTwice() throws Exception {
        // Kills while the database starts, while training, and while the demonstration may run; then to the end.
        for (String part : List.of("Plan:", "shapes: train", "✓ shapes: train", "✓ serve")) {
            try (GuimoProcess process = up("killed.log", folder.resolve("r.json"), "--once")) {
                while (process.isAlive() && !process.output().contains(part)) Thread.sleep(20);
                process.killGroup();
            }
            Files.deleteIfExists(folder.resolve("killed.log"));
        }
        Path report = folder.resolve("report.json");
        try (GuimoProcess process = up("up.log", report, "--once")) {
            assertThat(process.exitCode(PATIENCE_SECONDS)).as(process.output()).isZero();
        }
        JsonNode done = JSON.readTree(Files.readString(report));
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(report)))
                .isEqualTo("rw-------");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(home().resolve("owner.key"))))
                .isEqualTo("rw-------");
        JsonNode model = done.path("models").get(0);
        assertThat(model.path("gate").asString()).isEqualTo("passed");
        assertThat(model.path("metrics").path("accuracy").asDouble()).isGreaterThan(.6);
        assertThat(model.path("baseline").path("name").asString()).isEqualTo("logistic regression");
        // 12 requests of 24 pictures, whatever was killed: 100 at 0.002 and 188 at 0.001.
        JsonNode usage = done.path("usage").get(0);
        assertThat(usage.path("quantity").asLong()).isEqualTo(288);
        assertThat(usage.path("amount").asString()).isEqualTo("0.388");
        JsonNode invoice = done.path("invoice");
        assertThat(invoice.path("status").asString()).isEqualTo("final");
        assertThat(invoice.path("total").asString()).isEqualTo("0.39");
        assertThat(Files.readAllBytes(Path.of(invoice.path("pdf").asString())))
                .startsWith("%PDF".getBytes(java.nio.charset.StandardCharsets.US_ASCII));
        assertThat(done.path("ledger").path("sumByCurrency").path("CNY").asString())
                .isEqualTo("0");
        assertThat(done.path("ledger").path("reservationsOpen").asLong()).isZero();
        assertThat(done.path("receipts")
                        .get(0)
                        .path("lines")
                        .get(0)
                        .path("steps")
                        .size())
                .isEqualTo(2);
    }

    @Test
    @Order(2)
    void up_again_reusesEverythingAndIssuesANewKey() throws Exception {
        JsonNode before = JSON.readTree(Files.readString(folder.resolve("report.json")));
        Path report = folder.resolve("again.json");
        try (GuimoProcess process = up("again.log", report)) {
            JsonNode again = process.report(report);
            assertThat(process.output()).contains("done before");
            assertThat(again.path("invoice").path("number"))
                    .isEqualTo(before.path("invoice").path("number"));
            assertThat(again.path("usage")).isEqualTo(before.path("usage"));
            assertThat(status(again, again.path("customerKey").asString())).isEqualTo(200);
            assertThat(status(again, before.path("customerKey").asString())).isEqualTo(401);
            try (GuimoProcess second = up("second.log", folder.resolve("second.json"))) {
                assertThat(second.exitCode(60)).isEqualTo(1);
                assertThat(second.output()).contains("guimo: ").doesNotContain("\tat ");
            }
            assertThat(process.interrupt(60)).as(process.output()).isIn(0, 143);
            assertThat(process.output()).contains("Stopping");
        }
    }

    @Test
    @Order(3)
    void up_portTaken_saysSoAndLosesNothing() throws Exception {
        try (var taken = new java.net.ServerSocket(0, 1, java.net.InetAddress.getLoopbackAddress());
                GuimoProcess process = GuimoProcess.start(
                        folder.resolve("port.log"),
                        "up",
                        folder.resolve("small.yaml").toString(),
                        "--home",
                        home().toString(),
                        "--port",
                        Integer.toString(taken.getLocalPort()),
                        "--once")) {
            assertThat(process.exitCode(PATIENCE_SECONDS)).isEqualTo(1);
            assertThat(process.output())
                    .contains("port " + taken.getLocalPort())
                    .contains("--port")
                    .doesNotContain("\tat ");
        }
    }

    @Test
    @Order(4)
    void kill_underLoad_threeTimes_noAcknowledgedRequestIsLostOrBilledTwice() throws Exception {
        killUnderLoad(3);
    }

    @Test
    @Order(5)
    @Tag("long")
    void kill_underLoad_twentyTimes_noAcknowledgedRequestIsLostOrBilledTwice() throws Exception {
        killUnderLoad(20);
    }

    private static void killUnderLoad(int kills) throws Exception {
        Set<String> acknowledged = ConcurrentHashMap.newKeySet();
        String body = JSON.writeValueAsString(
                Map.of("images", List.of(Base64.getEncoder().encodeToString(SmallBusiness.png("square", 1)))));
        for (int kill = 0; kill < kills; kill++) {
            Path report = folder.resolve("load.json");
            try (GuimoProcess process = up("load.log", report)) {
                JsonNode ready = process.report(report);
                if (kill == 0) grant(ready);
                int wanted = acknowledged.size() + 150;
                List<Thread> clients = load(ready, body, acknowledged, process);
                while (acknowledged.size() < wanted && process.isAlive()) Thread.sleep(5);
                assertThat(process.isAlive()).as(process.output()).isTrue();
                process.killGroup();
                for (Thread client : clients) client.join();
            }
        }
        Path report = folder.resolve("after.json");
        try (GuimoProcess process = up("after.log", report)) {
            JsonNode after = process.report(report);
            Map<String, Integer> billed = billed(after);
            assertThat(billed.keySet()).containsAll(acknowledged);
            assertThat(billed.values()).allMatch(times -> times == 1);
            assertThat(after.path("ledger").path("sumByCurrency").path("CNY").asString())
                    .isEqualTo("0");
            JsonNode ledger = owner(after, "GET", "/ledger/verify", null);
            assertThat(ledger.path("open_reservations").asLong())
                    .as(ledger.toString())
                    .isZero();
            assertThat(ledger.path("problems")).isEmpty();
        }
    }

    private static List<Thread> load(JsonNode ready, String body, Set<String> acknowledged, GuimoProcess process) {
        AtomicBoolean reported = new AtomicBoolean();
        List<Thread> clients = new ArrayList<>();
        HttpClient http =
                HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
        for (int i = 0; i < CLIENTS; i++) {
            clients.add(Thread.ofVirtual().start(() -> {
                HttpRequest request = HttpRequest.newBuilder(
                                URI.create(ready.path("baseUrl").asString() + "/v1/predict/shapes"))
                        .header(
                                "authorization",
                                "Bearer " + ready.path("customerKey").asString())
                        .header("content-type", "application/json")
                        .POST(HttpRequest.BodyPublishers.ofString(body))
                        .build();
                while (process.isAlive()) {
                    try {
                        HttpResponse<String> response = http.send(request, HttpResponse.BodyHandlers.ofString());
                        if (response.statusCode() == 200) {
                            acknowledged.add(response.headers()
                                    .firstValue("x-request-id")
                                    .orElseThrow());
                        } else if (reported.compareAndSet(false, true)) {
                            System.out.println("answered " + response.statusCode() + ": " + response.body());
                        }
                    } catch (java.io.IOException e) {
                        // The server was killed: what was not answered is not acknowledged.
                        return;
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                        return;
                    }
                }
            }));
        }
        return clients;
    }

    private static void grant(JsonNode ready) throws Exception {
        for (JsonNode organization : owner(ready, "GET", "/organizations", null).path("data")) {
            if (organization.path("operator").asBoolean()) continue;
            owner(
                    ready,
                    "POST",
                    "/organizations/" + organization.path("id").asString() + "/credits",
                    "{\"amount\": 1000}");
        }
    }

    private static Map<String, Integer> billed(JsonNode ready) throws Exception {
        Map<String, Integer> billed = new TreeMap<>();
        String after = "";
        while (true) {
            JsonNode page = owner(ready, "GET", "/usage?limit=100" + (after.isEmpty() ? "" : "&after=" + after), null);
            for (JsonNode event : page.path("data"))
                billed.merge(event.path("request_id").asString(), 1, Integer::sum);
            if (!page.path("has_more").asBoolean()) return billed;
            after = page.path("next_cursor").asString();
        }
    }

    private static JsonNode owner(
            JsonNode ready, String method, String path, @org.jspecify.annotations.Nullable String body)
            throws Exception {
        try (HttpClient http = HttpClient.newHttpClient()) {
            HttpResponse<String> response = http.send(
                    HttpRequest.newBuilder(URI.create(ready.path("baseUrl").asString() + "/admin/v1" + path))
                            .header(
                                    "authorization",
                                    "Bearer " + ready.path("ownerKey").asString())
                            .header("content-type", "application/json")
                            .header("idempotency-key", "spine " + path + System.nanoTime())
                            .method(
                                    method,
                                    body == null
                                            ? HttpRequest.BodyPublishers.noBody()
                                            : HttpRequest.BodyPublishers.ofString(body))
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
            assertThat(response.statusCode()).as(response.body()).isLessThan(300);
            return JSON.readTree(response.body());
        }
    }

    private static int status(JsonNode ready, String key) throws Exception {
        try (HttpClient http = HttpClient.newHttpClient()) {
            return http.send(
                            HttpRequest.newBuilder(
                                            URI.create(ready.path("baseUrl").asString() + "/v1/models"))
                                    .header("authorization", "Bearer " + key)
                                    .build(),
                            HttpResponse.BodyHandlers.discarding())
                    .statusCode();
        }
    }
}
