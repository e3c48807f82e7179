package io.guimo.serve.http;

import io.guimo.units.NearestName;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.exc.InputCoercionException;
import tools.jackson.core.exc.StreamConstraintsException;
import tools.jackson.core.exc.StreamReadException;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.DatabindException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JacksonModule;
import tools.jackson.databind.MapperFeature;
import tools.jackson.databind.PropertyNamingStrategies;
import tools.jackson.databind.cfg.CoercionAction;
import tools.jackson.databind.cfg.CoercionInputShape;
import tools.jackson.databind.exc.InvalidNullException;
import tools.jackson.databind.exc.MismatchedInputException;
import tools.jackson.databind.exc.UnrecognizedPropertyException;
import tools.jackson.databind.exc.ValueInstantiationException;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.type.LogicalType;

/**
 * JSON on the wire: records, fields in snake case. Reading is strict, because a mistake that is accepted is a mistake that is billed: no unknown or
 * duplicate fields, no text for a number or the reverse, no NaN, no missing field unless its component is {@code @Nullable}, bounded depth.
 */
public final class Json {
    /** Deepest nesting read; no request of ours needs more than 6. */
    static final int MAX_DEPTH = 64;

    private static final JsonMapper MAPPER = mapper();

    private Json() {}

    /** @throws JacksonException never for our own records */
    public static byte[] write(Object value) {
        return MAPPER.writeValueAsBytes(value);
    }

    /** Reads what this server wrote itself. */
    public static <T> T readOwn(byte[] json, Class<T> type) {
        return MAPPER.readValue(json, type);
    }

    /** Reads another server's object leniently: empty if it is none. */
    public static Map<String, Object> readMap(byte[] json) {
        try {
            Map<String, Object> read = MAPPER.readValue(json, new TypeReference<Map<String, Object>>() {});
            return read == null ? Map.of() : read;
        } catch (JacksonException e) {
            return Map.of();
        }
    }

    /**
     * Reads a request body.
     *
     * @throws RefusedException naming the field at fault
     */
    public static <T extends Record> T read(byte[] json, Class<T> type) {
        if (json.length == 0) {
            throw RefusedException.invalid("The request has no body; send a JSON object", null, "invalid_json");
        }
        T value;
        try {
            value = MAPPER.readValue(json, type);
        } catch (JacksonException e) {
            throw new RefusedException(refusal(e));
        }
        if (value == null) throw RefusedException.invalid("The body is null; send a JSON object", null, "invalid_json");
        RequiredFields.check(value);
        return value;
    }

    /** Reads a request body token by token, where a record would not do. */
    @FunctionalInterface
    public interface Scanner<T> {
        /** @param in before the first token */
        T scan(JsonParser in);
    }

    /** @throws RefusedException if the body is not one JSON value */
    public static <T> T scan(byte[] json, Scanner<T> scanner) {
        try (JsonParser in = MAPPER.createParser(json)) {
            T scanned = scanner.scan(in);
            if (in.nextToken() != null) {
                throw RefusedException.invalid("The body goes on after its JSON value", null, "invalid_json");
            }
            return scanned;
        } catch (JacksonException e) {
            throw new RefusedException(refusal(e));
        }
    }

    private static JsonMapper mapper() {
        JsonFactory factory = JsonFactory.builder()
                .streamReadConstraints(StreamReadConstraints.builder()
                        .maxNestingDepth(MAX_DEPTH)
                        .maxNumberLength(40)
                        .maxNameLength(256)
                        .maxStringLength(Integer.MAX_VALUE) // the body's own limit is the bound
                        .build())
                .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                .build();
        JsonMapper.Builder builder = JsonMapper.builder(factory)
                .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
                .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
                .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
                .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
                .enable(MapperFeature.ACCEPT_CASE_INSENSITIVE_ENUMS)
                .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
                .disable(MapperFeature.SORT_PROPERTIES_ALPHABETICALLY)
                .withCoercionConfig(
                        LogicalType.Textual, c -> c.setCoercion(CoercionInputShape.Integer, CoercionAction.Fail)
                                .setCoercion(CoercionInputShape.Float, CoercionAction.Fail)
                                .setCoercion(CoercionInputShape.Boolean, CoercionAction.Fail));
        for (JacksonModule module : WireTypes.modules()) builder.addModule(module);
        return builder.build();
    }

    private static Refusal refusal(JacksonException e) {
        String param = path(e);
        String at = e.getLocation() == null
                ? ""
                : " at line " + e.getLocation().getLineNr() + ", column "
                        + e.getLocation().getColumnNr();
        return switch (e) {
            case StreamConstraintsException x ->
                new Refusal.InvalidRequest("The JSON is beyond what is read: " + sentence(x), param, "invalid_json");
            case UnrecognizedPropertyException x -> unknown(x, param);
            case InputCoercionException x ->
                new Refusal.InvalidRequest("A number is out of range" + at + ": " + sentence(x), param, "invalid_type");
            case InvalidNullException x ->
                new Refusal.InvalidRequest("'" + param + "' must not be null", param, "invalid_type");
            case ValueInstantiationException x
            when x.getCause() instanceof RefusedException refused -> refused.refusal();
            case ValueInstantiationException x
            when x.getCause() instanceof IllegalArgumentException cause ->
                new Refusal.InvalidRequest(String.valueOf(cause.getMessage()), param, "invalid_value");
            case MismatchedInputException x
            when x.getOriginalMessage().startsWith("Trailing token") ->
                new Refusal.InvalidRequest("The body goes on after its JSON value" + at, null, "invalid_json");
            case MismatchedInputException x ->
                new Refusal.InvalidRequest(
                        "'" + (param == null ? "body" : param) + "' has the wrong type" + at + ": " + sentence(x),
                        param,
                        "invalid_type");
            case StreamReadException x ->
                new Refusal.InvalidRequest(
                        "The body is not valid JSON" + at + ": " + sentence(x), null, "invalid_json");
            case DatabindException x when x.getCause() instanceof RefusedException refused -> refused.refusal();
            default ->
                new Refusal.InvalidRequest(
                        "The body is not valid JSON" + at + ": " + sentence(e), param, "invalid_json");
        };
    }

    private static Refusal unknown(UnrecognizedPropertyException e, @Nullable String param) {
        List<String> known = e.getKnownPropertyIds() == null
                ? List.of()
                : e.getKnownPropertyIds().stream().map(String::valueOf).sorted().toList();
        Optional<String> nearest = NearestName.of(e.getPropertyName(), known);
        String hint = nearest.map(n -> "did you mean '" + n + "'?").orElse("known: " + String.join(", ", known));
        return new Refusal.InvalidRequest("Unknown field '" + param + "'; " + hint, param, "unknown_parameter");
    }

    /** The place of an error as our clients write it: {@code images[2]}. */
    private static @Nullable String path(JacksonException e) {
        StringBuilder path = new StringBuilder();
        for (JacksonException.Reference step : e.getPath()) {
            if (step.getPropertyName() == null) {
                path.append('[').append(step.getIndex()).append(']');
            } else {
                if (!path.isEmpty()) path.append('.');
                path.append(step.getPropertyName());
            }
        }
        return path.isEmpty() ? null : path.toString();
    }

    /** The library's own words, cut before it starts to name classes and to quote the body. */
    private static String sentence(JacksonException e) {
        String words = e.getOriginalMessage();
        int end = words.length();
        for (String cut : List.of("\n", " (start marker", " (for Object", "; declaring")) {
            int at = words.indexOf(cut);
            if (at >= 0) end = Math.min(end, at);
        }
        String text = words.substring(0, Math.min(end, 300)).replaceAll("`[a-zA-Z0-9_.$<>,]*?([A-Za-z0-9_]+)`", "$1");
        return text.isEmpty() ? e.getClass().getSimpleName().toLowerCase(Locale.ROOT) : text;
    }
}
