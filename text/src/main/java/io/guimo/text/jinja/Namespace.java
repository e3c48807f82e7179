package io.guimo.text.jinja;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The one thing that a template may change: it carries values out of loops. */
record Namespace(Map<String, @Nullable Object> values) {
    Namespace {
        values = new LinkedHashMap<>(values);
    }
}
