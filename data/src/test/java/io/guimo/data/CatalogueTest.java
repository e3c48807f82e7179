package io.guimo.data;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.zip.GZIPOutputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The order of places, what each must prove, and what is said when none has the files. Programs of the machine are stood in for by scripts. */
class CatalogueTest {
    private static final byte[] CONTENT = content(200_000);
    private static final CatalogueEntry.File FILE =
            new CatalogueEntry.File("rows.csv", CONTENT.length, Fingerprint.of(CONTENT));

    @TempDir
    Path folder;

    private Path home;
    private Path programs;
    private Path root;
    private Path maven;
    private HttpServer server;
    private final List<String> requests = new CopyOnWriteArrayList<>();

    @BeforeEach
    void open() throws IOException {
        home = folder.resolve("home");
        programs = Files.createDirectories(folder.resolve("bin"));
        root = Files.createDirectories(folder.resolve("root"));
        maven = Files.createDirectories(folder.resolve("maven"));
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server.start();
    }

    @AfterEach
    void close() {
        server.stop(0);
    }

    @Test
    void get_installedPackage_takenAndThenCached() throws IOException {
        Path installed = root.resolve("usr/share/rows.csv.gz");
        Files.createDirectories(installed.getParent());
        Files.write(installed, gzip(CONTENT));
        Catalogue catalogue = catalogue(systemPackage());

        Dataset first = catalogue.get("rows", options(null));
        Files.delete(installed);
        Dataset second = catalogue.get("rows", options(null));

        assertThat(first.place()).contains("package rows-package, installed");
        assertThat(second.place()).startsWith("cache");
        assertThat(second.file("rows.csv")).hasBinaryContent(CONTENT);
        assertThat(second.fingerprints()).containsEntry("rows.csv", FILE.fingerprint());
    }

    @Test
    void get_dataFolder_beforeAnyOtherPlace() throws IOException {
        Path data = Files.createDirectories(folder.resolve("data/rows"));
        Files.write(data.resolve("rows.csv.gz"), gzip(CONTENT));
        Dataset dataset = catalogue(systemPackage()).get("rows", options(folder.resolve("data")));
        assertThat(dataset.place()).contains("--data");
        assertThat(dataset.file("rows.csv")).hasBinaryContent(CONTENT);
    }

    @Test
    void get_noPlaceHasIt_oneErrorNamesEachTryAndWhy() {
        Catalogue catalogue = catalogue(
                systemPackage(),
                new Place.MavenArtifact("a.b:c:1", Map.of("rows.csv", "rows.csv")),
                address("/absent"));
        server.createContext("/absent", exchange -> answer(exchange, 404, new byte[0]));
        assertThatThrownBy(() -> catalogue.get("rows", options(folder.resolve("nowhere"))))
                .isInstanceOfSatisfying(DataException.class, e -> {
                    assertThat(e.code()).isEqualTo(DataException.Code.UNAVAILABLE);
                    assertThat(String.valueOf(e.getMessage()).lines().filter(line -> line.startsWith("  ")))
                            .satisfiesExactly(
                                    line -> assertThat(line).contains("cache", "no file rows.csv"),
                                    line -> assertThat(line).contains("nowhere", "no such folder"),
                                    line -> assertThat(line).contains("installed", "not installed"),
                                    line -> assertThat(line).contains("apt-get", "no apt-get"),
                                    line -> assertThat(line).contains("a.b:c:1", "no mvn"),
                                    line -> assertThat(line).contains("/absent", "404"));
                });
    }

    @Test
    void with_anotherEntry_fetchedFromThisMachinesFile() throws IOException {
        Path file = folder.resolve("elsewhere.csv");
        Files.write(file, CONTENT);
        CatalogueEntry mine = new CatalogueEntry(
                "mine",
                "mine",
                CatalogueEntry.Content.ROWS,
                "CC0-1.0",
                List.of(FILE),
                List.of(new Place.LocalFiles(Map.of("rows.csv", file))));
        Catalogue both = catalogue(systemPackage()).with(List.of(mine));
        assertThat(both.get("mine", options(null)).file("rows.csv")).hasBinaryContent(CONTENT);
        assertThatThrownBy(() -> both.with(List.of(mine))).hasMessageContaining("'mine' already");
    }

    @Test
    void get_unknownName_nearestNamed() {
        assertThatThrownBy(() -> catalogue(systemPackage()).get("row", options(null)))
                .isInstanceOfSatisfying(
                        DataException.class, e -> assertThat(e.code()).isEqualTo(DataException.Code.UNKNOWN_NAME))
                .hasMessageContaining("did you mean 'rows'");
    }

    @Test
    void get_cacheDamaged_fetchedAgain() throws IOException {
        server.createContext("/rows.csv", exchange -> answer(exchange, 200, CONTENT));
        Catalogue catalogue = catalogue(address("/rows.csv"));
        Path cached = catalogue.get("rows", options(null)).file("rows.csv");
        byte[] damaged = CONTENT.clone();
        damaged[100] ^= 1;
        Files.write(cached, damaged);
        assertThat(catalogue.get("rows", options(null)).file("rows.csv")).hasBinaryContent(CONTENT);
        assertThat(requests).hasSize(2);
    }

    @Test
    void get_connectionBreaks_nextTryContinuesWhereItStopped() throws IOException {
        server.createContext("/rows.csv.gz", exchange -> {
            byte[] packed = gzip(CONTENT);
            requests.add(String.valueOf(exchange.getRequestHeaders().getFirst("Range")));
            if (requests.size() == 1) {
                exchange.sendResponseHeaders(200, packed.length);
                exchange.getResponseBody().write(packed, 0, 50_000);
                exchange.getResponseBody().flush();
                throw new IOException("the server dies here");
            }
            String range = exchange.getRequestHeaders().getFirst("Range");
            int from = Integer.parseInt(range.substring("bytes=".length(), range.length() - 1));
            exchange.getResponseHeaders()
                    .add("Content-Range", "bytes " + from + "-" + (packed.length - 1) + "/" + packed.length);
            exchange.sendResponseHeaders(206, packed.length - from);
            try (OutputStream out = exchange.getResponseBody()) {
                out.write(packed, from, packed.length - from);
            }
        });
        Catalogue catalogue = catalogue(address("/rows.csv.gz"));
        assertThatThrownBy(() -> catalogue.get("rows", options(null))).isInstanceOf(DataException.class);
        assertThat(catalogue.get("rows", options(null)).file("rows.csv")).hasBinaryContent(CONTENT);
        assertThat(requests).containsExactly("null", "bytes=50000-");
    }

    @Test
    void get_keptPartIsOfAnotherVersion_fetchedFromTheBeginning() throws IOException {
        server.createContext("/rows.csv", exchange -> {
            requests.add(String.valueOf(exchange.getRequestHeaders().getFirst("Range")));
            boolean range = exchange.getRequestHeaders().containsKey("Range");
            answer(exchange, range ? 416 : 200, range ? new byte[0] : CONTENT);
        });
        Path partial = Files.createDirectories(home.resolve("cache/data/.rows.partial"));
        Files.write(partial.resolve("rows.csv.rows.csv.part"), new byte[300_000]);
        Dataset dataset = catalogue(address("/rows.csv")).get("rows", options(null));
        assertThat(dataset.file("rows.csv")).hasBinaryContent(CONTENT);
        assertThat(requests.getFirst()).isEqualTo("bytes=300000-");
    }

    @Test
    void get_addressSendsOtherOrEndlessContent_refusedAndNothingKept() throws IOException {
        byte[] other = CONTENT.clone();
        other[7] ^= 1;
        server.createContext("/other", exchange -> answer(exchange, 200, other));
        server.createContext("/endless", exchange -> {
            exchange.sendResponseHeaders(200, 0);
            try (OutputStream out = exchange.getResponseBody()) {
                for (int i = 0; i < 10_000; i++) out.write(new byte[8192]);
            }
        });
        // 50 MB of zeros in 50 KB
        server.createContext("/bomb.gz", exchange -> answer(exchange, 200, gzip(new byte[50_000_000])));
        assertThatThrownBy(() -> catalogue(address("/other")).get("rows", options(null)))
                .hasMessageContaining("fingerprint");
        assertThatThrownBy(() -> catalogue(address("/endless")).get("rows", options(null)))
                .hasMessageContaining("sends more than");
        assertThatThrownBy(() -> catalogue(address("/bomb.gz")).get("rows", options(null)))
                .hasMessageContaining("holds more than the 200000 bytes");
        assertThat(home.resolve("cache/data/rows")).doesNotExist();
    }

    @Test
    void get_redirectFromSecureToPlain_notFollowed() {
        server.createContext("/moved", exchange -> {
            exchange.getResponseHeaders().add("Location", "ftp://127.0.0.1/rows.csv");
            answer(exchange, 302, new byte[0]);
        });
        server.createContext("/round", exchange -> {
            exchange.getResponseHeaders().add("Location", "/round");
            answer(exchange, 302, new byte[0]);
        });
        assertThatThrownBy(() -> catalogue(address("/moved")).get("rows", options(null)))
                .hasMessageContaining("not followed");
        assertThatThrownBy(() -> catalogue(address("/round")).get("rows", options(null)))
                .hasMessageContaining("redirects more than");
    }

    @Test
    void get_eightThreadsAndTwoCatalogues_fetchedOnce() throws Exception {
        server.createContext("/rows.csv", exchange -> answer(exchange, 200, CONTENT));
        Catalogue one = catalogue(address("/rows.csv"));
        Catalogue other = catalogue(address("/rows.csv"));
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Callable<Dataset>> calls = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                Catalogue catalogue = i % 2 == 0 ? one : other;
                calls.add(() -> catalogue.get("rows", options(null)));
            }
            for (Future<Dataset> call : threads.invokeAll(calls)) {
                assertThat(call.get().file("rows.csv")).hasBinaryContent(CONTENT);
            }
        }
        assertThat(requests).hasSize(1);
    }

    @Test
    void get_packageManager_updatesItsOwnListsAndTakesOneFile() throws IOException {
        Path tree = Files.createDirectories(folder.resolve("tree/usr/share"));
        Files.write(tree.resolve("rows.csv.gz"), gzip(CONTENT));
        Files.writeString(tree.resolve("other"), "not asked for");
        script("apt-get", """
                case "$*" in
                  *update*) mkdir -p "%s"/x; for a in "$@"; do case "$a" in Dir::Cache=*) touch "${a#Dir::Cache=}/pkgcache.bin";; esac; done ;;
                  *download*) [ -d "%s"/x ] || { echo "E: Unable to locate package rows-package"; exit 100; }
                              (cd "%s" && /bin/tar cf - .) > rows-package_1_all.deb ;;
                esac
                """.formatted(root, root, folder.resolve("tree")));
        script("dpkg-deb", "exec /bin/cat \"$2\"");
        script("tar", "exec /bin/tar \"$@\"");
        Dataset dataset = catalogue(systemPackage()).get("rows", options(null));
        assertThat(dataset.place()).contains("apt-get without root");
        assertThat(dataset.file("rows.csv")).hasBinaryContent(CONTENT);
        assertThat(home.resolve("cache/apt/packages")).isEmptyDirectory();
    }

    @Test
    void get_packageManagerFails_itsErrorsAreQuoted() throws IOException {
        script("apt-get", "echo 'Get:1 ...'; echo 'E: Unable to locate package rows-package'; exit 100");
        script("dpkg-deb", "exit 1");
        script("tar", "exit 1");
        assertThatThrownBy(() -> catalogue(systemPackage()).get("rows", options(null)))
                .hasMessageContaining("E: Unable to locate package rows-package")
                .hasMessageContaining("status 100");
    }

    @Test
    void get_mavenArtifact_fromLocalRepositoryThenByMaven() throws IOException {
        Place place = new Place.MavenArtifact("a.b:c:1", Map.of("rows.csv", "in/rows.csv"));
        Path jar = folder.resolve("c-1.jar");
        try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(jar))) {
            zip.putNextEntry(new ZipEntry("in/rows.csv"));
            zip.write(CONTENT);
        }
        script("mvn", """
                for a in "$@"; do case "$a" in -DoutputDirectory=*) cp %s "${a#-DoutputDirectory=}";; esac; done
                """.formatted(jar));
        assertThat(catalogue(place).get("rows", options(null)).file("rows.csv")).hasBinaryContent(CONTENT);

        Files.delete(programs.resolve("mvn"));
        Path local = Files.createDirectories(maven.resolve("a/b/c/1"));
        Files.copy(jar, local.resolve("c-1.jar"));
        home = folder.resolve("home2");
        assertThat(catalogue(place).get("rows", options(null)).file("rows.csv")).hasBinaryContent(CONTENT);
    }

    @Test
    void get_pythonPackage_wheelFetchedWithoutInstallingAndReadThenDeleted() throws IOException {
        Path wheel = folder.resolve("rows-1-py3-none-any.whl");
        try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(wheel))) {
            zip.putNextEntry(new ZipEntry("rows/rows.csv"));
            zip.write(CONTENT);
        }
        Place place = new Place.PythonPackage("rows==1", Map.of("rows.csv", "rows/rows.csv"));
        assertThatThrownBy(() -> catalogue(place).get("rows", options(null)))
                .hasMessageContaining("no pip3, pip or python3");

        script("python3", """
                [ "$1 $2 $3" = "-m pip download" ] || exit 3
                case "$*" in *--no-deps*--only-binary=:all:*rows==1) ;; *) exit 4 ;; esac
                while [ "$1" != --dest ]; do shift; done
                cp %s "$2"
                """.formatted(wheel));
        Path left = Files.createDirectories(home.resolve("cache/pip/rows"));
        Files.writeString(left.resolve("interrupted-1-py3-none-any.whl"), "half");
        Dataset dataset = catalogue(place).get("rows", options(null));
        assertThat(dataset.place()).isEqualTo("Python package rows==1");
        assertThat(dataset.file("rows.csv")).hasBinaryContent(CONTENT);
        assertThat(left).isEmptyDirectory();
    }

    @Test
    void get_nodePackage_archiveFetchedWithoutInstallingAndReadThenDeleted() throws IOException {
        Path tree = Files.createDirectories(folder.resolve("tree/package"));
        Files.write(tree.resolve("rows.csv"), CONTENT);
        Place place = new Place.NodePackage("@a/rows@1", Map.of("rows.csv", "package/rows.csv"));
        script("tar", "exec /bin/tar \"$@\"");
        assertThatThrownBy(() -> catalogue(place).get("rows", options(null))).hasMessageContaining("no npm");

        script("npm", """
                case "$*" in "pack @a/rows@1 --ignore-scripts "*) ;; *) exit 4 ;; esac
                while [ "$1" != --pack-destination ]; do shift; done
                /bin/tar -C %s -czf "$2/a-rows-1.tgz" package/rows.csv
                """.formatted(folder.resolve("tree")));
        Dataset dataset = catalogue(place).get("rows", options(null));
        assertThat(dataset.place()).isEqualTo("Node package @a/rows@1");
        assertThat(dataset.file("rows.csv")).hasBinaryContent(CONTENT);
        assertThat(home.resolve("cache/npm/rows")).isEmptyDirectory();

        script("npm", "echo 'npm ERR! code E404'; exit 1");
        home = folder.resolve("home2");
        assertThatThrownBy(() -> catalogue(place).get("rows", options(null)))
                .hasMessageContaining("npm ERR! code E404");
    }

    @Test
    void standard_everyEntry_hasPlacesForAllItsFiles() {
        for (CatalogueEntry entry : Catalogue.standard().list()) {
            for (CatalogueEntry.File file : entry.files()) {
                for (Place place : entry.places()) {
                    Map<String, ?> files =
                            switch (place) {
                                case Place.SystemPackage debian -> debian.paths();
                                case Place.MavenArtifact artifact -> artifact.entries();
                                case Place.PythonPackage python -> python.entries();
                                case Place.NodePackage node -> node.entries();
                                case Place.LocalFiles local -> local.paths();
                                case Place.PublicAddress address -> address.files();
                            };
                    assertThat(files.keySet())
                            .as("%s in %s", file.name(), place.describe())
                            .contains(file.name());
                }
            }
        }
    }

    private Catalogue catalogue(Place... places) {
        CatalogueEntry entry = new CatalogueEntry(
                "rows", "rows", CatalogueEntry.Content.ROWS, "CC0-1.0", List.of(FILE), List.of(places));
        return new Catalogue(List.of(entry), new CatalogueTools(List.of(programs), root, maven));
    }

    private static Place systemPackage() {
        return new Place.SystemPackage("rows-package", Map.of("rows.csv", "/usr/share/rows.csv.gz"));
    }

    private Place address(String path) {
        return new Place.PublicAddress(Map.of(
                "rows.csv", URI.create("http://127.0.0.1:" + server.getAddress().getPort() + path)));
    }

    private CatalogueOptions options(@Nullable Path data) {
        return new CatalogueOptions(home, data, FetchProgress.NONE);
    }

    private void answer(HttpExchange exchange, int status, byte[] body) throws IOException {
        requests.add(exchange.getRequestURI().getPath());
        exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
        if (body.length > 0) {
            try (OutputStream out = exchange.getResponseBody()) {
                out.write(body);
            }
        }
        exchange.close();
    }

    private void script(String name, String body) throws IOException {
        Path script = programs.resolve(name);
        Files.writeString(script, "#!/bin/sh\n" + body + "\n", UTF_8);
        Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    /** Numbers that don't compress away, so that a broken transfer breaks inside the content. */
    private static byte[] content(int size) {
        byte[] content = new byte[size];
        new Random(7).nextBytes(content);
        return content;
    }

    private static byte[] gzip(byte[] content) throws IOException {
        ByteArrayOutputStream packed = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(packed)) {
            gzip.write(content);
        }
        return Arrays.copyOf(packed.toByteArray(), packed.size());
    }
}
