package io.guimo.text.jinja;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What stands after a bar. */
final class Filters {
    private Filters() {}

    /** The arguments of one filter. */
    record Given(String filter, List<@Nullable Object> positional, Map<String, @Nullable Object> named, int line) {
        /** By place or name; the default where there is none. */
        @Nullable
        Object get(int place, String name, @Nullable Object missing) {
            if (place < positional.size()) return positional.get(place);
            return named.containsKey(name) ? named.get(name) : missing;
        }

        boolean truth(int place, String name) {
            return Python.truth(get(place, name, false));
        }

        /** Refuses what the filter does not take, so that nothing is ignored in silence. */
        Given takes(String... names) {
            if (positional.size() > names.length || !List.of(names).containsAll(named.keySet())) {
                throw JinjaException.at(line, "the filter '" + filter + "' takes " + List.of(names));
            }
            return this;
        }
    }

    static @Nullable Object filter(String name, @Nullable Object value, Given given, Rendering rendering) {
        Budget budget = rendering.budget;
        int line = given.line;
        return switch (name) {
            case "tojson" -> json(value, given, budget);
            case "length", "count" -> {
                given.takes();
                yield switch (value) {
                    case String text -> {
                        budget.characters(text.length(), line);
                        yield (long) text.codePointCount(0, text.length());
                    }
                    case List<?> list -> (long) list.size();
                    case Map<?, ?> map -> (long) map.size();
                    case Undefined _ -> 0L;
                    case null, default -> throw JinjaException.at(line, "a " + Python.type(value) + " has no length");
                };
            }
            case "trim" -> {
                given.takes("chars");
                Object characters = given.get(0, "chars", null);
                String text = text(value, budget, line);
                yield Python.strip(text, characters == null ? null : text(characters, budget, line), true, true);
            }
            case "string" -> Python.text(value, budget, line);
            case "safe" -> value;
            case "default", "d" -> {
                given.takes("default_value", "boolean");
                boolean use = value instanceof Undefined || (given.truth(1, "boolean") && !Python.truth(value));
                yield use ? given.get(0, "default_value", "") : value;
            }
            case "join" -> join(value, given.takes("d", "attribute"), rendering);
            case "items" -> {
                given.takes();
                if (value instanceof Undefined) yield List.of();
                if (!(value instanceof Map<?, ?> map))
                    throw JinjaException.at(line, "items needs a map, not a " + Python.type(value));
                yield Methods.entries(map);
            }
            case "list" -> rendering.items(value, line);
            case "first" -> end(rendering.items(value, line), true);
            case "last" -> end(rendering.items(value, line), false);
            case "reverse" -> {
                if (value instanceof String text) {
                    budget.characters(text.length(), line);
                    yield new StringBuilder(text).reverse().toString();
                }
                yield rendering.items(value, line).reversed();
            }
            case "lower", "upper", "title", "capitalize" ->
                Methods.cased(text(value, budget, line), name, budget, line);
            case "replace" -> {
                given.takes("old", "new", "count");
                Object most = given.get(2, "count", null);
                yield Methods.replace(
                        text(value, budget, line),
                        text(given.get(0, "old", ""), budget, line),
                        text(given.get(1, "new", ""), budget, line),
                        most == null ? -1 : Rendering.whole(most, line),
                        budget,
                        line);
            }
            case "select", "reject", "selectattr", "rejectattr" -> select(name, value, given, rendering);
            case "map" -> map(value, given, rendering);
            case "dictsort" -> dictSort(value, given.takes("case_sensitive", "by", "reverse"), budget);
            case "sort" -> {
                given.takes("reverse", "case_sensitive", "attribute");
                List<@Nullable Object> items = rendering.items(value, line);
                Comparator<@Nullable Object> order =
                        order(given.get(2, "attribute", null), given.truth(1, "case_sensitive"), rendering, line);
                items = new ArrayList<>(items);
                items.sort(given.truth(0, "reverse") ? order.reversed() : order);
                yield items;
            }
            case "unique" -> {
                given.takes("case_sensitive", "attribute");
                Comparator<@Nullable Object> order =
                        order(given.get(1, "attribute", null), given.truth(0, "case_sensitive"), rendering, line);
                List<@Nullable Object> kept = new ArrayList<>();
                for (Object item : rendering.items(value, line)) {
                    boolean known = false;
                    for (Object other : kept) known |= order.compare(item, other) == 0;
                    if (!known) kept.add(item);
                }
                yield kept;
            }
            case "min", "max" -> {
                given.takes("case_sensitive", "attribute");
                List<@Nullable Object> items = rendering.items(value, line);
                Comparator<@Nullable Object> order =
                        order(given.get(1, "attribute", null), given.truth(0, "case_sensitive"), rendering, line);
                if (items.isEmpty()) yield new Undefined("an empty list has no " + name);
                Object best = items.getFirst();
                for (Object item : items) {
                    int compared = order.compare(item, best);
                    if (name.equals("min") ? compared < 0 : compared > 0) best = item;
                }
                yield best;
            }
            case "sum" -> {
                given.takes("attribute", "start");
                Object sum = given.get(1, "start", 0L);
                for (Object item : rendering.items(value, line)) {
                    Object part = given.get(0, "attribute", null) instanceof String attribute
                            ? at(item, attribute, rendering, line)
                            : item;
                    if (sum instanceof Long a && part instanceof Long b) sum = Math.addExact(a, b);
                    else if (sum instanceof Number a && part instanceof Number b)
                        sum = a.doubleValue() + b.doubleValue();
                    else throw JinjaException.at(line, "sum needs numbers, not a " + Python.type(part));
                }
                yield sum;
            }
            case "int" -> whole(value, given.takes("default", "base").get(0, "default", 0L));
            case "float" -> real(value, given.takes("default").get(0, "default", 0.0));
            case "abs" ->
                switch (value) {
                    case Long number -> Math.abs(number);
                    case Double number -> Math.abs(number);
                    case null, default -> throw JinjaException.at(line, "abs needs a number");
                };
            case "round" -> {
                given.takes("precision", "method");
                int places =
                        Math.toIntExact(Math.clamp(Rendering.whole(given.get(0, "precision", 0L), line), -300, 300));
                RoundingMode mode =
                        switch (text(given.get(1, "method", "common"), budget, line)) {
                            case "ceil" -> RoundingMode.CEILING;
                            case "floor" -> RoundingMode.FLOOR;
                            default -> RoundingMode.HALF_EVEN;
                        };
                if (!(value instanceof Long) && !(value instanceof Double))
                    throw JinjaException.at(line, "round needs a number");
                yield new BigDecimal(((Number) value).doubleValue())
                        .setScale(places, mode)
                        .doubleValue();
            }
            case "indent" -> indent(text(value, budget, line), given.takes("width", "first", "blank"), budget);
            case "e", "escape" -> {
                String text = text(value, budget, line);
                budget.characters(text.length() * 6L, line);
                yield text.replace("&", "&amp;")
                        .replace("<", "&lt;")
                        .replace(">", "&gt;")
                        .replace("\"", "&#34;")
                        .replace("'", "&#39;");
            }
            default -> throw JinjaException.at(line, "unknown filter '" + name + "'");
        };
    }

    private static String text(@Nullable Object value, Budget budget, int line) {
        String text = Python.text(value, budget, line);
        budget.characters(text.length(), line);
        return text;
    }

    /** As Hugging Face sets it up: {@code json.dumps} without escapes for HTML or for characters beyond ASCII. */
    private static String json(@Nullable Object value, Given given, Budget budget) {
        given.takes("ensure_ascii", "indent", "separators", "sort_keys");
        Object indent = given.get(1, "indent", null);
        String unit =
                switch (indent) {
                    case null -> "";
                    case Long width -> " ".repeat(Math.clamp(width, 0, 100));
                    case String text -> text;
                    default -> throw JinjaException.at(given.line, "indent is a " + Python.type(indent));
                };
        String item = unit.isEmpty() ? ", " : ",";
        String key = ": ";
        if (given.get(2, "separators", null) instanceof List<?> separators && separators.size() == 2) {
            item = Python.text(separators.get(0), budget, given.line);
            key = Python.text(separators.get(1), budget, given.line);
        }
        Python.JsonStyle style =
                new Python.JsonStyle(unit, item, key, given.truth(0, "ensure_ascii"), given.truth(3, "sort_keys"));
        return Python.json(value, style, budget, given.line);
    }

    private static String join(@Nullable Object value, Given given, Rendering rendering) {
        String separator = text(given.get(0, "d", ""), rendering.budget, given.line);
        Object attribute = given.get(1, "attribute", null);
        StringBuilder out = new StringBuilder();
        boolean first = true;
        for (Object item : rendering.items(value, given.line)) {
            Object part = attribute instanceof String path ? at(item, path, rendering, given.line) : item;
            if (!first) out.append(separator);
            out.append(text(part, rendering.budget, given.line));
            rendering.budget.characters(separator.length(), given.line);
            first = false;
        }
        return out.toString();
    }

    private static @Nullable Object end(List<@Nullable Object> items, boolean first) {
        if (items.isEmpty()) return new Undefined("an empty list has no " + (first ? "first" : "last") + " item");
        return first ? items.getFirst() : items.getLast();
    }

    /** A value's attribute, by a path with dots. */
    private static @Nullable Object at(@Nullable Object item, String path, Rendering rendering, int line) {
        Object value = item;
        for (String name : path.split("\\.", -1)) {
            Object key = !name.isEmpty() && name.length() < 10 && name.chars().allMatch(Character::isDigit)
                    ? (Object) Long.valueOf(name)
                    : name;
            value = rendering.index(value, key, line);
        }
        return value;
    }

    /** Jinja's select and map take whatever is false for an empty list. */
    private static List<@Nullable Object> itemsOrNone(@Nullable Object value, int line, Rendering rendering) {
        return Python.truth(value) ? rendering.items(value, line) : List.of();
    }

    private static Object select(String name, @Nullable Object value, Given given, Rendering rendering) {
        boolean byAttribute = name.endsWith("attr");
        int testAt = byAttribute ? 1 : 0;
        if (!given.named.isEmpty() || (byAttribute && given.positional.isEmpty())) {
            throw JinjaException.at(
                    given.line, "the filter '" + name + "' takes an attribute, a test and its arguments");
        }
        List<@Nullable Object> kept = new ArrayList<>();
        for (Object item : itemsOrNone(value, given.line, rendering)) {
            Object tested = byAttribute
                    ? at(
                            item,
                            Python.text(given.positional.getFirst(), rendering.budget, given.line),
                            rendering,
                            given.line)
                    : item;
            boolean holds = given.positional.size() <= testAt
                    ? Python.truth(tested)
                    : Tests.test(
                            Python.text(given.positional.get(testAt), rendering.budget, given.line),
                            tested,
                            given.positional.subList(testAt + 1, given.positional.size()),
                            rendering,
                            given.line);
            if (holds == name.startsWith("select")) kept.add(item);
        }
        return kept;
    }

    private static Object map(@Nullable Object value, Given given, Rendering rendering) {
        List<@Nullable Object> mapped = new ArrayList<>();
        for (Object item : itemsOrNone(value, given.line, rendering)) {
            if (given.positional.isEmpty()) {
                given.takes("attribute", "default");
                Object found = at(
                        item,
                        Python.text(given.get(0, "attribute", null), rendering.budget, given.line),
                        rendering,
                        given.line);
                mapped.add(found instanceof Undefined ? given.get(1, "default", found) : found);
            } else {
                String filter = Python.text(given.positional.getFirst(), rendering.budget, given.line);
                List<@Nullable Object> rest = given.positional.subList(1, given.positional.size());
                rendering.budget.enter(given.line);
                mapped.add(filter(filter, item, new Given(filter, rest, given.named, given.line), rendering));
                rendering.budget.leave();
            }
        }
        return mapped;
    }

    private static Object dictSort(@Nullable Object value, Given given, Budget budget) {
        if (!(value instanceof Map<?, ?> map)) throw JinjaException.at(given.line, "dictsort needs a map");
        int place = Python.text(given.get(1, "by", "key"), budget, given.line).equals("value") ? 1 : 0;
        boolean cased = given.truth(0, "case_sensitive");
        Comparator<@Nullable Object> order = (a, b) -> Python.compare(
                folded(((List<?>) a).get(place), cased), folded(((List<?>) b).get(place), cased), budget, given.line);
        List<@Nullable Object> entries = Methods.entries(map);
        entries.sort(given.truth(2, "reverse") ? order.reversed() : order);
        return entries;
    }

    private static @Nullable Object folded(@Nullable Object value, boolean caseSensitive) {
        return !caseSensitive && value instanceof String text ? text.toLowerCase(java.util.Locale.ROOT) : value;
    }

    private static Comparator<@Nullable Object> order(
            @Nullable Object attribute, boolean caseSensitive, Rendering rendering, int line) {
        return (a, b) -> {
            Object x = attribute instanceof String path ? at(a, path, rendering, line) : a;
            Object y = attribute instanceof String path ? at(b, path, rendering, line) : b;
            return Python.compare(folded(x, caseSensitive), folded(y, caseSensitive), rendering.budget, line);
        };
    }

    private static @Nullable Object whole(@Nullable Object value, @Nullable Object missing) {
        return switch (value) {
            case Long number -> number;
            case Boolean truth -> truth ? 1L : 0L;
            case Double number -> (long) (double) number;
            case String text -> {
                try {
                    yield (long) Double.parseDouble(text.strip().replace("_", ""));
                } catch (NumberFormatException none) {
                    yield missing;
                }
            }
            case null, default -> missing;
        };
    }

    private static @Nullable Object real(@Nullable Object value, @Nullable Object missing) {
        return switch (value) {
            case Long number -> (double) number;
            case Double number -> number;
            case String text -> {
                try {
                    yield Double.parseDouble(text.strip());
                } catch (NumberFormatException none) {
                    yield missing;
                }
            }
            case null, default -> missing;
        };
    }

    private static String indent(String text, Given given, Budget budget) {
        Object width = given.get(0, "width", 4L);
        String unit = width instanceof String string
                ? string
                : " ".repeat(Math.clamp(Rendering.whole(width, given.line), 0, 1_000));
        boolean blank = given.truth(2, "blank");
        StringBuilder out = new StringBuilder();
        String[] lines = text.split("\n", -1);
        for (int i = 0; i < lines.length; i++) {
            if (i > 0) out.append('\n');
            boolean indented = i == 0 ? given.truth(1, "first") : blank || !lines[i].isEmpty();
            if (indented) {
                out.append(unit);
                budget.characters(unit.length(), given.line);
            }
            out.append(lines[i]);
        }
        return out.toString();
    }
}
