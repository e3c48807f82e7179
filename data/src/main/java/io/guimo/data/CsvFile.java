package io.guimo.data;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Comma-separated values in UTF-8 as RFC 4180 has them: quotes around a field may hold commas, line ends and doubled quotes. */
final class CsvFile {
    private static final int MAX_FIELD = 1 << 20;
    private static final int MAX_FIELDS = 1 << 16;
    private static final int MAX_ROWS = 10_000_000;

    private CsvFile() {}

    /**
     * @param line on which it begins, from 1
     */
    record Row(int line, List<String> fields) {}

    /** All rows; empty lines are left out. */
    static List<Row> read(Path file) {
        try (BufferedReader in = Files.newBufferedReader(file, StandardCharsets.UTF_8)) {
            return new Reading(file, in).rows();
        } catch (MalformedInputException e) {
            throw new DataException(
                    DataException.Code.MALFORMED, file + " is not UTF-8 text: save it with that encoding", e);
        } catch (IOException e) {
            throw new DataException(DataException.Code.UNAVAILABLE, file + " cannot be read: " + e.getMessage(), e);
        }
    }

    private static final class Reading {
        private final Path file;
        private final BufferedReader in;
        private final List<Row> rows = new ArrayList<>();
        private List<String> fields = new ArrayList<>();
        private final StringBuilder field = new StringBuilder();
        private int line = 1;
        private int rowLine = 1;

        Reading(Path file, BufferedReader in) {
            this.file = file;
            this.in = in;
        }

        List<Row> rows() throws IOException {
            boolean quoted = false;
            boolean first = true;
            for (int c = in.read(); c >= 0; c = in.read()) {
                if (first && c == '\ufeff') continue; // the mark that spreadsheets put before UTF-8
                first = false;
                if (c == '\n') line++;
                if (quoted) {
                    if (c != '"') {
                        append(c);
                    } else if (peek() == '"') {
                        append(in.read());
                    } else {
                        quoted = false;
                    }
                } else if (c == '"' && field.isEmpty()) {
                    quoted = true;
                } else if (c == ',') {
                    endField();
                } else if (c == '\n') {
                    endRow();
                } else if (c != '\r') {
                    append(c);
                }
            }
            if (quoted) throw malformed("a quoted field that begins on line " + rowLine + " or later never ends");
            endRow();
            return rows;
        }

        private int peek() throws IOException {
            in.mark(1);
            int next = in.read();
            in.reset();
            return next;
        }

        private void append(int c) {
            if (field.length() >= MAX_FIELD) throw tooLarge("a field of more than " + MAX_FIELD + " characters");
            field.append((char) c);
        }

        private void endField() {
            if (fields.size() >= MAX_FIELDS) throw tooLarge("a row of more than " + MAX_FIELDS + " fields");
            fields.add(field.toString());
            field.setLength(0);
        }

        private void endRow() {
            boolean empty = fields.isEmpty() && field.isEmpty();
            endField();
            if (!empty) {
                if (rows.size() >= MAX_ROWS) throw tooLarge("more than " + MAX_ROWS + " rows");
                rows.add(new Row(rowLine, List.copyOf(fields)));
            }
            fields = new ArrayList<>();
            rowLine = line;
        }

        private DataException malformed(String what) {
            return new DataException(DataException.Code.MALFORMED, file + ":" + line + ": " + what);
        }

        private DataException tooLarge(String what) {
            return new DataException(DataException.Code.TOO_LARGE, file + ":" + line + ": " + what + " is not read");
        }
    }
}
