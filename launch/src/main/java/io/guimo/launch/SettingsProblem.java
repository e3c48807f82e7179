package io.guimo.launch;

/**
 * One mistake in a business file.
 *
 * @param file as the user named it
 * @param line from 1
 * @param column from 1
 * @param path where in the tree, such as {@code models.photo-labels.train.epochs}
 * @param message what is wrong, what is permitted and what to do
 */
record SettingsProblem(String file, int line, int column, String path, String message)
        implements Comparable<SettingsProblem> {
    @Override
    public int compareTo(SettingsProblem other) {
        return line != other.line ? Integer.compare(line, other.line) : Integer.compare(column, other.column);
    }

    @Override
    public String toString() {
        return file + ":" + line + ":" + column + ": " + (path.isEmpty() ? "" : path + ": ") + message;
    }
}
