package io.guimo.shop;

import static org.assertj.core.api.Assertions.assertThat;

import io.guimo.inference.EngineUsage;
import io.guimo.inference.TextEncoder;
import io.guimo.units.Meter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ShopSearchTest {
    private static final SearchCollection ANIMALS =
            new SearchCollection("animals", "letters", List.of("ant", "horse", "elephant"));

    @TempDir
    Path folder;

    @Test
    void index_nearest_bestFirstWithCosine() {
        SearchIndex index = SearchIndex.open(folder, new Lengths("1"), ANIMALS);
        List<SearchIndex.Found> found = index.nearest(Lengths.vector(5), 2);
        assertThat(found.getFirst())
                .isEqualTo(new SearchIndex.Found(1, "horse", found.getFirst().score()));
        assertThat(found.getFirst().score()).isCloseTo(1, org.assertj.core.data.Offset.offset(1e-6));
        assertThat(found).hasSize(2);
        assertThat(found.get(1).score()).isLessThan(found.getFirst().score());
    }

    @Test
    void index_madeOnce_readAgain() {
        Lengths model = new Lengths("1");
        SearchIndex.open(folder, model, ANIMALS);
        int made = model.embedded.get();
        SearchIndex again = SearchIndex.open(folder, model, ANIMALS);
        assertThat(model.embedded.get()).isEqualTo(made);
        assertThat(again.nearest(Lengths.vector(8), 1).getFirst().text()).isEqualTo("elephant");
    }

    @Test
    void index_ofAnotherVersionOrTexts_isAnother() throws Exception {
        SearchIndex.open(folder, new Lengths("1"), ANIMALS);
        SearchIndex.open(folder, new Lengths("2"), ANIMALS);
        SearchIndex.open(folder, new Lengths("1"), new SearchCollection("animals", "letters", List.of("ant")));
        try (var files = Files.list(folder)) {
            assertThat(files.count()).isEqualTo(3);
        }
    }

    @Test
    void index_fileDamaged_madeAgain() throws Exception {
        Lengths model = new Lengths("1");
        SearchIndex.open(folder, model, ANIMALS);
        try (var files = Files.list(folder)) {
            Files.write(files.findFirst().orElseThrow(), new byte[] {1, 2, 3});
        }
        assertThat(SearchIndex.open(folder, model, ANIMALS)
                        .nearest(Lengths.vector(3), 1)
                        .getFirst()
                        .text())
                .isEqualTo("ant");
    }

    /** A text's vector tells its length. */
    private static final class Lengths implements TextEncoder {
        final AtomicInteger embedded = new AtomicInteger();
        private final String version;

        Lengths(String version) {
            this.version = version;
        }

        static float[] vector(int length) {
            return new float[] {(float) Math.cos(length / 10.0), (float) Math.sin(length / 10.0)};
        }

        @Override
        public List<int[]> tokenize(List<String> texts) {
            return texts.stream().map(t -> new int[t.length()]).toList();
        }

        @Override
        public List<float[]> embed(List<int[]> tokenIds) {
            embedded.incrementAndGet();
            return tokenIds.stream().map(t -> vector(t.length)).toList();
        }

        @Override
        public int maxTokens() {
            return 512;
        }

        @Override
        public int maxTexts() {
            return 2;
        }

        @Override
        public int dimensions() {
            return 2;
        }

        @Override
        public String name() {
            return "letters";
        }

        @Override
        public String version() {
            return version;
        }

        @Override
        public Set<Meter> meters() {
            return Set.of(Meter.INPUT_TOKENS);
        }

        @Override
        public EngineUsage usage() {
            return new EngineUsage(Map.of(), 0, 0, 0, Map.of(), 0, 0);
        }

        @Override
        public void close() {}
    }
}
