package io.guimo.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Against what Hugging Face's trainer learns from the same text; {@code record.py} beside it made the record. */
class BytePairTrainerTest {
    private static final String UNSEEN = "To-morrow, and to-morrow; 3 cats' tails\n\n  去年今日此门中，it's  Ünïcode 🙂\t!";

    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path folder;

    private static String resource(String name) throws IOException {
        try (InputStream in =
                Objects.requireNonNull(BytePairTrainerTest.class.getResourceAsStream("bytepairs/" + name), name)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private Tokenizer open(BytePairTrainer.Learnt learnt) throws IOException {
        Path file = Files.writeString(folder.resolve("tokenizer.json"), learnt.json());
        return Tokenizer.open(file, 1 << 20, Path.of(System.getProperty("user.home"), ".guimo", "cache", "tokenizers"));
    }

    @Test
    void train_englishAndChinese_sameMergesAndIdsAsHuggingFace() throws IOException {
        List<String> recorded = resource("learnt.txt").lines().toList();
        BytePairTrainer.Learnt learnt = BytePairTrainer.train(List.of(resource("text.txt")), 420);

        assertThat(learnt.vocabularySize()).isEqualTo(420);
        String merges = learnt.json().substring(learnt.json().indexOf("\"merges\":[") + 10);
        List<String> learntMerges = Arrays.stream(
                        merges.substring(1, merges.indexOf(']') - 1).split("\",\"", -1))
                .map(merge -> merge.replace("\\\"", "\"").replace("\\\\", "\\"))
                .toList();
        assertThat(learntMerges).isEqualTo(recorded.subList(1, recorded.size()));
        try (Tokenizer tokenizer = open(learnt)) {
            int[] ids = Arrays.stream(recorded.getFirst().split(" "))
                    .mapToInt(Integer::parseInt)
                    .toArray();
            assertThat(tokenizer.encode(UNSEEN)).isEqualTo(ids);
        }
    }

    @Test
    void encode_anyText_restoredByteForByte() throws IOException {
        BytePairTrainer.Learnt learnt = BytePairTrainer.train(List.of(resource("text.txt")), 300);
        try (Tokenizer tokenizer = open(learnt)) {
            int[] ids = tokenizer.encode(UNSEEN);
            assertThat(tokenizer.decode(ids)).isEqualTo(UNSEEN);
            assertThat(Arrays.stream(ids).map(id -> learnt.tokenBytes()[id]).sum())
                    .isEqualTo(UNSEEN.getBytes(StandardCharsets.UTF_8).length);
            assertThat(tokenizer.encode(BytePairTrainer.END_OF_TEXT)).containsExactly(0);
        }
    }

    @Test
    void train_fewPairs_smallerVocabularyThanAsked() {
        // "aaaa" four times: "aa", then "aaaa"; with nothing left that occurs twice
        BytePairTrainer.Learnt learnt = BytePairTrainer.train(List.of("aaaa\naaaa\naaaa\naaaa"), 1000);
        assertThat(learnt.vocabularySize()).isEqualTo(BytePairTrainer.SMALLEST_VOCABULARY + 2);
        assertThat(BytePairTrainer.train(List.of("aaaa\naaaa\naaaa\naaaa"), learnt.vocabularySize())
                        .json())
                .isEqualTo(learnt.json());
    }

    @Test
    void train_impossibleVocabulary_refused() {
        assertThatThrownBy(() -> BytePairTrainer.train(List.of("a"), 256))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("256")
                .hasMessageContaining("257");
    }
}
