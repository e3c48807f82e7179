package io.guimo.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SecretsTest {
    private static final String KEY = "sk-live-7f3b9a52c8";

    @TempDir
    private Path folder;

    private Home home;
    private Secrets secrets;

    @BeforeEach
    void open() throws Exception {
        home = Home.at(folder).open();
        secrets = new Secrets(home, Map.of());
    }

    @Test
    void set_thenReveal_sameAndNowhereInClear() throws Exception {
        secrets.set("gpu-1", "first");
        secrets.set("gpu-1", KEY);
        secrets.set("other", KEY);

        assertThat(new Secrets(home, Map.of()).reveal("gpu-1")).contains(KEY);
        assertThat(secrets.reveal("gpu-2")).isEmpty();
        assertThat(secrets.list()).extracting(Secrets.Listed::name).containsExactly("gpu-1", "other");
        String base64 = Base64.getEncoder().encodeToString(KEY.getBytes(StandardCharsets.US_ASCII));
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.filter(Files::isRegularFile).toList())
                assertThat(Files.readString(file)).as(file.toString()).doesNotContain(KEY, base64);
        }
        for (String file : List.of("secrets.json", "keys/master.key"))
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(folder.resolve(file))))
                    .isEqualTo("rw-------");
        // Equal values look different: nothing tells that two services share a key.
        var stored = OwnerClient.JSON
                .readTree(Files.readString(folder.resolve("secrets.json")))
                .path("secrets");
        assertThat(stored.path("gpu-1").path("sealed"))
                .isNotEqualTo(stored.path("other").path("sealed"));

        assertThat(secrets.remove("gpu-1")).isTrue();
        assertThat(secrets.remove("gpu-1")).isFalse();
        assertThat(secrets.reveal("gpu-1")).isEmpty();
    }

    @Test
    void reveal_valuesExchangedOrOneBitTurned_refused() throws Exception {
        secrets.set("a", "value-of-a");
        secrets.set("b", "value-of-b");
        Path file = folder.resolve("secrets.json");
        String content = Files.readString(file);

        Files.writeString(file, content.replace("\"a\"", "\"x\"").replace("\"b\"", "\"a\""));
        assertThatThrownBy(() -> secrets.reveal("a"))
                .isInstanceOf(CommandFailure.class)
                .hasMessageContaining("was changed by hand")
                .hasMessageNotContaining("value-of");

        String sealed = OwnerClient.JSON
                .readTree(content)
                .path("secrets")
                .path("a")
                .path("sealed")
                .asString();
        byte[] turned = Base64.getDecoder().decode(sealed);
        turned[0] ^= 1;
        Files.writeString(file, content.replace(sealed, Base64.getEncoder().encodeToString(turned)));
        assertThatThrownBy(() -> secrets.reveal("a")).isInstanceOf(CommandFailure.class);
        Files.writeString(file, content.replace(sealed, "AAAA"));
        assertThatThrownBy(() -> secrets.reveal("a")).isInstanceOf(CommandFailure.class);
        Files.writeString(file, "{");
        assertThatThrownBy(() -> secrets.reveal("a")).isInstanceOf(CommandFailure.class);
        Files.writeString(file, content.replace("\"version\" : 1", "\"version\" : 2"));
        assertThatThrownBy(() -> secrets.reveal("a")).hasMessageContaining("version 2");
        Files.writeString(file, content);
        assertThat(secrets.reveal("a")).contains("value-of-a");
    }

    @Test
    void masterKey_fromTheEnvironment_usedAndNoFileMade() throws Exception {
        String given = Base64.getEncoder().encodeToString(new byte[32]);
        Secrets away = new Secrets(home, Map.of(Secrets.MASTER_KEY_VARIABLE, given));
        away.set("gpu", KEY);

        assertThat(away.reveal("gpu")).contains(KEY);
        assertThat(folder.resolve("keys/master.key")).doesNotExist();
        assertThatThrownBy(() -> secrets.reveal("gpu")).hasMessageContaining("no master key");
        secrets.set("own", "x"); // makes a key file
        assertThatThrownBy(() -> secrets.reveal("gpu"))
                .hasMessageContaining("kept under another master key")
                .hasMessageNotContaining(given);
        assertThatThrownBy(() -> new Secrets(home, Map.of(Secrets.MASTER_KEY_VARIABLE, "short")).reveal("gpu"))
                .hasMessageContaining("32 bytes in base64")
                .hasMessageNotContaining("short");
    }

    @Test
    void masterKey_openToOthers_refused() throws Exception {
        secrets.set("gpu", KEY);
        Files.setPosixFilePermissions(folder.resolve("keys/master.key"), PosixFilePermissions.fromString("rw-r-----"));
        assertThatThrownBy(() -> secrets.reveal("gpu")).hasMessageContaining("chmod 600");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "two words", "line\r\nx: y", "schlüssel"})
    void set_valueThatNoHeaderCarries_refusedWithoutShowingIt(String value) {
        assertThatThrownBy(() -> secrets.set("gpu", value))
                .isInstanceOf(CommandFailure.class)
                .hasMessageContaining(value.length() + " characters")
                .hasMessageNotContaining(value.isEmpty() ? "\u0000" : value);
    }

    /** As two people at two terminals: the lock on the file is between processes, and so are these. */
    @Test
    void set_fromSeveralProcesses_noneIsLost() throws Exception {
        List<Process> commands = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            ProcessBuilder command = new ProcessBuilder(
                    ProcessHandle.current().info().command().orElseThrow(),
                    "-XX:TieredStopAtLevel=1",
                    Main.class.getName(),
                    "--home",
                    folder.toString(),
                    "secret",
                    "set",
                    "s" + i);
            command.environment().put("CLASSPATH", System.getProperty("java.class.path"));
            command.environment().remove(Secrets.MASTER_KEY_VARIABLE);
            Process started = command.redirectErrorStream(true).start();
            try (var in = started.outputWriter()) {
                in.write("value-" + i + "\n");
            }
            commands.add(started);
        }
        for (Process command : commands) {
            String said = new String(command.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(command.waitFor()).as(said).isZero();
        }
        for (int i = 0; i < 4; i++) assertThat(secrets.reveal("s" + i)).contains("value-" + i);
    }
}
