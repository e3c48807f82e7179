package io.guimo.text;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Turns text into token ids and back as a Hugging Face {@code tokenizer.json} says. Thread-safe: the native tokenizer is never changed after it was
 * read.
 */
public final class Tokenizer implements AutoCloseable {
    /** No file larger than this is read as a tokenizer; the largest in wide use (250,000 tokens) is 17 MB. */
    static final long MAX_FILE_BYTES = 64L << 20;

    private static final Map<String, String> OPTIONS =
            Map.of("truncation", "false", "padding", "false", "addSpecialTokens", "true");

    private final HuggingFaceTokenizer tokenizer;
    /** Reads what goes on within a text: the same without the space that some tokenizers put before one. */
    private final HuggingFaceTokenizer continuation;

    private final TokenizerJson json;
    private final int maxTokens;

    private Tokenizer(
            TokenizerJson json, HuggingFaceTokenizer tokenizer, HuggingFaceTokenizer continuation, int maxTokens) {
        this.tokenizer = tokenizer;
        this.continuation = continuation;
        this.json = json;
        this.maxTokens = maxTokens;
    }

    /**
     * @param tokenizerJson a Hugging Face {@code tokenizer.json}; truncation and padding named in it are ignored
     * @param maxTokens the most tokens that the model reads at once, special ones included
     * @param nativeFolder where the tokenizer library unpacks its native part the first time a process opens a tokenizer
     * @throws IOException if the file cannot be read or is no tokenizer
     */
    public static Tokenizer open(Path tokenizerJson, int maxTokens, Path nativeFolder) throws IOException {
        requireTokens(maxTokens);
        long bytes = Files.size(tokenizerJson);
        if (bytes > MAX_FILE_BYTES) {
            throw new IOException(tokenizerJson + " has " + bytes + " bytes; a tokenizer of more than " + MAX_FILE_BYTES
                    + " bytes is not read");
        }
        try {
            return of(Files.readString(tokenizerJson), maxTokens, nativeFolder);
        } catch (CharacterCodingException | IllegalArgumentException e) {
            throw new IOException(tokenizerJson + ": " + firstLine(e), e);
        }
    }

    /**
     * As {@link #open}, from the text of a {@code tokenizer.json}.
     *
     * @throws IllegalArgumentException if it is no tokenizer
     */
    public static Tokenizer of(String tokenizerJson, int maxTokens, Path nativeFolder) {
        requireTokens(maxTokens);
        keepLibraryOffline(nativeFolder);
        try {
            TokenizerJson json = TokenizerJson.read(tokenizerJson);
            HuggingFaceTokenizer tokenizer = load(tokenizerJson);
            HuggingFaceTokenizer continuation = json.continuation() == null ? tokenizer : load(json.continuation());
            return new Tokenizer(json, tokenizer, continuation, maxTokens);
        } catch (RuntimeException e) { // the library's own for whatever is amiss
            throw new IllegalArgumentException("this is no tokenizer that this build can read: " + firstLine(e), e);
        }
    }

    private static void requireTokens(int maxTokens) {
        if (maxTokens < 2) {
            throw new IllegalArgumentException("maxTokens is " + maxTokens + "; at least 2 are needed");
        }
    }

    private static HuggingFaceTokenizer load(String tokenizerJson) {
        try {
            return HuggingFaceTokenizer.newInstance(
                    new ByteArrayInputStream(tokenizerJson.getBytes(StandardCharsets.UTF_8)), OPTIONS);
        } catch (IOException e) {
            throw new UncheckedIOException(e); // reads memory only
        }
    }

    /** The most tokens that the model reads at once, special ones included. */
    public int maxTokens() {
        return maxTokens;
    }

    /** One more than the greatest token id: every valid id is in 0 to this less 1. */
    public int vocabularySize() {
        return json.tokens().size();
    }

    /**
     * All tokens of the text with the special ones that the model expects around it, however many they are. A half surrogate pair, which is no
     * character, is read as U+FFFD.
     */
    public int[] encode(String text) {
        return ids(tokenizer.encode(wellFormed(text)));
    }

    /**
     * The tokens of a rendered conversation: those that its pieces make one by one, with nothing around them that the template didn't write. So what a
     * border splits is never a special token.
     */
    public int[] encode(ChatTemplate.Prompt prompt) {
        int[][] parts = new int[prompt.pieces().size()][];
        for (int i = 0; i < parts.length; i++) {
            HuggingFaceTokenizer reader = i == 0 ? tokenizer : continuation;
            parts[i] = ids(reader.encode(wellFormed(prompt.pieces().get(i)), false, false));
        }
        return Arrays.stream(parts).flatMapToInt(Arrays::stream).toArray();
    }

    /** As {@link #encode}, for many texts in one call to the native library. */
    public List<int[]> encodeAll(List<String> texts) {
        Encoding[] encodings =
                tokenizer.batchEncode(texts.stream().map(Tokenizer::wellFormed).toList());
        return Stream.of(encodings).map(Tokenizer::ids).toList();
    }

    /** Tokens of the text with the special ones around it: what is metered. */
    public int count(String text) {
        return encode(text).length;
    }

    /**
     * As {@link #count(String)} up to a bound. A text that is certain to be longer is not tokenised at all, so that the time is bounded by the bound
     * and not by what somebody sends.
     *
     * @return empty when there are more than {@code most}
     */
    public OptionalInt count(String text, int most) {
        if ((long) text.length() > (long) most * json.mostCharacters()) return OptionalInt.empty();
        int count = count(text);
        return count > most ? OptionalInt.empty() : OptionalInt.of(count);
    }

    /** The id of a token as the vocabulary writes it, such as {@code <|im_end|>}. */
    public OptionalInt idOf(String token) {
        int id = json.tokens().indexOf(token);
        return id < 0 ? OptionalInt.empty() : OptionalInt.of(id);
    }

    /** The texts of the model's own marks: what a message's text must never become. */
    public Set<String> specialTokens() {
        return json.special().stream()
                .mapToObj(json.tokens()::get)
                .filter(Objects::nonNull)
                .collect(Collectors.toUnmodifiableSet());
    }

    /**
     * What each token stands for. Built anew at each call: keep it.
     *
     * @throws IllegalStateException for a tokenizer of encoders (WordPiece), whose tokens have no bytes of their own
     */
    public Vocabulary vocabulary() {
        return Vocabulary.of(json);
    }

    /**
     * The tokens cut to {@link #maxTokens()}: the first ones, and the last one, which closes the text for the model. For text of one's own that may lose
     * its end, such as documents of a search index; what a customer sends is refused when it is too long, never cut.
     */
    public int[] truncate(int[] ids) {
        if (ids.length <= maxTokens) return ids.clone();
        int[] kept = Arrays.copyOf(ids, maxTokens);
        kept[maxTokens - 1] = ids[ids.length - 1];
        return kept;
    }

    /** The text of some tokens, special ones left out. */
    public String decode(int[] ids) {
        return tokenizer.decode(Arrays.stream(ids).asLongStream().toArray(), true);
    }

    @Override
    public void close() {
        tokenizer.close();
        if (continuation != tokenizer) continuation.close();
    }

    private static int[] ids(Encoding encoding) {
        return Arrays.stream(encoding.getIds()).mapToInt(Math::toIntExact).toArray();
    }

    /** The native side takes UTF-8 and ends the process's request with a panic on half a surrogate pair. */
    private static String wellFormed(String text) {
        StringBuilder mended = null;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (!Character.isSurrogate(c)) continue;
            boolean pair = Character.isHighSurrogate(c)
                    && i + 1 < text.length()
                    && Character.isLowSurrogate(text.charAt(i + 1));
            if (pair) {
                i++;
            } else {
                if (mended == null) mended = new StringBuilder(text);
                mended.setCharAt(i, '�');
            }
        }
        return mended == null ? text : mended.toString();
    }

    /**
     * The library reads these as system properties when it is first used: without the first it asks the network whether a build for a graphics card
     * exists, without the second it writes into the user's home folder. What the user has set stays.
     */
    private static void keepLibraryOffline(Path nativeFolder) {
        if (System.getProperty("ai.djl.offline") == null) System.setProperty("ai.djl.offline", "true");
        if (System.getProperty("ENGINE_CACHE_DIR") == null) {
            System.setProperty("ENGINE_CACHE_DIR", nativeFolder.toAbsolutePath().toString());
        }
    }

    private static String firstLine(Exception e) {
        String message = String.valueOf(e.getMessage());
        int end = message.indexOf('\n');
        return end < 0 ? message : message.substring(0, end);
    }
}
