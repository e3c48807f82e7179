package io.guimo.serve.http;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Refuses a record read from JSON when a field is missing whose component is not {@code @Nullable}, at any depth. */
final class RequiredFields {
    private static final ClassValue<List<Field>> FIELDS = new ClassValue<>() {
        @Override
        protected List<Field> computeValue(Class<?> type) {
            List<Field> fields = new ArrayList<>();
            for (RecordComponent component : type.getRecordComponents()) {
                if (component.getType().isPrimitive()) continue;
                component.getAccessor().setAccessible(true);
                fields.add(new Field(wireName(component.getName()), !nullable(component), component));
            }
            return List.copyOf(fields);
        }
    };

    private RequiredFields() {}

    static void check(Record value) {
        check(value, "");
    }

    /** Snake case, as {@link Json} writes it. */
    static String wireName(String component) {
        return component.replaceAll("([A-Z])", "_$1").toLowerCase(Locale.ROOT);
    }

    static boolean nullable(RecordComponent component) {
        return component.getAnnotatedType().isAnnotationPresent(Nullable.class);
    }

    private static void check(Record value, String prefix) {
        for (Field field : FIELDS.get(value.getClass())) {
            String path = prefix + field.name;
            Object content = content(value, field.component);
            if (content == null) {
                if (field.required) {
                    throw RefusedException.invalid("'" + path + "' is required", path, "missing_required_parameter");
                }
                continue;
            }
            switch (content) {
                case Record nested -> check(nested, path + ".");
                case List<?> list -> checkAll(list, path);
                case Map<?, ?> map -> map.forEach((k, v) -> checkElement(v, path + "." + k));
                default -> {}
            }
        }
    }

    private static void checkAll(List<?> list, String path) {
        for (int i = 0; i < list.size(); i++) checkElement(list.get(i), path + "[" + i + "]");
    }

    private static void checkElement(@Nullable Object element, String path) {
        if (element == null) throw RefusedException.invalid("'" + path + "' must not be null", path, "invalid_type");
        if (element instanceof Record nested) check(nested, path + ".");
    }

    private static @Nullable Object content(Record value, RecordComponent component) {
        try {
            return component.getAccessor().invoke(value);
        } catch (IllegalAccessException | InvocationTargetException e) {
            throw new IllegalStateException(
                    "cannot read " + component + " of " + value.getClass().getName(), e);
        }
    }

    private record Field(String name, boolean required, RecordComponent component) {}
}
