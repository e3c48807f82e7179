package io.guimo.serve;

import io.guimo.serve.http.RefusedException;
import io.guimo.serve.http.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.TokenStreamContext;
import tools.jackson.databind.DeserializationContext;
import tools.jackson.databind.ValueDeserializer;
import tools.jackson.databind.annotation.JsonDeserialize;

/** What a model is to read: a text, texts, one text's token ids, or several texts' token ids. */
@Shape("""
        {"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}},
         {"type": "array", "items": {"type": "integer"}},
         {"type": "array", "items": {"type": "array", "items": {"type": "integer"}}}]}""")
@JsonDeserialize(using = TextsOrTokens.Reader.class)
public sealed interface TextsOrTokens {
    /** Inputs of one request at most, as OpenAI's. */
    int MOST = 2048;

    int size();

    record Texts(List<String> texts) implements TextsOrTokens {
        @Override
        public int size() {
            return texts.size();
        }
    }

    record TokenIds(List<int[]> ids) implements TextsOrTokens {
        @Override
        public int size() {
            return ids.size();
        }
    }

    /** Reads straight from the stream, so that a long list of ids costs four bytes each. */
    final class Reader extends ValueDeserializer<TextsOrTokens> {
        @Override
        public TextsOrTokens deserialize(JsonParser in, DeserializationContext context) {
            if (in.currentToken() == JsonToken.VALUE_STRING) return new Texts(List.of(in.getString()));
            if (in.currentToken() != JsonToken.START_ARRAY) throw wrong(in, "");
            return switch (in.nextToken()) {
                case END_ARRAY -> new Texts(List.of());
                case VALUE_STRING -> texts(in);
                case VALUE_NUMBER_INT -> new TokenIds(List.of(ids(in, "")));
                case START_ARRAY -> lists(in);
                default -> throw wrong(in, "[0]");
            };
        }

        private static Texts texts(JsonParser in) {
            List<String> texts = new ArrayList<>();
            while (in.currentToken() != JsonToken.END_ARRAY) {
                if (in.currentToken() != JsonToken.VALUE_STRING) throw wrong(in, "[" + texts.size() + "]");
                texts.add(in.getString());
                if (texts.size() > MOST) throw tooMany(in);
                in.nextToken();
            }
            return new Texts(texts);
        }

        private static TokenIds lists(JsonParser in) {
            List<int[]> lists = new ArrayList<>();
            while (in.currentToken() != JsonToken.END_ARRAY) {
                String at = "[" + lists.size() + "]";
                if (in.currentToken() != JsonToken.START_ARRAY) throw wrong(in, at);
                in.nextToken();
                lists.add(ids(in, at));
                if (lists.size() > MOST) throw tooMany(in);
                in.nextToken();
            }
            return new TokenIds(lists);
        }

        private static int[] ids(JsonParser in, String at) {
            int[] ids = new int[16];
            int count = 0;
            while (in.currentToken() != JsonToken.END_ARRAY) {
                if (in.currentToken() != JsonToken.VALUE_NUMBER_INT) throw wrong(in, at + "[" + count + "]");
                if (count == ids.length) ids = Arrays.copyOf(ids, count * 2);
                ids[count++] = in.getIntValue();
                in.nextToken();
            }
            return Arrays.copyOf(ids, count);
        }

        private static RefusedException wrong(JsonParser in, String at) {
            String name = field(in) + at;
            return RefusedException.invalid(
                    "'" + name
                            + "' has the wrong type; give a text, a list of texts, a list of token ids or a list of such lists",
                    name,
                    "invalid_type");
        }

        private static RefusedException tooMany(JsonParser in) {
            String name = field(in);
            return RefusedException.invalid(
                    "'" + name + "' has more than " + MOST + " elements, the most of one request",
                    name,
                    "too_many_inputs");
        }

        /** The request's field that is being read; lists have no name of their own. */
        private static String field(JsonParser in) {
            TokenStreamContext at = in.streamReadContext();
            while (at.currentName() == null && at.getParent() != null) at = at.getParent();
            return String.valueOf(at.currentName());
        }
    }
}
