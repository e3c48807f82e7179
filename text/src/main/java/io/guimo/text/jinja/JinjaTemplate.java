package io.guimo.text.jinja;

import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** A template, read once and rendered as often as wanted, by any thread. */
public final class JinjaTemplate {
    /** Longest source read. The longest chat template in wide use has about 40,000 characters. */
    public static final int MOST_CHARACTERS = 1 << 20;

    private static final char FIRST_BORDER = '\uFDD0';
    private static final char LAST_BORDER = '\uFDEF';

    private final List<Node> nodes;

    private JinjaTemplate(List<Node> nodes) {
        this.nodes = nodes;
    }

    /** @throws JinjaException when it cannot be read */
    public static JinjaTemplate parse(String source) {
        if (source.length() > MOST_CHARACTERS) {
            throw JinjaException.at(
                    1, "it has " + source.length() + " characters; at most " + MOST_CHARACTERS + " are read");
        }
        return new JinjaTemplate(Parser.parse(source));
    }

    /**
     * Renders it.
     *
     * @param values by name: null, Boolean, Long, BigInteger, Double, String, List and Map of such, which are only read
     * @param functions of one text that give a text, by name
     * @param inputCharacters about how many characters the values hold: what may be spent grows with it
     * @throws JinjaException when it cannot be rendered with these values, or takes too much
     */
    public String render(
            Map<String, ? extends @Nullable Object> values,
            Map<String, Function<String, String>> functions,
            long inputCharacters) {
        try {
            return new Rendering(values, functions, new Budget(inputCharacters)).render(nodes);
        } catch (StackOverflowError deep) { // the depths that are counted multiply in the worst case
            throw JinjaException.at(1, "it nests too deeply");
        }
    }

    /**
     * Whether a character is one of the 32 that Unicode sets aside for a program's own use inside of it (U+FDD0 to U+FDEF). Templates hand them on as they
     * are, also where other such characters are written as an escape, so that a caller can mark places.
     */
    public static boolean isBorder(int character) {
        return character >= FIRST_BORDER && character <= LAST_BORDER;
    }
}
