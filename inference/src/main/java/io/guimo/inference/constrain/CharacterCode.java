package io.guimo.inference.constrain;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/** How a character of a text is written in bytes. */
enum CharacterCode {
    /** As UTF-8. */
    UTF8 {
        @Override
        Term term(Terms terms, BitSet characters) {
            return utf8(terms, characters);
        }
    },
    /** As in a JSON string, one way for each character: itself where JSON permits it, else its short escape, else {@code \}{@code u00xx}. */
    JSON {
        @Override
        Term term(Terms terms, BitSet characters) {
            BitSet plain = (BitSet) characters.clone();
            plain.andNot(ESCAPED);
            BitSet escaped = (BitSet) characters.clone();
            escaped.and(ESCAPED);
            List<Term> ways = new ArrayList<>();
            ways.add(utf8(terms, plain));
            escaped.stream().forEach(c -> ways.add(literal(terms, escape(c))));
            return terms.choice(ways);
        }
    };

    private static final BitSet ESCAPED = new BitSet();

    static {
        ESCAPED.set(0, ' ');
        ESCAPED.set('"');
        ESCAPED.set('\\');
    }

    /** Any one of these characters; surrogates are none. */
    abstract Term term(Terms terms, BitSet characters);

    /** Every character. */
    static BitSet all() {
        BitSet all = new BitSet();
        all.set(0, Character.MAX_CODE_POINT + 1);
        all.clear(Character.MIN_SURROGATE, Character.MAX_SURROGATE + 1);
        return all;
    }

    private static String escape(int character) {
        return switch (character) {
            case '"' -> "\\\"";
            case '\\' -> "\\\\";
            case '\b' -> "\\b";
            case '\f' -> "\\f";
            case '\n' -> "\\n";
            case '\r' -> "\\r";
            case '\t' -> "\\t";
            default -> String.format("\\u%04x", character);
        };
    }

    private static Term literal(Terms terms, String ascii) {
        Term literal = terms.empty;
        for (int i = ascii.length() - 1; i >= 0; i--)
            literal = terms.sequence(terms.bytes(ByteSet.of(ascii.charAt(i))), literal);
        return literal;
    }

    private static Term utf8(Terms terms, BitSet characters) {
        List<Term> ways = new ArrayList<>();
        for (int first = characters.nextSetBit(0); first >= 0; ) {
            int end = characters.nextClearBit(first);
            int[] lengthLimits = {
                0x7f, 0x7ff, Character.MIN_SURROGATE - 1, Character.MAX_SURROGATE, 0xffff, Character.MAX_CODE_POINT
            };
            for (int limit : lengthLimits) {
                int last = Math.min(end - 1, limit);
                if (first > last) continue;
                if (limit != Character.MAX_SURROGATE) addRanges(terms, first, last, ways);
                first = last + 1;
            }
            first = characters.nextSetBit(end);
        }
        return terms.choice(ways);
    }

    /** Splits characters of one encoded length until the bytes of the first and the last span a box: each byte then has a range of its own. */
    private static void addRanges(Terms terms, int first, int last, List<Term> ways) {
        int length = encode(first).length;
        for (int i = 1; i < length; i++) {
            int low = (1 << (6 * i)) - 1; // what the last i bytes hold
            if ((first & ~low) == (last & ~low)) continue;
            int border = (first & low) != 0 ? (first | low) + 1 : (last & low) != low ? last & ~low : -1;
            if (border < 0) continue;
            addRanges(terms, first, border - 1, ways);
            addRanges(terms, border, last, ways);
            return;
        }
        byte[] from = encode(first);
        byte[] to = encode(last);
        Term way = terms.empty;
        for (int i = length - 1; i >= 0; i--) {
            way = terms.sequence(terms.bytes(ByteSet.range(from[i] & 0xff, to[i] & 0xff)), way);
        }
        ways.add(way);
    }

    private static byte[] encode(int character) {
        return Character.toString(character).getBytes(StandardCharsets.UTF_8);
    }
}
