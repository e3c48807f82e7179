package io.guimo.serve;

import io.guimo.serve.http.Shape;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;
import tools.jackson.databind.SerializationContext;
import tools.jackson.databind.ValueSerializer;
import tools.jackson.databind.annotation.JsonSerialize;

/** A vector as it is written: numbers, or base64 of little-endian 32-bit floats. One of the two is there. */
@Shape(
        "{\"oneOf\": [{\"type\": \"array\", \"items\": {\"type\": \"number\"}}, {\"type\": \"string\", \"contentEncoding\": \"base64\"}]}")
@JsonSerialize(using = Vector.Writer.class)
@SuppressWarnings("ArrayRecordComponent") // written once, never compared
record Vector(float @Nullable [] numbers, @Nullable String base64) {
    /** Writes whichever is there. */
    static final class Writer extends ValueSerializer<Vector> {
        @Override
        public void serialize(Vector value, JsonGenerator out, SerializationContext context) {
            float[] numbers = value.numbers;
            if (numbers == null) {
                out.writeString(value.base64);
                return;
            }
            out.writeStartArray(value, numbers.length);
            for (float number : numbers) out.writeNumber(number);
            out.writeEndArray();
        }
    }
}
