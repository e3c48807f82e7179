package io.guimo.registry;

/** Foreign text as a message may show it: short, and without control characters that could forge lines in a log. */
final class Shown {
    private static final int LONGEST = 80;

    private Shown() {}

    static String text(String foreign) {
        String head = foreign.length() > LONGEST ? foreign.substring(0, LONGEST) + "…" : foreign;
        return head.codePoints()
                .map(c -> Character.isISOControl(c) ? '?' : c)
                .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                .toString();
    }
}
