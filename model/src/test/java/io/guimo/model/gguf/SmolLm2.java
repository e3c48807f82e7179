package io.guimo.model.gguf;

import io.guimo.data.Catalogue;
import io.guimo.data.CatalogueOptions;
import io.guimo.data.FetchProgress;
import java.nio.file.Path;

/** The instruct model that tests of files and tokenizers read, fetched once a machine. */
final class SmolLm2 {
    private static final Path HOME = Path.of(System.getProperty("user.home"), ".guimo");

    private SmolLm2() {}

    /** Its GGUF file. */
    static Path gguf() {
        return Catalogue.standard()
                .get("smollm2-135m-instruct", new CatalogueOptions(HOME, null, FetchProgress.NONE))
                .file("model.gguf");
    }
}
