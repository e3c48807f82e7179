package io.guimo.model.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guimo.text.ChatTemplate;
import io.guimo.text.Tokenizer;
import io.guimo.text.Vocabulary;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Against ids that llama.cpp gave; the resources say how they were recorded. */
class GgufTokenizerTest {
    private static final Path NATIVE =
            Path.of(System.getProperty("user.home"), ".guimo", "cache"); // unpacked once for all tests
    private static final JsonNode SMALL = resource("small-vocabularies.json");

    @TempDir
    Path folder;

    @Test
    void smolLm2_404Texts_idsOfLlamaCpp() {
        JsonNode recorded = resource("smollm2-tokens.json");
        try (GgufFile file = GgufFile.open(SmolLm2.gguf())) {
            GgufTokenizer gguf = GgufTokenizer.of(file);
            assertThat(gguf.endTokens()).containsExactlyInAnyOrderElementsOf(numbers(recorded.path("ends")));
            assertThat(gguf.beginToken()).hasValue(1);
            assertThat(gguf.endToken()).hasValue(2);
            assertThat(gguf.chatTemplate())
                    .hasValueSatisfying(t -> assertThat(t).contains("<|im_start|>"));
            try (Tokenizer tokenizer = Tokenizer.of(gguf.json(), 8192, NATIVE)) {
                assertThat(tokenizer.vocabularySize()).isEqualTo(49_152);
                assertThat(recorded.path("cases").size()).isEqualTo(404);
                for (JsonNode recordedCase : recorded.path("cases")) {
                    String text = recordedCase.path("text").asString();
                    assertThat(tokenizer.encode(text))
                            .as(text)
                            .containsExactly(numbers(recordedCase.path("ids")).toArray(Integer[]::new));
                }
            }
        }
    }

    @Test
    void smolLm2_bytesOfEveryToken_areLlamaCpps() throws NoSuchAlgorithmException {
        try (GgufFile file = GgufFile.open(SmolLm2.gguf());
                Tokenizer tokenizer = Tokenizer.of(GgufTokenizer.of(file).json(), 8192, NATIVE)) {
            Vocabulary vocabulary = tokenizer.vocabulary();
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            for (int id = 0; id < vocabulary.size(); id++) {
                byte[] bytes = vocabulary.bytes(id);
                digest.update(ByteBuffer.allocate(4)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putInt(bytes.length)
                        .array());
                digest.update(bytes);
            }
            assertThat(HexFormat.of().formatHex(digest.digest()))
                    .isEqualTo(
                            resource("smollm2-tokens.json").path("piecesSha256").asString());
            assertThat(vocabulary.isSpecial(2)).isTrue();
            assertThat(vocabulary.isSpecial(500)).isFalse();
        }
    }

    @Test
    void smolLm2_aMillionTokens_countedWithinABoundOrNotAtAll() {
        try (GgufFile file = GgufFile.open(SmolLm2.gguf());
                Tokenizer tokenizer = Tokenizer.of(GgufTokenizer.of(file).json(), 8192, NATIVE)) {
            String text = "word ".repeat(1_000_000);
            assertThat(tokenizer.count(text, 8192)).isEmpty();
            assertThat(tokenizer.count(text, 1_000_000)).isEmpty();
            assertThat(tokenizer.count(text, 1_000_001)).hasValue(1_000_001);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"smollm", "gpt-2", "qwen2", "llama-bpe", "default", "llama", "llama without prefix"})
    void smallVocabulary_everyPreTokenizer_idsOfLlamaCpp(String kind) throws IOException {
        Path path = kind.startsWith("llama") && !kind.equals("llama-bpe")
                ? sentencePiece(kind.equals("llama")).write(folder, "small.gguf")
                : byteLevel(kind, strings(SMALL.path("tokens"))).write(folder, "small.gguf");
        try (GgufFile file = GgufFile.open(path);
                Tokenizer tokenizer = Tokenizer.of(GgufTokenizer.of(file).json(), 1024, NATIVE)) {
            List<String> texts = strings(SMALL.path("texts"));
            for (int i = 0; i < texts.size(); i++) {
                assertThat(tokenizer.encode(texts.get(i)))
                        .as("%d: %s", i, texts.get(i))
                        .containsExactly(
                                numbers(SMALL.path("ids").path(kind).path(i)).toArray(Integer[]::new));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"smollm", "qwen2", "llama"})
    void smallVocabulary_bytesOfTheTokens_makeTheTextAgain(String kind) throws IOException {
        boolean sentencePiece = kind.equals("llama");
        GgufBytes bytes = sentencePiece ? sentencePiece(true) : byteLevel(kind, strings(SMALL.path("tokens")));
        try (GgufFile file = GgufFile.open(bytes.write(folder, "small.gguf"));
                Tokenizer tokenizer = Tokenizer.of(GgufTokenizer.of(file).json(), 1024, NATIVE)) {
            Vocabulary vocabulary = tokenizer.vocabulary();
            for (String text : strings(SMALL.path("texts"))) {
                if (tokenizer.specialTokens().stream().anyMatch(text::contains)) continue;
                if (text.isEmpty()) continue;
                java.io.ByteArrayOutputStream written = new java.io.ByteArrayOutputStream();
                int[] ids = tokenizer.encode(new ChatTemplate.Prompt(List.of(text)));
                for (int id : ids) written.writeBytes(vocabulary.bytes(id));
                assertThat(written.toString(java.nio.charset.StandardCharsets.UTF_8))
                        .isEqualTo(sentencePiece ? " " + text : text);
                assertThat(tokenizer.decode(ids)).isEqualTo(text);
            }
        }
    }

    @Test
    void sentencePiece_promptInPieces_onlyTheFirstHasTheSpace() throws IOException {
        try (GgufFile file = GgufFile.open(sentencePiece(true).write(folder, "small.gguf"));
                Tokenizer tokenizer = Tokenizer.of(GgufTokenizer.of(file).json(), 1024, NATIVE)) {
            assertThat(tokenizer.decode(tokenizer.encode(new ChatTemplate.Prompt(List.of("a </", "s> b")))))
                    .isEqualTo("a </s> b");
            assertThat(tokenizer.encode(new ChatTemplate.Prompt(List.of("a </", "s> b"))))
                    .doesNotContain(2);
            assertThat(tokenizer.encode(new ChatTemplate.Prompt(List.of("a </s> b"))))
                    .contains(2);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "gpt2 | tekken | pre-tokenizer is 'tekken'; smollm, gpt-2",
                "bert | default | kind 'bert'; gpt2 and llama are read",
                "llama | default | has no scores"
            })
    void of_kindNotRead_saysWhichAre(String model, String pre, String reason) throws IOException {
        Path path = GgufBytes.header(3, 0, 3)
                .text("tokenizer.ggml.model", model)
                .text("tokenizer.ggml.pre", pre)
                .texts("tokenizer.ggml.tokens", List.of("a", "b", "c"))
                .write(folder, "other.gguf");
        assertRefused(path, reason);
    }

    @Test
    void of_unsoundVocabulary_refusedWithTheReason() throws IOException {
        assertRefused(GgufBytes.header(3, 0, 0).write(folder, "a.gguf"), "carries no tokenizer");
        assertRefused(
                GgufBytes.header(3, 0, 1).text("tokenizer.ggml.model", "gpt2").write(folder, "b.gguf"), "no tokens");
        assertRefused(
                GgufBytes.header(3, 0, 2)
                        .text("tokenizer.ggml.model", "gpt2")
                        .texts("tokenizer.ggml.tokens", List.of("a", "b", "a"))
                        .write(folder, "c.gguf"),
                "tokens 0 and 2 are both 'a'"); // llama.cpp ends the process at such a file
        assertRefused(
                GgufBytes.header(3, 0, 3)
                        .text("tokenizer.ggml.model", "gpt2")
                        .texts("tokenizer.ggml.tokens", List.of("a", "b"))
                        .int32s("tokenizer.ggml.token_type", 1)
                        .write(folder, "d.gguf"),
                "token_type has 1 entries for 2 tokens");
        assertRefused(
                GgufBytes.header(3, 0, 3)
                        .text("tokenizer.ggml.model", "gpt2")
                        .texts("tokenizer.ggml.tokens", List.of("a", "b"))
                        .key("tokenizer.ggml.eos_token_id", GgufValue.ValueType.UINT32)
                        .int32(2)
                        .write(folder, "e.gguf"),
                "eos_token_id is 2; 0 to 1 are tokens");
        assertRefused(
                GgufBytes.header(3, 0, 3)
                        .text("tokenizer.ggml.model", "gpt2")
                        .texts("tokenizer.ggml.tokens", List.of("a", "b"))
                        .texts("tokenizer.ggml.merges", List.of("ab"))
                        .write(folder, "f.gguf"),
                "merges 'ab', which is no pair");
        assertRefused(
                GgufBytes.header(3, 0, 3)
                        .text("tokenizer.ggml.model", "llama")
                        .texts("tokenizer.ggml.tokens", List.of("<unk>", "<s>", "</s>", "a".repeat(1_001)))
                        .key("tokenizer.ggml.scores", GgufValue.ValueType.ARRAY)
                        .int32(GgufValue.ValueType.FLOAT32.code)
                        .int64(4)
                        .raw(new byte[16])
                        .write(folder, "g.gguf"),
                "has 1001 characters");
    }

    private static void assertRefused(Path path, String reason) {
        try (GgufFile file = GgufFile.open(path)) {
            assertThatThrownBy(() -> GgufTokenizer.of(file))
                    .isExactlyInstanceOf(MalformedGguf.class)
                    .hasMessageContaining(reason);
        }
    }

    private static GgufBytes byteLevel(String pre, List<String> tokens) {
        return GgufBytes.header(3, 0, 7)
                .text("tokenizer.ggml.model", "gpt2")
                .text("tokenizer.ggml.pre", pre)
                .texts("tokenizer.ggml.tokens", tokens)
                .int32s("tokenizer.ggml.token_type", ints(SMALL.path("types")))
                .texts("tokenizer.ggml.merges", strings(SMALL.path("merges")))
                .key("tokenizer.ggml.bos_token_id", GgufValue.ValueType.UINT32)
                .int32(tokens.size() - 3)
                .key("tokenizer.ggml.eos_token_id", GgufValue.ValueType.UINT32)
                .int32(tokens.size() - 2);
    }

    private static GgufBytes sentencePiece(boolean prefix) {
        JsonNode scores = SMALL.path("spScores");
        GgufBytes bytes = GgufBytes.header(3, 0, 5)
                .text("tokenizer.ggml.model", "llama")
                .texts("tokenizer.ggml.tokens", strings(SMALL.path("spTokens")))
                .int32s("tokenizer.ggml.token_type", ints(SMALL.path("spTypes")))
                .key("tokenizer.ggml.add_space_prefix", GgufValue.ValueType.BOOL)
                .int8(prefix ? 1 : 0)
                .key("tokenizer.ggml.scores", GgufValue.ValueType.ARRAY)
                .int32(GgufValue.ValueType.FLOAT32.code)
                .int64(scores.size());
        scores.forEach(score -> bytes.float32((float) score.asDouble()));
        return bytes;
    }

    private static List<String> strings(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false)
                .map(JsonNode::asString)
                .toList();
    }

    private static int[] ints(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false)
                .mapToInt(JsonNode::asInt)
                .toArray();
    }

    private static List<Integer> numbers(JsonNode array) {
        List<Integer> numbers = new ArrayList<>();
        array.forEach(number -> numbers.add(number.asInt()));
        return numbers;
    }

    private static JsonNode resource(String name) {
        try (InputStream in = Objects.requireNonNull(GgufTokenizerTest.class.getResourceAsStream(name), name)) {
            return JsonMapper.shared().readTree(in);
        } catch (IOException failed) {
            throw new java.io.UncheckedIOException(failed);
        }
    }
}
