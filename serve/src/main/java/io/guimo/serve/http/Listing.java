package io.guimo.serve.http;

import io.guimo.units.Cursor;
import io.guimo.units.Page;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A part of a list as it is answered.
 *
 * @param nextCursor what to give as {@code after} to go on; null at the end
 */
public record Listing(
        List<?> data, boolean hasMore, @Nullable String nextCursor) {
    static final List<Route.Parameter> PARAMETERS = List.of(
            new Route.Parameter("after", "string", "next_cursor of the part before"),
            new Route.Parameter("limit", "integer", "most elements wanted, 1 to " + Cursor.MOST + "; 20 unless given"));

    private static final int USUAL = 20;

    public Listing {
        data = List.copyOf(data);
    }

    /** @param view an element as it is answered */
    public static <T> Listing of(Page<T> page, Function<T, ?> view) {
        return new Listing(
                page.items().stream().map(view).toList(),
                page.next().isPresent(),
                page.next().orElse(null));
    }

    /** A list that is short enough to be given whole. */
    public static <T> Listing whole(List<T> all, Function<T, ?> view) {
        return new Listing(all.stream().map(view).toList(), false, null);
    }

    /** Which part the request asks for. */
    public static Cursor cursor(Exchange exchange) {
        int limit = exchange.query("limit", 1, Cursor.MOST, USUAL);
        var after = exchange.query("after").filter(a -> !a.isEmpty());
        if (after.isPresent() && after.get().length() > 200) {
            throw RefusedException.invalid(
                    "'after' has " + after.get().length() + " characters; give the next_cursor of the part before",
                    "after",
                    "invalid_value");
        }
        return new Cursor(after, limit);
    }

    static Map<String, Object> schema(Map<String, Object> element) {
        return Map.of(
                "type", "object",
                "properties",
                        Map.of(
                                "data", Map.of("type", "array", "items", element),
                                "has_more", Map.of("type", "boolean"),
                                "next_cursor", Map.of("type", List.of("string", "null"))),
                "required", List.of("data", "has_more", "next_cursor"));
    }
}
