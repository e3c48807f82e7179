package io.guimo.train;

import io.guimo.data.Corpus;
import io.guimo.data.Fingerprint;
import io.guimo.model.ArchitectureSettings;
import io.guimo.task.CorpusLesson;
import io.guimo.task.TrainingProblem;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** A small language to learn: what each word may be followed by is a rule, which of two is chance. Uses what a real one uses: windows, dropout. */
final class Sentences {
    private static final String[] WORDS = {"the", "cat", "hears", "a", "red", "bird", "sing", "by", "宝玉", "笑道"};

    private Sentences() {}

    static CorpusLesson lesson() {
        Random random = new Random(7);
        StringBuilder text = new StringBuilder();
        int word = 0;
        for (int i = 0; i < 3_000; i++) {
            text.append(WORDS[word]).append(i % 10 == 9 ? ".\n" : " ");
            word = (word * 3 + 1 + random.nextInt(2)) % WORDS.length;
        }
        Corpus corpus = new Corpus(
                "sentences",
                List.of(new Corpus.Document("sentences.txt", text.toString())),
                Map.of("sentences.txt", Fingerprint.of(text.toString().getBytes(StandardCharsets.UTF_8))));
        return CorpusLesson.of(corpus, Started.CACHE.resolve("tokenizers"));
    }

    static TrainingProblem problem() {
        return lesson().problem(new ArchitectureSettings.Llama(2, 32, 2, 1, 16, 280, .1));
    }
}
