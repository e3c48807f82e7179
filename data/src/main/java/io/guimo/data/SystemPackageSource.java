package io.guimo.data;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * A package fetched by {@code apt-get} without root: with its own state folder, since a fresh machine's package lists are empty and the system's are not
 * ours to fill. Nothing is installed; only the wanted files are read out of the package.
 */
final class SystemPackageSource implements FileSource {
    private static final Duration UPDATE_LIMIT = Duration.ofMinutes(5);
    private static final Duration DOWNLOAD_LIMIT = Duration.ofMinutes(20);

    private final Place.SystemPackage debian;
    private final CatalogueTools tools;
    private final Path state;

    /**
     * @param state kept between calls: package lists and downloads
     */
    SystemPackageSource(Place.SystemPackage debian, CatalogueTools tools, Path state) {
        this.debian = debian;
        this.tools = tools;
        this.state = state.toAbsolutePath();
    }

    @Override
    public void collect(CatalogueEntry entry, Staging staging, FetchProgress progress) throws IOException {
        Path aptGet = tools.find("apt-get").orElseThrow(() -> new IOException("this machine has no apt-get"));
        Path dpkgDeb = tools.find("dpkg-deb").orElseThrow(() -> new IOException("this machine has no dpkg-deb"));
        Path tar = tools.find("tar").orElseThrow(() -> new IOException("this machine has no tar"));
        Files.createDirectories(state.resolve("lists/partial"));
        Files.createDirectories(state.resolve("cache/archives/partial"));
        Path downloads = Files.createDirectories(state.resolve("packages"));
        try (FileLock lock = FileLock.acquire(state.resolve(".lock"))) {
            lock.requireHeld();
            Path archive = download(aptGet, downloads, progress, entry);
            for (CatalogueEntry.File file : entry.files()) {
                String path = Objects.requireNonNull(debian.paths().get(file.name()), file.name());
                extract(dpkgDeb, tar, archive, path, file, staging);
            }
            Files.delete(archive);
        }
    }

    private Path download(Path aptGet, Path downloads, FetchProgress progress, CatalogueEntry entry)
            throws IOException {
        Downloads.emptied(downloads);
        Runnable tick = () -> progress.report(entry.name(), debian.describe(), Downloads.bytesIn(downloads), -1);
        List<String> download = apt(aptGet, "download", debian.packageName());
        // Lists of an earlier call usually still serve; where they don't, or there are none, they are fetched anew.
        boolean lists = !Files.exists(state.resolve("cache/pkgcache.bin"))
                || tools.run(download, downloads, DOWNLOAD_LIMIT, tick).failed();
        if (lists) {
            tools.run(apt(aptGet, "update"), downloads, UPDATE_LIMIT, tick)
                    .orThrow("apt-get update (into " + state + ")");
            tools.run(download, downloads, DOWNLOAD_LIMIT, tick).orThrow("apt-get download " + debian.packageName());
        }
        return Downloads.only(downloads, ".deb");
    }

    private List<String> apt(Path aptGet, String... command) {
        List<String> line = new ArrayList<>(List.of(
                aptGet.toString(),
                "-q",
                "-o",
                "Dir::State::lists=" + state.resolve("lists"),
                "-o",
                "Dir::Cache=" + state.resolve("cache"),
                "-o",
                "Debug::NoLocking=1",
                "-o",
                "Acquire::Retries=2"));
        line.addAll(List.of(command));
        return line;
    }

    /** Pipes one file out of the package's archive, so that nothing else of it is ever unpacked. */
    private void extract(Path dpkgDeb, Path tar, Path archive, String path, CatalogueEntry.File file, Staging staging)
            throws IOException {
        List<Process> pipeline = ProcessBuilder.startPipeline(List.of(
                new ProcessBuilder(dpkgDeb.toString(), "--fsys-tarfile", archive.toString())
                        .redirectError(ProcessBuilder.Redirect.DISCARD),
                new ProcessBuilder(tar.toString(), "-x", "-O", "-f", "-", "." + path)
                        .redirectError(ProcessBuilder.Redirect.DISCARD)));
        try (InputStream content = pipeline.getLast().getInputStream()) {
            staging.take(file, content, path);
        } finally {
            pipeline.forEach(Process::destroy);
        }
    }
}
