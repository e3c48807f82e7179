package io.guimo.units;

import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * A part of a list.
 *
 * @param next where the list goes on, or empty at its end
 */
public record Page<T>(List<T> items, Optional<String> next) {
    public Page {
        items = List.copyOf(items);
    }

    /**
     * The page of a query that asked for one item more than the cursor's limit, to see whether there are more.
     *
     * @param position the cursor's value for an item
     */
    public static <T> Page<T> of(List<T> found, Cursor cursor, Function<T, String> position) {
        if (found.size() <= cursor.limit()) return new Page<>(found, Optional.empty());
        List<T> items = found.subList(0, cursor.limit());
        return new Page<>(items, Optional.of(position.apply(items.getLast())));
    }
}
