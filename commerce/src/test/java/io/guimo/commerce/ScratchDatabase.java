package io.guimo.commerce;

import io.guimo.postgres.Database;
import io.guimo.postgres.DatabaseAddress;
import io.guimo.postgres.EmbeddedPostgres;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import org.jspecify.annotations.Nullable;

/** An empty database with the tables of this module, on one server for all tests of a run. */
public final class ScratchDatabase {
    private static final String TEMPLATE = "commerce_template";

    private static @Nullable EmbeddedPostgres server;

    private ScratchDatabase() {}

    /** @param name of the database, one for each test class */
    public static Database open(String name) {
        return Database.open(fresh(name));
    }

    private static synchronized DatabaseAddress fresh(String name) {
        if (server == null) {
            server = EmbeddedPostgres.start(Path.of("target/postgres"));
            run(
                    server.address(),
                    "drop database if exists " + TEMPLATE + " with (force)",
                    "create database " + TEMPLATE);
            try (Database template = Database.open(named(server.address(), TEMPLATE))) {
                template.migrate("commerce", "io/guimo/commerce/migrations");
            }
        }
        // a copy of migrated tables costs a tenth of migrating
        run(
                server.address(),
                "drop database if exists " + name + " with (force)",
                "create database " + name + " template " + TEMPLATE);
        return named(server.address(), name);
    }

    private static void run(DatabaseAddress address, String... statements) {
        try (Connection connection = DriverManager.getConnection(address.url(), address.user(), address.password());
                Statement statement = connection.createStatement()) {
            for (String sql : statements) statement.execute(sql);
        } catch (SQLException e) {
            throw new IllegalStateException("cannot make a scratch database", e);
        }
    }

    private static DatabaseAddress named(DatabaseAddress main, String name) {
        int slash = main.url().lastIndexOf('/');
        return new DatabaseAddress(main.url().substring(0, slash + 1) + name, main.user(), main.password());
    }
}
