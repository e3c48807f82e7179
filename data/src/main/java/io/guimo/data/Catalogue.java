package io.guimo.data;

import io.guimo.units.NearestName;
import java.io.IOException;
import java.io.InputStream;
import java.net.UnknownHostException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Named data sets, found on this machine or fetched from the nearest place that has them: the cache, the folder that the user names, then the entry's own
 * places in their order. Whatever the place, a file is taken only if its content is the one that the catalogue demands.
 *
 * <p>Safe for several threads and processes on one home folder: a data set is fetched by one of them, and appears whole or not at all.
 */
public final class Catalogue {
    private static final Logger LOG = LoggerFactory.getLogger(Catalogue.class);

    private final List<CatalogueEntry> entries;
    private final CatalogueTools tools;

    /** The entries that come with this build. */
    public static Catalogue standard() {
        return new Catalogue(StandardEntries.ALL, CatalogueTools.ofThisMachine());
    }

    Catalogue(List<CatalogueEntry> entries, CatalogueTools tools) {
        this.entries = List.copyOf(entries);
        this.tools = tools;
    }

    /**
     * A catalogue that knows more entries.
     *
     * @throws IllegalArgumentException if two entries have the same name
     */
    public Catalogue with(List<CatalogueEntry> more) {
        List<CatalogueEntry> all = new ArrayList<>(entries);
        for (CatalogueEntry entry : more) {
            if (find(entry.name()).isPresent()) {
                throw new IllegalArgumentException(
                        "the catalogue has an entry '" + entry.name() + "' already; choose another name");
            }
            all.add(entry);
        }
        return new Catalogue(all, tools);
    }

    public List<CatalogueEntry> list() {
        return entries;
    }

    public Optional<CatalogueEntry> find(String name) {
        return entries.stream().filter(entry -> entry.name().equals(name)).findFirst();
    }

    /** Every place in the order in which it is tried, in words. */
    public List<String> places(CatalogueEntry entry, CatalogueOptions options) {
        List<String> places = new ArrayList<>();
        places.add("cache " + folder(entry, options));
        if (options.dataDir() != null) places.add("folder " + options.dataDir() + " (--data)");
        for (Place place : entry.places()) places.add(place.describe());
        return places;
    }

    /**
     * The entry's files on this machine, fetched if need be.
     *
     * @throws DataException if there is no such entry, or no place has its files; the message names every place tried and why it failed
     */
    public Dataset get(String name, CatalogueOptions options) {
        CatalogueEntry entry = find(name).orElseThrow(() -> unknown(name));
        Path folder = folder(entry, options);
        if (fault(entry, folder).isEmpty()) return new Dataset(entry, folder, "cache " + folder);
        try {
            Path cache = Files.createDirectories(folder.getParent());
            try (FileLock lock = FileLock.acquire(cache.resolve("." + name + ".lock"))) {
                return fetch(entry, folder, options, lock);
            }
        } catch (IOException e) {
            throw new DataException(
                    DataException.Code.UNAVAILABLE, "the cache " + folder + " cannot be used: " + reason(e), e);
        }
    }

    /**
     * @param lock held: nobody else writes to the folder
     */
    private Dataset fetch(CatalogueEntry entry, Path folder, CatalogueOptions options, FileLock lock)
            throws IOException {
        lock.requireHeld();
        List<String> tries = new ArrayList<>();
        Optional<String> fault = fault(entry, folder);
        if (fault.isEmpty()) return new Dataset(entry, folder, "cache " + folder);
        tries.add("cache " + folder + ": " + fault.get());
        Path staging = folder.resolveSibling("." + entry.name() + ".staging");
        List<Source> sources = new ArrayList<>();
        if (options.dataDir() != null) {
            sources.add(new Source("folder " + options.dataDir() + " (--data)", new FolderSource(options.dataDir())));
        }
        for (Place place : entry.places()) sources.addAll(sources(place, entry, options));
        for (Source source : sources) {
            deleteTree(staging);
            try {
                options.progress().report(entry.name(), source.name, 0, entry.bytes());
                source.source.collect(entry, new Staging(Files.createDirectories(staging)), options.progress());
                Optional<String> missing = fault(entry, staging);
                if (missing.isPresent()) throw new IOException(missing.get());
                deleteTree(folder);
                Files.move(staging, folder);
                LOG.info("{} comes from {}", entry.name(), source.name);
                return new Dataset(entry, folder, source.name);
            } catch (IOException e) {
                if (isDiskFull(e)) {
                    deleteTree(staging);
                    throw diskFull(entry, folder, e);
                }
                tries.add(source.name + ": " + reason(e));
            }
        }
        deleteTree(staging);
        throw new DataException(
                DataException.Code.UNAVAILABLE,
                "'" + entry.name() + "' could not be had from any of " + tries.size() + " places:\n  "
                        + String.join("\n  ", tries)
                        + "\nPut "
                        + entry.files().stream().map(CatalogueEntry.File::name).toList()
                        + " into a folder and name it with --data DIR, or make one of these places reachable.");
    }

    private record Source(String name, FileSource source) {}

    private List<Source> sources(Place place, CatalogueEntry entry, CatalogueOptions options) {
        Path cache = options.home().resolve("cache");
        return switch (place) {
            case Place.SystemPackage debian ->
                List.of(
                        new Source(
                                debian.describe() + ", installed", new InstalledSource(debian, tools.installedRoot())),
                        new Source(
                                debian.describe() + ", downloaded by apt-get without root",
                                new SystemPackageSource(debian, tools, cache.resolve("apt"))));
            case Place.MavenArtifact artifact ->
                List.of(new Source(artifact.describe(), new MavenSource(artifact, tools, cache.resolve("maven"))));
            case Place.PythonPackage python ->
                List.of(new Source(python.describe(), new PythonPackageSource(python, tools, cache.resolve("pip"))));
            case Place.NodePackage node ->
                List.of(new Source(node.describe(), new NodePackageSource(node, tools, cache.resolve("npm"))));
            case Place.LocalFiles local ->
                List.of(new Source(local.describe(), (wanted, staging, _) -> {
                    for (CatalogueEntry.File file : wanted.files()) {
                        staging.take(file, Objects.requireNonNull(local.paths().get(file.name()), file.name()));
                    }
                }));
            case Place.PublicAddress address ->
                List.of(new Source(
                        address.describe(),
                        new WebSource(
                                address, folder(entry, options).resolveSibling("." + entry.name() + ".partial"))));
        };
    }

    private static Path folder(CatalogueEntry entry, CatalogueOptions options) {
        return options.home().toAbsolutePath().resolve("cache").resolve("data").resolve(entry.name());
    }

    /** What is wrong with the folder, or empty if it holds every file with the content demanded. */
    private static Optional<String> fault(CatalogueEntry entry, Path folder) {
        for (CatalogueEntry.File file : entry.files()) {
            Path path = folder.resolve(file.name());
            try {
                if (!Files.isRegularFile(path)) return Optional.of("no file " + file.name());
                if (Files.size(path) != file.bytes()) {
                    return Optional.of(file.name() + " has " + Files.size(path) + " bytes instead of " + file.bytes());
                }
                try (InputStream in = Files.newInputStream(path)) {
                    Fingerprint found = Fingerprint.of(in);
                    if (!found.equals(file.fingerprint())) {
                        return Optional.of(
                                file.name() + " has the fingerprint " + found + " instead of " + file.fingerprint());
                    }
                }
            } catch (IOException e) {
                return Optional.of(path + " cannot be read: " + reason(e));
            }
        }
        return Optional.empty();
    }

    private static void deleteTree(Path folder) throws IOException {
        if (!Files.exists(folder)) return;
        try (Stream<Path> tree = Files.walk(folder)) {
            for (Path path : tree.sorted((a, b) -> b.compareTo(a)).toList()) Files.delete(path);
        }
    }

    /** Another place would not help. The JDK has no exception of its own for it; the words are those of strerror(3) and of apt-get. */
    private static boolean isDiskFull(IOException e) {
        String message = String.valueOf(e.getMessage());
        return message.contains("No space left on device")
                || message.contains("Disk quota exceeded")
                || message.contains("don't have enough free space");
    }

    private static DataException diskFull(CatalogueEntry entry, Path folder, IOException e) {
        return new DataException(
                DataException.Code.UNAVAILABLE,
                "the disk of " + folder.getParent() + " is full: '" + entry.name() + "' has " + (entry.bytes() >> 20)
                        + " MiB, and its package as much again while it is fetched. Free some space, or choose another home folder by --home DIR, and"
                        + " repeat the command; nothing was lost.",
                e);
    }

    private static String reason(IOException e) {
        return switch (e) {
            case NoSuchFileException missing -> "no file " + missing.getFile();
            case AccessDeniedException denied -> "no permission for " + denied.getFile();
            case UnknownHostException host -> "the host " + host.getMessage() + " cannot be found (no network?)";
            default -> e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
        };
    }

    private DataException unknown(String name) {
        List<String> names = entries.stream().map(CatalogueEntry::name).toList();
        return new DataException(
                DataException.Code.UNKNOWN_NAME,
                "the catalogue has no '" + name + "'"
                        + NearestName.of(name, names)
                                .map(near -> "; did you mean '" + near + "'?")
                                .orElse(";")
                        + " it has " + String.join(", ", names));
    }
}
