package io.guimo.serve.language;

import io.guimo.serve.http.RefusedException;
import io.guimo.serve.http.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.databind.DeserializationContext;
import tools.jackson.databind.ValueDeserializer;
import tools.jackson.databind.annotation.JsonDeserialize;

/**
 * A message's content: a text, or a list of parts with a text each, which are joined by line breaks. Other parts (pictures, sound, files) are refused:
 * these models read text.
 */
@Shape("""
        {"oneOf": [
         {"type": "string"},
         {"type": "array", "items": {"type": "object", "required": ["type", "text"],
          "properties": {"type": {"type": "string"}, "text": {"type": "string"}}}}]}""")
@JsonDeserialize(using = TextContent.Reader.class)
record TextContent(String text) {
    /** As OpenAI's chat completions, its responses and Anthropic's messages name them. */
    private static final Set<String> TEXT_PARTS = Set.of("text", "input_text", "output_text");

    /** Reads straight from the stream; fields of a part beside {@code type} and {@code text}, such as annotations, are passed over. */
    static final class Reader extends ValueDeserializer<TextContent> {
        @Override
        public TextContent deserialize(JsonParser in, DeserializationContext context) {
            if (in.currentToken() == JsonToken.VALUE_STRING) return new TextContent(in.getString());
            String name = Fields.path(in);
            if (in.currentToken() != JsonToken.START_ARRAY) throw wrong(name);
            List<String> texts = new ArrayList<>();
            while (in.nextToken() != JsonToken.END_ARRAY) texts.add(part(in, name + "[" + texts.size() + "]"));
            return new TextContent(String.join("\n", texts));
        }

        private static String part(JsonParser in, String at) {
            if (in.currentToken() != JsonToken.START_OBJECT) throw wrong(at);
            String type = null;
            String text = null;
            while (in.nextToken() != JsonToken.END_OBJECT) {
                String field = in.currentName();
                JsonToken value = in.nextToken();
                if (field.equals("type") && value == JsonToken.VALUE_STRING) type = in.getString();
                else if (field.equals("text") && value == JsonToken.VALUE_STRING) text = in.getString();
                else in.skipChildren();
            }
            if (type == null || !TEXT_PARTS.contains(type)) {
                throw RefusedException.invalid(
                        "'" + at + "' is a part of type '" + type + "'; these models read text only",
                        at,
                        "unsupported_content");
            }
            if (text == null) throw wrong(at);
            return text;
        }

        private static RefusedException wrong(String at) {
            return RefusedException.invalid(
                    "'" + at
                            + "' has the wrong type; give a text, or a list of parts {\"type\": \"text\", \"text\": …}",
                    at,
                    "invalid_type");
        }
    }
}
