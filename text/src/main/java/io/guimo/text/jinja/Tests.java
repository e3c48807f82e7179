package io.guimo.text.jinja;

import java.math.BigInteger;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What stands after {@code is}. */
final class Tests {
    private Tests() {}

    static boolean test(
            String name, @Nullable Object value, List<@Nullable Object> arguments, Rendering rendering, int line) {
        Budget budget = rendering.budget;
        return switch (name) {
            case "defined" -> !(value instanceof Undefined);
            case "undefined" -> value instanceof Undefined;
            case "none" -> value == null;
            case "string" -> value instanceof String;
            case "mapping" -> value instanceof Map<?, ?>;
            case "sequence", "iterable" ->
                value instanceof String
                        || value instanceof List<?>
                        || value instanceof Map<?, ?>
                        || value instanceof Undefined;
            case "number" -> Python.isNumber(value);
            case "integer" -> value instanceof Long || value instanceof BigInteger;
            case "float" -> value instanceof Double;
            case "boolean" -> value instanceof Boolean;
            case "true" -> Boolean.TRUE.equals(value);
            case "false" -> Boolean.FALSE.equals(value);
            case "callable" -> value instanceof Callable;
            case "odd" -> Math.floorMod(Rendering.whole(value, line), 2L) == 1;
            case "even" -> Math.floorMod(Rendering.whole(value, line), 2L) == 0;
            case "divisibleby" -> {
                long divisor = Rendering.whole(one(name, arguments, line), line);
                if (divisor == 0) throw JinjaException.at(line, "a number is divided by 0");
                yield Math.floorMod(Rendering.whole(value, line), divisor) == 0;
            }
            case "in" -> rendering.contains(one(name, arguments, line), value, line);
            case "eq", "equalto", "sameas" -> Python.equal(value, one(name, arguments, line), budget, line);
            case "ne" -> !Python.equal(value, one(name, arguments, line), budget, line);
            case "lt", "lessthan" -> Python.compare(value, one(name, arguments, line), budget, line) < 0;
            case "le" -> Python.compare(value, one(name, arguments, line), budget, line) <= 0;
            case "gt", "greaterthan" -> Python.compare(value, one(name, arguments, line), budget, line) > 0;
            case "ge" -> Python.compare(value, one(name, arguments, line), budget, line) >= 0;
            case "upper" -> value instanceof String text && isCased(text, true);
            case "lower" -> value instanceof String text && isCased(text, false);
            default -> throw JinjaException.at(line, "unknown test '" + name + "'");
        };
    }

    private static @Nullable Object one(String name, List<@Nullable Object> arguments, int line) {
        if (arguments.size() != 1) throw JinjaException.at(line, "the test '" + name + "' takes one argument");
        return arguments.getFirst();
    }

    /** Whether all letters that have a case have this one, and there is such a letter. */
    static boolean isCased(String text, boolean upper) {
        boolean any = false;
        for (int c : text.codePoints().toArray()) {
            if (upper ? Character.isLowerCase(c) : Character.isUpperCase(c)) return false;
            any |= upper ? Character.isUpperCase(c) : Character.isLowerCase(c);
        }
        return any;
    }
}
