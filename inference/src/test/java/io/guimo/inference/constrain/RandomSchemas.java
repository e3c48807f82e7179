package io.guimo.inference.constrain;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** Schemas of all supported keywords, each of which something fulfils. Objects say whether they are open, so that nothing is left to taste. */
public final class RandomSchemas {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final List<String> PATTERNS = List.of(
            "^[a-z]{2,5}$",
            "^\\d{3}-\\d{4}$",
            "[A-Z]",
            "^(red|green|蓝)$",
            "\\.(png|jpg)$",
            "^[^\"\\\\]*$",
            "^a.c",
            "^$|^x+$",
            "\"",
            "\\\\",
            "^\\S+$");
    private static final List<String> NAMES =
            List.of("id", "name", "价格", "is_ok", "a\"b", "tags", "x", "nested", "due date", "z");

    private final Random random;
    private int definitions;

    public RandomSchemas(Random random) {
        this.random = random;
    }

    public ObjectNode next() {
        definitions = random.nextInt(3);
        ObjectNode root = schema(3);
        if (random.nextInt(3) > 0) {
            root = JSON.createObjectNode();
            object(root, 3);
        }
        ObjectNode shared = root.putObject("$defs");
        for (int i = 0; i < definitions; i++) {
            // A definition may hold itself, but only where it need not.
            ObjectNode definition = shared.putObject("d" + i);
            definition.put("type", "object");
            ObjectNode properties = definition.putObject("properties");
            properties.set("value", schema(0));
            properties.putObject("next").put("$ref", "#/$defs/d" + random.nextInt(definitions));
            definition.putArray("required").add("value");
            definition.put("additionalProperties", false);
        }
        return root;
    }

    private ObjectNode schema(int depth) {
        ObjectNode schema = JSON.createObjectNode();
        int kind = random.nextInt(depth > 0 ? 14 : 8);
        switch (kind) {
            case 0 -> schema.put("type", random.nextBoolean() ? "boolean" : "null");
            case 1 -> integer(schema);
            case 2 -> number(schema);
            case 3, 4 -> string(schema);
            case 5 -> enumeration(schema);
            case 6 -> schema.set("const", constant());
            case 7 -> {
                ArrayNode types = schema.putArray("type");
                for (String type : List.of("string", "integer", "null", "boolean"))
                    if (random.nextBoolean()) types.add(type);
                if (types.isEmpty()) types.add("string");
                schema.put("maxLength", 10);
            }
            case 8, 9 -> object(schema, depth);
            case 10, 11 -> array(schema, depth);
            case 12 -> {
                ArrayNode any = schema.putArray("anyOf");
                for (int i = 0; i < 2 + random.nextInt(2); i++) any.add(schema(depth - 1));
            }
            default -> {
                if (definitions > 0) schema.put("$ref", "#/$defs/d" + random.nextInt(definitions));
                else combined(schema, depth);
            }
        }
        return schema;
    }

    private void integer(ObjectNode schema) {
        schema.put("type", "integer");
        int low = random.nextInt(2001) - 1000;
        if (random.nextBoolean()) schema.put(random.nextBoolean() ? "minimum" : "exclusiveMinimum", low);
        if (random.nextBoolean())
            schema.put(random.nextBoolean() ? "maximum" : "exclusiveMaximum", low + 2 + random.nextInt(500));
    }

    private void number(ObjectNode schema) {
        schema.put("type", "number");
        double low = (random.nextInt(20001) - 10000) / 100.0;
        if (random.nextBoolean()) schema.put(random.nextBoolean() ? "minimum" : "exclusiveMinimum", low);
        // Always bounded: the validator fails on 1e30 where another branch of an anyOf wants an integer with a minimum.
        schema.put(random.nextBoolean() ? "maximum" : "exclusiveMaximum", low + .05 + random.nextInt(500) / 8.0);
        if (random.nextInt(4) == 0) schema.put("multipleOf", .01);
    }

    private void string(ObjectNode schema) {
        schema.put("type", "string");
        switch (random.nextInt(4)) {
            case 0 -> schema.put("pattern", PATTERNS.get(random.nextInt(PATTERNS.size())));
            case 1 -> {
                List<String> formats = new ArrayList<>(
                        StringFormats.PATTERNS.keySet().stream().sorted().toList());
                schema.put("format", formats.get(random.nextInt(formats.size())));
            }
            case 2 -> {
                int least = random.nextInt(6);
                if (random.nextBoolean()) schema.put("minLength", least);
                if (random.nextBoolean()) schema.put("maxLength", least + random.nextInt(30));
            }
            default -> {}
        }
    }

    private void enumeration(ObjectNode schema) {
        ArrayNode values = schema.putArray("enum");
        for (int i = 0; i < 1 + random.nextInt(4); i++) values.add(constant());
    }

    private JsonNode constant() {
        return JSON.readTree(List.of(
                        "\"on\"",
                        "\"off\"",
                        "\"规模 \\\"x\\\"\\n\"",
                        "0",
                        "-17",
                        "3.25",
                        "true",
                        "null",
                        "[1,2]",
                        "{\"a\":[]}",
                        "\"\"")
                .get(random.nextInt(11)));
    }

    private void object(ObjectNode schema, int depth) {
        schema.put("type", "object");
        ObjectNode properties = schema.putObject("properties");
        ArrayNode required = schema.putArray("required");
        int first = random.nextInt(NAMES.size());
        int count = random.nextInt(5);
        for (int i = 0; i < count; i++) {
            String name = NAMES.get((first + i) % NAMES.size());
            properties.set(name, schema(depth - 1));
            if (random.nextBoolean()) required.add(name);
        }
        if (random.nextInt(4) > 0) schema.put("additionalProperties", false);
        else if (random.nextBoolean()) schema.put("additionalProperties", true);
        else schema.set("additionalProperties", schema(0));
    }

    private void array(ObjectNode schema, int depth) {
        schema.put("type", "array");
        int first = random.nextInt(4) == 0 ? 1 + random.nextInt(2) : 0;
        for (int i = 0; i < first; i++) schema.withArray("prefixItems").add(schema(depth - 1));
        if (first > 0 && random.nextBoolean()) schema.put("items", false);
        else schema.set("items", schema(depth - 1));
        int least = random.nextInt(3);
        boolean bounded = first > 0 && schema.get("items").isBoolean();
        if (random.nextBoolean()) schema.put("minItems", bounded ? Math.min(least, first) : least);
        if (random.nextBoolean()) schema.put("maxItems", least + random.nextInt(4));
    }

    /** An allOf or a oneOf, over objects. */
    private void combined(ObjectNode schema, int depth) {
        if (random.nextBoolean()) {
            ArrayNode all = schema.putArray("allOf");
            for (String name : List.of("left", "right")) {
                ObjectNode part = all.addObject().put("type", "object");
                part.putObject("properties").set(name, schema(depth - 1));
                part.putArray("required").add(name);
            }
        } else {
            ArrayNode one = schema.putArray("oneOf");
            for (String kind : List.of("circle", "square")) {
                ObjectNode part = one.addObject().put("type", "object");
                ObjectNode properties = part.putObject("properties");
                properties.putObject("kind").put("const", kind);
                properties.set("size", schema(depth - 1));
                part.putArray("required").add("kind").add("size");
                part.put("additionalProperties", false);
            }
        }
    }
}
