package io.guimo.text;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * What a {@code tokenizer.json} says beside what the native library makes of it.
 *
 * @param tokens by id; null where no token has the id
 * @param added whether a token is matched as it stands, before any other step
 * @param special whether it is a mark of the model's own, never text
 * @param decoder how tokens become text
 * @param mostCharacters most characters (UTF-16) of a text that one token can take; {@link Integer#MAX_VALUE} where there is no such bound, as with a
 *     normaliser that drops some or with words that are unknown as a whole
 * @param continuation the same tokenizer without the space that it puts before a text; null where it puts none
 */
record TokenizerJson(
        List<@Nullable String> tokens,
        BitSet added,
        BitSet special,
        Decoder decoder,
        int mostCharacters,
        @Nullable String continuation) {
    enum Decoder {
        BYTE_LEVEL,
        SENTENCE_PIECE,
        WORD_PIECE
    }

    /** Ids beyond this are refused: a file of a few bytes must not claim gigabytes. The largest vocabulary in wide use has 262,144. */
    private static final int MOST_TOKENS = 1 << 22;

    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .build();

    /** @throws IllegalArgumentException when it is no tokenizer */
    static TokenizerJson read(String text) {
        Reader reader = new Reader();
        try (JsonParser json = JSON.createParser(text)) {
            if (json.nextToken() != JsonToken.START_OBJECT) throw new IllegalArgumentException("it is no JSON object");
            while (json.nextToken() == JsonToken.PROPERTY_NAME) {
                String name = json.currentName();
                JsonToken value = json.nextToken();
                switch (name) {
                    case "added_tokens" -> reader.readAddedTokens(json);
                    case "model" -> reader.readModel(json);
                    case "normalizer" -> reader.normalizer = value == JsonToken.START_OBJECT ? tree(json) : null;
                    case "pre_tokenizer" -> reader.preTokenizer = value == JsonToken.START_OBJECT ? tree(json) : null;
                    case "decoder" -> reader.decoder = value == JsonToken.START_OBJECT ? tree(json) : null;
                    default -> json.skipChildren();
                }
            }
        } catch (JacksonException e) {
            throw new IllegalArgumentException(e.getOriginalMessage(), e);
        }
        if (reader.tokens.isEmpty()) throw new IllegalArgumentException("it has no vocabulary");
        return new TokenizerJson(
                Collections.unmodifiableList(reader.tokens),
                reader.added,
                reader.special,
                reader.decoder(),
                reader.mostCharacters(),
                reader.continuation(text));
    }

    private static JsonNode tree(JsonParser json) {
        return json.readValueAsTree();
    }

    private static final class Reader {
        final List<@Nullable String> tokens = new ArrayList<>();
        final BitSet added = new BitSet();
        final BitSet special = new BitSet();

        @Nullable
        JsonNode normalizer;

        @Nullable
        JsonNode preTokenizer;

        @Nullable
        JsonNode decoder;

        String modelType = "";
        boolean strips;

        void readAddedTokens(JsonParser json) {
            if (json.currentToken() != JsonToken.START_ARRAY) {
                json.skipChildren();
                return;
            }
            while (json.nextToken() == JsonToken.START_OBJECT) {
                JsonNode token = tree(json);
                JsonNode id = token.path("id");
                if (!id.isIntegralNumber() || !token.path("content").isString()) {
                    throw new IllegalArgumentException("an added token has no id or no content: " + shortened(token));
                }
                put(id.asLong(), token.path("content").asString());
                added.set(id.asInt());
                special.set(id.asInt(), token.path("special").asBoolean(false));
                strips |= token.path("lstrip").asBoolean(false)
                        || token.path("rstrip").asBoolean(false);
            }
        }

        void readModel(JsonParser json) {
            if (json.currentToken() != JsonToken.START_OBJECT) {
                throw new IllegalArgumentException("its model is no JSON object");
            }
            while (json.nextToken() == JsonToken.PROPERTY_NAME) {
                String name = json.currentName();
                JsonToken value = json.nextToken();
                if (name.equals("type") && value == JsonToken.VALUE_STRING) {
                    modelType = json.getString();
                } else if (name.equals("vocab") && value == JsonToken.START_OBJECT) {
                    while (json.nextToken() == JsonToken.PROPERTY_NAME) {
                        String token = json.currentName();
                        if (json.nextToken() != JsonToken.VALUE_NUMBER_INT) {
                            throw new IllegalArgumentException("token '" + token + "' has no number");
                        }
                        put(json.getLongValue(), token);
                    }
                } else if (name.equals("vocab") && value == JsonToken.START_ARRAY) { // Unigram: [token, score] by id
                    for (long id = 0; json.nextToken() == JsonToken.START_ARRAY; id++) {
                        if (json.nextToken() != JsonToken.VALUE_STRING) {
                            throw new IllegalArgumentException("token " + id + " has no text");
                        }
                        put(id, json.getString());
                        while (json.nextToken() != JsonToken.END_ARRAY) json.skipChildren();
                    }
                } else {
                    json.skipChildren();
                }
            }
        }

        /** An added token keeps its place against the model's own of the same id, whichever is read first: it is what the library matches. */
        private void put(long id, String token) {
            if (id < 0 || id >= MOST_TOKENS) {
                throw new IllegalArgumentException(
                        "token '" + token + "' has the id " + id + "; 0 to " + (MOST_TOKENS - 1) + " are read");
            }
            while (tokens.size() <= id) tokens.add(null);
            if (!added.get((int) id)) tokens.set((int) id, token);
        }

        Decoder decoder() {
            if (names(decoder, "ByteLevel")) return Decoder.BYTE_LEVEL;
            if (names(decoder, "WordPiece") || modelType.equals("WordPiece")) return Decoder.WORD_PIECE;
            return Decoder.SENTENCE_PIECE;
        }

        /** A byte-level token takes at most as many characters as it has bytes, each written as one character. */
        int mostCharacters() {
            if (decoder() != Decoder.BYTE_LEVEL || normalizer != null || strips) return Integer.MAX_VALUE;
            return tokens.stream()
                    .filter(Objects::nonNull)
                    .mapToInt(String::length)
                    .max()
                    .orElse(1);
        }

        @Nullable
        String continuation(String text) {
            boolean changed = normalizer != null && withoutPrefix(normalizer);
            changed |= preTokenizer != null && withoutPrefix(preTokenizer);
            if (!changed) return null;
            ObjectNode root = (ObjectNode) JSON.readTree(text);
            root.set("normalizer", normalizer);
            root.set("pre_tokenizer", preTokenizer);
            return JSON.writeValueAsString(root);
        }
    }

    private static boolean names(@Nullable JsonNode step, String type) {
        if (step == null) return false;
        if (step.path("type").asString("").equals(type)) return true;
        for (JsonNode inner : step.path("decoders")) {
            if (names(inner, type)) return true;
        }
        return false;
    }

    /** Takes away what puts a space before a text, in place; tells whether there was something. */
    private static boolean withoutPrefix(JsonNode step) {
        boolean changed = false;
        switch (step.path("type").asString("")) {
            case "Sequence" -> {
                for (String list : List.of("normalizers", "pretokenizers")) {
                    if (!(step.path(list) instanceof ArrayNode steps)) continue;
                    for (int i = steps.size() - 1; i >= 0; i--) {
                        if (steps.get(i).path("type").asString("").equals("Prepend")) {
                            steps.remove(i);
                            changed = true;
                        } else {
                            changed |= withoutPrefix(steps.get(i));
                        }
                    }
                }
            }
            case "Metaspace" -> {
                ObjectNode metaspace = (ObjectNode) step;
                boolean older = metaspace.path("add_prefix_space").asBoolean(false);
                changed = older
                        || !metaspace.path("prepend_scheme").asString("always").equals("never");
                metaspace.put("prepend_scheme", "never");
                metaspace.remove("add_prefix_space");
            }
            case "ByteLevel" -> {
                changed = step.path("add_prefix_space").asBoolean(false);
                ((ObjectNode) step).put("add_prefix_space", false);
            }
            default -> {}
        }
        return changed;
    }

    private static String shortened(JsonNode node) {
        String text = node.toString();
        return text.length() <= 100
                ? text
                : text.substring(0, 100) + String.format(Locale.ROOT, "… (%d)", text.length());
    }
}
