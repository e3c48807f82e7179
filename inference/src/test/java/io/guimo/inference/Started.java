package io.guimo.inference;

import io.guimo.data.Catalogue;
import io.guimo.data.CatalogueOptions;
import io.guimo.data.Dataset;
import io.guimo.data.FetchProgress;
import io.guimo.data.ImageDecoder;
import io.guimo.tensor.Blas;
import io.guimo.tensor.Torch;
import io.guimo.tensor.TorchSettings;
import java.nio.file.Path;

/** What a process has once: libtorch, and the cache of fetched files. */
public final class Started {
    static final Path HOME = Path.of(System.getProperty("user.home"), ".guimo");
    static final ImageDecoder DECODER = new ImageDecoder(ImageDecoder.Limits.STANDARD);

    private Started() {}

    public static Torch torch() {
        return Torch.start(new TorchSettings(HOME.resolve("cache"), Blas.OPENBLAS, 1));
    }

    static EngineLoader loader(EngineSettings settings) {
        return new EngineLoader(
                Started::torch,
                () -> catalogued("llama-cpp").folder(),
                DECODER,
                HOME.resolve("cache/tokenizers"),
                settings);
    }

    /** An entry of the catalogue, fetched once a machine. */
    static Dataset catalogued(String name) {
        return Catalogue.standard().get(name, new CatalogueOptions(HOME, null, FetchProgress.NONE));
    }
}
