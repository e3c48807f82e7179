package io.guimo.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Fetches the real things into an empty home: needs the network, an operating system with apt-get, pip and npm. */
@Tag("long")
class StandardCatalogueTest {
    @TempDir
    Path home;

    @ParameterizedTest
    @ValueSource(
            strings = {
                "fashion-mnist",
                "supermarket",
                "digits",
                "breast-cancer",
                "fortunes-zh",
                "bge-small-zh",
                "bge-small-en",
                "smollm2-135m-instruct",
                "llama-cpp",
                "font-wqy-microhei"
            })
    void get_realPlaces_everyFileThere(String name) {
        Dataset dataset = Catalogue.standard().get(name, new CatalogueOptions(home, null, FetchProgress.NONE));
        for (CatalogueEntry.File file : dataset.entry().files()) {
            assertThat(Files.isRegularFile(dataset.file(file.name()))).isTrue();
        }
    }
}
