package io.guimo.postgres;

import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;

/**
 * Where a database is and how to log in.
 *
 * @param url JDBC URL, {@code jdbc:postgresql://host:port/database}
 */
public record DatabaseAddress(String url, String user, String password) {
    public DatabaseAddress {
        if (!url.startsWith("jdbc:postgresql:")) {
            throw new IllegalArgumentException("not the address of a PostgreSQL database: " + withoutQuery(url)
                    + "; expected postgresql://USER:PASSWORD@HOST:PORT/DATABASE");
        }
    }

    /**
     * Reads the form that {@code psql} takes: {@code postgresql://user:password@host:port/database?option=value}. User and password are
     * percent-encoded, the port is 5432 where none is given.
     */
    public static DatabaseAddress parse(String uri) {
        URI parsed;
        try {
            parsed = URI.create(uri);
        } catch (IllegalArgumentException e) {
            // The cause would quote the address, and with it the password.
            throw malformed();
        }
        String scheme = parsed.getScheme();
        String login = parsed.getRawUserInfo();
        if (scheme == null || !scheme.matches("postgres(ql)?") || parsed.getHost() == null || login == null) {
            throw malformed();
        }
        String path = parsed.getRawPath();
        int colon = login.indexOf(':');
        return new DatabaseAddress(
                "jdbc:postgresql://" + parsed.getHost() + ":" + (parsed.getPort() < 0 ? 5432 : parsed.getPort())
                        + (path == null || path.length() < 2 ? "/postgres" : path)
                        + (parsed.getRawQuery() == null ? "" : "?" + parsed.getRawQuery()),
                decode(colon < 0 ? login : login.substring(0, colon)),
                colon < 0 ? "" : decode(login.substring(colon + 1)));
    }

    /** The address without its password. */
    @Override
    public String toString() {
        return withoutQuery(url) + " as " + user;
    }

    private static String withoutQuery(String url) {
        int query = url.indexOf('?');
        return query < 0 ? url : url.substring(0, query);
    }

    private static String decode(String encoded) {
        // URLDecoder reads '+' as a blank, which a URI's user part does not.
        return URLDecoder.decode(encoded.replace("+", "%2B"), StandardCharsets.UTF_8);
    }

    private static IllegalArgumentException malformed() {
        return new IllegalArgumentException(
                "the database address cannot be read; expected postgresql://USER:PASSWORD@HOST:PORT/DATABASE");
    }
}
