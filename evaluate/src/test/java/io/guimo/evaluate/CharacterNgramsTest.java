package io.guimo.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class CharacterNgramsTest {
    /** Text of a source that chooses the next of five letters by the two before it. */
    private static int[] text(int length, long seed) {
        Random random = new Random(seed);
        int[] text = new int[length];
        for (int i = 0; i < length; i++) {
            int before = i < 2 ? 0 : 3 * text[i - 1] + text[i - 2];
            text[i] = 'a' + (random.nextInt(4) == 0 ? random.nextInt(5) : before % 5);
        }
        return text;
    }

    /** The definition, with strings and maps. */
    private static double slow(int[] training, int[] text, int i, int order, double factor) {
        double p = 1.0 / IntStream.of(training).distinct().count();
        for (int length = 0; length < order && length <= i; length++) {
            String context = string(text, i - length, i);
            Map<Integer, Integer> next = new HashMap<>();
            for (int j = length; j < training.length; j++) {
                if (string(training, j - length, j).equals(context)) next.merge(training[j], 1, Integer::sum);
            }
            int total = next.values().stream().mapToInt(Integer::intValue).sum();
            if (total == 0) break;
            double trust = factor * next.size();
            p = (next.getOrDefault(text[i], 0) + trust * p) / (total + trust);
        }
        return -Math.log(p);
    }

    private static String string(int[] text, int from, int to) {
        return new String(text, from, to - from);
    }

    @Test
    void nats_text_equalsTheDefinition() {
        int[] training = text(600, 1);
        int[] text = text(60, 2);
        text[30] = 0x1F642; // a character that training has not
        CharacterNgrams counted = CharacterNgrams.of(training, 5);
        for (int order = 1; order <= 5; order++) {
            double[] nats = counted.nats(text, 0, 60, new CharacterNgrams.Smoothing(order, 1.5));
            for (int i = 0; i < 60; i++)
                assertThat(nats[i]).isCloseTo(slow(training, text, i, order, 1.5), within(1e-12));
        }
    }

    @Test
    void probabilities_anyContext_sumToOne() {
        int[] training = text(500, 3);
        CharacterNgrams counted = CharacterNgrams.of(training, 4);
        for (int at = 10; at < 20; at++) {
            double sum = 0;
            for (int c = 'a'; c < 'a' + 5; c++) {
                int[] text = training.clone();
                text[at] = c;
                sum += Math.exp(-counted.nats(text, at, at + 1, new CharacterNgrams.Smoothing(4, 2))[0]);
            }
            assertThat(sum).isCloseTo(1, within(1e-12));
        }
    }

    @Test
    void choose_textOfTwoCharactersMemory_findsTheOrder() {
        int[] training = text(20_000, 4);
        int[] unseen = text(4_000, 5);
        CharacterNgrams counted = CharacterNgrams.of(training, 6);
        CharacterNgrams.Smoothing chosen = counted.choose(unseen, 0, unseen.length);
        assertThat(chosen.order()).isEqualTo(3);
        // the source's own entropy: with 3/4 + 1/20 the letter that follows, with 1/20 each of the other four
        double entropy = -(.8 * Math.log(.8) + 4 * .05 * Math.log(.05));
        double nats = Arrays.stream(counted.nats(unseen, 0, unseen.length, chosen))
                .average()
                .orElseThrow();
        assertThat(nats).isCloseTo(entropy, within(.05));
    }

    @Test
    void of_impossibleOrder_refused() {
        assertThatThrownBy(() -> CharacterNgrams.of(new int[] {1}, 9)).hasMessageContaining("1 to 8");
        assertThatThrownBy(() -> CharacterNgrams.of(new int[0], 3)).hasMessageContaining("0 characters");
    }
}
