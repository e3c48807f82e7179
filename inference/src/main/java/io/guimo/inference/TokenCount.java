package io.guimo.inference;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToIntFunction;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.json.JsonFactory;

/**
 * Our own count of a chat's tokens, for upstreams whose count is not taken on trust. The answer's texts are counted as they are. The prompt is what
 * the upstream's template makes of the messages, which is not known here: each message counts its texts and the five tokens that ChatML puts around
 * it, the prompt three more, and tools as the JSON that the client sent.
 */
public final class TokenCount {
    /** {@code <|im_start|>}, role, line end, {@code <|im_end|>}, line end. */
    private static final int AROUND_MESSAGE = 5;
    /** {@code <|im_start|>assistant} and a line end, which open the answer. */
    private static final int OPENING = 3;

    private static final JsonFactory JSON = JsonFactory.builder().build();

    private final ToIntFunction<String> tokens;
    private final int special;

    /** @param tokens counts a text's tokens; special ones around each text are taken off again */
    public TokenCount(ToIntFunction<String> tokens) {
        this.tokens = tokens;
        this.special = tokens.applyAsInt("");
    }

    private long count(CharSequence text) {
        return text.isEmpty() ? 0 : Math.max(0, tokens.applyAsInt(text.toString()) - special);
    }

    /** @param request the body of a chat completion request, already read once without complaint */
    long prompt(byte[] request) {
        long counted = OPENING;
        try (JsonParser json = JSON.createParser(ObjectReadContext.empty(), request)) {
            json.nextToken();
            while (json.nextToken() == JsonToken.PROPERTY_NAME) {
                String field = json.currentName();
                JsonToken value = json.nextToken();
                if (field.equals("messages") && value == JsonToken.START_ARRAY) {
                    while (json.nextToken() != JsonToken.END_ARRAY)
                        counted += AROUND_MESSAGE + count(texts(json, new StringBuilder()));
                } else if (field.equals("tools")) {
                    int from = (int) json.currentTokenLocation().getByteOffset();
                    json.skipChildren();
                    int to = (int) json.currentLocation().getByteOffset();
                    counted += count(new String(request, from, to - from, StandardCharsets.UTF_8));
                } else {
                    json.skipChildren();
                }
            }
        } catch (JacksonException e) {
            throw new IllegalStateException("a request that was read before", e);
        }
        return counted;
    }

    /** Collects an answer's texts, chunk by chunk, apart for each choice. */
    final class Answer {
        private final List<StringBuilder> choices = new ArrayList<>();

        /** Adds the texts of a whole answer or of a chunk; what is no such JSON has none. */
        void add(byte[] data) {
            try (JsonParser json = JSON.createParser(ObjectReadContext.empty(), data)) {
                json.nextToken();
                while (json.nextToken() == JsonToken.PROPERTY_NAME) {
                    boolean found = json.currentName().equals("choices");
                    if (json.nextToken() != JsonToken.START_ARRAY || !found) {
                        json.skipChildren();
                        continue;
                    }
                    while (json.nextToken() == JsonToken.START_OBJECT) addChoice(json);
                }
            } catch (JacksonException e) {
                // The rest has no texts: the client gets it as it came, and counts nothing in it either.
            }
        }

        private void addChoice(JsonParser json) {
            StringBuilder found = new StringBuilder();
            int index = 0;
            while (json.nextToken() == JsonToken.PROPERTY_NAME) {
                String field = json.currentName();
                JsonToken value = json.nextToken();
                if (field.equals("index") && value == JsonToken.VALUE_NUMBER_INT) {
                    index = json.getIntValue();
                } else if (field.equals("delta") || field.equals("message") || field.equals("text")) {
                    texts(json, found);
                } else {
                    json.skipChildren();
                }
            }
            if (index < 0 || index > 127) index = 0;
            while (choices.size() <= index) choices.add(new StringBuilder());
            choices.get(index).append(found);
        }

        long tokens() {
            return choices.stream().mapToLong(TokenCount.this::count).sum();
        }
    }

    Answer answer() {
        return new Answer();
    }

    /** Every text below the value that the parser stands on, but for those that say what something is. */
    private static StringBuilder texts(JsonParser json, StringBuilder into) {
        int depth = 0;
        String field = "";
        do {
            switch (json.currentToken()) {
                case START_OBJECT, START_ARRAY -> depth++;
                case END_OBJECT, END_ARRAY -> depth--;
                case PROPERTY_NAME -> field = json.currentName();
                case VALUE_STRING -> {
                    switch (field) {
                        case "role", "type", "id", "tool_call_id" -> {}
                        default -> into.append(json.getString());
                    }
                }
                default -> {}
            }
        } while (depth > 0 && json.nextToken() != null);
        return into;
    }
}
