package io.guimo.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CorpusTest {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path folder;

    private DataSources sources(Path data) {
        return new DataSources(
                Catalogue.standard(),
                new CatalogueOptions(folder.resolve("home"), data, FetchProgress.NONE),
                folder,
                new ImageDecoder(ImageDecoder.Limits.STANDARD));
    }

    @Test
    void corpus_files_readInTheOrderOfTheirNames() throws IOException {
        Files.createDirectories(folder.resolve("books/more"));
        Files.writeString(folder.resolve("books/b.txt"), "second\r\nline\rthird");
        Files.writeString(folder.resolve("books/a.txt"), "\ufefffirst 🙂\n");
        Files.writeString(folder.resolve("books/more/c.txt"), "红楼梦");
        Files.writeString(folder.resolve("books/empty.txt"), " \n");
        Corpus corpus = sources(folder).corpus(new DataSettings(null, "books/**.txt", null));
        assertThat(corpus.documents())
                .containsExactly(
                        new Corpus.Document("a.txt", "first 🙂\n"),
                        new Corpus.Document("b.txt", "second\nline\nthird"),
                        new Corpus.Document("c.txt", "红楼梦"));
        assertThat(corpus.characters()).isEqualTo(8 + 17 + 3);
        assertThat(corpus.fingerprints()).hasSize(4);
    }

    @Test
    void corpus_notUtf8_fileAndLineNamed() throws IOException {
        Path book = folder.resolve("latin.txt");
        Files.write(book, "one\ntwo\nthre\u00e9\n".getBytes(StandardCharsets.ISO_8859_1));
        Path cut = folder.resolve("cut.txt");
        Files.write(cut, new byte[] {'a', '\n', (byte) 0xE7, (byte) 0xBA}); // the first two of three bytes
        DataSources sources = sources(folder);
        assertThatThrownBy(() -> sources.corpus(new DataSettings(null, "latin.txt", null)))
                .isInstanceOf(DataException.class)
                .hasMessageContaining(book + ":3: byte 5 of the line is 0xE9");
        assertThatThrownBy(() -> sources.corpus(new DataSettings(null, "cut.txt", null)))
                .isInstanceOf(DataException.class)
                .hasMessageContaining(cut + ":2: byte 1 of the line is 0xE7");
    }

    @Test
    void corpus_noText_refused() throws IOException {
        Files.writeString(folder.resolve("blank.txt"), "\n\n");
        assertThatThrownBy(() -> sources(folder).corpus(new DataSettings(null, "blank.txt", null)))
                .hasMessageContaining("none of 1 files holds any text");
        assertThatThrownBy(() -> sources(folder).corpus(new DataSettings(null, "*.md", null)))
                .hasMessageContaining("no file matches");
    }

    @Test
    void corpus_ofAnotherContent_refused() throws IOException {
        Files.createDirectories(folder.resolve("data"));
        assertThatThrownBy(() -> sources(folder.resolve("data")).corpus(new DataSettings("hongloumeng", null, null)))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("hongloumeng.txt")
                .hasMessageContaining("--data DIR");
        Files.writeString(folder.resolve("data/hongloumeng.txt"), "another edition");
        assertThatThrownBy(() -> sources(folder.resolve("data")).corpus(new DataSettings("hongloumeng", null, null)))
                .hasMessageContaining("15 bytes instead of the 2522985");
    }

    @Test
    void find_passageOfBothTexts_foundWhateverItsPunctuation() {
        String known = "a quick brown fox jumps over it";
        int[] text = ("Nothing here. " + known + ". And more of other things")
                .codePoints()
                .toArray();
        int[] other = "Some beginning; A QUICK -- brown fox\njumps, over it! The end"
                .codePoints()
                .toArray();
        List<SharedPassages.Passage> found = SharedPassages.find(text, other, 20);
        assertThat(found).containsExactly(new SharedPassages.Passage(14, 14 + known.length(), 16));
        assertThat(SharedPassages.find(text, other, 25 + 1)).isEmpty(); // it has 25 letters
    }

    @Test
    void find_shortTexts_nothing() {
        assertThat(SharedPassages.find(new int[] {'a', 'b'}, new int[] {'a', 'b'}, 3))
                .isEmpty();
        assertThat(SharedPassages.find(new int[0], new int[0], 3)).isEmpty();
    }
}
