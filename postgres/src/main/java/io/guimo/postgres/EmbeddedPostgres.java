package io.guimo.postgres;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The PostgreSQL server of a home folder, started by this process and stopped with it, by {@link #close()} or, where the system has {@code
 * setpriv}, by the kernel when this process dies. A server that dies by itself (killed, out of memory, disk full) is started again on the same
 * port as soon as that succeeds. It listens on the loopback interface only and asks for a password.
 */
public final class EmbeddedPostgres implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(EmbeddedPostgres.class);

    private static final String USER = "guimo";
    private static final String MAJOR_VERSION = "18";
    private static final long START_SECONDS = 60;
    private static final long STOP_SECONDS = 60;
    private static final int PORT_ATTEMPTS = 5;
    private static final Duration FIRST_RETRY = Duration.ofMillis(200);
    private static final Duration LONGEST_RETRY = Duration.ofSeconds(10);
    private static final long LARGEST_LOG_BYTES = 10 << 20;

    private final Path folder;
    private final FolderLock lock;
    private final List<String> command;
    private final DatabaseAddress address;
    private final CompletableFuture<Boolean> started = new CompletableFuture<>();
    private final Thread keeper;
    private volatile @Nullable Process server;

    private EmbeddedPostgres(Path folder, FolderLock lock, List<String> command, DatabaseAddress address) {
        this.folder = folder;
        this.lock = lock;
        this.command = command;
        this.address = address;
        this.keeper = Thread.ofPlatform().daemon().name("postgres-keeper").unstarted(this::keep);
    }

    /**
     * Unpacks and creates what is missing under {@code folder}, then starts the server on a free port of the loopback interface. Takes about
     * 5 s the first time and .5 s later.
     *
     * @param folder usually {@code <home>/postgres}
     * @throws EmbeddedPostgresException with one clear paragraph if another process owns the folder, the disk is full or the folder is damaged
     */
    public static EmbeddedPostgres start(Path folder) {
        try {
            return start(folder, ServerUser.choose());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new EmbeddedPostgresException("interrupted while PostgreSQL was starting in " + folder, e);
        } catch (IOException e) {
            throw explain(folder, e);
        } catch (UncheckedIOException e) {
            throw explain(folder, new IOException(e.getMessage(), e));
        }
    }

    static EmbeddedPostgres start(Path given, ServerUser user) throws IOException, InterruptedException {
        Path folder = Files.createDirectories(given.toAbsolutePath().normalize());
        FolderLock lock = FolderLock.take(folder);
        try {
            Path bin = ServerPrograms.unpack(folder).resolve("bin");
            Path data = folder.resolve("data");
            stopOrphan(data);
            String password = password(folder);
            if (Files.notExists(data.resolve("PG_VERSION"))) create(folder, bin, user, password);
            checkVersion(data);
            if (user.owner() != null) Folders.give(data, user.owner());
            return launch(folder, lock, bin, user, password);
        } catch (IOException | InterruptedException | RuntimeException e) {
            lock.close();
            throw e;
        }
    }

    /** How to reach it; the port changes with each start. */
    public DatabaseAddress address() {
        return address;
    }

    /** The server's main process, for measuring its CPU time and that of its children; another one after a restart. */
    public long processId() {
        return running().pid();
    }

    /** Stops the server: open transactions are rolled back, what was committed stays. */
    @Override
    public void close() {
        try (lock) {
            keeper.interrupt();
            keeper.join();
        } catch (InterruptedException e) {
            running().destroyForcibly();
            Thread.currentThread().interrupt();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot give the folder " + folder + " free", e);
        }
    }

    private Process running() {
        Process process = server;
        if (process == null) throw new IllegalStateException("PostgreSQL in " + folder + " was never started");
        return process;
    }

    private static void create(Path folder, Path bin, ServerUser user, String password)
            throws IOException, InterruptedException {
        Path data = folder.resolve("data");
        if (Files.exists(data)) {
            throw new EmbeddedPostgresException(
                    "the folder " + data
                            + " is damaged: it has no PG_VERSION. Put it back from a backup, or move it away to begin with an empty database.");
        }
        Path unfinished = folder.resolve("data.unfinished");
        Folders.delete(unfinished);
        Files.createDirectory(
                unfinished, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        Path passwordFile = folder.resolve("password.unfinished");
        writePrivately(passwordFile, password + "\n");
        if (user.owner() != null) {
            Folders.give(unfinished, user.owner());
            Folders.give(passwordFile, user.owner());
        }
        Commands.run(user.command(
                bin.resolve("initdb"),
                "-D",
                unfinished.toString(),
                "-U",
                USER,
                "-A",
                "scram-sha-256",
                "--pwfile=" + passwordFile,
                "-E",
                "UTF8",
                "--locale-provider=builtin",
                "--locale=C.UTF-8",
                "--data-checksums",
                // A segment of the log is filled with zeros and flushed before it is first used: 45 ms in 16 MB, during
                // which nobody can settle.
                "--wal-segsize=2"));
        Files.delete(passwordFile);
        Files.move(unfinished, data, StandardCopyOption.ATOMIC_MOVE);
    }

    private static String password(Path folder) throws IOException {
        Path secret = folder.resolve("secret");
        if (Files.exists(secret)) return Files.readString(secret).strip();
        if (Files.exists(folder.resolve("data"))) {
            throw new EmbeddedPostgresException(
                    "the file " + secret + " is missing, and with it the password of the database in "
                            + folder.resolve("data") + ". Put it back from a backup.");
        }
        byte[] random = new byte[24];
        new SecureRandom().nextBytes(random);
        String password = Base64.getUrlEncoder().encodeToString(random);
        Path unfinished = folder.resolve("secret.unfinished");
        writePrivately(unfinished, password);
        Files.move(unfinished, secret, StandardCopyOption.ATOMIC_MOVE);
        return password;
    }

    private static void writePrivately(Path file, String text) throws IOException {
        Files.deleteIfExists(file);
        Files.createFile(file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.writeString(file, text);
    }

    private static void checkVersion(Path data) throws IOException {
        String version = Files.readString(data.resolve("PG_VERSION")).strip();
        if (!version.equals(MAJOR_VERSION)) {
            throw new EmbeddedPostgresException("the database in " + data + " was written by PostgreSQL " + version
                    + ", and this program brings PostgreSQL " + MAJOR_VERSION
                    + ". Dump it with the version that wrote it and load the dump into a new home folder.");
        }
    }

    private static EmbeddedPostgres launch(Path folder, FolderLock lock, Path bin, ServerUser user, String password)
            throws IOException, InterruptedException {
        Path log = log(folder);
        if (Files.exists(log) && Files.size(log) > LARGEST_LOG_BYTES) {
            Files.move(log, folder.resolve("log.old"), StandardCopyOption.REPLACE_EXISTING);
        }
        for (int attempt = 1; ; attempt++) {
            long logStart = Files.exists(log) ? Files.size(log) : 0;
            int port = freePort();
            String url = "jdbc:postgresql://127.0.0.1:" + port + "/postgres";
            EmbeddedPostgres candidate = new EmbeddedPostgres(
                    folder, lock, command(data(folder), bin, user, port), new DatabaseAddress(url, USER, password));
            candidate.keeper.start();
            if (candidate.isStarted()) return candidate;
            String said = tail(log, logStart);
            // Between our asking for a free port and the server's binding it, another process can take it.
            boolean portTaken = said.contains("could not bind") || said.contains("Address already in use");
            if (!portTaken || attempt == PORT_ATTEMPTS) {
                throw new IOException("the server ended while starting; it said: " + said);
            }
        }
    }

    private boolean isStarted() throws IOException, InterruptedException {
        try {
            return started.get();
        } catch (ExecutionException e) {
            Throwable cause = Objects.requireNonNullElse(e.getCause(), e);
            throw new IOException(cause.getMessage(), cause);
        } catch (InterruptedException e) {
            keeper.interrupt();
            throw e;
        }
    }

    /**
     * The life of the server, on one thread that lives as long as it: the kernel sends the signal of a parent's death when the <em>thread</em>
     * that made the process ends.
     */
    private void keep() {
        try {
            boolean ready = begin();
            started.complete(ready);
            if (!ready) return;
            while (true) {
                int status = running().waitFor();
                LOG.warn(
                        "PostgreSQL in {} ended by itself (status {}) and is started again; its own words stand in {}",
                        folder,
                        status,
                        log(folder));
                beginAgain();
                LOG.warn("PostgreSQL in {} serves again", folder);
            }
        } catch (InterruptedException e) {
            if (!started.completeExceptionally(e)) stop();
        } catch (IOException | RuntimeException e) {
            started.completeExceptionally(e);
        }
    }

    /** Starts the server and waits until it is ready; false, with nothing left of it, if it ends instead. */
    private boolean begin() throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log(folder).toFile()))
                .start();
        server = process;
        boolean ready = false;
        try {
            ready = isReady(data(folder), process);
            return ready;
        } finally {
            if (!ready) process.destroyForcibly();
        }
    }

    private void beginAgain() throws InterruptedException {
        for (Duration pause = FIRST_RETRY; ; pause = longer(pause)) {
            Thread.sleep(pause);
            try {
                stopOrphan(data(folder)); // what the dead one started ends when it notices
                if (begin()) return;
            } catch (IOException | RuntimeException e) {
                LOG.warn("PostgreSQL in {} does not start: {}", folder, e.getMessage());
            }
        }
    }

    private static Duration longer(Duration pause) {
        Duration doubled = pause.multipliedBy(2);
        return doubled.compareTo(LONGEST_RETRY) < 0 ? doubled : LONGEST_RETRY;
    }

    private void stop() {
        Process process = running();
        try {
            if (process.isAlive()) Commands.interrupt(process.pid());
            if (!process.waitFor(STOP_SECONDS, TimeUnit.SECONDS)) {
                LOG.warn(
                        "PostgreSQL in {} did not stop within {} s and is killed; it recovers at its next start",
                        folder,
                        STOP_SECONDS);
                process.destroyForcibly().waitFor();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
        } catch (IOException e) {
            LOG.warn("PostgreSQL in {} could not be told to stop and is killed: {}", folder, e.getMessage());
            process.destroyForcibly();
        }
    }

    private static Path data(Path folder) {
        return folder.resolve("data");
    }

    private static Path log(Path folder) {
        return folder.resolve("log");
    }

    private static List<String> command(Path data, Path bin, ServerUser user, int port) throws InterruptedException {
        List<String> command = new ArrayList<>();
        // A group of its own: Ctrl-C in a terminal goes to every process of the group, and the database must outlive
        // the server's last settlements.
        if (Commands.succeeds("setsid", "true")) command.add("setsid");
        command.addAll(user.prefix());
        if (Commands.succeeds("setpriv", "--pdeathsig", "INT", "true")) {
            command.addAll(List.of("setpriv", "--pdeathsig", "INT"));
        }
        command.addAll(
                List.of(bin.resolve("postgres").toString(), "-D", data.toString(), "-p", Integer.toString(port)));
        for (String setting : List.of(
                "listen_addresses=127.0.0.1",
                "unix_socket_directories=",
                "max_connections=100",
                "shared_buffers=128MB",
                "max_wal_size=2GB",
                "checkpoint_timeout=15min",
                "wal_buffers=16MB",
                "jit=off",
                "log_min_messages=warning",
                "log_checkpoints=off",
                "autovacuum_naptime=15s")) {
            command.addAll(List.of("-c", setting));
        }
        return command;
    }

    /** Waits until the server writes "ready" into its pid file (line 8, src/include/utils/pidfile.h) or ends. */
    private static boolean isReady(Path data, Process server) throws IOException, InterruptedException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(START_SECONDS);
        Path pidFile = data.resolve("postmaster.pid");
        while (server.isAlive()) {
            List<String> lines = linesOf(pidFile);
            if (lines.size() >= 8
                    && lines.get(0).strip().equals(Long.toString(server.pid()))
                    && lines.get(7).strip().equals("ready")) {
                return true;
            }
            if (System.nanoTime() > end) {
                throw new IOException("the server was not ready within " + START_SECONDS + " s");
            }
            server.waitFor(10, TimeUnit.MILLISECONDS);
        }
        return false;
    }

    /**
     * A server left behind by a process that was killed. We hold the folder's lock, so nobody else owns it: it is stopped, its log is safe. A
     * pid file without a server would refuse the next start when another process got the same number; it is removed once nobody works in
     * the folder.
     */
    private static void stopOrphan(Path data) throws IOException, InterruptedException {
        Path pidFile = data.resolve("postmaster.pid");
        List<String> lines = linesOf(pidFile);
        if (lines.isEmpty() && Files.notExists(pidFile)) return;
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(STOP_SECONDS);
        boolean told = false;
        for (List<Long> users = usersOf(data); !users.isEmpty(); users = usersOf(data)) {
            if (!told && !lines.isEmpty()) {
                long postmaster = Long.parseLong(lines.getFirst().strip());
                if (users.contains(postmaster)) Commands.interrupt(postmaster);
                told = true;
            }
            if (System.nanoTime() > end) {
                throw new EmbeddedPostgresException("processes " + users + " still work in " + data
                        + ", left by a run that was killed. Stop them (kill -INT PID), then start again.");
            }
            Thread.sleep(20);
        }
        Files.deleteIfExists(pidFile);
    }

    /** Live processes whose working folder is the data folder, as that of every PostgreSQL process is. */
    private static List<Long> usersOf(Path data) throws IOException {
        List<Long> users = new ArrayList<>();
        Path processes = Path.of("/proc");
        if (Files.notExists(processes)) return users;
        Path wanted = data.toRealPath();
        try (DirectoryStream<Path> stream = Files.newDirectoryStream(processes, "[0-9]*")) {
            for (Path process : stream) {
                try {
                    if (Files.readSymbolicLink(process.resolve("cwd")).equals(wanted)) {
                        users.add(Long.parseLong(process.getFileName().toString()));
                    }
                } catch (FileSystemException e) {
                    // ended meanwhile, a zombie, or another user's: no server of ours
                    LOG.trace("not ours: {}", process, e);
                }
            }
        }
        return users;
    }

    private static List<String> linesOf(Path file) throws IOException {
        try {
            return Files.readAllLines(file);
        } catch (NoSuchFileException e) {
            return List.of();
        }
    }

    private static String tail(Path log, long from) throws IOException {
        byte[] all = Files.readAllBytes(log);
        int start = (int) Math.max(Math.min(from, all.length), all.length - 2000L);
        return new String(all, start, all.length - start, StandardCharsets.UTF_8).strip();
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private static EmbeddedPostgresException explain(Path folder, IOException e) {
        String said = String.valueOf(e.getMessage());
        String advice;
        if (said.contains("No space left") || said.contains("Disk quota exceeded")) {
            advice =
                    "The disk is full: free some space (a fresh database needs 150 MB) and start again; nothing that was committed is lost.";
        } else if (said.contains("Permission denied") || e instanceof java.nio.file.AccessDeniedException) {
            advice = "This user may not write there: change the owner, or choose another home folder (--home DIR).";
        } else if (said.contains("Read-only file system")) {
            advice = "Choose another home folder (--home DIR).";
        } else {
            advice =
                    "If files in it were changed or lost, put the folder back from a backup, or move it away to begin with an empty database. "
                            + "The server's own words stand in " + folder.resolve("log") + ".";
        }
        return new EmbeddedPostgresException("PostgreSQL cannot start in " + folder + ": " + said + ". " + advice, e);
    }
}
