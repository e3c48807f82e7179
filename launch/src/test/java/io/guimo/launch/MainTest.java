package io.guimo.launch;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MainTest {
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int run(String... arguments) {
        return Main.commandLine(new PrintWriter(out, true), new PrintWriter(err, true))
                .execute(arguments);
    }

    @Test
    void help_listsTheCommands() {
        assertThat(run("--help")).isZero();
        assertThat(out.toString())
                .contains("up", "check", "data", "models", "org", "receipt", "invoice", "ledger", "test");
    }

    @Test
    void wrongUsage_exitCode2() {
        assertThat(run()).isEqualTo(2);
        assertThat(run("frob")).isEqualTo(2);
        assertThat(run("up", "--prot", "1")).isEqualTo(2);
        assertThat(err.toString()).contains("--port");
    }

    @Test
    void failure_oneParagraphAndExitCode1_stackTraceOnlyWithDebug() {
        assertThat(run("data", "show", "supermarkt")).isEqualTo(1);
        assertThat(err.toString()).contains("did you mean supermarket?").doesNotContain("\tat ");
        assertThat(run("--debug", "data", "show", "supermarkt")).isEqualTo(1);
        assertThat(err.toString()).contains("\tat ");
    }

    @Test
    void ownersCommand_noServer_saysHowToStartOne(@TempDir Path home) {
        assertThat(run("--home", home.toString(), "org", "list")).isEqualTo(1);
        assertThat(err.toString()).contains("./guimo up");
    }

    @Test
    void dataShow_saysLicenceAndPlacesInOrder() {
        assertThat(run("data", "show", "fashion-mnist")).isZero();
        assertThat(out.toString())
                .contains("MIT")
                .contains("sha256:")
                .containsSubsequence("the cache", "--data DIR", "operating system package");
    }

    @Test
    void homeOfAnotherLayout_refusedAndUntouched(@TempDir Path folder) throws Exception {
        Path home = folder.resolve("home");
        java.nio.file.Files.createDirectories(home);
        java.nio.file.Files.writeString(home.resolve("layout"), "99");
        assertThat(run("--home", home.toString(), "data", "get", "digits")).isEqualTo(1);
        assertThat(err.toString()).contains("layout '99'").contains("nothing was changed");
        try (var files = java.nio.file.Files.list(home)) {
            assertThat(files).hasSize(1);
        }
    }
}
