package io.guimo.inference.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guimo.text.Vocabulary;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TextAssemblerTest {
    /** Each of these texts is a token; a {@code \xNN} is a byte. */
    private static Vocabulary tokens(String... texts) {
        byte[][] bytes = new byte[texts.length][];
        for (int i = 0; i < texts.length; i++) {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            String text = texts[i];
            while (!text.isEmpty()) {
                if (text.startsWith("\\x")) {
                    out.write(Integer.parseInt(text.substring(2, 4), 16));
                    text = text.substring(4);
                } else {
                    out.writeBytes(text.substring(0, 1).getBytes(StandardCharsets.UTF_8));
                    text = text.substring(1);
                }
            }
            bytes[i] = out.toByteArray();
        }
        return new Vocabulary(bytes, new boolean[texts.length]);
    }

    /** The pieces that all tokens give one after the other, and what {@code end} gives. */
    private static List<String> pieces(TextAssembler text, int tokens) {
        List<String> pieces = new ArrayList<>();
        for (int token = 0; token < tokens && !text.stopped(); token++) pieces.add(text.add(token));
        pieces.add(text.end());
        return pieces;
    }

    @Test
    void character_cutBetweenTokens_comesWhole() {
        Vocabulary vocabulary = tokens("a\\xe8", "\\xa7", "\\x84b", "\\xf0\\x9f", "\\x98\\x80");
        assertThat(pieces(new TextAssembler(vocabulary, List.of()), 5)).containsExactly("a", "", "规b", "", "😀", "");
    }

    @Test
    void bytes_thatAreNoUtf8_becomeReplacements() {
        Vocabulary vocabulary = tokens("a\\xff", "\\xe8\\xa7", "b", "\\xc3");
        assertThat(pieces(new TextAssembler(vocabulary, List.of()), 4)).containsExactly("a�", "", "�b", "", "�");
    }

    @Test
    void stop_acrossTokens_cutsBeforeIt() {
        TextAssembler text = new TextAssembler(tokens("one E", "N", "D two"), List.of("END"));
        assertThat(pieces(text, 3)).containsExactly("one ", "", "", "");
        assertThat(text.stopped()).isTrue();
        assertThat(text.tokens()).isEqualTo(3);
        assertThat(text.releasedTokens()).isZero(); // "one E" is given out in part only
    }

    @Test
    void stop_begunButNotCompleted_isGivenOutLater() {
        TextAssembler text = new TextAssembler(tokens("one E", "N", "Dless"), List.of("ENDe"));
        assertThat(text.add(0)).isEqualTo("one ");
        assertThat(text.releasedTokens()).isZero();
        assertThat(text.add(1)).isEmpty();
        assertThat(text.add(2)).isEqualTo("ENDless");
        assertThat(text.releasedTokens()).isEqualTo(3);
        assertThat(text.stopped()).isFalse();
    }

    @Test
    void stop_begunAtTheEnd_isText() {
        assertThat(pieces(new TextAssembler(tokens("one E", "N"), List.of("END")), 2))
                .containsExactly("one ", "", "EN");
    }

    @Test
    void stop_thatOverlapsItself_isFound() {
        assertThat(pieces(new TextAssembler(tokens("aa", "ab", "x"), List.of("aab")), 3))
                .containsExactly("", "a", "");
    }

    @Test
    void stops_several_firstCompletedWinsAndTheLongestOfThose() {
        assertThat(pieces(new TextAssembler(tokens("xab", "cd"), List.of("abcd", "bc")), 2))
                .containsExactly("x", "a", "");
        assertThat(pieces(new TextAssembler(tokens("xab", "cd"), List.of("abc", "bc")), 2))
                .containsExactly("x", "", "");
    }

    @Test
    void stop_inTheMiddleOfAToken_leavesTheTextBefore() {
        TextAssembler text = new TextAssembler(tokens("a", "b。c"), List.of("。"));
        assertThat(pieces(text, 2)).containsExactly("a", "b", "");
        assertThat(text.releasedTokens()).isOne();
        assertThatThrownBy(() -> text.add(0)).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void stop_empty_isRefused() {
        assertThatThrownBy(() -> new TextAssembler(tokens("a"), List.of("")))
                .isInstanceOf(IllegalArgumentException.class);
    }

    /** Random bytes from a small alphabet in random tokens: all pieces together are the whole answer decoded at once, cut at the stop string. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void pieces_ofRandomTokens_areTheWholeDecodedAtOnce(long seed) {
        Random random = new Random(seed);
        byte[] alphabet = {
            'a', 'b', (byte) 0xe8, (byte) 0xa7, (byte) 0x84, (byte) 0xf0, (byte) 0x9f, (byte) 0x98, (byte) 0x80
        };
        List<List<String>> stopLists = List.of(List.of(), List.of("aab"), List.of("ab", "规a", "bb规"));
        for (int round = 0; round < 2000; round++) {
            byte[][] bytes = new byte[12][];
            ByteArrayOutputStream all = new ByteArrayOutputStream();
            for (int t = 0; t < bytes.length; t++) {
                bytes[t] = new byte[random.nextInt(4)];
                for (int i = 0; i < bytes[t].length; i++) bytes[t][i] = alphabet[random.nextInt(alphabet.length)];
                all.writeBytes(bytes[t]);
            }
            List<String> stops = stopLists.get(round % stopLists.size());
            TextAssembler text = new TextAssembler(new Vocabulary(bytes, new boolean[12]), stops);
            StringBuilder together = new StringBuilder();
            for (int t = 0; t < bytes.length && !text.stopped(); t++) {
                String piece = text.add(t);
                assertThat(piece.isEmpty() || !Character.isHighSurrogate(piece.charAt(piece.length() - 1)))
                        .isTrue();
                together.append(piece);
            }
            together.append(text.end());
            assertThat(together.toString()).isEqualTo(cut(all.toByteArray(), stops));
        }
    }

    /** Byte by byte: the first end at which any stop string ends, less the longest of those. */
    private static String cut(byte[] all, List<String> stops) {
        String latin = new String(all, StandardCharsets.ISO_8859_1);
        for (int end = 1; end <= all.length; end++) {
            int longest = 0;
            for (String stop : stops) {
                String stopLatin = new String(stop.getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
                if (latin.substring(0, end).endsWith(stopLatin)) longest = Math.max(longest, stopLatin.length());
            }
            if (longest > 0) return new String(all, 0, end - longest, StandardCharsets.UTF_8);
        }
        return new String(all, StandardCharsets.UTF_8);
    }
}
