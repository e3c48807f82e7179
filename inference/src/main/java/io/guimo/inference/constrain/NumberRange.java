package io.guimo.inference.constrain;

import io.guimo.inference.InvalidInput;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * The decimal numbers between two bounds, as regular expressions over their digits.
 *
 * @param form how a number is written, whatever its size
 * @param atLeast those that the lower bound permits, if they have that form
 * @param atMost those that the upper bound permits, if they have that form
 */
record NumberRange(String form, String atLeast, String atMost) {
    private static final int USUAL_DIGITS = 15;
    private static final int MOST_DIGITS = 40;
    private static final String UNSIGNED = "[0-9]+(?:\\.[0-9]+)?";
    private static final String FRACTION = "(?:\\.[0-9]+)?";

    private record Bound(BigDecimal value, boolean exclusive) {}

    /** @param schema its numeric keywords count */
    static NumberRange of(ObjectNode schema, boolean integer) {
        Bound low = stricter(bound(schema, "minimum", false), bound(schema, "exclusiveMinimum", true), 1);
        Bound high = stricter(bound(schema, "maximum", false), bound(schema, "exclusiveMaximum", true), -1);
        int whole = Math.max(USUAL_DIGITS, Math.max(wholeDigits(low), wholeDigits(high)));
        int fraction = Math.max(USUAL_DIGITS, Math.max(fractionDigits(low), fractionDigits(high)));
        boolean exponent = low == null && high == null;
        JsonNode step = schema.get("multipleOf");
        if (step != null) {
            BigDecimal multiple = step.decimalValue().stripTrailingZeros();
            if (!multiple.unscaledValue().equals(BigInteger.ONE)
                    || multiple.scale() < 0
                    || multiple.scale() > MOST_DIGITS) {
                throw new InvalidInput(
                        -1, "the schema's multipleOf is " + step + "; supported are 1, 0.1, 0.01 and so on");
            }
            fraction = multiple.scale();
            exponent = false;
        }
        String form = integer || fraction == 0
                ? "0|-?[1-9][0-9]{0," + (whole - 1) + "}"
                : "-?(?:0|[1-9][0-9]{0," + (whole - 1) + "})(?:\\.[0-9]{1," + fraction + "})?"
                        + (exponent ? "(?:[eE][+-]?[0-9]{1,2})?" : "");
        String any = "[-+.0-9eE]*";
        return new NumberRange(form, low == null ? any : atLeast(low), high == null ? any : atMost(high));
    }

    private static @Nullable Bound bound(ObjectNode schema, String keyword, boolean exclusive) {
        JsonNode value = schema.get(keyword);
        if (value == null) return null;
        if (!value.isNumber())
            throw new InvalidInput(-1, "the schema's " + keyword + " is " + value + "; give a number");
        BigDecimal number = value.decimalValue().stripTrailingZeros();
        if (number.precision() - number.scale() > MOST_DIGITS || number.scale() > MOST_DIGITS) {
            throw new InvalidInput(
                    -1,
                    "the schema's " + keyword + " is " + value + "; give up to " + MOST_DIGITS
                            + " digits before and behind the point");
        }
        return new Bound(number, exclusive);
    }

    private static @Nullable Bound stricter(@Nullable Bound one, @Nullable Bound other, int direction) {
        if (one == null) return other;
        if (other == null) return one;
        return one.value().compareTo(other.value()) * direction > 0 ? one : other; // at equal values, the exclusive one
    }

    private static int wholeDigits(@Nullable Bound bound) {
        return bound == null
                ? 0
                : Math.max(1, bound.value().precision() - bound.value().scale());
    }

    private static int fractionDigits(@Nullable Bound bound) {
        return bound == null ? 0 : Math.max(0, bound.value().scale());
    }

    private static String atLeast(Bound low) {
        int sign = low.value().signum();
        if (sign > 0 || (sign == 0 && low.exclusive())) return farther(low);
        return sign == 0 ? UNSIGNED + "|-0" + FRACTION_OF_ZEROS : UNSIGNED + "|-(?:" + nearer(low) + ")";
    }

    private static String atMost(Bound high) {
        int sign = high.value().signum();
        if (sign < 0 || (sign == 0 && high.exclusive())) return "-(?:" + farther(high) + ")";
        return "-" + UNSIGNED + "|" + nearer(high);
    }

    private static final String FRACTION_OF_ZEROS = "(?:\\.0+)?";

    /** Unsigned numbers whose size is the bound's or, within the limits, greater. Digit by digit: as long as it is equal, then greater, then anything. */
    private static String farther(Bound bound) {
        Digits digits = Digits.of(bound.value());
        String whole = digits.whole();
        List<String> ways = new ArrayList<>();
        ways.add("[1-9][0-9]{" + whole.length() + ",}" + FRACTION);
        for (int i = 0; i < whole.length(); i++) {
            char digit = whole.charAt(i);
            if (digit < '9')
                ways.add(whole.substring(0, i) + between(digit + 1, '9') + digits(whole.length() - i - 1) + FRACTION);
        }
        String fraction = digits.fraction();
        for (int i = 0; i < fraction.length(); i++) {
            char digit = fraction.charAt(i);
            if (digit < '9') ways.add(whole + "\\." + fraction.substring(0, i) + between(digit + 1, '9') + "[0-9]*");
        }
        if (bound.exclusive()) ways.add(whole + "\\." + fraction + "[0-9]*[1-9][0-9]*");
        else if (fraction.isEmpty()) ways.add(whole + FRACTION);
        else ways.add(whole + "\\." + fraction + "[0-9]*");
        return String.join("|", ways);
    }

    /** Unsigned numbers whose size is the bound's or, within the limits, less. */
    private static String nearer(Bound bound) {
        Digits digits = Digits.of(bound.value());
        String whole = digits.whole();
        List<String> ways = new ArrayList<>();
        if (whole.length() > 1) ways.add("(?:0|[1-9][0-9]{0," + (whole.length() - 2) + "})" + FRACTION);
        for (int i = 0; i < whole.length(); i++) {
            char digit = whole.charAt(i);
            char least = i == 0 && whole.length() > 1 ? '1' : '0';
            if (digit > least)
                ways.add(whole.substring(0, i) + between(least, digit - 1) + digits(whole.length() - i - 1) + FRACTION);
        }
        String fraction = digits.fraction(); // its last digit is not 0: what ends before it is less
        for (int i = 0; i < fraction.length(); i++) {
            char digit = fraction.charAt(i);
            ways.add(i == 0 ? whole : whole + "\\." + fraction.substring(0, i));
            if (digit > '0') ways.add(whole + "\\." + fraction.substring(0, i) + between('0', digit - 1) + "[0-9]*");
        }
        if (!bound.exclusive())
            ways.add(fraction.isEmpty() ? whole + FRACTION_OF_ZEROS : whole + "\\." + fraction + "0*");
        return ways.isEmpty() ? "[0-9&&[^0-9]]" : String.join("|", ways);
    }

    private static String between(int first, int last) {
        return "[" + (char) first + "-" + (char) last + "]";
    }

    private static String digits(int count) {
        return count == 0 ? "" : "[0-9]{" + count + "}";
    }

    private record Digits(String whole, String fraction) {
        static Digits of(BigDecimal value) {
            String plain = value.abs().stripTrailingZeros().toPlainString();
            int point = plain.indexOf('.');
            return point < 0
                    ? new Digits(plain, "")
                    : new Digits(plain.substring(0, point), plain.substring(point + 1));
        }
    }
}
