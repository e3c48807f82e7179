package io.guimo.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which browser is taken; the fetch itself runs with the browser tests. */
class BrowserFinderTest {
    @TempDir
    private Path folder;

    @Test
    void find_namedByTheEnvironment_takenBeforeThePath() throws Exception {
        Path named = program("bin/my-chromium", "exit 1");
        program("bin/chromium", "exit 1");
        program("bin/fc-list", "echo known");

        BrowserFinder.FoundBrowser found = finder(Map.of("PATH", path(), BrowserFinder.CHOICE, named.toString()))
                .find();

        assertThat(found.executable()).isEqualTo(named);
        assertThat(folder.resolve("cache")).doesNotExist();
    }

    @Test
    void find_installed_takenAsItIs() throws Exception {
        Path installed = program("bin/chromium", "exit 1");
        program("bin/fc-list", "echo known");

        BrowserFinder.FoundBrowser found = finder(Map.of("PATH", path())).find();

        assertThat(found.executable()).isEqualTo(installed);
        assertThat(found.environment()).doesNotContainKeys("LD_LIBRARY_PATH", "XDG_DATA_HOME");
        assertThat(found).hasToString(installed + " (installed)");
    }

    @Test
    void find_namedButMissing_refusedWithWhatToDo() {
        assertThatThrownBy(() -> finder(Map.of("PATH", "", BrowserFinder.CHOICE, "/no/such/browser"))
                        .find())
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("/no/such/browser is not an executable file");
    }

    @Test
    void find_nothingInstalledNoPackageManager_failsWithWhatToDo() {
        assertThatThrownBy(() -> finder(Map.of("PATH", folder.toString())).find())
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("chromium")
                .hasMessageContaining("apt-get, which would fetch")
                .hasMessageContaining(BrowserFinder.CHOICE);
    }

    @Test
    void find_fetchFails_saysTheCommandAndItsLastWords_andKeepsNothing() throws Exception {
        program("bin/apt-get", "echo the archive is gone >&2; exit 100");
        program("bin/dpkg", "exit 0");

        assertThatThrownBy(() -> finder(Map.of("PATH", path())).find())
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("apt-get")
                .hasMessageContaining("ended with status 100")
                .hasMessageContaining("the archive is gone");
        assertThat(folder.resolve("cache"))
                .isDirectoryNotContaining(file -> file.getFileName().toString().startsWith("chromium"));
    }

    private BrowserFinder finder(Map<String, String> environment) {
        return new BrowserFinder(folder.resolve("cache"), environment);
    }

    private String path() {
        return folder.resolve("bin").toString();
    }

    private Path program(String name, String script) throws IOException {
        Path file = folder.resolve(name);
        Files.createDirectories(file.getParent());
        Files.writeString(file, "#!/bin/sh\n" + script + "\n");
        return Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }
}
