package io.guimo.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class DatabaseTest {
    private static EmbeddedPostgres server;
    private static Database database;

    @BeforeAll
    static void start() {
        server = EmbeddedPostgres.start(Path.of("target/postgres-database"));
        database = Database.open(server.address());
    }

    @AfterAll
    static void stop() {
        database.close();
        server.close();
    }

    @BeforeEach
    void emptyTables() {
        database.perform(c -> execute(c, "drop schema public cascade; create schema public"));
        database.migrate("first", "io/guimo/postgres/first");
    }

    @Test
    void migrate_twoModulesTwice_eachHasItsOwnHistory() {
        database.migrate("second", "io/guimo/postgres/second");
        database.migrate("second", "io/guimo/postgres/second");
        assertThat(
                        text(
                                "select string_agg(tablename, ' ' order by tablename) from pg_tables where schemaname = 'public'"))
                .isEqualTo("fruit plant schema_history_first schema_history_second");
    }

    @Test
    void migrate_missingFolder_refused() {
        assertThatThrownBy(() -> database.migrate("third", "io/guimo/postgres/third"))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("third");
    }

    @Test
    void transaction_workThrows_leavesNothing() {
        assertThatThrownBy(() -> database.perform(c -> {
                    execute(c, "insert into fruit values ('pear')");
                    throw new IllegalStateException("changed my mind");
                }))
                .hasMessage("changed my mind");
        assertThat(text("select count(*)::text from fruit")).isEqualTo("0");
    }

    @Test
    void transaction_constraintBroken_tellsTheState() {
        database.perform(c -> execute(c, "insert into fruit values ('fig')"));
        assertThatThrownBy(() -> database.perform(c -> execute(c, "insert into fruit values ('fig')")))
                .isInstanceOfSatisfying(
                        DatabaseException.class, e -> assertThat(e.sqlState()).isEqualTo("23505"));
    }

    @Test
    void transaction_deadlock_runsAgainUntilBothAreDone() throws InterruptedException {
        database.perform(c -> execute(c, "insert into fruit values ('apple', 0), ('plum', 0)"));
        AtomicInteger runs = new AtomicInteger();
        CountDownLatch bothHoldOne = new CountDownLatch(2);
        List<Thread> threads = List.of(List.of("apple", "plum"), List.of("plum", "apple")).stream()
                .map(order -> Thread.ofVirtual()
                        .start(() -> database.perform(c -> {
                            runs.incrementAndGet();
                            execute(c, "update fruit set count = count + 1 where name = '" + order.get(0) + "'");
                            bothHoldOne.countDown();
                            await(bothHoldOne);
                            execute(c, "update fruit set count = count + 1 where name = '" + order.get(1) + "'");
                        })))
                .toList();
        for (Thread thread : threads) thread.join();
        assertThat(text("select sum(count)::text from fruit")).isEqualTo("4");
        assertThat(runs).hasValue(3);
    }

    @Test
    void parse_addressOfPsql_splitsAndDecodes() {
        DatabaseAddress address =
                DatabaseAddress.parse("postgresql://till%40a:p%2Bq%3Ar@db.example:6000/money?sslmode=require");
        assertThat(address)
                .isEqualTo(new DatabaseAddress(
                        "jdbc:postgresql://db.example:6000/money?sslmode=require", "till@a", "p+q:r"));
        assertThat(address.toString()).doesNotContain("p+q").contains("db.example:6000/money");
        assertThat(DatabaseAddress.parse("postgres://u:p@h").url()).isEqualTo("jdbc:postgresql://h:5432/postgres");
    }

    @Test
    void parse_notAnAddress_refusedWithoutQuotingThePassword() {
        for (String wrong : List.of("mysql://u:secret@h/d", "secret", "postgresql://h/d", "postgresql://u:se cret@h")) {
            assertThatThrownBy(() -> DatabaseAddress.parse(wrong))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("postgresql://USER")
                    .hasMessageNotContaining("cret");
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String text(String query) {
        return database.transaction(c -> {
            try (Statement statement = c.createStatement();
                    ResultSet row = statement.executeQuery(query)) {
                row.next();
                return row.getString(1);
            }
        });
    }

    private static void execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
