package io.guimo.postgres;

import org.jspecify.annotations.Nullable;

/**
 * @param connections most connections the pool opens; 8 unless given. Dedicated connections come on top
 */
public record DatabaseSettings(@Nullable Integer connections) {
    public DatabaseSettings {
        if (connections == null) connections = 8;
        if (connections < 1 || connections > 1000) {
            throw new IllegalArgumentException(
                    "database.connections is " + connections + "; give a number from 1 to 1000");
        }
    }

    @Override
    @SuppressWarnings("NullAway") // the compact constructor filled it in
    public Integer connections() {
        return connections;
    }
}
