package io.guimo.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import io.guimo.data.CatalogueEntry;
import io.guimo.data.Place;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Against a server that describes repositories in the hub's form. */
class HuggingFaceHubTest {
    private static final String SHA = "a".repeat(64);

    private HttpServer server;

    @BeforeEach
    void open() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.start();
    }

    @AfterEach
    void close() {
        server.stop(0);
    }

    private void describes(String repository, int status, String json) {
        server.createContext("/api/models/" + repository, exchange -> {
            byte[] body = json.getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(status, body.length);
            try (OutputStream out = exchange.getResponseBody()) {
                out.write(body);
            }
        });
    }

    private CatalogueEntry entry(String repository, @Nullable String file) throws Exception {
        URI base = URI.create("http://127.0.0.1:" + server.getAddress().getPort());
        return new HuggingFaceHub(base).entry("mine", repository, file);
    }

    private static String gguf(String name) {
        return "{\"rfilename\":\"" + name + "\",\"size\":7,\"lfs\":{\"sha256\":\"" + SHA + "\",\"size\":7}}";
    }

    private static String model(String more, String... files) {
        return "{\"id\":\"o/m\",\"sha\":\"c0ffee\",\"gated\":false," + more
                + "\"siblings\":[{\"rfilename\":\"README.md\"}," + String.join(",", files) + "]}";
    }

    @Test
    void entry_severalQuantizations_theUsualOneAtThisCommitWithItsLicence() throws Exception {
        describes(
                "o/m",
                200,
                model("\"cardData\":{\"license\":\"apache-2.0\"},", gguf("m.Q8_0.gguf"), gguf("m.q4_k_m.gguf")));
        CatalogueEntry entry = entry("o/m", null);
        assertThat(entry.name()).isEqualTo("mine");
        assertThat(entry.licence()).isEqualTo("apache-2.0");
        assertThat(entry.file("model.gguf").bytes()).isEqualTo(7);
        assertThat(entry.file("model.gguf").fingerprint().sha256()).isEqualTo(SHA);
        assertThat(((Place.PublicAddress) entry.places().getFirst()).files())
                .hasEntrySatisfying("model.gguf", address -> assertThat(address.getPath())
                        .isEqualTo("/o/m/resolve/c0ffee/m.q4_k_m.gguf"));
        assertThat(entry("o/m", "m.Q8_0.gguf").title()).startsWith("m.Q8_0.gguf of o/m");
    }

    @Test
    void entry_cannotDecide_saysBetweenWhat() {
        describes(
                "o/m",
                200,
                model("", gguf("a.gguf"), gguf("b.gguf"), gguf("mmproj-a.gguf"), gguf("c-00001-of-00002.gguf")));
        assertThatThrownBy(() -> entry("o/m", null))
                .hasMessageContaining("--file: a.gguf, b.gguf")
                .hasMessageNotContaining("mmproj");
        assertThatThrownBy(() -> entry("o/m", "z.gguf")).hasMessageContaining("no file z.gguf");
    }

    @Test
    void entry_licenceOnlyInTags_taken() throws Exception {
        describes("o/m", 200, model("\"tags\":[\"gguf\",\"license:mit\"],", gguf("a.gguf")));
        assertThat(entry("o/m", null).licence()).isEqualTo("mit");
    }

    @Test
    void entry_gatedAbsentUncheckableOrBrokenAnswer_clearError() {
        describes("o/gated", 200, "{\"id\":\"o/gated\",\"gated\":\"manual\",\"siblings\":[]}");
        describes("o/none", 404, "{}");
        describes("o/busy", 503, "busy");
        describes("o/html", 200, "<html>");
        describes("o/plain", 200, model("", "{\"rfilename\":\"a.gguf\",\"size\":7}"));
        describes("o/safetensors", 200, model("", "{\"rfilename\":\"model.safetensors\"}"));
        assertThatThrownBy(() -> entry("o/gated", null)).hasMessageContaining("accepted its terms");
        assertThatThrownBy(() -> entry("o/none", null)).hasMessageContaining("no public repository o/none");
        assertThatThrownBy(() -> entry("o/busy", null)).hasMessageContaining("answered 503");
        assertThatThrownBy(() -> entry("o/html", null)).hasMessageContaining("did not describe");
        assertThatThrownBy(() -> entry("o/plain", null)).hasMessageContaining("no SHA-256");
        assertThatThrownBy(() -> entry("o/safetensors", null)).hasMessageContaining("no GGUF file");
        assertThatThrownBy(() -> entry("../etc", null)).hasMessageContaining("no repository of the form");
    }
}
