package io.guimo.inference.constrain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guimo.inference.InvalidInput;
import io.guimo.inference.generate.Constraint;
import io.guimo.inference.generate.ConstraintState;
import io.guimo.text.Vocabulary;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RegexConstraintTest {
    private static final Vocabulary BYTES = TestVocabularies.bytesAnd(List.of("ab", "规模", "00"));
    private static final ConstraintCompiler BYTES_COMPILER =
            new ConstraintCompiler(BYTES, Set.of(TestVocabularies.end(BYTES)));

    private static boolean permits(ConstraintState state, int token) {
        return (state.allowed()[token >> 6] >>> token & 1) != 0;
    }

    /** Whether the text, byte by byte, is a whole answer. */
    private static boolean accepts(String pattern, String text) {
        return accepts(BYTES_COMPILER.compile(new Constraint.Regex(pattern)), text);
    }

    private static boolean accepts(CompiledConstraint constraint, String text) {
        ConstraintState state = constraint.start();
        for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
            if (!permits(state, b & 0xff)) return false;
            state.accept(b & 0xff);
        }
        return state.mayEnd();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "abc",
                "a|b|",
                "a(b|c)*d",
                "(?:ab)+?c{2}",
                "(?<word>a)b",
                "[a-c]{1,3}",
                "[^a-c]",
                "[a-z&&[^b]]+",
                "[a[c-e]]",
                "[]a]",
                "[a-]",
                "[\\d\\-x]+",
                "\\d+\\.\\d*",
                "\\w\\W\\s\\S\\D",
                ".",
                "^a$",
                "(^a|b)c$",
                "a^b",
                "规模|é+",
                "[一-龥]",
                "[\\x{1F600}-\\x{1F64F}]",
                "\\u89c4",
                "\\ud83d\\ude00",
                "\\Qa.b\\E+",
                "\\p{Lu}\\P{L}",
                "\\t\\n\\x41\\v",
                "(a?){3}b",
                "((a|b){2}){1,2}",
                "(a*)*b",
                "a{0}b",
                "[^\\n]",
                "\\[\\]\\{\\}\\\\"
            })
    void patterns_ofTheSyntax_acceptWhatJavaMatches(String pattern) {
        Random random = new Random(pattern.hashCode());
        List<String> texts = new ArrayList<>(List.of(
                "",
                "a",
                "b",
                "c",
                "d",
                "ab",
                "abc",
                "abcc",
                "ababcc",
                "ad",
                "abd",
                "abcbd",
                "a-",
                "-",
                "]",
                "[",
                "x1-",
                "1.",
                "12.5",
                "x -yz",
                "a b",
                "ac",
                "bc",
                "规模",
                "é",
                "ééé",
                "规",
                "一",
                "龥",
                "😀",
                "🙏",
                "a.b",
                "a.bb",
                "A1",
                "É ",
                "AB",
                "\t\nA\u000b",
                "\t\nA\n",
                "aab",
                "aaab",
                "aaaab",
                "aabb",
                "\n",
                "\u2028",
                "\u0085",
                "[]{}\\",
                "0",
                "_ \u00a0x-",
                "a \tbz"));
        String letters = "abcd1.- 规é😀";
        for (int i = 0; i < 300; i++) {
            StringBuilder text = new StringBuilder();
            int length = random.nextInt(7);
            for (int k = 0; k < length; k++) text.append(letters.charAt(random.nextInt(letters.length() - 2)));
            texts.add(text.toString());
        }
        CompiledConstraint compiled;
        try {
            compiled = BYTES_COMPILER.compile(new Constraint.Regex(pattern));
        } catch (InvalidInput nothingFulfils) {
            assertThat(pattern).isEqualTo("a^b");
            return;
        }
        Pattern java = Pattern.compile(pattern);
        for (String text : texts) {
            assertThat(accepts(compiled, text))
                    .as("%s on \"%s\"", pattern, text)
                    .isEqualTo(java.matcher(text).matches());
        }
    }

    /** Random patterns over two letters, tokens of up to three: each mask is compared with all strings of up to 12 letters that Java matches. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void masks_ofRandomPatterns_areWhatBruteForceFinds(long seed) {
        Random random = new Random(seed);
        Vocabulary vocabulary = TestVocabularies.of("a", "b", "ab", "ba", "aa", "abb", "bab", "aab", "ab");
        ConstraintCompiler compiler = new ConstraintCompiler(vocabulary, Set.of(TestVocabularies.end(vocabulary)));
        for (int round = 0; round < 60; round++) {
            String regex = randomPattern(random, 3);
            Pattern pattern = Pattern.compile(regex);
            Set<String> answers = new HashSet<>();
            Set<String> prefixes = new HashSet<>();
            for (int length = 0; length <= 12; length++) {
                for (int bits = 0; bits < 1 << length; bits++) {
                    String text = letters(bits, length);
                    if (!pattern.matcher(text).matches()) continue;
                    answers.add(text);
                    for (int end = 0; end <= length; end++) prefixes.add(text.substring(0, end));
                }
            }
            CompiledConstraint compiled = compiler.compile(new Constraint.Regex(regex));
            assertThat(prefixes).as(regex).isNotEmpty();
            compare(vocabulary, compiled, List.of(), "", answers, prefixes, regex);
        }
    }

    private static void compare(
            Vocabulary vocabulary,
            CompiledConstraint compiled,
            List<Integer> tokens,
            String prefix,
            Set<String> answers,
            Set<String> prefixes,
            String regex) {
        ConstraintState state = compiled.start();
        tokens.forEach(state::accept);
        int end = TestVocabularies.end(vocabulary);
        assertThat(state.mayEnd()).as("%s may end at %s", regex, prefix).isEqualTo(answers.contains(prefix));
        assertThat(permits(state, end)).isEqualTo(state.mayEnd());
        boolean any = false;
        for (int token = 0; token < end; token++) {
            String next = prefix + new String(vocabulary.bytes(token), StandardCharsets.UTF_8);
            boolean expected = prefixes.contains(next);
            any |= expected;
            assertThat(permits(state, token))
                    .as("%s: %s then %s", regex, prefix, next)
                    .isEqualTo(expected);
            if (expected && next.length() <= 4) {
                List<Integer> longer = new ArrayList<>(tokens);
                longer.add(token);
                compare(vocabulary, compiled, longer, next, answers, prefixes, regex);
            }
        }
        assertThat(state.mustEnd()).as("%s must end at %s", regex, prefix).isEqualTo(!any);
    }

    private static String letters(int bits, int length) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < length; i++) text.append((bits >> i & 1) == 0 ? 'a' : 'b');
        return text.toString();
    }

    /** At most six letters long at its shortest, so that what a prefix of four letters needs lies within the twelve. */
    private static String randomPattern(Random random, int depth) {
        if (depth == 0) return List.of("a", "b", "[ab]", ".").get(random.nextInt(4));
        return switch (random.nextInt(7)) {
            case 0, 1 -> randomPattern(random, depth - 1) + randomPattern(random, 0);
            case 2 -> "(" + randomPattern(random, depth - 1) + "|" + randomPattern(random, depth - 1) + ")";
            case 3 -> "(?:" + randomPattern(random, depth - 1) + ")*";
            case 4 -> "(" + randomPattern(random, 0) + randomPattern(random, 0) + ")+";
            case 5 -> "(" + randomPattern(random, 0) + "|" + randomPattern(random, 0) + "){1,3}";
            default -> "(" + randomPattern(random, depth - 1) + ")?";
        };
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "(?=a)b",
                "(?!a)b",
                "(?<=a)b",
                "(?>a)b",
                "(a)\\1",
                "(?<n>a)\\k<n>",
                "a++",
                "a*+",
                "(?i)a",
                "\\bword\\b",
                "\\Aa\\z",
                "(a",
                "a)",
                "[a",
                "*a",
                "a{",
                "a{2,1}",
                "a{1000000}",
                "[z-a]",
                "\\",
                "\\p{Nothing}",
                "\\x{110000}",
                "\\xg1",
                "[b-\\d]"
            })
    void patterns_notRegularOrWrong_areRefused(String pattern) {
        assertThatThrownBy(() -> BYTES_COMPILER.compile(new Constraint.Regex(pattern)))
                .isInstanceOf(InvalidInput.class)
                .hasMessageContaining("pattern");
    }

    @Test
    void patterns_hostile_areRefusedOrHandledWithinBounds() {
        String deep = "(".repeat(2000) + "a" + ")".repeat(2000);
        String long4000 = "a?".repeat(2000);
        List<String> patterns = Stream.of(
                        "(a+)+",
                        "(a*)*b",
                        "((a+)+)+$",
                        "(a|a)*c",
                        "(a|aa)+$",
                        "a{1,1000}{1,1000}",
                        "(a{1,1000}){1,1000}",
                        "((a{1,100}){1,100}){1,100}",
                        "(a|b)*a(a|b){20}",
                        "(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)x",
                        "(x+x+)+y",
                        "[a-z]{100000}",
                        "((a?){50}){50}a{50}",
                        "\\p{L}{1,500}\\p{N}{1,500}",
                        deep,
                        long4000,
                        "a".repeat(5000),
                        "[" + "a-z".repeat(1000) + "]{500}",
                        "[a[b[c".repeat(50) + "]".repeat(150))
                .toList();
        for (String pattern : patterns) {
            try {
                CompiledConstraint compiled = BYTES_COMPILER.compile(new Constraint.Regex(pattern));
                assertThat(compiled.start().allowed()).as(pattern).isNotEmpty();
            } catch (InvalidInput refused) {
                assertThat(refused)
                        .hasMessageMatching(".*(pattern|large).*")
                        .extracting(Throwable::getMessage)
                        .asString()
                        .hasSizeLessThan(300);
            }
        }
        assertThat(accepts("(a+)+", "aaaa")).isTrue();
        assertThat(accepts("((a+)+)+$", "aaab")).isFalse();
    }

    @Test
    void pattern_thatNothingMatches_isRefused() {
        assertThatThrownBy(() -> BYTES_COMPILER.compile(new Constraint.Regex("[a&&b]")))
                .isInstanceOf(InvalidInput.class)
                .hasMessageContaining("nothing");
    }

    @Test
    void vocabulary_withoutAByte_writesOnlyWhatItCan() {
        Vocabulary vocabulary = TestVocabularies.of("a", "b", "ac");
        ConstraintCompiler compiler = new ConstraintCompiler(vocabulary, Set.of(3));
        ConstraintState state =
                compiler.compile(new Constraint.Regex("a|ac|bc")).start();
        assertThat(state.allowed()).containsExactly(0b0001); // bc can't be spelt, and what has a c isn't relied upon
        assertThatThrownBy(() -> compiler.compile(new Constraint.Regex("c"))).isInstanceOf(InvalidInput.class);
    }

    @Test
    void remaining_fewTokens_closesTheAnswer() {
        CompiledConstraint compiled = BYTES_COMPILER.compile(new Constraint.Regex("a{3,}(规模|b)end"));
        assertThat(compiled.shortestTokens())
                .isEqualTo(7); // a a a b e n d; the token ab, which would save one, is not found
        for (int most = 7; most < 40; most++) {
            ConstraintState state = compiled.start();
            ByteArrayOutputStream text = new ByteArrayOutputStream();
            Random random = new Random(most);
            int tokens = 0;
            while (!state.mustEnd()) {
                state.setRemaining(most - tokens++);
                List<Integer> permitted = new ArrayList<>();
                for (int t = 0; t < BYTES.size(); t++) if (permits(state, t)) permitted.add(t);
                int token = permitted.contains((int) 'a') ? 'a' : permitted.get(random.nextInt(permitted.size()));
                state.accept(token);
                text.writeBytes(BYTES.bytes(token));
            }
            assertThat(tokens).isLessThanOrEqualTo(most);
            assertThat(text.toString(StandardCharsets.UTF_8)).matches("a{3,}(规模|b)end");
        }
    }

    @Test
    void endToken_accepted_endsTheAnswer() {
        ConstraintState state =
                BYTES_COMPILER.compile(new Constraint.Regex("a*")).start();
        int end = TestVocabularies.end(BYTES);
        assertThat(state.mayEnd()).isTrue();
        assertThat(state.mustEnd()).isFalse();
        state.accept(end);
        assertThat(state.mustEnd()).isTrue();
        assertThat(state.allowed()).containsOnly(0);
        assertThatThrownBy(() -> BYTES_COMPILER
                        .compile(new Constraint.Regex("a"))
                        .start()
                        .accept('b'))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
