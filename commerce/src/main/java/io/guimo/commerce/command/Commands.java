package io.guimo.commerce.command;

import io.guimo.commerce.command.Outcome.Done;
import io.guimo.commerce.command.Outcome.Refused;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.List;

/** Does a command once for its caller's key, inside the transaction that the command is. */
public final class Commands {
    private Commands() {}

    /** The work of a command; returns the id of what it made. */
    @FunctionalInterface
    public interface Work {
        Outcome<String> run(Connection connection) throws SQLException;
    }

    /** Reads what a command made. */
    @FunctionalInterface
    public interface Reader<T> {
        T read(Connection connection, String id) throws SQLException;
    }

    /**
     * Runs {@code work} unless this key was used before; then the same content reads the first answer again, other content is refused. Of
     * two that arrive together the second waits for the first. A refused command leaves its key unused.
     *
     * @param content everything that the command says, its name first
     */
    public static <T> Outcome<T> once(
            Connection connection, CommandKey key, List<String> content, Work work, Reader<T> reader)
            throws SQLException {
        byte[] digest = digest(content);
        try (PreparedStatement claim = connection.prepareStatement(
                "insert into command (scope, key, content_sha256) values (?, ?, ?) on conflict do nothing")) {
            claim.setString(1, key.scope());
            claim.setString(2, key.value());
            claim.setBytes(3, digest);
            if (claim.executeUpdate() == 0) return answerAgain(connection, key, digest, reader);
        }
        return switch (work.run(connection)) {
            case Done<String>(String id, boolean _) -> {
                store(connection, key, id);
                yield new Done<>(reader.read(connection, id), false);
            }
            case Refused<String>(Refusal refusal, String message) -> {
                forget(connection, key);
                yield new Refused<>(refusal, message);
            }
        };
    }

    private static <T> Outcome<T> answerAgain(Connection connection, CommandKey key, byte[] digest, Reader<T> reader)
            throws SQLException {
        try (PreparedStatement select =
                connection.prepareStatement("select content_sha256, answer from command where scope = ? and key = ?")) {
            select.setString(1, key.scope());
            select.setString(2, key.value());
            try (ResultSet row = select.executeQuery()) {
                row.next();
                if (!Arrays.equals(row.getBytes(1), digest)) {
                    return new Refused<>(
                            Refusal.IDEMPOTENCY_MISMATCH,
                            "the idempotency key \"" + key.value()
                                    + "\" was used before for a command with other content; use a new key for a new command");
                }
                return new Done<>(reader.read(connection, row.getString(2)), true);
            }
        }
    }

    private static void store(Connection connection, CommandKey key, String answer) throws SQLException {
        try (PreparedStatement update =
                connection.prepareStatement("update command set answer = ? where scope = ? and key = ?")) {
            update.setString(1, answer);
            update.setString(2, key.scope());
            update.setString(3, key.value());
            update.executeUpdate();
        }
    }

    private static void forget(Connection connection, CommandKey key) throws SQLException {
        try (PreparedStatement delete =
                connection.prepareStatement("delete from command where scope = ? and key = ?")) {
            delete.setString(1, key.scope());
            delete.setString(2, key.value());
            delete.executeUpdate();
        }
    }

    private static byte[] digest(List<String> content) {
        try {
            MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
            for (String part : content) {
                byte[] bytes = part.getBytes(StandardCharsets.UTF_8);
                // lengths first, so that ["ab", "c"] and ["a", "bc"] differ
                sha256.update((bytes.length + ":").getBytes(StandardCharsets.US_ASCII));
                sha256.update(bytes);
            }
            return sha256.digest();
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
