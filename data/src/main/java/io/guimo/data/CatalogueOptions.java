package io.guimo.data;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Where the catalogue looks and stores.
 *
 * @param home the home folder; what is fetched lies under its {@code cache/data}
 * @param dataDir a folder that may already hold the files ({@code --data DIR}), searched before anything is fetched
 * @param progress told about bytes fetched
 */
public record CatalogueOptions(Path home, @Nullable Path dataDir, FetchProgress progress) {}
