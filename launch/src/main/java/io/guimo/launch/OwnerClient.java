package io.guimo.launch;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.ConnectException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.time.Duration;
import java.util.Map;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Speaks the owner's API of the server that runs on a home folder: its address stands in {@code server.json}, the key in {@code owner.key}. */
final class OwnerClient implements AutoCloseable {
    static final JsonMapper JSON = JsonMapper.builder().build();

    private final HttpClient http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(5))
            .build();
    private final String baseUrl;
    private final String key;

    OwnerClient(String baseUrl, String key) {
        this.baseUrl = baseUrl;
        this.key = key;
    }

    static OwnerClient of(Home home) throws IOException {
        if (!Files.exists(home.server()) || !Files.exists(home.ownerKey())) throw notRunning(home);
        String baseUrl =
                JSON.readTree(Files.readString(home.server())).path("baseUrl").asString();
        return new OwnerClient(baseUrl, Files.readString(home.ownerKey()).strip());
    }

    JsonNode get(String path, Map<String, String> query) throws IOException, InterruptedException {
        return JSON.readTree(send(request(path + queryString(query)).GET()));
    }

    /** What {@link #get} gives, or null where there is no such thing (yet). */
    @Nullable
    JsonNode find(String path) throws IOException, InterruptedException {
        HttpResponse<byte[]> response = exchange(request(path).GET(), HttpResponse.BodyHandlers.ofByteArray());
        if (response.statusCode() == 404) return null;
        return JSON.readTree(accepted(response));
    }

    byte[] getBytes(String path) throws IOException, InterruptedException {
        return send(request(path).GET());
    }

    /** Posts under a fresh idempotency key: the command runs once, whatever the network repeats. */
    JsonNode post(String path, Object body) throws IOException, InterruptedException {
        return post(path, body, UUID.randomUUID().toString());
    }

    JsonNode post(String path, Object body, String idempotencyKey) throws IOException, InterruptedException {
        return JSON.readTree(send(request(path)
                .header("content-type", "application/json")
                .header("idempotency-key", idempotencyKey)
                .POST(HttpRequest.BodyPublishers.ofByteArray(JSON.writeValueAsBytes(body)))));
    }

    JsonNode delete(String path) throws IOException, InterruptedException {
        return JSON.readTree(send(request(path).DELETE()));
    }

    /**
     * Posts to the customers' API and reads the answer's server-sent events.
     *
     * @param path with its {@code /v1}
     * @param customerKey who asks and pays
     * @param chunk takes the JSON of each event
     * @return the request's id
     */
    String stream(String path, Object body, String customerKey, Consumer<JsonNode> chunk)
            throws IOException, InterruptedException {
        HttpResponse<InputStream> response = exchange(
                HttpRequest.newBuilder(URI.create(baseUrl + path))
                        .header("authorization", "Bearer " + customerKey)
                        .header("content-type", "application/json")
                        .POST(HttpRequest.BodyPublishers.ofByteArray(JSON.writeValueAsBytes(body))),
                HttpResponse.BodyHandlers.ofInputStream());
        try (BufferedReader lines =
                new BufferedReader(new InputStreamReader(response.body(), StandardCharsets.UTF_8))) {
            if (response.statusCode() >= 400) {
                throw new CommandFailure("the server refused (" + response.statusCode() + "): "
                        + messageOf(
                                lines.lines().collect(Collectors.joining("\n")).getBytes(StandardCharsets.UTF_8)));
            }
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (!line.startsWith("data:")) continue; // comments keep the connection alive
                String data = line.substring("data:".length()).strip();
                if (data.equals("[DONE]")) {
                    return response.headers().firstValue("x-request-id").orElse("");
                }
                JsonNode event = JSON.readTree(data);
                if (event.has("error")) {
                    throw new CommandFailure("the server ended the answer: "
                            + event.path("error").path("message").asString());
                }
                chunk.accept(event);
            }
        }
        throw new CommandFailure("the answer broke off; repeat the message");
    }

    private HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(URI.create(baseUrl + "/admin/v1" + path))
                .timeout(Duration.ofSeconds(60))
                .header("authorization", "Bearer " + key);
    }

    private byte[] send(HttpRequest.Builder request) throws IOException, InterruptedException {
        return accepted(exchange(request, HttpResponse.BodyHandlers.ofByteArray()));
    }

    private <T> HttpResponse<T> exchange(HttpRequest.Builder request, HttpResponse.BodyHandler<T> content)
            throws IOException, InterruptedException {
        try {
            return http.send(request.build(), content);
        } catch (ConnectException e) {
            throw new CommandFailure(
                    "no server answers at " + baseUrl + ". Start it with ./guimo up, then repeat the command.", e);
        }
    }

    private static byte[] accepted(HttpResponse<byte[]> response) {
        if (response.statusCode() >= 400) {
            throw new CommandFailure(
                    "the server refused (" + response.statusCode() + "): " + messageOf(response.body()));
        }
        return response.body().length == 0 ? "{}".getBytes(StandardCharsets.UTF_8) : response.body();
    }

    private static String messageOf(byte[] body) {
        try {
            return JSON.readTree(body).path("error").path("message").asString();
        } catch (tools.jackson.core.JacksonException e) {
            return new String(body, StandardCharsets.UTF_8);
        }
    }

    private static CommandFailure notRunning(Home home) {
        return new CommandFailure("no server runs on " + home.folder()
                + ". Start it with ./guimo up (and the same --home), then repeat the command.");
    }

    private static String queryString(Map<String, String> query) {
        return query.isEmpty()
                ? ""
                : query.entrySet().stream()
                        .map(e -> e.getKey() + "=" + URLEncoder.encode(e.getValue(), StandardCharsets.UTF_8))
                        .collect(Collectors.joining("&", "?", ""));
    }

    @Override
    public void close() {
        http.close();
    }
}
