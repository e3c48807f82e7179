package io.guimo.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.ResultSet;
import java.sql.Statement;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

/** One folder through its life, so that it is created once. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class EmbeddedPostgresTest {
    private static final Path FOLDER = Path.of("target/postgres-test").toAbsolutePath();

    @Test
    @Order(1)
    void start_emptyFolder_servesDurably() throws Exception {
        Folders.delete(FOLDER.resolve("data"));
        Folders.delete(FOLDER.resolve("secret"));
        try (EmbeddedPostgres server = EmbeddedPostgres.start(FOLDER);
                Database database = Database.open(server.address())) {
            assertThat(setting(database, "fsync")).isEqualTo("on");
            assertThat(setting(database, "synchronous_commit")).isEqualTo("on");
            assertThat(setting(database, "data_checksums")).isEqualTo("on");
            assertThat(setting(database, "listen_addresses")).isEqualTo("127.0.0.1");
            database.perform(c -> execute(c, "create table kept (x integer)"));
            database.perform(c -> execute(c, "insert into kept values (7)"));
        }
        assertThat(Files.getPosixFilePermissions(FOLDER.resolve("secret"))).hasToString("[OWNER_READ, OWNER_WRITE]");
    }

    @Test
    @Order(2)
    void start_again_keepsWhatWasCommitted() {
        try (EmbeddedPostgres server = EmbeddedPostgres.start(FOLDER);
                Database database = Database.open(server.address())) {
            assertThat(number(database, "select x from kept")).isEqualTo(7);
        }
    }

    @Test
    @Order(3)
    void start_folderInUse_namesTheOwner() {
        try (EmbeddedPostgres server = EmbeddedPostgres.start(FOLDER)) {
            assertThat(server.processId()).isPositive();
            assertThatThrownBy(() -> EmbeddedPostgres.start(FOLDER))
                    .isInstanceOf(EmbeddedPostgresException.class)
                    .hasMessageContaining(
                            "in use by process " + ProcessHandle.current().pid())
                    .hasMessageContaining("--home");
        }
    }

    @Test
    @Order(4)
    void start_wrongPassword_refused() {
        try (EmbeddedPostgres server = EmbeddedPostgres.start(FOLDER)) {
            DatabaseAddress address = server.address();
            assertThatThrownBy(() -> Database.open(new DatabaseAddress(address.url(), address.user(), "guess")))
                    .isInstanceOf(DatabaseException.class)
                    .hasMessageContaining("password authentication failed")
                    .hasMessageNotContaining(address.password());
        }
    }

    @Test
    @Order(5)
    void kill_ofTheOwner_stopsTheServerAndLosesNothingAcknowledged() throws Exception {
        Process owner = child();
        long server;
        int acknowledged = -1;
        try (BufferedReader output = owner.inputReader()) {
            server = Long.parseLong(output.readLine().substring("server ".length()));
            while (acknowledged < 200) acknowledged = Integer.parseInt(output.readLine());
            owner.toHandle().destroyForcibly(); // Process.destroyForcibly would close the stream we still read
            for (String line = output.readLine(); line != null; line = output.readLine()) {
                if (line.matches("\\d+")) acknowledged = Integer.parseInt(line);
            }
        }
        // At once, while the old server may still be stopping.
        try (EmbeddedPostgres restarted = EmbeddedPostgres.start(FOLDER);
                Database database = Database.open(restarted.address())) {
            assertThat(runs(server)).isFalse();
            assertThat(number(database, "select count(*)::int from written where number <= " + acknowledged))
                    .isEqualTo(acknowledged + 1);
        }
    }

    @Test
    @Order(6)
    void kill_ofTheServer_isStartedAgainOnItsPort() throws Exception {
        try (EmbeddedPostgres server = EmbeddedPostgres.start(FOLDER);
                Database database = Database.open(server.address())) {
            for (int kill = 0; kill < 2; kill++) {
                long killed = server.processId();
                ProcessHandle.of(killed).orElseThrow().destroyForcibly();
                while (server.processId() == killed) Thread.sleep(10);
                assertThat(eventually(database, "select x from kept")).isEqualTo(7);
            }
        }
    }

    private static int eventually(Database database, String query) throws InterruptedException {
        for (int attempt = 0; ; attempt++) {
            try {
                return number(database, query);
            } catch (DatabaseException e) {
                if (attempt == 300) throw e;
                Thread.sleep(100);
            }
        }
    }

    @Test
    @Order(6)
    void start_pidFileOfAnotherProcess_isIgnored() throws IOException {
        Files.writeString(
                FOLDER.resolve("data/postmaster.pid"), ProcessHandle.current().pid() + "\n" + FOLDER + "\n");
        try (EmbeddedPostgres server = EmbeddedPostgres.start(FOLDER)) {
            assertThat(server.processId()).isNotEqualTo(ProcessHandle.current().pid());
        }
    }

    @Test
    @Order(7)
    void start_asLoweredUser_serves() throws Exception {
        Assumptions.assumeTrue(System.getProperty("user.name").equals("root"), "only root lowers its rights");
        try (EmbeddedPostgres server = EmbeddedPostgres.start(FOLDER, ServerUser.lowered());
                Database database = Database.open(server.address())) {
            assertThat(number(database, "select x from kept")).isEqualTo(7);
        }
        Folders.give(FOLDER.resolve("data"), "root");
    }

    @Test
    @Order(8)
    void start_fileLost_saysSoAndChangesNothing() throws IOException {
        Path control = FOLDER.resolve("data/global/pg_control");
        Path aside = FOLDER.resolve("pg_control.aside");
        Files.move(control, aside);
        assertThatThrownBy(() -> EmbeddedPostgres.start(FOLDER))
                .isInstanceOf(EmbeddedPostgresException.class)
                .hasMessageContaining("could not find the database system")
                .hasMessageContaining("backup");
        Files.move(aside, control);
        try (EmbeddedPostgres server = EmbeddedPostgres.start(FOLDER);
                Database database = Database.open(server.address())) {
            assertThat(number(database, "select x from kept")).isEqualTo(7);
        }
    }

    @Test
    @Order(9)
    void start_otherMajorVersion_saysHowToMove() throws IOException {
        Path version = FOLDER.resolve("data/PG_VERSION");
        Files.writeString(version, "15\n");
        assertThatThrownBy(() -> EmbeddedPostgres.start(FOLDER))
                .isInstanceOf(EmbeddedPostgresException.class)
                .hasMessageContaining("PostgreSQL 15");
        Files.writeString(version, "18\n");
    }

    @Test
    @Order(10)
    void start_folderIsAFile_saysSo() throws IOException {
        Path file = Files.createTempFile(Path.of("target"), "not-a-folder", "");
        assertThatThrownBy(() -> EmbeddedPostgres.start(file))
                .isInstanceOf(EmbeddedPostgresException.class)
                .hasMessageContaining(file.getFileName().toString());
    }

    /** Whether it is there and no zombie that nobody has collected. */
    private static boolean runs(long process) throws IOException {
        Path stat = Path.of("/proc/" + process + "/stat");
        return Files.exists(stat) && !Files.readString(stat).matches("(?s).*\\) Z .*");
    }

    private static Process child() throws IOException {
        Path errors = FOLDER.resolve("child.log");
        return new ProcessBuilder(List.of(
                        ProcessHandle.current().info().command().orElseThrow(),
                        "-Xmx200m",
                        "-XX:+UseSerialGC",
                        "-cp",
                        System.getProperty("java.class.path"),
                        AcknowledgingWriter.class.getName(),
                        FOLDER.toString()))
                .redirectError(errors.toFile())
                .start();
    }

    private static String setting(Database database, String name) {
        return database.transaction(c -> {
            try (Statement statement = c.createStatement();
                    ResultSet row = statement.executeQuery("show " + name)) {
                row.next();
                return row.getString(1);
            }
        });
    }

    private static int number(Database database, String query) {
        return database.transaction(c -> {
            try (Statement statement = c.createStatement();
                    ResultSet row = statement.executeQuery(query)) {
                row.next();
                return row.getInt(1);
            }
        });
    }

    private static void execute(java.sql.Connection connection, String sql) throws java.sql.SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
