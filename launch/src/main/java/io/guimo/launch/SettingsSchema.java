package io.guimo.launch;

import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.math.BigDecimal;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Currency;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * JSON Schema (draft 2020-12) of the records that {@link SettingsBinder} binds, so that an editor completes and checks a business file. Walks
 * the records by the binder's own rules; a general generator would describe what a JSON library accepts, which is not what the binder accepts.
 */
final class SettingsSchema {
    private final Map<String, Object> definitions = new LinkedHashMap<>();

    /** @param root the record of the whole file */
    static Map<String, Object> of(Class<? extends Record> root, String title) {
        SettingsSchema schema = new SettingsSchema();
        Map<String, Object> document = new LinkedHashMap<>();
        document.put("$schema", "https://json-schema.org/draft/2020-12/schema");
        document.put("title", title);
        document.putAll(schema.object(root, null));
        document.put("$defs", schema.definitions);
        return document;
    }

    private Map<String, Object> describe(Type type) {
        if (type instanceof ParameterizedType parameterized) {
            Type[] arguments = parameterized.getActualTypeArguments();
            return parameterized.getRawType().equals(List.class)
                    ? ordered("type", "array", "items", describe(arguments[0]))
                    : ordered("type", "object", "additionalProperties", describe(arguments[1]));
        }
        Class<?> raw = (Class<?>) type;
        if (raw.isRecord()) return reference(raw, null);
        if (raw.isSealed()) {
            List<Object> choices = new ArrayList<>();
            SettingsBinder.kindsOf(raw).forEach((kind, record) -> choices.add(reference(record, kind)));
            return ordered("oneOf", choices);
        }
        if (raw.isEnum()) return ordered("enum", SettingsBinder.wireNames(raw));
        if (raw == int.class || raw == Integer.class || raw == long.class || raw == Long.class)
            return ordered("type", "integer");
        if (raw == double.class || raw == Double.class || raw == BigDecimal.class) return ordered("type", "number");
        if (raw == boolean.class || raw == Boolean.class) return ordered("type", "boolean");
        if (raw == Currency.class) return ordered("type", "string", "pattern", "^[A-Z]{3}$");
        if (raw == Duration.class) return ordered("type", "string", "format", "duration");
        if (raw == URI.class) return ordered("type", "string", "format", "uri");
        // A scalar without quotes, such as 1.20, is text to the binder and a number to an editor.
        return ordered("type", List.of("string", "number", "boolean"));
    }

    private Map<String, Object> reference(Class<?> record, @org.jspecify.annotations.Nullable String kind) {
        String name = record.getSimpleName();
        if (!definitions.containsKey(name)) {
            definitions.put(
                    name,
                    Map.<String, Object>of()); // held while the walk is inside, for records that contain themselves
            definitions.put(name, object(record, kind));
        }
        return ordered("$ref", "#/$defs/" + name);
    }

    private Map<String, Object> object(Class<?> record, @org.jspecify.annotations.Nullable String kind) {
        Map<String, Object> properties = new LinkedHashMap<>();
        if (kind != null) properties.put("kind", ordered("const", kind));
        List<String> required = new ArrayList<>();
        if (kind != null) required.add("kind");
        for (RecordComponent component : record.getRecordComponents()) {
            properties.put(component.getName(), describe(component.getGenericType()));
        }
        Arrays.stream(record.getRecordComponents())
                .filter(c -> !SettingsBinder.isOptional(c))
                .forEach(c -> required.add(c.getName()));
        Map<String, Object> object = new LinkedHashMap<>();
        object.put("type", "object");
        object.put("properties", properties);
        if (!required.isEmpty()) object.put("required", required);
        object.put("additionalProperties", false);
        return object;
    }

    /** In the order given, so that the text is the same at every run. */
    private static Map<String, Object> ordered(Object... namesAndValues) {
        Map<String, Object> map = new LinkedHashMap<>();
        for (int i = 0; i < namesAndValues.length; i += 2) map.put((String) namesAndValues[i], namesAndValues[i + 1]);
        return map;
    }
}
