package io.guimo.postgres;

import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/** The database refused or could not be reached; {@link #sqlState()} tells which. */
public final class DatabaseException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final String sqlState;

    public DatabaseException(String message, SQLException cause) {
        super(message + ": " + cause.getMessage(), cause);
        String state = cause.getSQLState();
        sqlState = state == null ? "" : state;
    }

    /** PostgreSQL's five-character error code (its manual, appendix A), or an empty string. */
    public String sqlState() {
        return sqlState;
    }

    /** Whether another transaction was in the way, so that the same work can succeed when it is done again. */
    public static boolean isConflict(SQLException e) {
        return "40001".equals(e.getSQLState()) || "40P01".equals(e.getSQLState());
    }

    /**
     * Whether the connection was lost, or the server is starting, stopping or out of connections, memory or disk: nothing is known of the work, and
     * the same can succeed later.
     */
    public static boolean isOutage(SQLException e) {
        return isOutage(e.getSQLState());
    }

    /** {@link #isOutage(SQLException)} of what this one was made of. */
    public boolean isOutage() {
        return isOutage(sqlState.isEmpty() ? null : sqlState);
    }

    private static boolean isOutage(@Nullable String state) {
        return state == null
                || state.startsWith("08")
                || state.startsWith("53")
                || state.startsWith("57P")
                || state.startsWith("58")
                || state.equals("XX000");
    }
}
