package io.guimo.commerce;

import io.guimo.postgres.Database;
import io.guimo.postgres.DatabaseAddress;
import io.guimo.postgres.EmbeddedPostgres;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import org.jspecify.annotations.Nullable;

/** An empty database with the tables of this module, on one server for all tests of a run. */
public final class ScratchDatabase {
    private static @Nullable EmbeddedPostgres server;

    private ScratchDatabase() {}

    /** @param name of the database, one for each test class */
    public static Database open(String name) {
        DatabaseAddress address = fresh(name);
        Database database = Database.open(address);
        database.migrate("commerce", "io/guimo/commerce/migrations");
        return database;
    }

    private static synchronized DatabaseAddress fresh(String name) {
        if (server == null) server = EmbeddedPostgres.start(Path.of("target/postgres"));
        DatabaseAddress main = server.address();
        try (Database admin = Database.open(main);
                Connection connection = admin.connect("scratch");
                Statement statement = connection.createStatement()) {
            statement.execute("drop database if exists " + name + " with (force)");
            statement.execute("create database " + name);
        } catch (SQLException e) {
            throw new IllegalStateException("cannot make the scratch database " + name, e);
        }
        int slash = main.url().lastIndexOf('/');
        return new DatabaseAddress(main.url().substring(0, slash + 1) + name, main.user(), main.password());
    }
}
