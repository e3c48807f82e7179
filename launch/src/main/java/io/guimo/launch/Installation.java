package io.guimo.launch;

import io.guimo.data.Catalogue;
import io.guimo.data.CatalogueOptions;
import io.guimo.data.DataSettings;
import io.guimo.data.DataSources;
import io.guimo.data.Dataset;
import io.guimo.data.FetchProgress;
import io.guimo.data.ImageDecoder;
import io.guimo.postgres.Database;
import io.guimo.registry.PackageStore;
import io.guimo.registry.Registry;
import io.guimo.registry.SigningKey;
import io.guimo.registry.TrustedKeys;
import io.guimo.task.Lesson;
import io.guimo.task.TaskName;
import io.guimo.tensor.Torch;
import io.guimo.tensor.TorchEnvironment;
import io.guimo.tensor.TorchSettings;
import io.guimo.train.RunFolder;
import java.io.IOException;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** One business on one home folder: the parts that training and registering need, opened once and shared. */
final class Installation {
    private final Home home;
    private final Business business;
    private final Path businessFolder;
    private final @Nullable Path dataDir;
    private final Catalogue catalogue;
    private final ImageDecoder decoder = new ImageDecoder(ImageDecoder.Limits.STANDARD);
    private final PackageStore packages;
    private final SigningKey signingKey;
    private final TrustedKeys trustedKeys;
    private final Registry registry;

    /** @param businessFolder where the business file lies: patterns of files are relative to it */
    Installation(
            Home home,
            Business business,
            Path businessFolder,
            @Nullable Path dataDir,
            Catalogue catalogue,
            Database database)
            throws IOException {
        this.home = home;
        this.business = business;
        this.businessFolder = businessFolder;
        this.dataDir = dataDir;
        this.catalogue = catalogue;
        this.packages = PackageStore.open(home.packages());
        this.signingKey = SigningKey.openOrCreate(home.keys());
        this.trustedKeys = TrustedKeys.open(home.keys().resolve("trusted"));
        this.registry = Registry.open(database, InstantSource.system());
    }

    /** Where the business file lies. */
    Path folder() {
        return businessFolder;
    }

    RemoteModels remoteModels() {
        return new RemoteModels(business, new Secrets(home, System.getenv()), System.getenv());
    }

    Home home() {
        return home;
    }

    Business business() {
        return business;
    }

    Catalogue catalogue() {
        return catalogue;
    }

    ImageDecoder decoder() {
        return decoder;
    }

    PackageStore packages() {
        return packages;
    }

    SigningKey signingKey() {
        return signingKey;
    }

    TrustedKeys trustedKeys() {
        return trustedKeys;
    }

    Registry registry() {
        return registry;
    }

    Dataset fetch(String catalogued, Stages.Stage stage) {
        return catalogue.get(catalogued, new CatalogueOptions(home.folder(), dataDir, DataCommand.progress(stage)));
    }

    Lesson openLesson(TaskName task, String dataName) {
        DataSettings data = Objects.requireNonNull(business.data().get(dataName));
        return Lesson.open(task, data, sources());
    }

    DataSources sources() {
        return new DataSources(
                catalogue, new CatalogueOptions(home.folder(), dataDir, FetchProgress.NONE), businessFolder, decoder);
    }

    /** Folder of llama.cpp's libraries, fetched where they are not here yet. */
    Path llamaLibrary() {
        if (!isLinuxOnX86()) {
            throw new IllegalArgumentException("llama.cpp is catalogued for Linux on x86-64 only, and this machine is "
                    + System.getProperty("os.name") + " on " + System.getProperty("os.arch")
                    + "; serve the model by an OpenAI-compatible server and name it by 'upstream'");
        }
        return catalogue
                .get("llama-cpp", new CatalogueOptions(home.folder(), dataDir, FetchProgress.NONE))
                .folder();
    }

    private static boolean isLinuxOnX86() {
        return System.getProperty("os.name").equals("Linux")
                && System.getProperty("os.arch").equals("amd64");
    }

    /** libtorch for engines; the one of training where that has run in this process. */
    Torch servingTorch() {
        return Torch.start(TorchSettings.serving(home.cache()));
    }

    /** libtorch as an interrupted run in the folder began with it, so that it resumes bit for bit; for a new run as this machine runs it fastest. */
    Torch torch(Path runFolder) {
        Optional<TorchEnvironment> began = RunFolder.recordedEnvironment(runFolder);
        return began.map(e -> Torch.start(TorchSettings.pinned(home.cache(), e)))
                .orElseGet(() -> Torch.start(TorchSettings.measured(home.cache())));
    }
}
