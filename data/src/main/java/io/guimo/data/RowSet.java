package io.guimo.data;

import java.util.List;

/**
 * Labelled rows of numbers.
 *
 * @param columns names of the numeric columns
 * @param values N rows of as many finite numbers as there are columns. The arrays are the set's own: read them, don't write to them.
 * @param labels names of the classes
 * @param label N indices into {@code labels}. The set's own, as above.
 */
@SuppressWarnings("ArrayRecordComponent") // numeric data stays unboxed
public record RowSet(List<String> columns, double[][] values, List<String> labels, int[] label) {
    public RowSet {
        columns = List.copyOf(columns);
        labels = List.copyOf(labels);
        if (values.length != label.length) {
            throw new IllegalArgumentException(values.length + " rows for " + label.length + " labels");
        }
        double[][] copies = new double[values.length][];
        for (int row = 0; row < values.length; row++) {
            copies[row] = values[row].clone();
            if (copies[row].length != columns.size()) {
                throw new IllegalArgumentException(
                        "row " + row + " has " + copies[row].length + " values for " + columns.size() + " columns");
            }
            if (label[row] < 0 || label[row] >= labels.size()) {
                throw new IllegalArgumentException(
                        "row " + row + " has label " + label[row] + "; permitted are 0 to " + (labels.size() - 1));
            }
        }
        values = copies;
        label = label.clone();
    }

    public int size() {
        return label.length;
    }
}
