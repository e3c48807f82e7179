package io.guimo.text;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.json.JsonFactory;

/**
 * Turns text into token ids and back as a Hugging Face {@code tokenizer.json} says. Thread-safe: the native tokenizer is never changed after it was
 * read.
 */
public final class Tokenizer implements AutoCloseable {
    /** No file larger than this is read as a tokenizer; the largest in wide use (250,000 tokens) is 17 MB. */
    static final long MAX_FILE_BYTES = 64L << 20;

    private final HuggingFaceTokenizer tokenizer;
    private final int maxTokens;
    private final int vocabularySize;

    private Tokenizer(HuggingFaceTokenizer tokenizer, int maxTokens, int vocabularySize) {
        this.tokenizer = tokenizer;
        this.maxTokens = maxTokens;
        this.vocabularySize = vocabularySize;
    }

    /**
     * @param tokenizerJson a Hugging Face {@code tokenizer.json}; truncation and padding named in it are ignored
     * @param maxTokens the most tokens that the model reads at once, special ones included
     * @param nativeFolder where the tokenizer library unpacks its native part the first time a process opens a tokenizer
     * @throws IOException if the file cannot be read or is no tokenizer
     */
    public static Tokenizer open(Path tokenizerJson, int maxTokens, Path nativeFolder) throws IOException {
        if (maxTokens < 2) {
            throw new IllegalArgumentException("maxTokens is " + maxTokens + "; at least 2 are needed");
        }
        long bytes = Files.size(tokenizerJson);
        if (bytes > MAX_FILE_BYTES) {
            throw new IOException(tokenizerJson + " has " + bytes + " bytes; a tokenizer of more than " + MAX_FILE_BYTES
                    + " bytes is not read");
        }
        int vocabularySize = vocabularySize(tokenizerJson);
        keepLibraryOffline(nativeFolder);
        try {
            HuggingFaceTokenizer tokenizer = HuggingFaceTokenizer.newInstance(
                    tokenizerJson, Map.of("truncation", "false", "padding", "false", "addSpecialTokens", "true"));
            return new Tokenizer(tokenizer, maxTokens, vocabularySize);
        } catch (RuntimeException e) {
            throw new IOException(tokenizerJson + " is no tokenizer this build can read: " + firstLine(e), e);
        }
    }

    /** The most tokens that the model reads at once, special ones included. */
    public int maxTokens() {
        return maxTokens;
    }

    /** One more than the greatest token id: every valid id is in 0 to this less 1. */
    public int vocabularySize() {
        return vocabularySize;
    }

    /**
     * All tokens of the text with the special ones that the model expects around it, however many they are. A half surrogate pair, which is no
     * character, is read as U+FFFD.
     */
    public int[] encode(String text) {
        return ids(tokenizer.encode(wellFormed(text)));
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

    /** Reads {@code added_tokens[].id} and the values of {@code model.vocab}, or its length where the vocabulary is a list (Unigram). */
    private static int vocabularySize(Path tokenizerJson) throws IOException {
        try (JsonParser json = new JsonFactory().createParser(ObjectReadContext.empty(), tokenizerJson)) {
            int greatest = -1;
            if (json.nextToken() != JsonToken.START_OBJECT) throw new IOException(tokenizerJson + " is no JSON object");
            while (json.nextToken() == JsonToken.PROPERTY_NAME) {
                String name = json.currentName();
                json.nextToken();
                switch (name) {
                    case "added_tokens" -> greatest = Math.max(greatest, greatestAddedToken(json));
                    case "model" -> greatest = Math.max(greatest, greatestModelToken(json));
                    default -> json.skipChildren();
                }
            }
            if (greatest < 0) throw new IOException(tokenizerJson + " has no vocabulary");
            return greatest + 1;
        } catch (JacksonException e) {
            throw new IOException(tokenizerJson + " is no tokenizer: " + firstLine(e), e);
        }
    }

    private static int greatestAddedToken(JsonParser json) {
        int greatest = -1;
        if (json.currentToken() != JsonToken.START_ARRAY) {
            json.skipChildren();
            return greatest;
        }
        while (json.nextToken() == JsonToken.START_OBJECT) {
            while (json.nextToken() == JsonToken.PROPERTY_NAME) {
                boolean id = json.currentName().equals("id");
                if (json.nextToken() == JsonToken.VALUE_NUMBER_INT && id) {
                    greatest = Math.max(greatest, json.getIntValue());
                } else {
                    json.skipChildren();
                }
            }
        }
        return greatest;
    }

    private static int greatestModelToken(JsonParser json) {
        int greatest = -1;
        if (json.currentToken() != JsonToken.START_OBJECT) {
            json.skipChildren();
            return greatest;
        }
        while (json.nextToken() == JsonToken.PROPERTY_NAME) {
            boolean vocabulary = json.currentName().equals("vocab");
            JsonToken value = json.nextToken();
            if (vocabulary && value == JsonToken.START_OBJECT) {
                while (json.nextToken() == JsonToken.PROPERTY_NAME) {
                    if (json.nextToken() == JsonToken.VALUE_NUMBER_INT) {
                        greatest = Math.max(greatest, json.getIntValue());
                    } else {
                        json.skipChildren();
                    }
                }
            } else if (vocabulary && value == JsonToken.START_ARRAY) {
                while (json.nextToken() != JsonToken.END_ARRAY) {
                    json.skipChildren();
                    greatest++;
                }
            } else {
                json.skipChildren();
            }
        }
        return greatest;
    }

    private static String firstLine(Exception e) {
        String message = String.valueOf(e.getMessage());
        int end = message.indexOf('\n');
        return end < 0 ? message : message.substring(0, end);
    }
}
