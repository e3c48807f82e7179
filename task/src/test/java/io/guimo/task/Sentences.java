package io.guimo.task;

import io.guimo.data.Corpus;
import io.guimo.data.Fingerprint;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** A language of a few rules, in two scripts: small enough to be learnt in seconds, with more order than its letters' frequencies show. */
public final class Sentences {
    private static final String[] WHO = {"the cat", "a dog", "my brother", "the old king", "nobody", "贾母", "宝玉"};
    private static final String[] DOES = {"sees", "follows", "hears", "loves", "forgets", "笑道", "听了"};
    private static final String[] WHAT = {"a red bird", "the moon", "his friend", "three ships", "the garden", "园中花"};
    private static final String[] HOW = {"at night", "without a word", "again", "by the river", "🙂"};

    private Sentences() {}

    /** Some sentences, each its own draw. */
    public static String text(int sentences, long seed) {
        Random random = new Random(seed);
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < sentences; i++) {
            int who = random.nextInt(WHO.length);
            text.append(WHO[who])
                    .append(' ')
                    .append(DOES[(who + random.nextInt(2)) % DOES.length]) // each has two things to do
                    .append(' ')
                    .append(WHAT[random.nextInt(WHAT.length)])
                    .append(' ')
                    .append(HOW[random.nextInt(HOW.length)])
                    .append(i % 5 == 4 ? ".\n" : ". ");
        }
        return text.toString();
    }

    public static Corpus corpus(String text) {
        return new Corpus(
                "sentences",
                List.of(new Corpus.Document("sentences.txt", text)),
                Map.of("sentences.txt", Fingerprint.of(text.getBytes(StandardCharsets.UTF_8))));
    }
}
