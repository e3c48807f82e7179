package io.guimo.inference.constrain;

import io.guimo.inference.InvalidInput;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * Reads the regular part of {@link Pattern}'s syntax: characters, classes, groups, alternatives, counts and anchors. Refused are groups that look
 * around or refer back, possessive counts, flags, and borders other than {@code ^} and {@code $}.
 *
 * <p>Anchors are kept by framing: a text stands between the bytes {@link #START} and {@link #END}, which UTF-8 never has, {@code ^} reads the one and
 * {@code $} the other. So an anchor may stand anywhere, within a group or an alternative too.
 */
final class RegexParser {
    static final int START = 0xfe;
    static final int END = 0xff;

    /** Recursion of the parser and of derivatives goes this deep. */
    private static final int MOST_CHARACTERS = 4096;

    private static final int MOST_NESTED = 100;
    private static final int MOST_COUNT = 100_000;

    /** A named class takes a tenth of a second to find out. */
    private static final int MOST_NAMED_CLASSES = 8;

    private final Terms terms;
    private final CharacterCode code;
    private final String pattern;
    private final int[] characters;
    private final Map<String, BitSet> namedClasses = new HashMap<>();
    private int at;
    private int nested;

    private RegexParser(Terms terms, String pattern, CharacterCode code) {
        if (pattern.length() > MOST_CHARACTERS) {
            throw new InvalidInput(
                    -1, "the pattern has " + pattern.length() + " characters; give " + MOST_CHARACTERS + " or fewer");
        }
        this.terms = terms;
        this.pattern = pattern;
        this.code = code;
        characters = withoutQuotes(pattern).codePoints().toArray();
    }

    /** {@code \Q…\E}, in classes too, with its characters escaped one by one. */
    private static String withoutQuotes(String pattern) {
        StringBuilder plain = new StringBuilder();
        boolean quoted = false;
        for (int i = 0; i < pattern.length(); i++) {
            char c = pattern.charAt(i);
            boolean escape = c == '\\' && i + 1 < pattern.length();
            if (escape && pattern.charAt(i + 1) == (quoted ? 'E' : 'Q')) {
                quoted = !quoted;
                i++;
            } else if (quoted) {
                if (c < 128 && !Character.isLetterOrDigit(c)) plain.append('\\');
                plain.append(c);
            } else {
                plain.append(c);
                if (escape) plain.append(pattern.charAt(++i));
            }
        }
        return plain.toString();
    }

    /** Framed texts that the pattern matches as a whole. */
    static Term matchesWhole(Terms terms, String pattern, CharacterCode code) {
        Term inside = new RegexParser(terms, pattern, code).parse();
        Term start = terms.bytes(ByteSet.of(START));
        Term end = terms.bytes(ByteSet.of(END));
        return terms.both(
                frame(terms, anything(terms)), terms.sequence(terms.optional(start), inside, terms.optional(end)));
    }

    /** Framed texts in which the pattern matches anywhere, as JSON Schema has it. */
    static Term matchesWithin(Terms terms, String pattern, CharacterCode code) {
        Term inside = new RegexParser(terms, pattern, code).parse();
        Term characters = terms.repeat(code.term(terms, CharacterCode.all()), 0, Integer.MAX_VALUE);
        Term before = terms.sequence(terms.bytes(ByteSet.of(START)), characters);
        Term after = terms.sequence(characters, terms.bytes(ByteSet.of(END)));
        return terms.both(
                frame(terms, characters), terms.sequence(terms.optional(before), inside, terms.optional(after)));
    }

    /** Framed texts that are one of the term's. */
    static Term frame(Terms terms, Term text) {
        return terms.sequence(terms.bytes(ByteSet.of(START)), text, terms.bytes(ByteSet.of(END)));
    }

    private static Term anything(Terms terms) {
        return terms.repeat(terms.bytes(ByteSet.range(0, START - 1)), 0, Integer.MAX_VALUE);
    }

    private Term parse() {
        Term term = alternatives();
        if (at < characters.length) throw wrong("a ) without its (");
        return term;
    }

    private Term alternatives() {
        if (++nested > MOST_NESTED) throw wrong("groups nested more than " + MOST_NESTED + " deep");
        List<Term> branches = new ArrayList<>();
        branches.add(branch());
        while (take('|')) branches.add(branch());
        nested--;
        return terms.choice(branches);
    }

    private Term branch() {
        List<Term> parts = new ArrayList<>();
        while (at < characters.length && characters[at] != '|' && characters[at] != ')') parts.add(counted(atom()));
        return terms.sequence(parts.toArray(Term[]::new));
    }

    private Term counted(Term atom) {
        while (at < characters.length) {
            int least;
            int most;
            if (take('*')) {
                least = 0;
                most = Integer.MAX_VALUE;
            } else if (take('+')) {
                least = 1;
                most = Integer.MAX_VALUE;
            } else if (take('?')) {
                least = 0;
                most = 1;
            } else if (take('{')) {
                least = number();
                most = !take(',')
                        ? least
                        : at < characters.length && characters[at] == '}' ? Integer.MAX_VALUE : number();
                if (!take('}')) throw wrong("a count without its }");
                if (most < least) throw wrong("a count from " + least + " down to " + most);
            } else {
                return atom;
            }
            if (take('+')) throw wrong("a possessive count; leave the second + out");
            take('?'); // a reluctant count permits the same texts
            atom = most == 1 && least == 0 ? terms.optional(atom) : terms.repeat(atom, least, most);
        }
        return atom;
    }

    private Term atom() {
        int c = characters[at++];
        return switch (c) {
            case '(' -> group();
            case '[' -> code.term(terms, characterClass());
            case '.' -> code.term(terms, except(of("\n\r\u0085\u2028\u2029")));
            case '^' -> terms.bytes(ByteSet.of(START));
            case '$' -> terms.bytes(ByteSet.of(END));
            case '*', '+', '?', '{' -> throw wrong("a count with nothing before it");
            case '\\' -> code.term(terms, escape(false));
            default -> code.term(terms, of(c));
        };
    }

    private Term group() {
        if (take('?') && !take(':')) {
            boolean named = take('<') && at < characters.length && Character.isLetter(characters[at]);
            if (!named) throw wrong("a group that looks around, is atomic or sets flags");
            while (!take('>')) {
                if (at == characters.length || !Character.isLetterOrDigit(characters[at]))
                    throw wrong("a group's name");
                at++;
            }
        }
        Term inside = alternatives();
        if (!take(')')) throw wrong("a ( without its )");
        return inside;
    }

    /** Behind the [. */
    private BitSet characterClass() {
        if (++nested > MOST_NESTED) throw wrong("classes nested more than " + MOST_NESTED + " deep");
        boolean negated = take('^');
        BitSet set = classItems();
        nested--;
        return negated ? except(set) : set;
    }

    /** Up to the ], which is read too. */
    private BitSet classItems() {
        BitSet set = new BitSet();
        for (boolean first = true; first || !take(']'); first = false) {
            if (at == characters.length) throw wrong("a [ without its ]");
            int c = characters[at++];
            boolean intersection = c == '&' && at < characters.length && characters[at] == '&';
            if (c == '[' || intersection) {
                // Java and ECMAScript read these differently.
                if (code == CharacterCode.JSON) throw wrong("a [ or && within a class; write \\[ or \\&");
                if (intersection) {
                    at++;
                    set.and(classItems());
                    return set;
                }
                set.or(characterClass());
            } else {
                set.or(classItem(c));
            }
        }
        return set;
    }

    private BitSet classItem(int c) {
        BitSet item = c == '\\' ? escape(true) : of(c);
        if (item.cardinality() != 1 || !rangeFollows()) return item;
        at++;
        int last = characters[at++];
        BitSet lastItem = last == '\\' ? escape(true) : of(last);
        int from = item.nextSetBit(0);
        int to = lastItem.nextSetBit(0);
        if (lastItem.cardinality() != 1 || to < from) throw wrong("a range that does not go upwards");
        item.set(from, to + 1);
        return item;
    }

    private boolean rangeFollows() {
        return at + 1 < characters.length
                && characters[at] == '-'
                && characters[at + 1] != ']'
                && characters[at + 1] != '[';
    }

    /** Behind the backslash. */
    private BitSet escape(boolean inClass) {
        if (at == characters.length) throw wrong("a \\ at the end");
        int c = characters[at++];
        return switch (c) {
            case 'd' -> range('0', '9');
            case 'D' -> except(range('0', '9'));
            case 'w' -> word();
            case 'W' -> except(word());
            case 's' -> of(" \t\n\u000b\f\r");
            case 'S' -> except(whitespace());
            case 't' -> of('\t');
            case 'n' -> of('\n');
            case 'r' -> of('\r');
            case 'f' -> of('\f');
            case 'a' -> of(7);
            case 'e' -> of(27);
            case 'v' -> of(code == CharacterCode.JSON ? "\u000b" : "\n\u000b\f\r\u0085\u2028\u2029");
            case 'x' -> of(take('{') ? bracedHex() : hex(2));
            case 'u' -> of(code == CharacterCode.JSON && take('{') ? bracedHex() : utf16());
            case 'p' -> namedClass(false);
            case 'P' -> namedClass(true);
            default -> {
                if (Character.isLetterOrDigit(c)) {
                    throw wrong(
                            (inClass ? "the escape \\" : "a border, reference or escape \\") + Character.toString(c));
                }
                yield of(c);
            }
        };
    }

    private int utf16() {
        int unit = hex(4);
        boolean pair = Character.isHighSurrogate((char) unit)
                && at + 1 < characters.length
                && characters[at] == '\\'
                && characters[at + 1] == 'u';
        if (!pair) return unit;
        at += 2;
        return Character.toCodePoint((char) unit, (char) hex(4));
    }

    private int bracedHex() {
        int value = 0;
        do {
            if (at == characters.length) throw wrong("a { without its }");
            value = value << 4 | digit(characters[at++]);
            if (value > Character.MAX_CODE_POINT) throw wrong("a character beyond Unicode");
        } while (!take('}'));
        return value;
    }

    private int hex(int digits) {
        if (at + digits > characters.length) throw wrong("an escape that ends too early");
        int value = 0;
        for (int i = 0; i < digits; i++) value = value << 4 | digit(characters[at++]);
        return value;
    }

    private int digit(int c) {
        int digit = Character.digit(c, 16);
        if (digit < 0) throw wrong("an escape with a digit that is not hexadecimal");
        return digit;
    }

    /** {@code \p{…}}: what the JDK takes it for, asked for each character once. */
    private BitSet namedClass(boolean negated) {
        StringBuilder name = new StringBuilder();
        if (take('{')) {
            while (!take('}')) {
                if (at == characters.length) throw wrong("a \\p{ without its }");
                name.appendCodePoint(characters[at++]);
            }
        } else if (at < characters.length) {
            name.appendCodePoint(characters[at++]);
        }
        BitSet set = namedClasses.computeIfAbsent(name.toString(), this::charactersOf);
        return negated ? except(set) : (BitSet) set.clone();
    }

    private BitSet charactersOf(String name) {
        if (namedClasses.size() >= MOST_NAMED_CLASSES)
            throw wrong("more than " + MOST_NAMED_CLASSES + " different \\p classes");
        Pattern one;
        try {
            one = Pattern.compile("\\p{" + name + "}");
        } catch (PatternSyntaxException e) {
            throw wrong("\\p{" + name + "}, which is no class");
        }
        BitSet set = new BitSet();
        CharacterCode.all().stream()
                .filter(c -> one.matcher(Character.toString(c)).matches())
                .forEach(set::set);
        return set;
    }

    private int number() {
        int from = at;
        int value = 0;
        while (at < characters.length && characters[at] >= '0' && characters[at] <= '9') {
            value = value * 10 + characters[at++] - '0';
            if (value > MOST_COUNT) throw wrong("a count over " + MOST_COUNT);
        }
        if (at == from) throw wrong("a { that begins no count; write \\{");
        return value;
    }

    private boolean take(int c) {
        if (at == characters.length || characters[at] != c) return false;
        at++;
        return true;
    }

    private static BitSet of(int character) {
        BitSet set = new BitSet();
        set.set(character);
        return set;
    }

    private static BitSet of(String characters) {
        BitSet set = new BitSet();
        characters.codePoints().forEach(set::set);
        return set;
    }

    private static BitSet range(int first, int last) {
        BitSet set = new BitSet();
        set.set(first, last + 1);
        return set;
    }

    private static BitSet except(BitSet set) {
        BitSet others = CharacterCode.all();
        others.andNot(set);
        return others;
    }

    private static BitSet word() {
        BitSet set = range('a', 'z');
        set.or(range('A', 'Z'));
        set.or(range('0', '9'));
        set.set('_');
        return set;
    }

    /** Java's six; a JSON Schema's pattern is ECMAScript's, to whom Unicode's other spaces are no {@code \S} either. */
    private BitSet whitespace() {
        BitSet set = of(" \t\n\u000b\f\r");
        if (code == CharacterCode.JSON) {
            set.or(of("\u00a0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff"));
            set.set(0x2000, 0x200b);
        }
        return set;
    }

    private InvalidInput wrong(String what) {
        return new InvalidInput(
                -1, "the pattern \"" + shortened() + "\" holds " + what + " (before character " + (at + 1) + ")");
    }

    private String shortened() {
        return pattern.length() <= 100 ? pattern : pattern.substring(0, 100) + "…";
    }
}
