package io.guimo.text.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Methods of texts, lists and maps: those of Python that change nothing. */
final class Methods {
    private Methods() {}

    /** @return null where a value has no such method */
    static @Nullable Callable method(Object of, String name, Budget budget) {
        return switch (of) {
            case String text -> ofText(text, name, budget);
            case Map<?, ?> map -> ofMap(map, name);
            case List<?> list -> ofList(list, name, budget);
            default -> null;
        };
    }

    private static @Nullable Callable ofMap(Map<?, ?> map, String name) {
        return switch (name) {
            case "items" -> (arguments, named, line) -> entries(map);
            case "keys" -> (arguments, named, line) -> new ArrayList<@Nullable Object>(map.keySet());
            case "values" -> (arguments, named, line) -> new ArrayList<@Nullable Object>(map.values());
            case "get" ->
                (arguments, named, line) -> {
                    if (arguments.isEmpty() || arguments.size() > 2 || !named.isEmpty()) {
                        throw JinjaException.at(line, "get takes a key and a default");
                    }
                    Object key = arguments.getFirst();
                    if (map.containsKey(key)) return map.get(key);
                    return arguments.size() == 2 ? arguments.get(1) : null;
                };
            case "pop", "popitem", "update", "clear", "setdefault" -> unsafe(name);
            default -> null;
        };
    }

    static List<@Nullable Object> entries(Map<?, ?> map) {
        List<@Nullable Object> entries = new ArrayList<>(map.size());
        map.forEach((key, value) -> {
            List<@Nullable Object> entry = new ArrayList<>(2);
            entry.add(key);
            entry.add(value);
            entries.add(entry);
        });
        return entries;
    }

    private static @Nullable Callable ofList(List<?> list, String name, Budget budget) {
        return switch (name) {
            case "index", "count" ->
                (arguments, named, line) -> {
                    if (arguments.size() != 1) throw JinjaException.at(line, name + " takes one item");
                    long count = 0;
                    for (int i = 0; i < list.size(); i++) {
                        if (!Python.equal(list.get(i), arguments.getFirst(), budget, line)) continue;
                        if (name.equals("index")) return (long) i;
                        count++;
                    }
                    if (name.equals("index")) throw JinjaException.at(line, "the item is not in the list");
                    return count;
                };
            case "append", "extend", "insert", "pop", "remove", "clear", "sort", "reverse" -> unsafe(name);
            default -> null;
        };
    }

    /** As the immutable sandbox refuses it. */
    private static Callable unsafe(String name) {
        return (arguments, named, line) -> {
            throw JinjaException.at(line, name + " would change a value, which templates may not");
        };
    }

    private static @Nullable Callable ofText(String text, String name, Budget budget) {
        return switch (name) {
            case "strip", "lstrip", "rstrip" ->
                (arguments, named, line) -> {
                    budget.characters(text.length(), line);
                    return Python.strip(
                            text, optionalText(arguments, 0, line), !name.equals("rstrip"), !name.equals("lstrip"));
                };
            case "split" ->
                (arguments, named, line) -> split(
                        text,
                        arguments.isEmpty() && named.containsKey("sep")
                                ? (String) named.get("sep")
                                : optionalText(arguments, 0, line),
                        arguments.size() > 1
                                ? Rendering.whole(arguments.get(1), line)
                                : Rendering.whole(named.getOrDefault("maxsplit", -1L), line),
                        budget,
                        line);
            case "rsplit" ->
                (arguments, named, line) -> rsplit(
                        text,
                        text(arguments, 0, line),
                        arguments.size() > 1
                                ? Rendering.whole(arguments.get(1), line)
                                : Rendering.whole(named.getOrDefault("maxsplit", -1L), line),
                        budget,
                        line);
            case "splitlines" ->
                (arguments, named, line) -> {
                    budget.characters(text.length() * 2L, line);
                    return new ArrayList<@Nullable Object>(text.lines().toList());
                };
            case "startswith", "endswith" ->
                (arguments, named, line) -> {
                    if (arguments.size() != 1) throw JinjaException.at(line, name + " takes one text");
                    List<?> candidates = arguments.getFirst() instanceof List<?> list ? list : arguments;
                    for (int i = 0; i < candidates.size(); i++) {
                        String part = text(candidates, i, line);
                        if (name.equals("startswith") ? text.startsWith(part) : text.endsWith(part)) return true;
                    }
                    return false;
                };
            case "replace" ->
                (arguments, named, line) -> replace(
                        text,
                        text(arguments, 0, line),
                        text(arguments, 1, line),
                        arguments.size() > 2 ? Rendering.whole(arguments.get(2), line) : -1,
                        budget,
                        line);
            case "lower", "upper", "title", "capitalize" -> (arguments, named, line) -> cased(text, name, budget, line);
            case "find", "rfind", "count" ->
                (arguments, named, line) -> {
                    budget.characters(text.length(), line);
                    String part = text(arguments, 0, line);
                    if (name.equals("count")) return count(text, part);
                    int at = name.equals("find") ? text.indexOf(part) : text.lastIndexOf(part);
                    return at < 0 ? -1L : (long) text.codePointCount(0, at);
                };
            case "join" ->
                (arguments, named, line) -> {
                    if (arguments.size() != 1 || !(arguments.getFirst() instanceof List<?> list)) {
                        throw JinjaException.at(line, "join takes a list of texts");
                    }
                    List<String> parts = new ArrayList<>();
                    for (int i = 0; i < list.size(); i++) {
                        parts.add(text(list, i, line));
                        budget.characters(parts.getLast().length() + text.length(), line);
                    }
                    return String.join(text, parts);
                };
            case "format" -> (arguments, named, line) -> format(text, arguments, budget, line);
            case "isdigit" ->
                (arguments, named, line) -> !text.isEmpty() && text.codePoints().allMatch(Character::isDigit);
            case "isalpha" ->
                (arguments, named, line) -> !text.isEmpty() && text.codePoints().allMatch(Character::isLetter);
            case "isspace" ->
                (arguments, named, line) -> !text.isEmpty() && text.codePoints().allMatch(Python::isSpace);
            case "isupper" -> (arguments, named, line) -> Tests.isCased(text, true);
            case "islower" -> (arguments, named, line) -> Tests.isCased(text, false);
            case "removeprefix", "removesuffix" ->
                (arguments, named, line) -> {
                    String part = text(arguments, 0, line);
                    budget.characters(text.length(), line);
                    if (name.equals("removeprefix"))
                        return text.startsWith(part) ? text.substring(part.length()) : text;
                    return text.endsWith(part) ? text.substring(0, text.length() - part.length()) : text;
                };
            default -> null;
        };
    }

    private static @Nullable String optionalText(List<@Nullable Object> arguments, int index, int line) {
        return index >= arguments.size() || arguments.get(index) == null ? null : text(arguments, index, line);
    }

    private static String text(List<? extends @Nullable Object> arguments, int index, int line) {
        Object value = index < arguments.size() ? arguments.get(index) : new Undefined("an argument is missing");
        if (value instanceof String text) return text;
        throw JinjaException.at(line, "a text is expected, not a " + Python.type(value));
    }

    private static long count(String text, String part) {
        if (part.isEmpty()) return text.codePointCount(0, text.length()) + 1L;
        long count = 0;
        for (int at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length())) count++;
        return count;
    }

    private static Object split(String text, @Nullable String separator, long most, Budget budget, int line) {
        budget.characters(text.length(), line);
        List<@Nullable Object> parts = new ArrayList<>();
        if (separator != null) {
            if (separator.isEmpty()) throw JinjaException.at(line, "split has an empty separator");
            int from = 0;
            for (int at = text.indexOf(separator);
                    at >= 0 && parts.size() != most;
                    at = text.indexOf(separator, from)) {
                budget.step(line);
                parts.add(text.substring(from, at));
                from = at + separator.length();
            }
            parts.add(text.substring(from));
            return parts;
        }
        int at = 0;
        while (true) {
            while (at < text.length() && Python.isSpace(text.charAt(at))) at++;
            if (at == text.length()) return parts;
            budget.step(line);
            int end = at;
            if (parts.size() == most) {
                parts.add(Python.strip(text.substring(at), null, false, true));
                return parts;
            }
            while (end < text.length() && !Python.isSpace(text.charAt(end))) end++;
            parts.add(text.substring(at, end));
            at = end;
        }
    }

    /** {@code '{} and {}'.format(a, b)}; other placeholders than the empty one are refused. */
    private static String format(String text, List<@Nullable Object> arguments, Budget budget, int line) {
        StringBuilder out = new StringBuilder();
        int next = 0;
        int from = 0;
        for (int at = text.indexOf("{}"); at >= 0; at = text.indexOf("{}", from)) {
            if (next == arguments.size()) throw JinjaException.at(line, "format has too few arguments");
            String part = Python.text(arguments.get(next++), budget, line);
            budget.characters(part.length() + 2L, line);
            out.append(text, from, at).append(part);
            from = at + 2;
        }
        if (text.replace("{}", "").chars().anyMatch(c -> c == '{' || c == '}')) {
            throw JinjaException.at(line, "format knows the placeholder {} only");
        }
        return out.append(text, from, text.length()).toString();
    }

    private static Object rsplit(String text, String separator, long most, Budget budget, int line) {
        budget.characters(text.length(), line);
        if (separator.isEmpty()) throw JinjaException.at(line, "rsplit has an empty separator");
        List<@Nullable Object> parts = new ArrayList<>();
        int end = text.length();
        for (int at = text.lastIndexOf(separator); at >= 0 && parts.size() != most; ) {
            budget.step(line);
            parts.addFirst(text.substring(at + separator.length(), end));
            end = at;
            at = at < separator.length() ? -1 : text.lastIndexOf(separator, at - separator.length());
        }
        parts.addFirst(text.substring(0, end));
        return parts;
    }

    static String replace(String text, String old, String with, long most, Budget budget, int line) {
        budget.characters(text.length(), line);
        if (old.isEmpty()) throw JinjaException.at(line, "replace has nothing to look for");
        StringBuilder out = new StringBuilder();
        int from = 0;
        int at = text.indexOf(old);
        for (long done = 0; at >= 0 && done != most; done++) {
            budget.characters(with.length() + 1L, line);
            out.append(text, from, at).append(with);
            from = at + old.length();
            at = text.indexOf(old, from);
        }
        return out.append(text, from, text.length()).toString();
    }

    static String cased(String text, String how, Budget budget, int line) {
        budget.characters(text.length(), line);
        return switch (how) {
            case "lower" -> text.toLowerCase(Locale.ROOT);
            case "upper" -> text.toUpperCase(Locale.ROOT);
            case "capitalize" -> {
                if (text.isEmpty()) yield text;
                int first = text.offsetByCodePoints(0, 1);
                yield text.substring(0, first).toUpperCase(Locale.ROOT)
                        + text.substring(first).toLowerCase(Locale.ROOT);
            }
            default -> {
                StringBuilder title = new StringBuilder();
                boolean inWord = false;
                for (int c : text.codePoints().toArray()) {
                    title.appendCodePoint(inWord ? Character.toLowerCase(c) : Character.toTitleCase(c));
                    inWord = Character.isLetter(c);
                }
                yield title.toString();
            }
        };
    }
}
