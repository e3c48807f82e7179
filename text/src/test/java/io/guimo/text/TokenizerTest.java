package io.guimo.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** On a tokenizer of the form that BERT-class encoders use, small enough to see whole. */
class TokenizerTest {
    private static final String BERT = """
            {"version": "1.0", "truncation": null, "padding": null,
             "added_tokens": [
               {"id": 0, "content": "[PAD]", "special": true, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false},
               {"id": 2, "content": "[CLS]", "special": true, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false},
               {"id": 3, "content": "[SEP]", "special": true, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false}],
             "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": true},
             "pre_tokenizer": {"type": "BertPreTokenizer"},
             "post_processor": {"type": "TemplateProcessing",
               "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "[SEP]", "type_id": 0}}],
               "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
               "special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [2], "tokens": ["[CLS]"]}, "[SEP]": {"id": "[SEP]", "ids": [3], "tokens": ["[SEP]"]}}},
             "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
             "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100,
               "vocab": {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "bread": 4, "##s": 5, "茶": 6, "and": 7}}}
            """;

    @TempDir
    Path folder;

    private Tokenizer open(int maxTokens) throws IOException {
        Path file = Files.writeString(folder.resolve("tokenizer.json"), BERT);
        return Tokenizer.open(file, maxTokens, folder.resolve("native"));
    }

    @Test
    void encode_latinAndChinese_specialTokensAround() throws IOException {
        try (Tokenizer tokenizer = open(16)) {
            assertThat(tokenizer.encode("Breads and 茶茶")).containsExactly(2, 4, 5, 7, 6, 6, 3);
            assertThat(tokenizer.count("")).isEqualTo(2);
            assertThat(tokenizer.vocabularySize()).isEqualTo(8);
            assertThat(tokenizer.decode(new int[] {2, 4, 5, 3})).isEqualTo("breads");
        }
    }

    @Test
    void encodeAll_manyTexts_equalsOneByOne() throws IOException {
        try (Tokenizer tokenizer = open(16)) {
            List<String> texts = List.of("bread", "", "茶 and breads", "unknown");
            List<int[]> together = tokenizer.encodeAll(texts);
            for (int i = 0; i < texts.size(); i++) {
                assertThat(together.get(i)).containsExactly(tokenizer.encode(texts.get(i)));
            }
        }
    }

    @Test
    void encode_longerThanTheModelReads_notCutUntilAsked() throws IOException {
        try (Tokenizer tokenizer = open(4)) {
            int[] all = tokenizer.encode("bread and bread and bread");
            assertThat(all).hasSize(7);
            assertThat(tokenizer.truncate(all)).containsExactly(2, 4, 7, 3);
        }
    }

    @Test
    void encode_halfSurrogateAndNul_readAsUnknown() throws IOException {
        try (Tokenizer tokenizer = open(16)) {
            assertThat(tokenizer.encode("bread \ud800 and \udc00 \0"))
                    .startsWith(2, 4)
                    .endsWith(3);
            assertThat(tokenizer.encode("\ud83c\udf75")).containsExactly(2, 1, 3);
        }
    }

    @Test
    void open_notATokenizer_saysSo() throws IOException {
        Path list = Files.writeString(folder.resolve("list.json"), "[1, 2]");
        Path cut = Files.writeString(folder.resolve("cut.json"), BERT.substring(0, 900));
        Path empty = Files.writeString(folder.resolve("empty.json"), "{}");
        for (Path file : List.of(list, cut, empty)) {
            assertThatThrownBy(() -> Tokenizer.open(file, 8, folder.resolve("native")))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining(file.toString());
        }
    }
}
