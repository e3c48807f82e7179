package io.guimo.serve.language;

import io.guimo.inference.generate.GeneratedToken;
import io.guimo.inference.generate.TextAssembler;
import io.guimo.text.Vocabulary;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Queue;

/** One answer as its tokens become text, and how much of it has been given out. Used by one thread. */
final class ChoiceText {
    /**
     * Text that can be given out.
     *
     * @param tokens those all of whose text is out now and was not before; text and tokens need not come together
     */
    record Delta(String text, List<GeneratedToken> tokens) {
        Delta {
            tokens = List.copyOf(tokens);
        }

        boolean isEmpty() {
            return text.isEmpty();
        }
    }

    private final Vocabulary vocabulary;
    private final TextAssembler assembler;
    private final Queue<GeneratedToken> held = new ArrayDeque<>();
    private final List<String> stops;

    /** What was added, where there are stop strings to tell apart. */
    private final ByteArrayOutputStream added = new ByteArrayOutputStream();

    private int released;

    ChoiceText(Vocabulary vocabulary, List<String> stops) {
        this.vocabulary = vocabulary;
        this.stops = stops;
        assembler = new TextAssembler(vocabulary, stops);
    }

    Delta add(GeneratedToken token) {
        held.add(token);
        if (stops.size() > 1) added.writeBytes(vocabulary.bytes(token.id()));
        return delta(assembler.add(token.id()));
    }

    /** What was held back, when nothing follows. */
    Delta end() {
        return delta(assembler.end());
    }

    /** Whether a stop string was completed: the answer is over. */
    boolean stopped() {
        return assembler.stopped();
    }

    /** Which stop string that was: the one that was completed first, of several at once the longest. */
    String stopString() {
        if (!stopped()) throw new IllegalStateException("no stop string was completed");
        if (stops.size() == 1) return stops.getFirst();
        // a byte is a character here, so that a stop string is found wherever its bytes are
        String text = added.toString(StandardCharsets.ISO_8859_1);
        return stops.stream()
                .filter(s -> text.contains(bytesOf(s)))
                .min(Comparator.<String>comparingInt(
                                s -> text.indexOf(bytesOf(s)) + bytesOf(s).length())
                        .thenComparing(Comparator.comparingInt(String::length).reversed()))
                .orElseThrow();
    }

    private static String bytesOf(String stop) {
        return new String(stop.getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
    }

    /** Tokens that were added. */
    int tokens() {
        return assembler.tokens();
    }

    /** Tokens all of whose text was given out. */
    int released() {
        return released;
    }

    /** Tokens wait for a delta that has text: what the client cannot read is not told of. */
    private Delta delta(String text) {
        if (text.isEmpty()) return new Delta("", List.of());
        List<GeneratedToken> out = new ArrayList<>();
        for (; released < assembler.releasedTokens(); released++) out.add(held.remove());
        return new Delta(text, out);
    }
}
