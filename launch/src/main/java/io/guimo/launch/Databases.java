package io.guimo.launch;

import io.guimo.postgres.Database;
import io.guimo.postgres.DatabaseAddress;
import io.guimo.postgres.EmbeddedPostgres;
import org.jspecify.annotations.Nullable;

/**
 * The database of an installation: the embedded server of its home folder, or one that runs elsewhere.
 *
 * @param embedded null where the server runs elsewhere
 */
record Databases(@Nullable EmbeddedPostgres embedded, Database database) implements AutoCloseable {
    static Databases open(Home home, @Nullable String url, Stages.Stage stage) {
        if (url != null) {
            Database database = Database.open(DatabaseAddress.parse(url));
            stage.outcome(database.address().toString());
            return new Databases(null, database);
        }
        EmbeddedPostgres embedded = EmbeddedPostgres.start(home.postgres());
        try {
            stage.outcome("PostgreSQL in " + home.postgres());
            return new Databases(embedded, Database.open(embedded.address()));
        } catch (RuntimeException e) {
            embedded.close();
            throw e;
        }
    }

    @Override
    public void close() {
        database.close();
        if (embedded != null) embedded.close();
    }
}
