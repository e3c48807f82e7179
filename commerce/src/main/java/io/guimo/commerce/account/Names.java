package io.guimo.commerce.account;

/** The rule for names that people give: they are printed on documents and pages. */
final class Names {
    private Names() {}

    static void check(String kind, String name) {
        int length = name.codePointCount(0, name.length());
        if (name.isBlank()
                || length > Organization.LONGEST_NAME
                || name.codePoints().anyMatch(Character::isISOControl)) {
            throw new IllegalArgumentException("name of " + kind + " \"" + printable(name) + "\": write 1 to "
                    + Organization.LONGEST_NAME + " characters without control characters");
        }
    }

    private static String printable(String name) {
        String shown = name.length() > 40 ? name.substring(0, 40) + "…" : name;
        return shown.replaceAll("\\p{Cntrl}", "?");
    }
}
