package io.guimo.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import io.guimo.data.CatalogueOptions;
import io.guimo.data.FetchProgress;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelsPullTest {
    /** A sound GGUF file that holds nothing: magic, version 3, no tensors, no metadata. */
    private static final byte[] EMPTY_GGUF = ByteBuffer.allocate(24)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putInt(0x46554747)
            .putInt(3)
            .array();

    private static final String BUSINESS = """
            business: b
            currency: CNY
            models:
              m: {task: generate-text, from: {catalog: MODEL}}
            plans:
              - {name: payg, prices: {m: {per: 1M tokens, input: 1, output: 2}}}
            costs: {machine: {perHour: 1}}
            """;

    @TempDir
    Path folder;

    private record Ended(int status, String out, String err) {}

    private Ended guimo(String... arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        String[] all = new String[arguments.length + 2];
        System.arraycopy(arguments, 0, all, 0, arguments.length);
        all[arguments.length] = "--home";
        all[arguments.length + 1] = folder.resolve("home").toString();
        int status = Main.commandLine(new PrintWriter(out, true), new PrintWriter(err, true))
                .execute(all);
        return new Ended(status, out.toString(), err.toString());
    }

    @Test
    void pull_fileOfThisMachine_isInTheHomesCatalogueWithItsLicence() throws IOException {
        Path file = folder.resolve("My Model-Q8_0.gguf");
        Files.write(file, EMPTY_GGUF);
        Ended pulled = guimo("models", "pull", file.toString(), "--licence", "MIT (somebody)");
        assertThat(pulled.status).as(pulled.err).isZero();
        assertThat(pulled.out).contains("my-model-q8-0", "MIT (somebody)", "from: {catalog: my-model-q8-0}");

        assertThat(guimo("data", "list").out).contains("my-model-q8-0", "MIT (somebody)");
        Home home = Home.at(folder.resolve("home"));
        Files.delete(file); // the cache has it
        var catalogue = new PulledModels(home).catalogue();
        var dataset = catalogue.get("my-model-q8-0", new CatalogueOptions(home.folder(), null, FetchProgress.NONE));
        assertThat(dataset.file("model.gguf")).hasBinaryContent(EMPTY_GGUF);
        assertThat(BusinessFile.parse("b.yaml", BUSINESS.replace("MODEL", "my-model-q8-0"), catalogue)
                        .models())
                .containsOnlyKeys("m");
    }

    @Test
    void pull_repositoryOfTheHub_fetchedVerifiedAndRemembered() throws Exception {
        String sha256 =
                HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(EMPTY_GGUF));
        HttpServer hub = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        hub.createContext("/api/models/org/tiny-GGUF", exchange -> {
            byte[] body = """
                    {"id": "org/tiny-GGUF", "sha": "abc", "gated": false, "cardData": {"license": "apache-2.0"},
                     "siblings": [{"rfilename": "tiny.gguf", "lfs": {"sha256": "%s", "size": 24}}]}
                    """.formatted(sha256).getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(200, body.length);
            try (OutputStream out = exchange.getResponseBody()) {
                out.write(body);
            }
        });
        hub.createContext("/org/tiny-GGUF/resolve/abc/tiny.gguf", exchange -> {
            exchange.sendResponseHeaders(200, EMPTY_GGUF.length);
            try (OutputStream out = exchange.getResponseBody()) {
                out.write(EMPTY_GGUF);
            }
        });
        hub.start();
        try {
            String address = "http://127.0.0.1:" + hub.getAddress().getPort();
            Ended pulled = guimo("models", "pull", "hf:org/tiny-GGUF", "--hub", address, "--name", "tiny");
            assertThat(pulled.status).as(pulled.err).isZero();
            assertThat(pulled.out).contains("apache-2.0", "from: {catalog: tiny}");
            assertThat(guimo("data", "show", "tiny").out).contains(sha256, "apache-2.0");
        } finally {
            hub.stop(0);
        }
    }

    @Test
    void pull_noModel_refusedAndNothingRemembered() throws IOException {
        Path file = folder.resolve("x.gguf");
        Files.writeString(file, "this is no model, whatever its name says");
        Ended broken = guimo("models", "pull", file.toString());
        assertThat(broken.status).isEqualTo(1);
        assertThat(broken.err).contains("not with GGUF").doesNotContain("\tat ");
        assertThat(guimo("models", "pull", "fashion-mnist").err).contains("is no model");
        assertThat(guimo("models", "pull", "nowhere.gguf").err)
                .contains("no file nowhere.gguf", "smollm2-135m-instruct");
        assertThat(guimo("data", "list").out).doesNotContain("x.gguf");
    }

    @Test
    void businessFile_catalogueEntryForAnotherTask_refusedWithThoseThatFit() throws IOException {
        var catalogue = new PulledModels(Home.at(folder.resolve("home"))).catalogue();
        assertThatThrownBy(() -> BusinessFile.parse("b.yaml", BUSINESS.replace("MODEL", "bge-small-en"), catalogue))
                .hasMessageContaining("b.yaml:4:")
                .hasMessageContaining("bge-small-en is a model for embed-text, not for generate-text")
                .hasMessageContaining("[smollm2-135m-instruct]");
        assertThatThrownBy(() -> BusinessFile.parse("b.yaml", BUSINESS.replace("MODEL", "digits"), catalogue))
                .hasMessageContaining("digits is no model");
    }
}
