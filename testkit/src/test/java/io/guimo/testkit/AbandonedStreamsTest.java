package io.guimo.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * 200 clients open streams of the real model and leave them wherever they like, for two minutes ({@code -Dguimo.campaign.seconds=600} for ten): nothing
 * is leaked, and for each stream what was read is at most what was billed, which is at most what could be computed.
 */
@Tag("long")
class AbandonedStreamsTest {
    private static final Path FOLDER = Path.of("target/abandoned-streams-test").toAbsolutePath();
    private static final JsonMapper JSON = JsonMapper.shared();
    private static final int CLIENTS = 200;
    private static final long SEED = 20261125;
    private static final Duration CAMPAIGN = Duration.ofSeconds(Long.getLong("guimo.campaign.seconds", 120));

    /** @param asked most tokens of the answer */
    private record Stream(int read, int asked) {}

    private final Map<String, Stream> streams = new ConcurrentHashMap<>();
    private final AtomicInteger refused = new AtomicInteger();
    private JsonNode report = JSON.createObjectNode();

    @Test
    void streams_leftAnywhereByTwoHundredClients_nothingLeakedAndEachBilledBetweenReadAndComputed() throws Exception {
        Scratch.deleteTree(FOLDER);
        try (GuimoProcess guimo = GuimoProcess.up(FOLDER, ChatBusiness.write(FOLDER))) {
            report = guimo.report(FOLDER.resolve("report.json"));
            campaign(CAMPAIGN.dividedBy(4));
            awaitNothingUnderWay();
            long memory = guimo.residentMebibytes();
            long threads = guimo.threads();
            campaign(CAMPAIGN.multipliedBy(3).dividedBy(4));
            awaitNothingUnderWay();

            assertThat(streams.size()).as("streams, %d refused", refused.get()).isGreaterThan(CLIENTS);
            System.out.println(streams.size() + " streams, " + refused + " refused; server " + memory + " MiB and "
                    + threads + " threads, afterwards " + guimo.residentMebibytes() + " MiB and " + guimo.threads());
            assertThat(guimo.residentMebibytes()).isLessThan(memory + Math.max(150, memory / 4));
            assertThat(guimo.threads()).isLessThan(threads + 40);
            JsonNode ledger = JSON.readTree(get("/admin/v1/ledger/verify", key("ownerKey")));
            assertThat(ledger.path("right").asBoolean()).as(ledger.toString()).isTrue();
            assertThat(ledger.path("open_reservations").asLong(-1))
                    .as(ledger.toString())
                    .isZero();
            for (Map.Entry<String, Stream> stream : streams.entrySet()) {
                long billed = outputTokens(stream.getKey());
                assertThat(billed)
                        .as("output tokens of %s, of which %d were read", stream.getKey(), stream.getValue().read)
                        .isBetween((long) stream.getValue().read, (long) stream.getValue().asked);
            }
        }
    }

    private void campaign(Duration time) throws Exception {
        long end = System.nanoTime() + time.toNanos();
        try (ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<?>> all = new ArrayList<>();
            for (int client = 0; client < CLIENTS; client++) {
                SplittableRandom random = new SplittableRandom(SEED + client + streams.size());
                all.add(clients.submit(() -> {
                    while (System.nanoTime() < end) stream(random);
                    return null;
                }));
            }
            for (Future<?> each : all) each.get();
        }
    }

    private void stream(SplittableRandom random) throws IOException, InterruptedException {
        int asked = random.nextInt(1, 80);
        int leaveAfter = random.nextInt(4) == 0 ? Integer.MAX_VALUE : random.nextInt(30);
        HttpURLConnection connection =
                (HttpURLConnection) URI.create(report.path("baseUrl").asString() + "/v1/chat/completions")
                        .toURL()
                        .openConnection();
        connection.setRequestMethod("POST");
        connection.setDoOutput(true);
        connection.setReadTimeout(120_000);
        connection.setRequestProperty("authorization", "Bearer " + key("customerKey"));
        connection.setRequestProperty("content-type", "application/json");
        try {
            connection
                    .getOutputStream()
                    .write(JSON.writeValueAsBytes(Map.of(
                            "model",
                            ChatBusiness.CHAT,
                            "messages",
                            List.of(Map.of(
                                    "role", "user", "content", "Tell me of the number " + random.nextInt(20) + ".")),
                            "max_tokens",
                            asked,
                            "stream",
                            true)));
            int status = connection.getResponseCode();
            if (status != 200) {
                assertThat(status).isIn(429, 503);
                refused.incrementAndGet();
                Thread.sleep(random.nextInt(200, 1000));
                return;
            }
            String id = connection.getHeaderField("x-request-id");
            int read = 0;
            try (BufferedReader lines =
                    new BufferedReader(new InputStreamReader(connection.getInputStream(), StandardCharsets.UTF_8))) {
                for (String line = lines.readLine(); line != null && read < leaveAfter; line = lines.readLine()) {
                    if (line.contains("\"content\":\"") && !line.contains("\"content\":\"\"")) read++;
                    if (line.equals("data: [DONE]")) break;
                }
            }
            streams.put(id, new Stream(read, asked));
        } finally {
            connection.disconnect();
        }
    }

    private void awaitNothingUnderWay() throws Exception {
        long deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
        while (true) {
            String metrics = get("/metrics", key("ownerKey"));
            double running = metric(metrics, "guimo_engine_sequences_running");
            double waiting = metric(metrics, "guimo_engine_sequences_waiting");
            double used = metric(metrics, "guimo_engine_cache_tokens_used");
            double kept = metric(metrics, "guimo_engine_cache_tokens_kept");
            if (running == 0 && waiting == 0 && used <= kept) return;
            assertThat(System.nanoTime())
                    .as("running %s, waiting %s, cells used %s, kept %s", running, waiting, used, kept)
                    .isLessThan(deadline);
            Thread.sleep(500);
        }
    }

    private static double metric(String metrics, String name) {
        Matcher found = Pattern.compile("(?m)^" + name + "\\{[^}]*model=\"chat\"[^}]*} (\\S+)$")
                .matcher(metrics);
        assertThat(found.find()).as("%s in%n%s", name, metrics).isTrue();
        return Double.parseDouble(found.group(1));
    }

    private long outputTokens(String requestId) {
        try {
            for (JsonNode line : JSON.readTree(get("/v1/receipts/" + requestId, key("customerKey")))
                    .path("lines")) {
                if (line.path("meter").asString().equals("output_tokens"))
                    return line.path("quantity").asLong();
            }
            return 0;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private String key(String name) {
        return report.path(name).asString();
    }

    private String get(String path, String key) throws IOException {
        HttpURLConnection connection = (HttpURLConnection)
                URI.create(report.path("baseUrl").asString() + path).toURL().openConnection();
        connection.setRequestProperty("authorization", "Bearer " + key);
        try {
            int status = connection.getResponseCode();
            if (status == 404) return "{}"; // left before anything was delivered: nothing was billed
            assertThat(status).as(path).isEqualTo(200);
            return new String(connection.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        } finally {
            connection.disconnect();
        }
    }
}
