package io.guimo.data;

import org.jspecify.annotations.Nullable;

/**
 * Where a named data set of a business comes from: the catalogue, or files of one's own.
 *
 * @param catalog name of an entry of the {@link Catalogue}
 * @param files pattern of files relative to the business file, such as {@code photos/**.jpg} or {@code rows.csv}
 * @param label for pictures {@code folder}: a picture's label is the name of the folder that holds it; for rows the name of the column that holds it
 */
public record DataSettings(
        @Nullable String catalog,
        @Nullable String files,
        @Nullable String label) {
    public DataSettings {
        if ((catalog == null) == (files == null)) {
            throw new IllegalArgumentException(
                    catalog == null
                            ? "a data set needs 'catalog' (a name from the catalogue) or 'files' (a pattern)"
                            : "a data set has either 'catalog' or 'files', not both: '" + catalog + "' and '" + files
                                    + "'");
        }
        if (catalog != null && label != null) {
            throw new IllegalArgumentException(
                    "'label' belongs to 'files'; the catalogue knows the label of '" + catalog + "': leave it out");
        }
    }
}
