package io.guimo.inference.constrain;

import io.guimo.inference.InvalidInput;
import java.math.BigDecimal;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonPointer;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Reads a JSON Schema (2020-12) and resolves what combines: {@code $ref}, {@code allOf}, {@code anyOf} and {@code oneOf} become lists of flat schemas,
 * of which a value has to fulfil one. In a flat schema {@code type}, {@code enum}, {@code pattern} and {@code format} are lists, and all of a list of
 * patterns and formats must hold.
 */
final class SchemaReader {
    private static final int MOST_CHARACTERS = 1 << 20;

    /** Schemas looked at while one is resolved: bounds what combinations of combinations can take. */
    private static final int MOST_WORK = 200_000;

    private static final int MOST_BRANCHES = 256;
    private static final int MOST_NESTED = 64;

    /** So deep a schema is searched for a contradiction when two are merged; a deeper one is found when the grammar is. */
    private static final int CONTRADICTION_DEPTH = 8;

    private static final int CHARACTERS_SHOWN = 80;

    private static final List<String> TYPES =
            List.of("null", "boolean", "integer", "number", "string", "array", "object");
    private static final Set<String> COMBINING = Set.of("$ref", "allOf", "anyOf", "oneOf");
    private static final Map<String, String> TYPE_OF_KEYWORD = Map.ofEntries(
            Map.entry("properties", "object"),
            Map.entry("required", "object"),
            Map.entry("additionalProperties", "object"),
            Map.entry("minProperties", "object"),
            Map.entry("maxProperties", "object"),
            Map.entry("items", "array"),
            Map.entry("prefixItems", "array"),
            Map.entry("minItems", "array"),
            Map.entry("maxItems", "array"),
            Map.entry("minLength", "string"),
            Map.entry("maxLength", "string"),
            Map.entry("pattern", "string"),
            Map.entry("format", "string"),
            Map.entry("minimum", "number"),
            Map.entry("maximum", "number"),
            Map.entry("exclusiveMinimum", "number"),
            Map.entry("exclusiveMaximum", "number"),
            Map.entry("multipleOf", "number"));
    private static final Set<String> NUMERIC = Set.of(
            "minProperties",
            "maxProperties",
            "minItems",
            "maxItems",
            "minLength",
            "maxLength",
            "minimum",
            "maximum",
            "exclusiveMinimum",
            "exclusiveMaximum",
            "multipleOf");
    private static final Set<String> NOT_SUPPORTED = Set.of(
            "not",
            "if",
            "then",
            "else",
            "dependentSchemas",
            "dependentRequired",
            "dependencies",
            "contains",
            "patternProperties",
            "propertyNames",
            "unevaluatedItems",
            "unevaluatedProperties",
            "additionalItems",
            "$dynamicRef",
            "$recursiveRef");

    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .build();

    private final JsonNode root;
    private int work;
    private int nested;

    SchemaReader(String schema) {
        if (schema.length() > MOST_CHARACTERS) {
            throw new InvalidInput(
                    -1, "the schema has " + schema.length() + " characters; give up to " + MOST_CHARACTERS);
        }
        try {
            root = JSON.readTree(schema);
        } catch (JacksonException e) {
            throw new InvalidInput(-1, "the schema is not JSON: " + e.getOriginalMessage());
        }
    }

    JsonNode root() {
        return root;
    }

    /** Whether nothing is referred to or combined. */
    boolean isPlain(JsonNode schema) {
        return COMBINING.stream().noneMatch(schema::has);
    }

    /** The schemas of which one must hold, if the schema says nothing else; empty if it does. */
    List<JsonNode> alternatives(JsonNode schema) {
        requireSchema(schema);
        List<String> asserting = schema.propertyNames().stream()
                .filter(k -> COMBINING.contains(k)
                        || k.equals("enum")
                        || k.equals("const")
                        || k.equals("type")
                        || TYPE_OF_KEYWORD.containsKey(k))
                .toList();
        if (asserting.size() != 1) return List.of();
        JsonNode value = schema.get(asserting.getFirst());
        return switch (asserting.getFirst()) {
            case "$ref" -> List.of(target(value));
            case "anyOf" -> schemas(schema, "anyOf");
            case "oneOf" -> {
                requireDistinct(schema);
                yield schemas(schema, "oneOf");
            }
            default -> List.of();
        };
    }

    /** The flat schemas of which one must hold; none: nothing fulfils the schema. */
    List<ObjectNode> branches(JsonNode schema) {
        if (++work > MOST_WORK) throw new InvalidInput(-1, "the schema combines too much; make its alternatives fewer");
        if (schema.isBoolean()) return schema.booleanValue() ? List.of(empty()) : List.of();
        requireSchema(schema);
        if (++nested > MOST_NESTED) {
            throw new InvalidInput(
                    -1, "the schema combines more than " + MOST_NESTED + " deep, or a $ref leads back to itself");
        }
        List<ObjectNode> branches = flattened(schema);
        if (schema.has("$ref")) branches = merged(branches, branches(target(schema.get("$ref"))));
        for (JsonNode part : schemas(schema, "allOf")) branches = merged(branches, branches(part));
        if (schema.has("anyOf")) branches = merged(branches, anyBranches(schemas(schema, "anyOf")));
        if (schema.has("oneOf")) {
            requireDistinct(schema);
            branches = merged(branches, anyBranches(schemas(schema, "oneOf")));
        }
        nested--;
        return branches;
    }

    private List<ObjectNode> anyBranches(List<JsonNode> schemas) {
        List<ObjectNode> branches = new ArrayList<>();
        for (JsonNode schema : schemas) branches.addAll(branches(schema));
        return branches;
    }

    /** A value must fulfil exactly one schema of a oneOf. That is kept only where no value could fulfil two. */
    private void requireDistinct(JsonNode schema) {
        List<JsonNode> schemas = schemas(schema, "oneOf");
        List<List<ObjectNode>> branches = schemas.stream().map(this::branches).toList();
        for (int i = 0; i < branches.size(); i++) {
            for (int j = 0; j < i; j++) {
                if (!merged(branches.get(i), branches.get(j)).isEmpty()) {
                    throw new InvalidInput(
                            -1,
                            "a value may fulfil both schema " + (j + 1) + " and schema " + (i + 1)
                                    + " of a oneOf; use anyOf, or tell them apart by a required property with different constants");
                }
            }
        }
    }

    private List<ObjectNode> merged(List<ObjectNode> left, List<ObjectNode> right) {
        List<ObjectNode> merged = new ArrayList<>();
        for (ObjectNode a : left) {
            for (ObjectNode b : right) {
                if (++work > MOST_WORK)
                    throw new InvalidInput(-1, "the schema combines too much; make its alternatives fewer");
                ObjectNode both = merge(a, b);
                if (both != null) merged.add(both);
                if (merged.size() > MOST_BRANCHES) {
                    throw new InvalidInput(
                            -1, "the schema combines to more than " + MOST_BRANCHES + " alternatives; make them fewer");
                }
            }
        }
        return merged;
    }

    /** What a schema says itself; no schema where that is impossible. */
    private List<ObjectNode> flattened(JsonNode schema) {
        ObjectNode flat = empty();
        for (Map.Entry<String, JsonNode> entry : schema.properties()) {
            String keyword = entry.getKey();
            JsonNode value = entry.getValue();
            boolean trivial = (keyword.equals("patternProperties") && value.isEmpty())
                    || (keyword.startsWith("unevaluated") && isTrue(value));
            if ((NOT_SUPPORTED.contains(keyword) && !trivial) || (keyword.equals("uniqueItems") && isTrue(value))) {
                throw new InvalidInput(
                        -1,
                        "the schema's keyword " + keyword
                                + " is not supported; leave it out and check the answer for it");
            }
            switch (keyword) {
                case "const" -> flat.putArray("enum").add(value);
                case "type", "pattern", "format" ->
                    flat.set(
                            keyword,
                            value.isArray() ? value : JSON.createArrayNode().add(value));
                default -> {
                    if (keyword.equals("enum") || TYPE_OF_KEYWORD.containsKey(keyword)) flat.set(keyword, value);
                }
            }
        }
        if (schema.has("const") && schema.has("enum")) {
            ObjectNode other = empty();
            other.set("enum", schema.get("enum"));
            ObjectNode constant = flat.deepCopy();
            constant.putArray("enum").add(schema.get("const"));
            ObjectNode both = merge(constant, other);
            return both == null ? List.of() : List.of(both);
        }
        requireWellFormed(flat);
        return filterEnum(flat) ? List.of(flat) : List.of();
    }

    private void requireWellFormed(ObjectNode flat) {
        for (String type : texts(flat, "type")) {
            if (!TYPES.contains(type))
                throw new InvalidInput(-1, "the schema's type is \"" + type + "\"; permitted are " + TYPES);
        }
        texts(flat, "required");
        texts(flat, "pattern");
        texts(flat, "format");
        for (String keyword : NUMERIC) {
            JsonNode value = flat.get(keyword);
            if (value != null && !value.isNumber()) throw wrong(keyword, value, "a number");
        }
        JsonNode values = flat.get("enum");
        if (values != null && !values.isArray()) throw wrong("enum", values, "a list");
        JsonNode properties = flat.get("properties");
        if (properties != null && !properties.isObject()) throw wrong("properties", properties, "an object");
    }

    /** Leaves only those values of an enum that the rest permits; false if none are left. */
    private boolean filterEnum(ObjectNode flat) {
        JsonNode values = flat.get("enum");
        if (values == null) return true;
        ObjectNode rest = flat.deepCopy();
        rest.remove("enum");
        ArrayNode kept = JSON.createArrayNode();
        for (JsonNode value : values) if (permits(rest, value)) kept.add(value);
        flat.set("enum", kept);
        return !kept.isEmpty();
    }

    private boolean permitsAny(JsonNode schema, JsonNode value) {
        return branches(schema).stream().anyMatch(b -> permits(b, value));
    }

    private boolean permits(ObjectNode flat, JsonNode value) {
        JsonNode values = flat.get("enum");
        if (values != null) {
            boolean listed = false;
            for (JsonNode candidate : values) listed |= same(candidate, value);
            if (!listed) return false;
        }
        List<String> types = types(flat);
        if (value.isNumber()) {
            BigDecimal number = value.decimalValue();
            boolean integral = number.stripTrailingZeros().scale() <= 0;
            if (!types.contains("number") && !(integral && types.contains("integer"))) return false;
            return (!flat.has("minimum") || number.compareTo(flat.get("minimum").decimalValue()) >= 0)
                    && (!flat.has("maximum")
                            || number.compareTo(flat.get("maximum").decimalValue()) <= 0)
                    && (!flat.has("exclusiveMinimum")
                            || number.compareTo(flat.get("exclusiveMinimum").decimalValue()) > 0)
                    && (!flat.has("exclusiveMaximum")
                            || number.compareTo(flat.get("exclusiveMaximum").decimalValue()) < 0)
                    && (!flat.has("multipleOf")
                            || number.remainder(flat.get("multipleOf").decimalValue())
                                            .signum()
                                    == 0);
        }
        if (value.isString()) {
            if (!types.contains("string")) return false;
            if (flat.has("pattern") || flat.has("format")) {
                throw new InvalidInput(-1, "the schema has an enum beside a pattern or format; leave the latter out");
            }
            String text = value.stringValue();
            return within(flat, "minLength", text.codePointCount(0, text.length()), "maxLength");
        }
        if (value.isArray()) {
            if (!types.contains("array") || !within(flat, "minItems", value.size(), "maxItems")) return false;
            for (int i = 0; i < value.size(); i++) if (!permitsAny(item(flat, i), value.get(i))) return false;
            return true;
        }
        if (value.isObject()) {
            if (!types.contains("object") || !within(flat, "minProperties", value.size(), "maxProperties"))
                return false;
            for (String name : texts(flat, "required")) if (!value.has(name)) return false;
            for (Map.Entry<String, JsonNode> property : value.properties()) {
                if (!permitsAny(propertySchema(flat, property.getKey()), property.getValue())) return false;
            }
            return true;
        }
        return types.contains(value.isNull() ? "null" : "boolean");
    }

    private boolean within(ObjectNode flat, String least, int count, String most) {
        return count >= count(flat, least, 0) && count <= count(flat, most, Integer.MAX_VALUE);
    }

    private static boolean same(JsonNode a, JsonNode b) {
        if (!a.isNumber() || !b.isNumber()) return a.equals(b);
        return a.decimalValue().compareTo(b.decimalValue()) == 0;
    }

    /** @return null if no value fulfils both */
    private @Nullable ObjectNode merge(ObjectNode a, ObjectNode b) {
        ObjectNode both = a.deepCopy();
        for (Map.Entry<String, JsonNode> entry : b.properties()) {
            String keyword = entry.getKey();
            JsonNode other = entry.getValue();
            JsonNode own = a.get(keyword);
            if (own == null) {
                both.set(keyword, other);
                continue;
            }
            switch (keyword) {
                case "minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties" ->
                    both.set(keyword, own.decimalValue().compareTo(other.decimalValue()) > 0 ? own : other);
                case "maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties" ->
                    both.set(keyword, own.decimalValue().compareTo(other.decimalValue()) < 0 ? own : other);
                case "required", "pattern", "format" -> {
                    Set<JsonNode> union = new LinkedHashSet<>();
                    own.forEach(union::add);
                    other.forEach(union::add);
                    both.putArray(keyword).addAll(union);
                }
                case "enum" -> {
                    ArrayNode common = both.putArray("enum");
                    for (JsonNode value : own) {
                        for (JsonNode candidate : other) {
                            if (same(value, candidate)) {
                                common.add(value);
                                break;
                            }
                        }
                    }
                }
                case "multipleOf" -> {
                    if (!same(own, other))
                        throw new InvalidInput(
                                -1, "the schema combines multipleOf " + own + " and " + other + "; give one");
                }
                default -> {} // type, properties, additionalProperties, prefixItems, items: below, since they depend on
                // each other
            }
        }
        if (a.has("type") || b.has("type") || types(a).size() < TYPES.size() || types(b).size() < TYPES.size()) {
            ArrayNode common = both.putArray("type");
            for (String type : types(a)) {
                if (types(b).contains(type) || (type.equals("integer") && types(b).contains("number")))
                    common.add(type);
                else if (type.equals("number") && types(b).contains("integer")) common.add("integer");
            }
            if (common.isEmpty()) return null;
        }
        mergeProperties(a, b, both);
        mergeItems(a, b, both);
        if (!filterEnum(both)) return null;
        List<String> types = types(both);
        if (types.equals(List.of("object")) && !both.has("enum")) {
            for (String name : texts(both, "required")) {
                if (nested < CONTRADICTION_DEPTH
                        && branches(propertySchema(both, name)).isEmpty()) return null;
            }
        }
        return both;
    }

    private void mergeProperties(ObjectNode a, ObjectNode b, ObjectNode both) {
        if (!a.has("properties") && !b.has("properties")) {
            if (a.has("additionalProperties") && b.has("additionalProperties")) {
                both.set("additionalProperties", allOf(a.get("additionalProperties"), b.get("additionalProperties")));
            }
            return;
        }
        Set<String> names = new LinkedHashSet<>();
        if (a.has("properties")) names.addAll(a.get("properties").propertyNames());
        if (b.has("properties")) names.addAll(b.get("properties").propertyNames());
        ObjectNode properties = both.putObject("properties");
        for (String name : names) properties.set(name, allOf(propertySchema(a, name), propertySchema(b, name)));
        if (a.has("additionalProperties") && b.has("additionalProperties")) {
            both.set("additionalProperties", allOf(a.get("additionalProperties"), b.get("additionalProperties")));
        }
    }

    private void mergeItems(ObjectNode a, ObjectNode b, ObjectNode both) {
        int positions =
                Math.max(list(a, "prefixItems").size(), list(b, "prefixItems").size());
        if (positions > 0) {
            ArrayNode items = both.putArray("prefixItems");
            for (int i = 0; i < positions; i++) items.add(allOf(item(a, i), item(b, i)));
        }
        if (a.has("items") && b.has("items")) both.set("items", allOf(a.get("items"), b.get("items")));
    }

    private static JsonNode allOf(JsonNode a, JsonNode b) {
        if (a.equals(b) || isTrue(b)) return a;
        if (isTrue(a)) return b;
        ObjectNode all = JSON.createObjectNode();
        all.putArray("allOf").add(a).add(b);
        return all;
    }

    private static boolean isTrue(JsonNode schema) {
        return schema.isBoolean() && schema.booleanValue();
    }

    private static JsonNode propertySchema(ObjectNode flat, String name) {
        JsonNode properties = flat.get("properties");
        JsonNode own = properties == null ? null : properties.get(name);
        if (own != null) return own;
        JsonNode additional = flat.get("additionalProperties");
        return additional == null ? JSON.getNodeFactory().booleanNode(true) : additional;
    }

    private JsonNode item(ObjectNode flat, int index) {
        List<JsonNode> first = list(flat, "prefixItems");
        if (index < first.size()) return first.get(index);
        JsonNode items = flat.get("items");
        return items == null ? JSON.getNodeFactory().booleanNode(true) : items;
    }

    private JsonNode target(JsonNode reference) {
        String text = reference.isString() ? reference.stringValue() : "";
        if (!text.equals("#") && !text.startsWith("#/")) {
            throw new InvalidInput(
                    -1,
                    "the schema's $ref is " + shown(reference) + "; supported are # and #/… within the same schema");
        }
        try {
            String pointer = URLDecoder.decode(text.substring(1).replace("+", "%2B"), StandardCharsets.UTF_8);
            JsonNode target = root.at(JsonPointer.compile(pointer));
            if (!target.isMissingNode()) return target;
        } catch (IllegalArgumentException e) {
            throw new InvalidInput(-1, "the schema's $ref is " + shown(reference) + ": " + e.getMessage());
        }
        throw new InvalidInput(-1, "the schema's $ref is " + shown(reference) + ", but nothing stands there");
    }

    /** The types that a flat schema permits: those it names, else those of which its keywords speak, else all; "number" includes "integer". */
    List<String> types(ObjectNode flat) {
        List<String> types = new ArrayList<>(flat.has("type") ? texts(flat, "type") : List.of());
        if (!flat.has("type")) {
            for (String keyword : flat.propertyNames()) {
                String type = TYPE_OF_KEYWORD.get(keyword);
                if (type != null && !types.contains(type)) types.add(type);
            }
            if (types.isEmpty()) types.addAll(TYPES);
        }
        if (types.contains("number")) types.remove("integer");
        return types;
    }

    /** A list of texts; empty if the keyword is missing. */
    List<String> texts(ObjectNode flat, String keyword) {
        List<String> texts = new ArrayList<>();
        for (JsonNode text : list(flat, keyword)) {
            if (!text.isString()) throw wrong(keyword, text, "text");
            if (!texts.contains(text.stringValue())) texts.add(text.stringValue());
        }
        return texts;
    }

    List<JsonNode> list(ObjectNode flat, String keyword) {
        JsonNode value = flat.get(keyword);
        if (value == null) return List.of();
        if (!value.isArray()) throw wrong(keyword, value, "a list");
        List<JsonNode> list = new ArrayList<>();
        value.forEach(list::add);
        return list;
    }

    private List<JsonNode> schemas(JsonNode schema, String keyword) {
        JsonNode value = schema.get(keyword);
        if (value == null) return List.of();
        if (!value.isArray() || value.isEmpty()) throw wrong(keyword, value, "a list of schemas");
        List<JsonNode> schemas = new ArrayList<>();
        value.forEach(schemas::add);
        return schemas;
    }

    int count(ObjectNode flat, String keyword, int missing) {
        JsonNode value = flat.get(keyword);
        if (value == null) return missing;
        if (!value.isNumber()
                || value.decimalValue().signum() < 0
                || value.decimalValue().stripTrailingZeros().scale() > 0) {
            throw wrong(keyword, value, "a whole number, 0 or more");
        }
        return value.decimalValue().min(BigDecimal.valueOf(Integer.MAX_VALUE)).intValue();
    }

    ObjectNode empty() {
        return JSON.createObjectNode();
    }

    /** A text as JSON writes it. */
    String quoted(String text) {
        return JSON.writeValueAsString(text);
    }

    private static void requireSchema(JsonNode schema) {
        if (!schema.isObject())
            throw new InvalidInput(-1, "the schema holds " + shown(schema) + " where a schema must stand");
    }

    private static InvalidInput wrong(String keyword, JsonNode value, String permitted) {
        return new InvalidInput(-1, "the schema's " + keyword + " is " + shown(value) + "; give " + permitted);
    }

    private static String shown(JsonNode value) {
        String text = value.toString();
        return text.length() <= CHARACTERS_SHOWN ? text : text.substring(0, CHARACTERS_SHOWN) + "…";
    }
}
