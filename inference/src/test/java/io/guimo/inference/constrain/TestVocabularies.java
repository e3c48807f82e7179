package io.guimo.inference.constrain;

import io.guimo.text.Vocabulary;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;

/** Vocabularies whose last token ends an answer. */
final class TestVocabularies {
    private TestVocabularies() {}

    static Vocabulary of(String... tokens) {
        List<byte[]> bytes = new ArrayList<>();
        for (String token : tokens) bytes.add(token.getBytes(StandardCharsets.UTF_8));
        return withEnd(bytes);
    }

    /** All single bytes and these. */
    static Vocabulary bytesAnd(Iterable<String> tokens) {
        List<byte[]> bytes = new ArrayList<>();
        for (int b = 0; b < 256; b++) bytes.add(new byte[] {(byte) b});
        for (String token : tokens) bytes.add(token.getBytes(StandardCharsets.UTF_8));
        return withEnd(bytes);
    }

    /** All bytes, and some thousand tokens such as a trained vocabulary has: words, punctuation that runs together, digits, blanks, Chinese. */
    static Vocabulary likeAModels() {
        Random random = new Random(12);
        Set<String> tokens = new LinkedHashSet<>(List.of(
                "{\"", "\":", "\": ", "\":\"", "\": \"", "\",", "\", \"", "\"}", "\"},", "}}", "}]", "]}", "],", "[[",
                "[{", "{}", "[]", ", ", "\n  ", "\n    ", "  ", "    ", "true", "false", "null", "tru", "als", ".0",
                "e+", "-1", "\\u", "\\u00", "\\\"", "\\n", "规模", "模", "😀", "é", "é\"", "模\",\""));
        String letters = "etaoinshrdlucmfwypvbgkjqxzABCDE_- ";
        while (tokens.size() < 3000) {
            StringBuilder token = new StringBuilder();
            int length = 2 + random.nextInt(4);
            for (int i = 0; i < length; i++)
                token.append(letters.charAt(random.nextInt(1 + random.nextInt(letters.length()))));
            tokens.add(token.toString());
        }
        for (int i = 0; i < 1000; i++) tokens.add(String.format(i < 100 ? "%02d" : "%d", i));
        return bytesAnd(tokens);
    }

    private static Vocabulary withEnd(List<byte[]> bytes) {
        bytes.add(new byte[0]);
        boolean[] special = new boolean[bytes.size()];
        special[special.length - 1] = true;
        return new Vocabulary(bytes.toArray(byte[][]::new), special);
    }

    static int end(Vocabulary vocabulary) {
        return vocabulary.size() - 1;
    }
}
