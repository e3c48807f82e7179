package io.guimo.serve.http;

import io.guimo.units.KeyId;
import io.guimo.units.Meter;
import io.guimo.units.Money;
import io.guimo.units.OrganizationId;
import io.guimo.units.ProjectId;
import io.guimo.units.RequestId;
import java.math.BigDecimal;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.databind.DeserializationContext;
import tools.jackson.databind.JacksonModule;
import tools.jackson.databind.SerializationContext;
import tools.jackson.databind.ValueDeserializer;
import tools.jackson.databind.ValueSerializer;
import tools.jackson.databind.module.SimpleModule;
import tools.jackson.databind.ser.std.StdSerializer;

/** How the house's own small types are written: ids and meters as their names, exact decimals as strings, so that no client reads them as floats. */
final class WireTypes {
    private WireTypes() {}

    static List<JacksonModule> modules() {
        SimpleModule module = new SimpleModule("guimo");
        module.addSerializer(RequestId.class, new AsText<>());
        module.addSerializer(OrganizationId.class, new AsText<>());
        module.addSerializer(ProjectId.class, new AsText<>());
        module.addSerializer(KeyId.class, new AsText<>());
        module.addSerializer(Meter.class, new MeterName());
        module.addKeySerializer(Meter.class, new MeterKey());
        module.addSerializer(Money.class, new MoneyAmount());
        module.addSerializer(new EnumName());
        module.addSerializer(BigDecimal.class, new PlainDecimal());
        module.addDeserializer(BigDecimal.class, new DecimalReader());
        return List.of(module);
    }

    /** Lower case, words joined by underscores. */
    static String enumName(Object constant) {
        return ((Enum<?>) constant).name().toLowerCase(Locale.ROOT);
    }

    @SuppressWarnings("rawtypes") // a class literal knows no arguments
    private static final class EnumName extends StdSerializer<Enum> {
        EnumName() {
            super(Enum.class);
        }

        @Override
        public void serialize(Enum value, JsonGenerator out, SerializationContext context) {
            out.writeString(enumName(value));
        }
    }

    /** The amount as a decimal string; its currency stands beside it in every answer. */
    private static final class MoneyAmount extends ValueSerializer<Money> {
        @Override
        public void serialize(Money value, JsonGenerator out, SerializationContext context) {
            out.writeString(value.toDecimalString());
        }
    }

    private static final class AsText<T> extends ValueSerializer<T> {
        @Override
        public void serialize(T value, JsonGenerator out, SerializationContext context) {
            out.writeString(value.toString());
        }
    }

    private static final class MeterName extends ValueSerializer<Meter> {
        @Override
        public void serialize(Meter value, JsonGenerator out, SerializationContext context) {
            out.writeString(value.wireName());
        }
    }

    private static final class MeterKey extends ValueSerializer<Meter> {
        @Override
        public void serialize(Meter value, JsonGenerator out, SerializationContext context) {
            out.writeName(value.wireName());
        }
    }

    /** A number or a text; its size is bounded, since the digits of {@code 1e999999999} written out are a gigabyte. */
    private static final class DecimalReader extends ValueDeserializer<BigDecimal> {
        private static final int MOST_DIGITS = 40;

        @Override
        public BigDecimal deserialize(JsonParser in, DeserializationContext context) {
            if (in.currentToken() != JsonToken.VALUE_STRING
                    && !in.currentToken().isNumeric()) {
                return (BigDecimal) context.handleUnexpectedToken(BigDecimal.class, in);
            }
            String text = in.getString();
            BigDecimal value = parsed(text);
            if (value == null || value.precision() > MOST_DIGITS || Math.abs(value.scale()) > MOST_DIGITS) {
                String at = String.valueOf(in.currentName());
                throw RefusedException.invalid(
                        "'" + at + "' is no decimal number of at most " + MOST_DIGITS + " digits, such as \"0.002\"",
                        at,
                        "invalid_value");
            }
            return value;
        }

        private static @Nullable BigDecimal parsed(String text) {
            if (text.length() > 2 * MOST_DIGITS) return null;
            try {
                return new BigDecimal(text);
            } catch (NumberFormatException e) {
                return null;
            }
        }
    }

    private static final class PlainDecimal extends ValueSerializer<BigDecimal> {
        @Override
        public void serialize(BigDecimal value, JsonGenerator out, SerializationContext context) {
            out.writeString(
                    value.signum() == 0 ? "0" : value.stripTrailingZeros().toPlainString());
        }
    }
}
