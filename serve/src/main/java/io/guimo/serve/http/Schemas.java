package io.guimo.serve.http;

import io.guimo.units.KeyId;
import io.guimo.units.Meter;
import io.guimo.units.Money;
import io.guimo.units.OrganizationId;
import io.guimo.units.ProjectId;
import io.guimo.units.RequestId;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** JSON Schemas of the records that {@link Json} reads and writes, by the same rules: snake case, required unless {@code @Nullable}. */
final class Schemas {
    private static final Set<Class<?>> IDS =
            Set.of(RequestId.class, OrganizationId.class, ProjectId.class, KeyId.class);
    private final Map<String, Object> components = new TreeMap<>();
    private final Map<String, Class<?>> described = new HashMap<>();

    Map<String, Object> components() {
        return components;
    }

    /** A reference to the component of {@code type}, which is described on first use. */
    Map<String, Object> reference(Class<?> type) {
        Class<?> other = described.putIfAbsent(type.getSimpleName(), type);
        if (other != null && other != type) {
            throw new IllegalStateException(
                    "two shapes are named " + type.getSimpleName() + ": " + other + ", " + type);
        }
        if (other == null) {
            components.put(type.getSimpleName(), Map.of()); // stands while a shape that contains itself is described
            components.put(type.getSimpleName(), record(type));
        }
        return Map.of("$ref", "#/components/schemas/" + type.getSimpleName());
    }

    private Map<String, Object> record(Class<?> type) {
        Map<String, Object> properties = new LinkedHashMap<>();
        List<String> required = new ArrayList<>();
        for (RecordComponent component : type.getRecordComponents()) {
            String name = RequiredFields.wireName(component.getName());
            Map<String, Object> schema = schema(component.getGenericType());
            boolean nullable = RequiredFields.nullable(component);
            properties.put(name, nullable ? Map.of("anyOf", List.of(schema, Map.of("type", "null"))) : schema);
            if (!nullable) required.add(name);
        }
        Map<String, Object> schema = new LinkedHashMap<>();
        schema.put("type", "object");
        schema.put("properties", properties);
        if (!required.isEmpty()) schema.put("required", required);
        return schema;
    }

    private Map<String, Object> schema(Type type) {
        if (type instanceof ParameterizedType generic) {
            Type last = generic.getActualTypeArguments()[generic.getActualTypeArguments().length - 1];
            return generic.getRawType() == Map.class
                    ? Map.of("type", "object", "additionalProperties", schema(last))
                    : Map.of("type", "array", "items", schema(last));
        }
        if (!(type instanceof Class<?> raw)) return Map.of();
        Shape shape = raw.getAnnotation(Shape.class);
        if (shape != null) return Json.readMap(shape.value().getBytes(StandardCharsets.UTF_8));
        if (raw == String.class || IDS.contains(raw)) return Map.of("type", "string");
        if (raw == BigDecimal.class || raw == Money.class)
            return Map.of("type", "string", "description", "exact decimal");
        if (raw == Instant.class) return Map.of("type", "string", "format", "date-time");
        if (raw == int.class || raw == Integer.class || raw == long.class || raw == Long.class)
            return Map.of("type", "integer");
        if (raw == double.class || raw == Double.class || raw == float.class || raw == Float.class)
            return Map.of("type", "number");
        if (raw == boolean.class || raw == Boolean.class) return Map.of("type", "boolean");
        if (raw == Meter.class) {
            return Map.of(
                    "type",
                    "string",
                    "enum",
                    Arrays.stream(Meter.values()).map(Meter::wireName).toList());
        }
        if (raw.isEnum()) {
            return Map.of(
                    "type",
                    "string",
                    "enum",
                    Arrays.stream(raw.getEnumConstants())
                            .map(WireTypes::enumName)
                            .toList());
        }
        if (raw.isArray()) return Map.of("type", "array", "items", schema(raw.getComponentType()));
        if (raw.isRecord()) return reference(raw);
        return Map.of();
    }
}
