package io.guimo.inference.generate;

import io.guimo.text.Vocabulary;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.List;
import java.util.Queue;

/**
 * Makes text of the tokens of one answer, piece by piece as they come. A piece never ends inside a character, and never holds a part of a stop string
 * that may still be completed. Used by one thread.
 *
 * <p>All pieces together are what decoding the whole answer's bytes at once gives, cut before the stop string: bytes that are no UTF-8 become U+FFFD.
 */
public final class TextAssembler {
    private final Vocabulary vocabulary;
    private final List<StopMatcher> stops;
    private final CharsetDecoder decoder = StandardCharsets.UTF_8
            .newDecoder()
            .onMalformedInput(CodingErrorAction.REPLACE)
            .onUnmappableCharacter(CodingErrorAction.REPLACE);

    /** Bytes that are not given out yet: the beginning of a character or of a stop string. */
    private byte[] held = new byte[0];

    /** How many bytes were given out as text. */
    private long released;

    /** Where the text of each token that is not wholly given out ends, in bytes from the answer's beginning. */
    private final Queue<Long> tokenEnds = new ArrayDeque<>();

    private long added;
    private int tokens;
    private int releasedTokens;
    private boolean stopped;
    private boolean ended;

    /**
     * @param stops the answer ends before the first of these that is completed; when several are completed at once, before the longest
     * @throws IllegalArgumentException if one is empty
     */
    public TextAssembler(Vocabulary vocabulary, List<String> stops) {
        this.vocabulary = vocabulary;
        this.stops = stops.stream().map(StopMatcher::new).toList();
    }

    /**
     * Adds a token. Not to be called once {@link #stopped} or after {@link #end}.
     *
     * @return the text that can be given out now, often empty
     */
    public String add(int token) {
        if (stopped || ended) throw new IllegalStateException("the text has ended");
        byte[] bytes = vocabulary.bytes(token);
        int before = held.length;
        ByteArrayOutputStream text = new ByteArrayOutputStream(before + bytes.length);
        text.writeBytes(held);
        text.writeBytes(bytes);
        tokens++;
        added += bytes.length;
        tokenEnds.add(added);

        int ready = text.size();
        for (int i = 0; i < bytes.length && !stopped; i++) {
            int longest = 0;
            for (StopMatcher stop : stops) {
                if (stop.completedBy(bytes[i])) {
                    stopped = true;
                    longest = Math.max(longest, stop.length());
                }
            }
            if (stopped) ready = before + i + 1 - longest;
        }
        if (!stopped) {
            for (StopMatcher stop : stops) ready = Math.min(ready, text.size() - stop.matched());
        }
        return release(text.toByteArray(), ready, stopped);
    }

    /** Gives out what was held back, since nothing follows that could complete it. Empty once {@link #stopped}. */
    public String end() {
        if (ended || stopped) return "";
        ended = true;
        return release(held, held.length, true);
    }

    /** Whether a stop string was completed. The text that was given out is then the whole answer. */
    public boolean stopped() {
        return stopped;
    }

    /** Tokens that were added. Once {@link #stopped}, the last of them completed the stop string. */
    public int tokens() {
        return tokens;
    }

    /**
     * Tokens, from the first one, all of whose text was given out. Once {@link #stopped}, the next token is the one in whose text the stop string
     * began; it may have given the end of the answer's text.
     */
    public int releasedTokens() {
        return releasedTokens;
    }

    /** @param last whether a character that is not whole by {@code ready} never will be */
    private String release(byte[] bytes, int ready, boolean last) {
        ByteBuffer in = ByteBuffer.wrap(bytes, 0, ready);
        CharBuffer out = CharBuffer.allocate(ready + 1); // UTF-8 never has fewer bytes than UTF-16 has chars
        decoder.decode(in, out, last);
        if (last) decoder.flush(out);
        held = last ? new byte[0] : Arrays.copyOfRange(bytes, in.position(), bytes.length);
        released += in.position();
        while (!tokenEnds.isEmpty() && tokenEnds.element() <= released) {
            tokenEnds.remove();
            releasedTokens++;
        }
        return out.flip().toString();
    }

    /** Knuth, Morris and Pratt 1977: how much of the stop string the text ends with. */
    private static final class StopMatcher {
        private final byte[] pattern;
        /** For each length of a prefix, the longest shorter prefix that it ends with. */
        private final int[] fallback;

        private int matched;

        StopMatcher(String stop) {
            if (stop.isEmpty()) throw new IllegalArgumentException("a stop string is empty; leave it out");
            pattern = stop.getBytes(StandardCharsets.UTF_8);
            fallback = new int[pattern.length + 1];
            for (int length = 2, prefix = 0; length <= pattern.length; length++) {
                while (prefix > 0 && pattern[prefix] != pattern[length - 1]) prefix = fallback[prefix];
                if (pattern[prefix] == pattern[length - 1]) prefix++;
                fallback[length] = prefix;
            }
        }

        boolean completedBy(byte next) {
            while (matched > 0 && pattern[matched] != next) matched = fallback[matched];
            if (pattern[matched] == next) matched++;
            return matched == pattern.length;
        }

        int length() {
            return pattern.length;
        }

        int matched() {
            return matched;
        }
    }
}
