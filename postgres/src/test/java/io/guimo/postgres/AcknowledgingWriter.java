package io.guimo.postgres;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.Statement;

/** Run in a JVM of its own by a test that kills it: starts the server of a folder, inserts 0, 1, 2 … and prints each once it is committed. */
public final class AcknowledgingWriter {
    private AcknowledgingWriter() {}

    public static void main(String[] arguments) throws Exception {
        EmbeddedPostgres server = EmbeddedPostgres.start(Path.of(arguments[0]));
        try (Database database = Database.open(server.address());
                Connection connection = database.connect("writer")) {
            try (Statement statement = connection.createStatement()) {
                statement.execute("create table if not exists written (number integer)");
            }
            System.out.println("server " + server.processId());
            try (PreparedStatement insert = connection.prepareStatement("insert into written values (?)")) {
                for (int number = 0; ; number++) {
                    insert.setInt(1, number);
                    insert.executeUpdate();
                    System.out.println(number);
                }
            }
        }
    }
}
