package io.guimo.evaluate;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;

/**
 * What counting reaches on the last tenth of a text ({@code benchmarks/language/counting.sh}): with Witten and Bell's own λ = 1 at the length given, and as
 * {@code CorpusLesson} chooses, counted with and without the validation part. Arguments: file, length.
 */
public final class CountingFigures {
    private CountingFigures() {}

    public static void main(String[] arguments) throws IOException {
        int[] text = Files.readString(Path.of(arguments[0]))
                .replace("\r\n", "\n")
                .codePoints()
                .toArray();
        int order = Integer.parseInt(arguments[1]);
        int cut = (int) (text.length * .9);
        int[] head = Arrays.copyOf(text, cut);
        int begin = (int) (cut * .9);
        print(
                "plain, counted with the validation part too",
                CharacterNgrams.of(head, order),
                text,
                cut,
                text.length,
                new CharacterNgrams.Smoothing(order, 1));
        CharacterNgrams counted = CharacterNgrams.of(Arrays.copyOf(text, begin), CharacterNgrams.MOST_ORDER);
        CharacterNgrams.Smoothing chosen = counted.choose(text, begin, cut);
        print("chosen on the validation part", counted, text, begin, cut, chosen);
        print("chosen, counted in what is learnt from", counted, text, cut, text.length, chosen);
        print(
                "chosen, counted with the validation part too",
                CharacterNgrams.of(head, chosen.order()),
                text,
                cut,
                text.length,
                chosen);
    }

    private static void print(
            String what, CharacterNgrams counted, int[] text, int from, int to, CharacterNgrams.Smoothing smoothing) {
        double[] nats = counted.nats(text, from, to, smoothing);
        System.out.printf(
                Locale.ROOT,
                "%s: up to %d characters, factor %s: %.4f nats per character of %,d%n",
                what,
                smoothing.order(),
                smoothing.factor(),
                Arrays.stream(nats).average().orElseThrow(),
                to - from);
    }
}
