package io.guimo.text;

import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/**
 * Learns a byte-level byte-pair tokenizer from a text: beginning with the 256 bytes, the pair of neighbouring tokens that is most frequent within words
 * becomes a token, again and again (Sennrich et al. 2016, arXiv 1508.07909, algorithm 1; over bytes as in Radford et al. 2019, GPT-2). Any text can be
 * written with such tokens, and none is lost.
 *
 * <p>What comes out is what Hugging Face's own trainer makes of the same text: of equally frequent pairs the one with the smaller ids goes first.
 */
public final class BytePairTrainer {
    /** The token that ends a text; its id is 0. */
    public static final String END_OF_TEXT = "<|endoftext|>";

    /** The end of a text and all bytes: no vocabulary is smaller. */
    public static final int SMALLEST_VOCABULARY = 1 + 256;

    private static final int LARGEST_VOCABULARY = 1 << 20;

    /** GPT-2's division of a text into words, which no token crosses. */
    private static final Pattern WORD = Pattern.compile(
            "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
            Pattern.UNICODE_CHARACTER_CLASS);

    private final List<String> tokens = new ArrayList<>(); // by id, in printable characters
    private final List<long[]> merges = new ArrayList<>(); // first id, second id
    private final List<int[]> words = new ArrayList<>(); // each distinct word as ids, shorter with each merge in it
    private final List<Integer> wordCounts = new ArrayList<>();
    private final Map<Long, Integer> pairCounts = new HashMap<>();
    private final Map<Long, Set<Integer>> wordsOfPair = new HashMap<>(); // may name words that have lost the pair

    /**
     * What was learnt.
     *
     * @param json a {@code tokenizer.json}, as Hugging Face reads it
     * @param tokenBytes by id: how many bytes of text a token stands for; 0 for the end of a text
     */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    public record Learnt(String json, int[] tokenBytes) {
        public Learnt {
            tokenBytes = tokenBytes.clone();
        }

        public int vocabularySize() {
            return tokenBytes.length;
        }
    }

    private BytePairTrainer() {}

    /**
     * @param texts the training part alone
     * @param vocabularySize tokens, the end of a text and the bytes included; fewer come out where the texts have no more pairs that occur twice
     * @throws IllegalArgumentException for a vocabulary that is impossible
     */
    public static Learnt train(Iterable<String> texts, int vocabularySize) {
        if (vocabularySize < SMALLEST_VOCABULARY || vocabularySize > LARGEST_VOCABULARY) {
            throw new IllegalArgumentException(
                    "a vocabulary of " + vocabularySize + " tokens is not learnt; possible are " + SMALLEST_VOCABULARY
                            + " (the bytes and the end of a text) to " + LARGEST_VOCABULARY);
        }
        BytePairTrainer trainer = new BytePairTrainer();
        trainer.readWords(texts);
        trainer.merge(vocabularySize);
        int[] bytes = trainer.tokens.stream().mapToInt(String::length).toArray();
        bytes[0] = 0;
        return new Learnt(trainer.json(), bytes);
    }

    private void readWords(Iterable<String> texts) {
        Map<String, Integer> counts = new LinkedHashMap<>();
        for (String text : texts) {
            Matcher matcher = WORD.matcher(text);
            while (matcher.find()) counts.merge(matcher.group(), 1, Integer::sum);
        }
        tokens.add(END_OF_TEXT);
        Integer[] byCharacter = new Integer[256];
        for (int b = 0; b < 256; b++) byCharacter[b] = b;
        Arrays.sort(byCharacter, Comparator.comparingInt(ByteLevel::character));
        int[] idOfByte = new int[256];
        for (int b : byCharacter) {
            idOfByte[b] = tokens.size();
            tokens.add(String.valueOf(ByteLevel.character(b)));
        }
        counts.forEach((word, count) -> {
            byte[] bytes = word.getBytes(StandardCharsets.UTF_8);
            int[] ids = new int[bytes.length];
            for (int i = 0; i < ids.length; i++) ids[i] = idOfByte[bytes[i] & 0xff];
            int index = words.size();
            words.add(ids);
            wordCounts.add(count);
            for (int i = 0; i + 1 < ids.length; i++) add(pair(ids[i], ids[i + 1]), count, index);
        });
    }

    private record Candidate(int count, long pair) implements Comparable<Candidate> {
        /** The most frequent first, then the smaller ids. */
        @Override
        public int compareTo(Candidate other) {
            return count != other.count ? Integer.compare(other.count, count) : Long.compare(pair, other.pair);
        }
    }

    private void merge(int vocabularySize) {
        PriorityQueue<Candidate> queue = new PriorityQueue<>();
        pairCounts.forEach((pair, count) -> queue.add(new Candidate(count, pair)));
        while (tokens.size() < vocabularySize) {
            Candidate best = queue.poll();
            if (best == null || best.count < 2) return; // what occurs once teaches nothing
            int current = pairCounts.getOrDefault(best.pair, 0);
            if (current != best.count) { // counted before other merges took some of it
                if (current > 0) queue.add(new Candidate(current, best.pair));
                continue;
            }
            int merged = tokens.size();
            int first = (int) (best.pair >>> 32);
            int second = (int) best.pair;
            tokens.add(tokens.get(first) + tokens.get(second));
            merges.add(new long[] {first, second});
            Set<Long> changed = new TreeSet<>();
            for (int index : wordsOfPair.getOrDefault(best.pair, Set.of()))
                mergeWithin(index, first, second, merged, changed);
            pairCounts.remove(best.pair);
            wordsOfPair.remove(best.pair);
            for (long pair : changed) {
                int count = pairCounts.getOrDefault(pair, 0);
                if (count > 0) queue.add(new Candidate(count, pair));
            }
        }
    }

    private void mergeWithin(int index, int first, int second, int merged, Set<Long> changed) {
        int[] ids = words.get(index);
        int count = wordCounts.get(index);
        int[] shorter = new int[ids.length];
        int length = 0;
        for (int i = 0; i < ids.length; i++) {
            boolean here = ids[i] == first && i + 1 < ids.length && ids[i + 1] == second;
            shorter[length++] = here ? merged : ids[i];
            if (here) i++;
        }
        if (length == ids.length) return;
        shorter = Arrays.copyOf(shorter, length);
        for (int i = 0; i + 1 < ids.length; i++) {
            pairCounts.merge(pair(ids[i], ids[i + 1]), -count, Integer::sum);
        }
        for (int i = 0; i + 1 < length; i++) {
            long pair = pair(shorter[i], shorter[i + 1]);
            add(pair, count, index);
            if (shorter[i] == merged || shorter[i + 1] == merged) changed.add(pair);
        }
        words.set(index, shorter);
    }

    private void add(long pair, int count, int word) {
        pairCounts.merge(pair, count, Integer::sum);
        wordsOfPair.computeIfAbsent(pair, _ -> new TreeSet<>()).add(word);
    }

    private static long pair(int first, int second) {
        return (long) first << 32 | second;
    }

    private String json() {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = new JsonFactory().createGenerator(ObjectWriteContext.empty(), text)) {
            json.writeStartObject();
            json.writeStringProperty("version", "1.0");
            json.writeNullProperty("truncation");
            json.writeNullProperty("padding");
            json.writeArrayPropertyStart("added_tokens");
            json.writeStartObject();
            json.writeNumberProperty("id", 0);
            json.writeStringProperty("content", END_OF_TEXT);
            for (String no : List.of("single_word", "lstrip", "rstrip", "normalized"))
                json.writeBooleanProperty(no, false);
            json.writeBooleanProperty("special", true);
            json.writeEndObject();
            json.writeEndArray();
            json.writeNullProperty("normalizer");
            writeByteLevel(json, "pre_tokenizer");
            json.writeNullProperty("post_processor");
            writeByteLevel(json, "decoder");
            json.writeObjectPropertyStart("model");
            json.writeStringProperty("type", "BPE");
            for (String none : List.of("dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix"))
                json.writeNullProperty(none);
            for (String no : List.of("fuse_unk", "byte_fallback", "ignore_merges"))
                json.writeBooleanProperty(no, false);
            json.writeObjectPropertyStart("vocab");
            for (int id = 0; id < tokens.size(); id++) json.writeNumberProperty(tokens.get(id), id);
            json.writeEndObject();
            json.writeArrayPropertyStart("merges");
            for (long[] merge : merges) json.writeString(tokens.get((int) merge[0]) + " " + tokens.get((int) merge[1]));
            json.writeEndArray();
            json.writeEndObject();
            json.writeEndObject();
        }
        return text.toString();
    }

    private static void writeByteLevel(JsonGenerator json, String property) {
        json.writeObjectPropertyStart(property);
        json.writeStringProperty("type", "ByteLevel");
        json.writeBooleanProperty("add_prefix_space", false);
        json.writeBooleanProperty("trim_offsets", true);
        json.writeBooleanProperty("use_regex", true);
        json.writeEndObject();
    }
}
