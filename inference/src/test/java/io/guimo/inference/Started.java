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
final class Started {
    static final Path HOME = Path.of(System.getProperty("user.home"), ".guimo");
    static final ImageDecoder DECODER = new ImageDecoder(ImageDecoder.Limits.STANDARD);

    private Started() {}

    static Torch torch() {
        return Torch.start(new TorchSettings(HOME.resolve("cache"), Blas.OPENBLAS, 1));
    }

    static EngineLoader loader(EngineSettings settings) {
        return new EngineLoader(Started::torch, DECODER, HOME.resolve("cache/tokenizers"), settings);
    }

    /** A pre-trained encoder, fetched once a machine. */
    static Dataset encoder(String name) {
        return Catalogue.standard().get(name, new CatalogueOptions(HOME, null, FetchProgress.NONE));
    }
}
