package io.guimo.model.gguf;

import java.io.StringWriter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/**
 * The tokenizer that a GGUF file carries, as the text of a Hugging Face {@code tokenizer.json}: byte-level BPE ({@code gpt2} in the file) with the
 * pre-tokenizers of SmolLM, GPT-2, Qwen 2 and Llama 3, and SentencePiece's BPE ({@code llama} in the file). It gives the ids that llama.cpp gives, from
 * whose {@code llama-vocab.cpp} the names and defaults are.
 *
 * @param json for {@link io.guimo.text.Tokenizer#of}
 * @param tokens texts by id
 * @param beginToken id of the token before a text, told to chat templates as {@code bos_token}
 * @param endToken id of the token after a text, {@code eos_token}
 * @param endTokens all tokens with which the model ends an answer
 * @param chatTemplate Jinja source; empty for a model that only continues text
 */
public record GgufTokenizer(
        String json,
        List<String> tokens,
        OptionalInt beginToken,
        OptionalInt endToken,
        Set<Integer> endTokens,
        Optional<String> chatTemplate) {
    private static final int NORMAL = 1;
    private static final int UNKNOWN = 2;
    private static final int CONTROL = 3;
    private static final int USER_DEFINED = 4;

    /** Longest token of a SentencePiece vocabulary: each of its splits is looked for, so that the work grows with the square of it. */
    private static final int LONGEST_PIECE = 1_000;

    /**
     * Control tokens that end an answer, whether or not the file says so: converters often name one of several. The last two lines border files and
     * repositories in training texts.
     */
    private static final Set<String> ENDS = Set.of(
            "<|endoftext|>",
            "<|end_of_text|>",
            "<|im_end|>",
            "<|eot_id|>",
            "<|eom_id|>",
            "<|end|>",
            "<|return|>",
            "<|call|>",
            "<end_of_turn>",
            "<end_of_utterance>",
            "<EOT>",
            "[EOT]",
            "[EOS]",
            "<eos>",
            "</s>",
            "<｜end▁of▁sentence｜>",
            "<|fim_pad|>",
            "<fim-pad>",
            "<fim_pad>",
            "<PAD>",
            "[PAD]",
            "<|fim_repo|>",
            "<|repo_name|>",
            "<fim-repo>",
            "<REPO>",
            "<reponame>",
            "<|file_sep|>");

    private static final String GPT_2 =
            "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
    private static final String ENGLISH_ENDINGS =
            "(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|";
    private static final String SIGNS_AND_BLANKS = "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
    private static final String QWEN_2 = ENGLISH_ENDINGS + "\\p{N}" + SIGNS_AND_BLANKS;
    private static final String LLAMA_3 = ENGLISH_ENDINGS + "\\p{N}{1,3}" + SIGNS_AND_BLANKS;

    public GgufTokenizer {
        tokens = List.copyOf(tokens);
        endTokens = Set.copyOf(endTokens);
    }

    /** @throws MalformedGguf when the file carries no tokenizer, an unsound one, or one of a kind that is not read */
    public static GgufTokenizer of(GgufFile file) {
        return new Writer(file).write();
    }

    /** Turns the metadata of one file into the JSON text. */
    private static final class Writer {
        private final GgufFile file;
        private final String model;
        private final String preTokenizer;
        private final List<String> tokens;
        private final int[] types;
        private final Map<String, Integer> ids = new HashMap<>();

        Writer(GgufFile file) {
            this.file = file;
            model = file.text("tokenizer.ggml.model").orElseThrow(() -> file.refused("it carries no tokenizer"));
            preTokenizer = file.text("tokenizer.ggml.pre").orElse("default");
            List<String> texts = file.texts("tokenizer.ggml.tokens")
                    .filter(list -> !list.isEmpty())
                    .orElseThrow(() -> file.refused("its tokenizer has no tokens"));
            tokens = new ArrayList<>(texts.size());
            for (String text : texts) {
                String token = text.isEmpty() ? "[EMPTY_" + tokens.size() + "]" : text;
                Integer before = ids.put(token, tokens.size());
                if (before != null) {
                    throw file.refused("its tokens " + before + " and " + tokens.size() + " are both '" + token + "'");
                }
                tokens.add(token);
            }
            types = new int[tokens.size()];
            Arrays.fill(types, NORMAL);
            file.numbers("tokenizer.ggml.token_type").ifPresent(given -> {
                requireLength("tokenizer.ggml.token_type", given.size());
                for (int id = 0; id < types.length; id++) types[id] = (int) given.wholeAt(id);
            });
        }

        GgufTokenizer write() {
            boolean sentencePiece =
                    switch (model) {
                        case "gpt2" -> false;
                        case "llama" -> true;
                        default ->
                            throw file.refused("its tokenizer is of the kind '" + model + "'; gpt2 and llama are read");
                    };
            OptionalInt begin = id("tokenizer.ggml.bos_token_id");
            OptionalInt end = id("tokenizer.ggml.eos_token_id");
            if (sentencePiece) {
                begin = begin.isPresent() ? begin : OptionalInt.of(requireId("the default begin token", 1));
                end = end.isPresent() ? end : OptionalInt.of(requireId("the default end token", 2));
            }
            StringWriter text = new StringWriter();
            try (JsonGenerator json = JsonFactory.builder().build().createGenerator(ObjectWriteContext.empty(), text)) {
                json.writeStartObject();
                json.writeStringProperty("version", "1.0");
                json.writeNullProperty("truncation");
                json.writeNullProperty("padding");
                writeAddedTokens(json);
                if (sentencePiece) writeSentencePiece(json);
                else writeByteLevel(json);
                writeEdges(json, begin, end, sentencePiece);
                json.writeEndObject();
            }
            return new GgufTokenizer(
                    text.toString(), tokens, begin, end, ends(end), file.text("tokenizer.chat_template"));
        }

        private void writeAddedTokens(JsonGenerator json) {
            json.writeArrayPropertyStart("added_tokens");
            for (int id = 0; id < types.length; id++) {
                if (types[id] != CONTROL && types[id] != USER_DEFINED && types[id] != UNKNOWN) continue;
                json.writeStartObject();
                json.writeNumberProperty("id", id);
                json.writeStringProperty("content", tokens.get(id));
                for (String flag : List.of("single_word", "lstrip", "rstrip", "normalized")) {
                    json.writeBooleanProperty(flag, false);
                }
                json.writeBooleanProperty("special", types[id] != USER_DEFINED);
                json.writeEndObject();
            }
            json.writeEndArray();
        }

        private void writeByteLevel(JsonGenerator json) {
            json.writeNullProperty("normalizer");
            json.writeObjectPropertyStart("pre_tokenizer");
            json.writeStringProperty("type", "Sequence");
            json.writeArrayPropertyStart("pretokenizers");
            boolean wholeWords = false;
            switch (preTokenizer) {
                case "smollm", "starcoder", "refact", "command-r" -> {
                    split(json, "\\p{N}");
                    split(json, GPT_2);
                }
                case "gpt-2", "phi-2" -> split(json, GPT_2);
                case "qwen2", "deepseek-r1-qwen", "megrez" -> split(json, QWEN_2);
                case "llama-bpe", "llama3", "llama-v3" -> {
                    split(json, LLAMA_3);
                    wholeWords = true;
                }
                case "default" -> {
                    split(json, "[\\p{P}\\$\\+<=>\\^~\\|]+");
                    split(json, GPT_2);
                    split(json, "\\p{N}+");
                    split(json, "[0-9][0-9][0-9]");
                }
                default ->
                    throw file.refused("its pre-tokenizer is '" + preTokenizer
                            + "'; smollm, gpt-2, qwen2, llama-bpe and default are read");
            }
            writeByteLevelStep(json);
            json.writeEndArray();
            json.writeEndObject();
            json.writeName("decoder");
            writeByteLevelStep(json);
            List<String> merges =
                    file.texts("tokenizer.ggml.merges").orElseThrow(() -> file.refused("its tokenizer has no merges"));
            json.writeObjectPropertyStart("model");
            json.writeStringProperty("type", "BPE");
            json.writeBooleanProperty("fuse_unk", false);
            json.writeBooleanProperty("byte_fallback", false);
            json.writeBooleanProperty("ignore_merges", wholeWords);
            writeVocabulary(json);
            json.writeArrayPropertyStart("merges");
            for (String merge : merges) {
                int border = merge.indexOf(' ', 1);
                if (border < 0 || border == merge.length() - 1) {
                    throw file.refused("its tokenizer merges '" + merge + "', which is no pair");
                }
                writePair(json, merge.substring(0, border), merge.substring(border + 1));
            }
            json.writeEndArray();
            json.writeEndObject();
        }

        private static void split(JsonGenerator json, String pattern) {
            json.writeStartObject();
            json.writeStringProperty("type", "Split");
            json.writeObjectPropertyStart("pattern");
            json.writeStringProperty("Regex", pattern);
            json.writeEndObject();
            json.writeStringProperty("behavior", "Isolated");
            json.writeBooleanProperty("invert", false);
            json.writeEndObject();
        }

        private static void writeByteLevelStep(JsonGenerator json) {
            json.writeStartObject();
            json.writeStringProperty("type", "ByteLevel");
            json.writeBooleanProperty("add_prefix_space", false);
            json.writeBooleanProperty("trim_offsets", false);
            json.writeBooleanProperty("use_regex", false);
            json.writeEndObject();
        }

        private void writeSentencePiece(JsonGenerator json) {
            boolean prefix = file.truth("tokenizer.ggml.add_space_prefix").orElse(true);
            json.writeObjectPropertyStart("normalizer");
            json.writeStringProperty("type", "Sequence");
            json.writeArrayPropertyStart("normalizers");
            if (prefix) {
                json.writeStartObject();
                json.writeStringProperty("type", "Prepend");
                json.writeStringProperty("prepend", "▁");
                json.writeEndObject();
            }
            writeReplace(json, " ", "▁");
            json.writeEndArray();
            json.writeEndObject();
            json.writeNullProperty("pre_tokenizer");
            json.writeObjectPropertyStart("decoder");
            json.writeStringProperty("type", "Sequence");
            json.writeArrayPropertyStart("decoders");
            writeReplace(json, "▁", " ");
            for (String step : List.of("ByteFallback", "Fuse")) {
                json.writeStartObject();
                json.writeStringProperty("type", step);
                json.writeEndObject();
            }
            if (prefix) {
                json.writeStartObject();
                json.writeStringProperty("type", "Strip");
                json.writeStringProperty("content", " ");
                json.writeNumberProperty("start", 1);
                json.writeNumberProperty("stop", 0);
                json.writeEndObject();
            }
            json.writeEndArray();
            json.writeEndObject();
            json.writeObjectPropertyStart("model");
            json.writeStringProperty("type", "BPE");
            int unknown =
                    id("tokenizer.ggml.unknown_token_id").orElseGet(() -> requireId("the default unknown token", 0));
            json.writeStringProperty("unk_token", tokens.get(unknown));
            json.writeBooleanProperty("fuse_unk", true);
            json.writeBooleanProperty("byte_fallback", true);
            json.writeBooleanProperty("ignore_merges", false);
            writeVocabulary(json);
            json.writeArrayPropertyStart("merges");
            for (Merge merge : sentencePieceMerges()) writePair(json, tokens.get(merge.left), tokens.get(merge.right));
            json.writeEndArray();
            json.writeEndObject();
        }

        private static void writeReplace(JsonGenerator json, String from, String to) {
            json.writeStartObject();
            json.writeStringProperty("type", "Replace");
            json.writeObjectPropertyStart("pattern");
            json.writeStringProperty("String", from);
            json.writeEndObject();
            json.writeStringProperty("content", to);
            json.writeEndObject();
        }

        private record Merge(int left, int right, double score) {}

        /**
         * SentencePiece knows no merges but scores: of all pairs of neighbours whose union is a token, the one of the highest score is merged first. So
         * the merges are all splits of all tokens into two, ranked by the token's score.
         */
        private List<Merge> sentencePieceMerges() {
            GgufValue.Numbers scores = file.numbers("tokenizer.ggml.scores")
                    .orElseThrow(() -> file.refused("its tokenizer has no scores"));
            requireLength("tokenizer.ggml.scores", scores.size());
            List<Merge> merges = new ArrayList<>();
            for (int id = 0; id < types.length; id++) {
                String token = tokens.get(id);
                if (types[id] != NORMAL) continue;
                if (token.length() > LONGEST_PIECE) {
                    throw file.refused("its token " + id + " has " + token.length() + " characters; at most "
                            + LONGEST_PIECE + " are permitted");
                }
                for (int border = 1; border < token.length(); border++) {
                    Integer left = ids.get(token.substring(0, border));
                    if (left == null || types[left] != NORMAL) continue;
                    Integer right = ids.get(token.substring(border));
                    if (right == null || types[right] != NORMAL) continue;
                    merges.add(new Merge(left, right, scores.realAt(id)));
                }
            }
            merges.sort(Comparator.comparingDouble(Merge::score)
                    .reversed()
                    .thenComparingInt(Merge::left)
                    .thenComparingInt(Merge::right));
            return merges;
        }

        private void writeVocabulary(JsonGenerator json) {
            json.writeObjectPropertyStart("vocab");
            for (int id = 0; id < tokens.size(); id++) json.writeNumberProperty(tokens.get(id), id);
            json.writeEndObject();
        }

        private static void writePair(JsonGenerator json, String left, String right) {
            json.writeStartArray();
            json.writeString(left);
            json.writeString(right);
            json.writeEndArray();
        }

        /** The tokens that are put around a text. */
        private void writeEdges(JsonGenerator json, OptionalInt begin, OptionalInt end, boolean sentencePiece) {
            boolean beginsByDefault = sentencePiece || preTokenizer.startsWith("llama");
            boolean addBegin = file.truth("tokenizer.ggml.add_bos_token").orElse(beginsByDefault) && begin.isPresent();
            boolean addEnd = file.truth("tokenizer.ggml.add_eos_token").orElse(false) && end.isPresent();
            if (!addBegin && !addEnd) {
                json.writeNullProperty("post_processor");
                return;
            }
            json.writeObjectPropertyStart("post_processor");
            json.writeStringProperty("type", "TemplateProcessing");
            for (String form : List.of("single", "pair")) {
                json.writeArrayPropertyStart(form);
                if (addBegin) writeEdge(json, "SpecialToken", tokens.get(begin.getAsInt()));
                writeEdge(json, "Sequence", "A");
                if (form.equals("pair")) writeEdge(json, "Sequence", "B");
                if (addEnd) writeEdge(json, "SpecialToken", tokens.get(end.getAsInt()));
                json.writeEndArray();
            }
            json.writeObjectPropertyStart("special_tokens");
            Set<Integer> used = new TreeSet<>();
            if (addBegin) used.add(begin.getAsInt());
            if (addEnd) used.add(end.getAsInt());
            for (int id : used) {
                json.writeObjectPropertyStart(tokens.get(id));
                json.writeStringProperty("id", tokens.get(id));
                json.writeArrayPropertyStart("ids");
                json.writeNumber(id);
                json.writeEndArray();
                json.writeArrayPropertyStart("tokens");
                json.writeString(tokens.get(id));
                json.writeEndArray();
                json.writeEndObject();
            }
            json.writeEndObject();
            json.writeEndObject();
        }

        private static void writeEdge(JsonGenerator json, String kind, String id) {
            json.writeStartObject();
            json.writeObjectPropertyStart(kind);
            json.writeStringProperty("id", id);
            json.writeNumberProperty("type_id", 0);
            json.writeEndObject();
            json.writeEndObject();
        }

        private Set<Integer> ends(OptionalInt end) {
            Set<Integer> ends = new TreeSet<>();
            end.ifPresent(ends::add);
            for (String key : List.of("tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id")) {
                id(key).ifPresent(ends::add);
            }
            for (int id = 0; id < types.length; id++) {
                if (types[id] == CONTROL && ENDS.contains(tokens.get(id))) ends.add(id);
            }
            Integer message = ids.get("<|end|>");
            if (message != null && ids.containsKey("<|return|>") && ids.containsKey("<|call|>")) {
                ends.remove(message); // of OpenAI's harmony format, where it ends one message of several of an answer
            }
            return ends;
        }

        private OptionalInt id(String key) {
            OptionalLong id = file.whole(key);
            return id.isEmpty() ? OptionalInt.empty() : OptionalInt.of(requireId(key, id.getAsLong()));
        }

        private int requireId(String what, long id) {
            if (id >= tokens.size()) {
                throw file.refused(what + " is " + id + "; 0 to " + (tokens.size() - 1) + " are tokens");
            }
            return (int) id;
        }

        private void requireLength(String key, int length) {
            if (length != tokens.size()) {
                throw file.refused(key + " has " + length + " entries for " + tokens.size() + " tokens");
            }
        }
    }
}
