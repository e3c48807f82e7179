package io.guimo.units;

import java.util.Optional;

/**
 * Which part of a list is asked for. Lists of things with ids are ordered by id, that is by the time they were made.
 *
 * @param after {@code next} of the page before, or empty for the first page
 * @param limit most items wanted, 1 to {@value #MOST}
 */
public record Cursor(Optional<String> after, int limit) {
    /** Most items of one page. */
    public static final int MOST = 100;

    public Cursor {
        if (limit < 1 || limit > MOST) {
            throw new IllegalArgumentException("a page of " + limit + " items; ask for 1 to " + MOST);
        }
        if (after.isPresent() && after.get().length() > 200) {
            throw new IllegalArgumentException(
                    "a cursor of " + after.get().length() + " characters; use the one that the page before gave");
        }
    }

    public static Cursor first(int limit) {
        return new Cursor(Optional.empty(), limit);
    }
}
