package io.guimo.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** OpenAI's SDKs for Python and Node, installed as a customer installs them, on the whole program. Without pip or npm it fails. */
@Tag("long")
class OpenAiSdksTest {
    private static final Path FOLDER = Path.of("target/sdks-test").toAbsolutePath();
    private static final Duration PATIENCE = Duration.ofMinutes(6);

    private static GuimoProcess guimo;
    private static Map<String, String> environment;

    @BeforeAll
    static void up() throws Exception {
        Scratch.deleteTree(FOLDER);
        guimo = GuimoProcess.up(FOLDER, ChatBusiness.write(FOLDER));
        JsonNode done = guimo.report(FOLDER.resolve("report.json"));
        environment = Map.of(
                "OPENAI_BASE_URL",
                done.path("baseUrl").asString() + "/v1",
                "OPENAI_API_KEY",
                done.path("customerKey").asString());
    }

    @AfterAll
    static void down() throws Exception {
        if (guimo != null) guimo.close();
    }

    @Test
    void python_everythingThatItOffersOfThis_holds() throws Exception {
        Path python = FOLDER.resolve("python");
        if (!Files.exists(python.resolve("bin/openai"))) {
            run(List.of("python3", "-m", "venv", python.toString()));
            run(List.of(python.resolve("bin/pip").toString(), "install", "--quiet", "openai"));
        }
        String said = run(List.of(
                python.resolve("bin/python").toString(),
                script("conversation.py", FOLDER).toString(),
                ChatBusiness.CHAT,
                ChatBusiness.ENCODER));
        assertThat(said.lines().filter(line -> line.startsWith("held:"))).hasSize(10);
    }

    @Test
    void node_everythingThatItOffersOfThis_holds() throws Exception {
        Path node = Files.createDirectories(FOLDER.resolve("node"));
        if (!Files.exists(node.resolve("node_modules/openai"))) {
            run(List.of("npm", "install", "--silent", "--prefix", node.toString(), "openai"));
        }
        String said = run(
                List.of("node", script("conversation.mjs", node).toString(), ChatBusiness.CHAT, ChatBusiness.ENCODER));
        assertThat(said.lines().filter(line -> line.startsWith("held:"))).hasSize(9);
    }

    /** Beside the packages that it imports. */
    private static Path script(String name, Path folder) throws IOException {
        Path file = folder.resolve(name);
        try (InputStream in = OpenAiSdksTest.class.getResourceAsStream("clients/" + name)) {
            Files.copy(Objects.requireNonNull(in, name), file, StandardCopyOption.REPLACE_EXISTING);
        }
        return file;
    }

    private static String run(List<String> command) throws IOException, InterruptedException {
        Path log = Files.createTempFile(FOLDER, "client", ".log");
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(FOLDER.toFile())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile());
        builder.environment().putAll(environment);
        Process process = builder.start();
        boolean ended = process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        process.destroyForcibly();
        String said = Files.readString(log);
        Files.delete(log);
        assertThat(ended).as("%s took too long:%n%s", command, said).isTrue();
        assertThat(process.exitValue()).as("%s:%n%s", command, said).isZero();
        return said;
    }
}
