package io.guimo.serve.language;

import io.guimo.serve.http.RefusedException;
import io.guimo.serve.http.Shape;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.databind.DeserializationContext;
import tools.jackson.databind.ValueDeserializer;
import tools.jackson.databind.annotation.JsonDeserialize;

/** One text or several. */
@Shape("""
        {"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}""")
@JsonDeserialize(using = StopTexts.Reader.class)
record StopTexts(List<String> texts) {
    StopTexts {
        texts = List.copyOf(texts);
    }

    static final class Reader extends ValueDeserializer<StopTexts> {
        @Override
        public StopTexts deserialize(JsonParser in, DeserializationContext context) {
            if (in.currentToken() == JsonToken.VALUE_STRING) return new StopTexts(List.of(in.getString()));
            List<String> texts = new ArrayList<>();
            boolean list = in.currentToken() == JsonToken.START_ARRAY;
            while (list && in.nextToken() != JsonToken.END_ARRAY) {
                if (in.currentToken() != JsonToken.VALUE_STRING) list = false;
                else texts.add(in.getString());
            }
            if (list) return new StopTexts(texts);
            throw RefusedException.invalid("'stop' must be a text or a list of texts", "stop", "invalid_type");
        }
    }
}
