package io.guimo.postgres;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import com.zaxxer.hikari.pool.HikariPool;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Properties;
import java.util.concurrent.ThreadLocalRandom;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;

/** A pool of connections to one PostgreSQL database, with transactions and migrations. Thread-safe. */
public final class Database implements AutoCloseable {
    private static final int ATTEMPTS = 10;

    private final DatabaseAddress address;
    private final HikariDataSource pool;

    private Database(DatabaseAddress address, HikariDataSource pool) {
        this.address = address;
        this.pool = pool;
    }

    /**
     * Connects once, so that a wrong address or password fails here.
     *
     * @throws DatabaseException if the database cannot be reached or refuses the login
     */
    public static Database open(DatabaseAddress address) {
        return open(address, new DatabaseSettings(null));
    }

    /** @throws DatabaseException if the database cannot be reached or refuses the login */
    public static Database open(DatabaseAddress address, DatabaseSettings settings) {
        HikariConfig config = new HikariConfig();
        config.setPoolName("guimo");
        config.setJdbcUrl(address.url());
        config.setUsername(address.user());
        config.setPassword(address.password());
        config.setMaximumPoolSize(settings.connections());
        config.setMinimumIdle(1);
        config.setConnectionTimeout(10_000);
        config.setAutoCommit(false);
        driverProperties().forEach((name, value) -> config.addDataSourceProperty(name.toString(), value));
        try {
            return new Database(address, new HikariDataSource(config));
        } catch (HikariPool.PoolInitializationException e) {
            if (e.getCause() instanceof SQLException cause) {
                throw new DatabaseException("cannot open the database " + address, cause);
            }
            throw e;
        }
    }

    public DatabaseAddress address() {
        return address;
    }

    /** Work inside a transaction that yields a value. */
    @FunctionalInterface
    public interface Work<T> {
        T run(Connection connection) throws SQLException;
    }

    /** Work inside a transaction that yields nothing. */
    @FunctionalInterface
    public interface Action {
        void run(Connection connection) throws SQLException;
    }

    /**
     * Runs {@code work} in one transaction (read committed) and commits it; rolls back if it throws. A serialization failure or deadlock runs
     * the work again, so it must have no effect outside the database.
     *
     * @throws DatabaseException for every {@link SQLException}
     */
    public <T> T transaction(Work<T> work) {
        for (int attempt = 1; ; attempt++) {
            try (Connection connection = pool.getConnection()) {
                return once(connection, work);
            } catch (SQLException e) {
                if (!DatabaseException.isConflict(e) || attempt == ATTEMPTS) {
                    throw new DatabaseException("the database refused", e);
                }
            }
            pause(attempt);
        }
    }

    /** {@link #transaction} for work without a result. */
    public void perform(Action action) {
        this.<Boolean>transaction(connection -> {
            action.run(connection);
            return true;
        });
    }

    /**
     * A connection of its own, outside the pool, for a thread that holds one for long. Auto-commit is on; the caller closes it.
     *
     * @throws DatabaseException if the database cannot be reached
     */
    public Connection connect(String purpose) {
        Properties properties = driverProperties();
        properties.setProperty("user", address.user());
        properties.setProperty("password", address.password());
        properties.setProperty("ApplicationName", "guimo " + purpose);
        try {
            return DriverManager.getConnection(address.url(), properties);
        } catch (SQLException e) {
            throw new DatabaseException("cannot reach the database " + address, e);
        }
    }

    /**
     * Brings the tables of a module up to date. Each module has a history of its own ({@code schema_history_<module>}), so modules migrate
     * independently; several servers that start together take turns.
     *
     * @param module lower-case name, such as {@code commerce}
     * @param location class path folder of the scripts {@code V<number>__<words>.sql}, such as {@code io/guimo/commerce/migrations}
     * @throws IllegalStateException if a script fails or one that was applied has been changed since
     */
    public void migrate(String module, String location) {
        try {
            Flyway.configure(Database.class.getClassLoader())
                    .dataSource(address.url(), address.user(), address.password())
                    .table("schema_history_" + module)
                    .locations("classpath:" + location)
                    .failOnMissingLocations(true)
                    // Modules share one schema, so to each the schema is never empty.
                    .baselineOnMigrate(true)
                    .baselineVersion("0")
                    // The packages of a module number their scripts in ranges of their own.
                    .outOfOrder(true)
                    .load()
                    .migrate();
        } catch (FlywayException e) {
            throw new IllegalStateException(
                    "the tables of " + module + " cannot be brought up to date in " + address + ": " + e.getMessage(),
                    e);
        }
    }

    @Override
    public void close() {
        pool.close();
    }

    private static <T> T once(Connection connection, Work<T> work) throws SQLException {
        boolean committed = false;
        try {
            T result = work.run(connection);
            connection.commit();
            committed = true;
            return result;
        } finally {
            if (!committed && !connection.isClosed()) connection.rollback();
        }
    }

    private static Properties driverProperties() {
        Properties properties = new Properties();
        properties.setProperty("reWriteBatchedInserts", "true");
        properties.setProperty("tcpKeepAlive", "true");
        properties.setProperty("connectTimeout", "10");
        return properties;
    }

    private static void pause(int attempt) {
        try {
            Thread.sleep(ThreadLocalRandom.current().nextLong(1, 5L * attempt + 2));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while a transaction was being tried again", e);
        }
    }
}
