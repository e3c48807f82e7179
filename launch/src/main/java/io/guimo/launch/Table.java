package io.guimo.launch;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.JsonNode;

/** Prints rows in columns as wide as a terminal shows them: Chinese characters take two cells. */
final class Table {
    private final List<String[]> rows = new ArrayList<>();

    Table(String... header) {
        rows.add(header);
    }

    Table row(String... cells) {
        rows.add(cells);
        return this;
    }

    /** One row for each element of {@code data}, a column for each field; {@code a.b} looks inside {@code a}. */
    static Table of(JsonNode data, String... fields) {
        Table table = new Table(fields);
        for (JsonNode element : data) {
            String[] cells = new String[fields.length];
            for (int i = 0; i < fields.length; i++) {
                JsonNode value = element.at("/" + fields[i].replace('.', '/'));
                cells[i] = value.isMissingNode() || value.isNull()
                        ? ""
                        : value.isValueNode() ? value.asString() : value.toString();
            }
            table.rows.add(cells);
        }
        return table;
    }

    void print(PrintWriter out) {
        int columns = rows.getFirst().length;
        int[] widths = new int[columns];
        for (String[] row : rows) for (int i = 0; i < columns; i++) widths[i] = Math.max(widths[i], cellsOf(row[i]));
        for (String[] row : rows) {
            StringBuilder line = new StringBuilder("  ");
            for (int i = 0; i < columns; i++) {
                line.append(row[i]);
                if (i < columns - 1) line.append(" ".repeat(widths[i] - cellsOf(row[i]) + 2));
            }
            out.println(line);
        }
    }

    /** Cells of a terminal that the text takes: two for a character of the East Asian wide blocks. */
    static int cellsOf(String text) {
        return text.codePoints().map(c -> isWide(c) ? 2 : 1).sum();
    }

    private static boolean isWide(int c) {
        return (c >= 0x1100 && c <= 0x115f)
                || (c >= 0x2e80 && c <= 0xa4cf)
                || (c >= 0xac00 && c <= 0xd7a3)
                || (c >= 0xf900 && c <= 0xfaff)
                || (c >= 0xfe30 && c <= 0xfe6f)
                || (c >= 0xff00 && c <= 0xff60)
                || (c >= 0xffe0 && c <= 0xffe6)
                || (c >= 0x1f300 && c <= 0x3fffd);
    }
}
