package io.guimo.testkit;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Finds a Chromium for the browser tests: one named by {@value #CHOICE}, else one on the {@code PATH}, else Debian's headless shell fetched
 * into a private folder without root.
 *
 * <p>The fetch asks apt, with lists and cache of its own, which packages the machine lacks for it (libraries too), downloads exactly those
 * (apt checks their signatures) and unpacks them side by side: nothing is installed, and another user's machine is left as it was. Fonts
 * come the same way where fontconfig does not know them: Chinese text shows as boxes without one, and pictures should look alike everywhere.
 */
public final class BrowserFinder {
    /** Environment variable that names the browser to use, before all others. */
    public static final String CHOICE = "GUIMO_BROWSER";

    private static final List<String> INSTALLED_NAMES = List.of(
            "chromium",
            "chromium-browser",
            "chromium-headless-shell",
            "google-chrome-stable",
            "google-chrome",
            "chrome");
    private static final String BROWSER_PACKAGE = "chromium-headless-shell";
    private static final List<FontPackage> FONTS =
            List.of(new FontPackage("fonts-inter", "Inter"), new FontPackage("fonts-wqy-microhei", ":lang=zh-cn"));
    private static final Pattern LACKING_PACKAGE = Pattern.compile("^Inst (\\S+) ", Pattern.MULTILINE);

    private static final Duration FETCH_LIMIT = Duration.ofMinutes(10);

    private final Path cache;
    private final Map<String, String> environment;

    /**
     * @param cache folder that keeps what is fetched, such as {@code ~/.guimo/cache/browser}
     * @param environment the process environment ({@link System#getenv()}); a test may hand in a smaller one
     */
    public BrowserFinder(Path cache, Map<String, String> environment) {
        this.cache = cache.toAbsolutePath();
        this.environment = Map.copyOf(environment);
    }

    /**
     * A browser that can be started as it stands.
     *
     * @param executable the program
     * @param arguments arguments it needs on this machine
     * @param environment variables to start it with: the finder's own, and those that lead to fetched libraries and fonts
     * @param origin where it came from, for people
     */
    public record FoundBrowser(
            Path executable, List<String> arguments, Map<String, String> environment, String origin) {
        public FoundBrowser {
            arguments = List.copyOf(arguments);
            environment = Map.copyOf(environment);
        }

        /** The origin alone: the environment may hold secrets. */
        @Override
        public String toString() {
            return origin;
        }
    }

    /**
     * Finds or fetches a browser; the first fetch takes about 100 MB and some seconds.
     *
     * @throws IllegalStateException if there is none and none can be fetched; the message names each try
     */
    public FoundBrowser find() {
        List<String> lackingFonts = FONTS.stream()
                .filter(font -> !isKnown(font))
                .map(FontPackage::name)
                .toList();
        Optional<Path> installed = installed();
        if (installed.isEmpty()) {
            List<String> packages = Stream.concat(Stream.of(BROWSER_PACKAGE), lackingFonts.stream())
                    .toList();
            Path root = fetched(packages);
            Path executable = root.resolve("usr/lib/chromium/chromium-headless-shell");
            return found(executable, "fetched without root", Optional.of(root));
        }
        if (lackingFonts.isEmpty()) {
            return found(installed.get(), "installed", Optional.empty());
        }
        return found(installed.get(), "installed, with fetched " + lackingFonts, Optional.of(fetched(lackingFonts)));
    }

    private Optional<Path> installed() {
        String chosen = environment.getOrDefault(CHOICE, "");
        if (!chosen.isEmpty()) {
            Path path = Path.of(chosen);
            if (!Files.isExecutable(path)) {
                throw new IllegalStateException(
                        CHOICE + "=" + chosen + " is not an executable file; name a Chromium or unset it");
            }
            return Optional.of(path);
        }
        return INSTALLED_NAMES.stream().flatMap(name -> onPath(name).stream()).findFirst();
    }

    private Optional<Path> onPath(String name) {
        return Arrays.stream(environment.getOrDefault("PATH", "").split(":"))
                .filter(folder -> !folder.isEmpty())
                .map(folder -> Path.of(folder, name))
                .filter(Files::isExecutable)
                .findFirst();
    }

    /** A Debian package, and the fontconfig pattern that lists something where it is not needed. */
    private record FontPackage(String name, String pattern) {}

    private boolean isKnown(FontPackage font) {
        return onPath("fc-list")
                .map(list -> !run(List.of(list.toString(), font.pattern()), Path.of("/"))
                        .isBlank())
                .orElse(false);
    }

    private FoundBrowser found(Path executable, String origin, Optional<Path> fetchedRoot) {
        Map<String, String> started = new LinkedHashMap<>(environment);
        fetchedRoot.ifPresent(root -> {
            Path libraries = root.resolve("usr/lib").resolve(multiarchFolder());
            started.merge(
                    "LD_LIBRARY_PATH",
                    libraries + ":" + libraries.resolve("pulseaudio"),
                    (before, added) -> before.isEmpty() ? added : added + ":" + before);
            // fontconfig reads fonts/ below it
            started.put("XDG_DATA_HOME", root.resolve("usr/share").toString());
        });
        List<String> arguments = new ArrayList<>(List.of(
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-sync"));
        if ("root".equals(System.getProperty("user.name"))) {
            // Chromium refuses to run as root inside its sandbox
            arguments.add("--no-sandbox");
        }
        return new FoundBrowser(executable, arguments, started, executable + " (" + origin + ")");
    }

    private static String multiarchFolder() {
        return switch (System.getProperty("os.arch")) {
            case "amd64", "x86_64" -> "x86_64-linux-gnu";
            case "aarch64" -> "aarch64-linux-gnu";
            case String other -> other + "-linux-gnu";
        };
    }

    /** The folder with the unpacked packages; made once, by whoever holds the lock. */
    private Path fetched(List<String> packages) {
        Path root = cache.resolve(String.join("+", packages));
        try {
            Files.createDirectories(cache);
            try (FileChannel channel = FileChannel.open(
                            cache.resolve("fetch.lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                    FileLock _ = channel.lock()) {
                // a folder under its final name is complete: it got there by a rename
                if (!Files.isDirectory(root)) {
                    fetch(packages, root);
                }
                return root;
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot keep a browser in " + cache, e);
        }
    }

    private void fetch(List<String> packages, Path root) throws IOException {
        String aptGet = required("apt-get");
        String dpkg = required("dpkg");
        Path work = cache.resolve("work");
        deleteTree(work);
        Path unpacked = work.resolve("root");
        for (String folder : List.of("lists/partial", "archives/partial", "debs", "root")) {
            Files.createDirectories(work.resolve(folder));
        }
        List<String> apt = List.of(
                aptGet,
                "-q",
                "-o",
                "Dir::State::lists=" + work.resolve("lists"),
                "-o",
                "Dir::Cache=" + work,
                "-o",
                "Debug::NoLocking=1",
                "-o",
                "APT::Install-Recommends=false",
                "-o",
                "APT::Sandbox::User=");
        run(joined(apt, List.of("update")), work);
        String plan = run(joined(joined(apt, List.of("--simulate", "install")), packages), work);
        List<String> lacking = LACKING_PACKAGE
                .matcher(plan)
                .results()
                .map(match -> match.group(1))
                .toList();
        if (!lacking.containsAll(packages)) {
            throw new IllegalStateException(
                    "apt would fetch " + lacking + ", not all of " + packages + "; its plan was:\n" + plan);
        }
        run(joined(joined(apt, List.of("download")), lacking), work.resolve("debs"));
        try (Stream<Path> archives = Files.list(work.resolve("debs"))) {
            for (Path archive : archives.sorted().toList()) {
                run(List.of(dpkg, "-x", archive.toString(), unpacked.toString()), work);
            }
        }
        Files.move(unpacked, root, StandardCopyOption.ATOMIC_MOVE);
        deleteTree(work);
    }

    private String required(String program) {
        return onPath(program)
                .map(Path::toString)
                .orElseThrow(() -> new IllegalStateException("no browser: none of " + INSTALLED_NAMES
                        + " is on the PATH, and " + program + ", which would fetch Debian's " + BROWSER_PACKAGE
                        + ", is missing; install a Chromium or name one in " + CHOICE));
    }

    private static List<String> joined(List<String> first, List<String> second) {
        return Stream.concat(first.stream(), second.stream()).toList();
    }

    /** Runs a program to its end and returns what it wrote; a failure carries its last words. */
    private String run(List<String> command, Path folder) {
        String shown = String.join(" ", command);
        try {
            // a file, not a pipe: a program that stalls with a full or open pipe could not be timed out
            Path output = Files.createTempFile("guimo-browser-", ".log");
            try {
                int status = runInto(output, command, folder);
                String written = Files.readString(output, StandardCharsets.UTF_8);
                if (status != 0) {
                    String lastWords = written.substring(Math.max(0, written.length() - 2000));
                    throw new IllegalStateException(shown + " ended with status " + status + ":\n" + lastWords);
                }
                return written;
            } finally {
                Files.delete(output);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot run " + shown, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while running " + shown, e);
        }
    }

    private int runInto(Path output, List<String> command, Path folder) throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null")))
                .redirectErrorStream(true)
                .redirectOutput(output.toFile());
        builder.environment().clear();
        builder.environment().putAll(environment);
        builder.environment().put("LC_ALL", "C.UTF-8");
        Process process = builder.start();
        try {
            if (process.waitFor(FETCH_LIMIT)) {
                return process.exitValue();
            }
            throw new IllegalStateException(String.join(" ", command) + " did not end within " + FETCH_LIMIT);
        } finally {
            process.destroyForcibly();
        }
    }

    private static void deleteTree(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        try (Stream<Path> walk = Files.walk(folder)) {
            for (Path path : walk.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }
}
