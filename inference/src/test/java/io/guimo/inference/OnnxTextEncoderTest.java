package io.guimo.inference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.guimo.units.Meter;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

final class OnnxTextEncoderTest extends EngineContract<TextEncoder> {
    @TempDir
    private static Path folder;

    private static TestPackages packages;
    private static String digest;

    @BeforeAll
    static void pack() throws IOException {
        packages = new TestPackages(folder);
        digest = packages.encoder("bge-small-zh", 512);
    }

    @Override
    TextEncoder open(EngineSettings settings) throws Exception {
        return (TextEncoder) Started.loader(settings).open("search", "1", packages.verified(digest));
    }

    @Override
    List<int[]> randomQuestion(SplittableRandom random, TextEncoder model) {
        List<int[]> texts = new ArrayList<>();
        for (int i = random.nextInt(3); i >= 0; i--) {
            int[] tokens = random.ints(2 + random.nextInt(random.nextInt(8) == 0 ? 120 : 20), 700, 20_000)
                    .toArray();
            tokens[0] = 101;
            tokens[tokens.length - 1] = 102;
            texts.add(tokens);
        }
        return texts;
    }

    @Override
    @SuppressWarnings("unchecked") // made above
    double[] ask(TextEncoder model, Object question) {
        List<float[]> vectors = model.embed((List<int[]>) question);
        double[] numbers = new double[vectors.size() * model.dimensions()];
        for (int i = 0; i < numbers.length; i++)
            numbers[i] = vectors.get(i / model.dimensions())[i % model.dimensions()];
        return numbers;
    }

    @Override
    @SuppressWarnings("unchecked") // made above
    long units(Object question) {
        return ((List<int[]>) question).stream().mapToLong(t -> t.length).sum();
    }

    @Override
    Meter meter() {
        return Meter.INPUT_TOKENS;
    }

    @Override
    double tolerance() {
        return 1e-5;
    }

    /** Recorded with Python's onnxruntime 1.31.1 and tokenizers, each text alone, the first token's output divided by its length. */
    @ParameterizedTest
    @CsvSource({"bge-small-zh, 512", "bge-small-en, 384"})
    void embed_alone_andAllTogether_asAnotherRuntimeRecorded(String name, int dimensions) throws Exception {
        String packed = packages.encoder(name, dimensions);
        try (TextEncoder model =
                (TextEncoder) Started.loader(EngineSettings.standard()).open(name, "1", packages.verified(packed))) {
            List<JsonNode> recorded = recorded(name);
            List<String> texts =
                    recorded.stream().map(r -> r.path("text").stringValue()).toList();
            List<int[]> tokens = model.tokenize(texts);
            List<float[]> together = model.embed(tokens);
            for (int i = 0; i < texts.size(); i++) {
                int[] expectedTokens = recorded.get(i)
                        .path("ids")
                        .valueStream()
                        .mapToInt(JsonNode::intValue)
                        .toArray();
                double[] expected = recorded.get(i)
                        .path("vector")
                        .valueStream()
                        .mapToDouble(JsonNode::doubleValue)
                        .toArray();
                assertThat(tokens.get(i)).containsExactly(expectedTokens);
                assertClose(together.get(i), expected);
                assertClose(model.embed(List.of(tokens.get(i))).getFirst(), expected);
            }
        }
    }

    private static void assertClose(float[] found, double[] expected) {
        assertThat(found).hasSize(expected.length);
        double squares = 0;
        for (int k = 0; k < found.length; k++) {
            assertThat((double) found[k]).isCloseTo(expected[k], within(1e-5));
            squares += (double) found[k] * found[k];
        }
        assertThat(squares).isCloseTo(1, within(1e-6));
    }

    private static List<JsonNode> recorded(String name) throws IOException {
        try (InputStream in = OnnxTextEncoderTest.class.getResourceAsStream("bge-reference.json")) {
            return JsonMapper.shared().readTree(in).path(name).valueStream().toList();
        }
    }

    @Test
    void embed_outOfBounds_refusedWithIndex() throws Exception {
        try (TextEncoder model = open(EngineSettings.standard())) {
            int[] good = {101, 2000, 102};
            assertThatThrownBy(() -> model.embed(List.of(good, new int[513])))
                    .isInstanceOfSatisfying(
                            InvalidInput.class, e -> assertThat(e.index()).isEqualTo(1))
                    .hasMessageContaining("1 to 512");
            for (int[] bad :
                    List.of(new int[] {}, new int[] {-1}, new int[] {1 << 20}, new int[] {Integer.MIN_VALUE})) {
                assertThatThrownBy(() -> model.embed(List.of(bad))).isInstanceOf(InvalidInput.class);
            }
            assertThatThrownBy(() -> model.embed(List.of())).isInstanceOf(InvalidInput.class);
            assertThatThrownBy(() -> model.embed(Collections.nCopies(model.maxTexts() + 1, good)))
                    .isInstanceOf(InvalidInput.class);
            assertThatThrownBy(() -> model.embed(Collections.nCopies(200, new int[512])))
                    .hasMessageContaining("tokens together");
            assertThatThrownBy(() -> model.tokenize(List.of("a", ""))).isInstanceOf(InvalidInput.class);
            assertThatThrownBy(() -> model.tokenize(List.of("a".repeat(40_000))))
                    .isInstanceOf(InvalidInput.class);
            assertThatThrownBy(() -> model.tokenize(Collections.nCopies(100, "a".repeat(30_000))))
                    .hasMessageContaining("together");
            assertThat(model.tokenize(List.of("\ud800 half a character"))).hasSize(1);
            assertThat(model.usage().requests()).isZero();
        }
    }
}
