package io.guimo.text.jinja;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What values mean in Python, of which Jinja is a child: null is None; Boolean, Long (BigInteger beyond it), Double, String; List is a list and a tuple,
 * Map a dict; {@link Undefined}, {@link Namespace} and {@link Callable} beside them.
 */
final class Python {
    private Python() {}

    static Number whole(BigInteger value) {
        return value.bitLength() < Long.SIZE ? (Number) value.longValue() : value;
    }

    static String type(@Nullable Object value) {
        return switch (value) {
            case null -> "None";
            case Boolean _ -> "bool";
            case Long _, BigInteger _ -> "int";
            case Double _ -> "float";
            case String _ -> "str";
            case List<?> _ -> "list";
            case Map<?, ?> _ -> "dict";
            case Undefined undefined -> "undefined (" + undefined.what() + ")";
            default -> value.getClass().getSimpleName().toLowerCase(Locale.ROOT);
        };
    }

    static boolean truth(@Nullable Object value) {
        return switch (value) {
            case null -> false;
            case Boolean truth -> truth;
            case Long number -> number != 0;
            case Double number -> number != 0;
            case String text -> !text.isEmpty();
            case List<?> list -> !list.isEmpty();
            case Map<?, ?> map -> !map.isEmpty();
            case Undefined _ -> false;
            default -> true;
        };
    }

    static boolean isNumber(@Nullable Object value) {
        return value instanceof Number || value instanceof Boolean;
    }

    private static BigDecimal exact(Object number) {
        return switch (number) {
            case Boolean truth -> truth ? BigDecimal.ONE : BigDecimal.ZERO;
            case Long whole -> BigDecimal.valueOf(whole);
            case BigInteger whole -> new BigDecimal(whole);
            default -> new BigDecimal(((Number) number).doubleValue());
        };
    }

    @SuppressWarnings("ReferenceEquality") // a shortcut: what is the same is equal
    static boolean equal(@Nullable Object a, @Nullable Object b, Budget budget, int line) {
        budget.step(line);
        if (a == b) return true;
        if (a == null || b == null) return false;
        if (isNumber(a) && isNumber(b)) {
            if (a instanceof Long x && b instanceof Long y) return x.equals(y);
            if (isNotFinite(a) || isNotFinite(b)) return a.equals(b) && !Double.isNaN(((Number) a).doubleValue());
            return exact(a).compareTo(exact(b)) == 0;
        }
        if (a instanceof String x && b instanceof String y) {
            if (x.length() == y.length()) budget.characters(x.length(), line);
            return x.equals(y);
        }
        if (a instanceof Undefined && b instanceof Undefined) return true;
        if (a instanceof List<?> x && b instanceof List<?> y) {
            if (x.size() != y.size()) return false;
            budget.enter(line);
            for (int i = 0; i < x.size(); i++) {
                if (!equal(x.get(i), y.get(i), budget, line)) return false;
            }
            budget.leave();
            return true;
        }
        if (a instanceof Map<?, ?> x && b instanceof Map<?, ?> y) {
            if (x.size() != y.size()) return false;
            budget.enter(line);
            for (Map.Entry<?, ?> entry : x.entrySet()) {
                if (!y.containsKey(entry.getKey())) return false;
                if (!equal(entry.getValue(), y.get(entry.getKey()), budget, line)) return false;
            }
            budget.leave();
            return true;
        }
        return false;
    }

    private static boolean isNotFinite(Object number) {
        return number instanceof Double real && !Double.isFinite(real);
    }

    static int compare(@Nullable Object a, @Nullable Object b, Budget budget, int line) {
        budget.step(line);
        if (a != null && b != null && isNumber(a) && isNumber(b)) {
            if (isNotFinite(a) || isNotFinite(b)) {
                return Double.compare(exactOrReal(a), exactOrReal(b));
            }
            return exact(a).compareTo(exact(b));
        }
        if (a instanceof String x && b instanceof String y) {
            budget.characters(Math.min(x.length(), y.length()), line);
            return compareTexts(x, y);
        }
        if (a instanceof List<?> x && b instanceof List<?> y) {
            budget.enter(line);
            for (int i = 0; i < Math.min(x.size(), y.size()); i++) {
                int order = compare(x.get(i), y.get(i), budget, line);
                if (order != 0) return order;
            }
            budget.leave();
            return Integer.compare(x.size(), y.size());
        }
        throw JinjaException.at(line, type(a) + " and " + type(b) + " have no order");
    }

    private static double exactOrReal(Object number) {
        return number instanceof Boolean truth ? (truth ? 1 : 0) : ((Number) number).doubleValue();
    }

    /** By code point, as Python does; Java's own order puts the characters beyond U+FFFF before some below. */
    private static int compareTexts(String a, String b) {
        int i = 0;
        while (i < a.length() && i < b.length() && a.charAt(i) == b.charAt(i)) i++;
        if (i == a.length() || i == b.length()) return Integer.compare(a.length(), b.length());
        if (i > 0 && Character.isHighSurrogate(a.charAt(i - 1))) i--;
        return Integer.compare(a.codePointAt(i), b.codePointAt(i));
    }

    /** As {@code str} prints. */
    static String text(@Nullable Object value, Budget budget, int line) {
        if (value instanceof String text) return text;
        if (value instanceof Undefined) return "";
        StringBuilder out = new StringBuilder();
        representation(value, out, budget, line);
        return out.toString();
    }

    private static void representation(@Nullable Object value, StringBuilder out, Budget budget, int line) {
        int before = out.length();
        budget.step(line);
        switch (value) {
            case null -> out.append("None");
            case Boolean truth -> out.append(truth ? "True" : "False");
            case Double real -> out.append(real(real));
            case Number number -> out.append(number);
            case String text -> quoted(text, out);
            case Undefined _ -> out.append("Undefined");
            case List<?> list -> {
                budget.enter(line);
                out.append('[');
                String comma = "";
                for (Object item : list) {
                    out.append(comma);
                    representation(item, out, budget, line);
                    comma = ", ";
                }
                out.append(']');
                budget.leave();
                return;
            }
            case Map<?, ?> map -> {
                budget.enter(line);
                out.append('{');
                String comma = "";
                for (Map.Entry<?, ?> entry : map.entrySet()) {
                    out.append(comma);
                    representation(entry.getKey(), out, budget, line);
                    out.append(": ");
                    representation(entry.getValue(), out, budget, line);
                    comma = ", ";
                }
                out.append('}');
                budget.leave();
                return;
            }
            default -> throw JinjaException.at(line, "a " + type(value) + " has no text");
        }
        budget.characters(out.length() - before, line);
    }

    /** The shortest digits that give the number again, with an exponent from 10¹⁶ on and below 10⁻⁴. */
    static String real(double value) {
        if (Double.isNaN(value)) return "nan";
        if (Double.isInfinite(value)) return value > 0 ? "inf" : "-inf";
        if (value == 0) return 1 / value < 0 ? "-0.0" : "0.0";
        BigDecimal digits = new BigDecimal(Double.toString(value)).stripTrailingZeros();
        int exponent = digits.precision() - digits.scale() - 1;
        if (exponent >= -4 && exponent < 16) {
            String plain = digits.toPlainString();
            return plain.indexOf('.') < 0 ? plain + ".0" : plain;
        }
        String unscaled = digits.unscaledValue().abs().toString();
        return (value < 0 ? "-" : "")
                + unscaled.charAt(0)
                + (unscaled.length() > 1 ? "." + unscaled.substring(1) : "")
                + (exponent < 0 ? "e-" : "e+")
                + (Math.abs(exponent) < 10 ? "0" : "")
                + Math.abs(exponent);
    }

    private static void quoted(String text, StringBuilder out) {
        char quote = text.indexOf('\'') >= 0 && text.indexOf('"') < 0 ? '"' : '\'';
        out.append(quote);
        text.codePoints().forEach(c -> {
            switch (c) {
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                case '\t' -> out.append("\\t");
                case '\\' -> out.append("\\\\");
                default -> {
                    if (c == quote) out.append('\\').append(quote);
                    else if (prints(c)) out.appendCodePoint(c);
                    else if (c < 0x100) out.append(String.format(Locale.ROOT, "\\x%02x", c));
                    else if (c < 0x10000) out.append(String.format(Locale.ROOT, "\\u%04x", c));
                    else out.append(String.format(Locale.ROOT, "\\U%08x", c));
                }
            }
        });
        out.append(quote);
    }

    private static boolean prints(int c) {
        if (c == ' ' || JinjaTemplate.isBorder(c)) return true;
        return switch (Character.getType(c)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.SURROGATE,
                    Character.PRIVATE_USE,
                    Character.UNASSIGNED,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR,
                    Character.SPACE_SEPARATOR -> false;
            default -> true;
        };
    }

    /** How {@code json.dumps} is asked to write. */
    record JsonStyle(String indent, String itemSeparator, String keySeparator, boolean ascii, boolean sorted) {}

    static String json(@Nullable Object value, JsonStyle style, Budget budget, int line) {
        StringBuilder out = new StringBuilder();
        json(value, style, "\n", out, budget, line);
        return out.toString();
    }

    private static void json(
            @Nullable Object value, JsonStyle style, String newline, StringBuilder out, Budget budget, int line) {
        int before = out.length();
        budget.step(line);
        switch (value) {
            case null -> out.append("null");
            case Boolean truth -> out.append(truth ? "true" : "false");
            case Double real ->
                out.append(
                        Double.isNaN(real)
                                ? "NaN"
                                : real.isInfinite() ? (real > 0 ? "Infinity" : "-Infinity") : real(real));
            case Number number -> out.append(number);
            case String text -> jsonText(text, style.ascii, out);
            case List<?> list -> {
                jsonItems('[', list, ']', style, newline, out, budget, line);
                return;
            }
            case Map<?, ?> map -> {
                List<Map.Entry<?, ?>> entries = new ArrayList<>(map.entrySet());
                if (style.sorted) entries.sort((a, b) -> compare(a.getKey(), b.getKey(), budget, line));
                jsonItems('{', entries, '}', style, newline, out, budget, line);
                return;
            }
            case Map.Entry<?, ?> entry -> {
                Object key = entry.getKey();
                if (key instanceof String text) {
                    jsonText(text, style.ascii, out);
                } else {
                    out.append('"');
                    json(key, style, newline, out, budget, line);
                    out.append('"');
                }
                out.append(style.keySeparator);
                json(entry.getValue(), style, newline, out, budget, line);
                return;
            }
            default -> throw JinjaException.at(line, "a " + type(value) + " cannot be written as JSON");
        }
        budget.characters(out.length() - before, line);
    }

    private static void jsonItems(
            char open,
            List<?> items,
            char close,
            JsonStyle style,
            String newline,
            StringBuilder out,
            Budget budget,
            int line) {
        budget.enter(line);
        out.append(open);
        String inner = style.indent.isEmpty() ? "" : newline + style.indent;
        boolean first = true;
        for (Object item : items) {
            if (!first) out.append(style.itemSeparator);
            out.append(inner);
            json(item, style, style.indent.isEmpty() ? newline : inner, out, budget, line);
            budget.characters(inner.length() + 2, line);
            first = false;
        }
        if (!items.isEmpty() && !style.indent.isEmpty()) out.append(newline);
        out.append(close);
        budget.leave();
    }

    private static void jsonText(String text, boolean ascii, StringBuilder out) {
        out.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '"' -> out.append("\\\"");
                case '\\' -> out.append("\\\\");
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                case '\t' -> out.append("\\t");
                case '\b' -> out.append("\\b");
                case '\f' -> out.append("\\f");
                default -> {
                    if (c < 0x20 || (ascii && c > 0x7E && !JinjaTemplate.isBorder(c))) {
                        out.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
                    } else {
                        out.append(c);
                    }
                }
            }
        }
        out.append('"');
    }

    static boolean isSpace(int c) {
        return Character.isWhitespace(c) || Character.isSpaceChar(c) || c == 0x85;
    }

    /** @param characters what is taken away at the ends; null: blanks */
    static String strip(String text, @Nullable String characters, boolean start, boolean end) {
        int from = 0;
        int to = text.length();
        while (start && from < to) {
            int c = text.codePointAt(from);
            if (characters == null ? !isSpace(c) : characters.indexOf(c) < 0) break;
            from += Character.charCount(c);
        }
        while (end && to > from) {
            int c = text.codePointBefore(to);
            if (characters == null ? !isSpace(c) : characters.indexOf(c) < 0) break;
            to -= Character.charCount(c);
        }
        return text.substring(from, to);
    }
}
