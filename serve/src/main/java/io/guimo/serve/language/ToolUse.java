package io.guimo.serve.language;

import io.guimo.inference.TextGenerator;
import io.guimo.inference.generate.Constraint;
import io.guimo.serve.http.RefusedException;
import io.guimo.text.ToolDefinition;
import io.guimo.text.ToolFormat;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * The tools of a request, and whether the model must call one.
 *
 * @param tools that may be called; empty where none was given, or none may be called: the model is then told of none
 * @param forced whether the answer is calls and nothing else
 * @param parallel whether there may be several calls
 * @param idPrefix what ids of calls begin with
 */
record ToolUse(List<ToolDefinition> tools, boolean forced, boolean parallel, String idPrefix) {
    private static final int MOST_TOOLS = 128;
    private static final Pattern NAME = Pattern.compile("[a-zA-Z0-9_-]{1,128}");
    private static final String NO_PARAMETERS =
            "{\"type\":\"object\",\"properties\":{},\"additionalProperties\":false}";

    ToolUse {
        tools = List.copyOf(tools);
    }

    /** As OpenAI's chat completions write them. */
    static ToolUse ofChat(@Nullable JsonNode tools, @Nullable JsonNode choice, @Nullable Boolean parallel) {
        Map<String, ToolDefinition> known = new LinkedHashMap<>();
        List<JsonNode> given = list(tools);
        for (int i = 0; i < given.size(); i++) {
            String at = "tools[" + i + "]";
            requireType(given.get(i), at, "function");
            add(known, given.get(i).path("function"), "parameters", at + ".function");
        }
        return chosen(known, choice, parallel, choice == null ? null : choice.path("function"));
    }

    /** As OpenAI's responses write them. */
    static ToolUse ofResponses(@Nullable JsonNode tools, @Nullable JsonNode choice, @Nullable Boolean parallel) {
        Map<String, ToolDefinition> known = new LinkedHashMap<>();
        List<JsonNode> given = list(tools);
        for (int i = 0; i < given.size(); i++) {
            String at = "tools[" + i + "]";
            requireType(given.get(i), at, "function");
            add(known, given.get(i), "parameters", at);
        }
        return chosen(known, choice, parallel, choice);
    }

    /** As Anthropic writes them. */
    static ToolUse ofMessages(@Nullable JsonNode tools, @Nullable JsonNode choice) {
        Map<String, ToolDefinition> known = new LinkedHashMap<>();
        List<JsonNode> given = list(tools);
        for (int i = 0; i < given.size(); i++) {
            String at = "tools[" + i + "]";
            if (given.get(i).hasNonNull("type")) requireType(given.get(i), at, "custom");
            add(known, given.get(i), "input_schema", at);
        }
        String type =
                choice == null || choice.isNull() ? "auto" : choice.path("type").asString("");
        boolean parallel =
                choice == null || !choice.path("disable_parallel_tool_use").asBoolean(false);
        return switch (type) {
            case "none" -> new ToolUse(List.of(), false, true, "toolu_");
            case "auto" -> new ToolUse(List.copyOf(known.values()), false, parallel, "toolu_");
            case "any" -> new ToolUse(some(known), true, parallel, "toolu_");
            case "tool" -> new ToolUse(List.of(named(known, choice, "tool_choice.name")), true, parallel, "toolu_");
            default ->
                throw Fields.invalid(
                        "tool_choice.type", "'tool_choice.type' is '" + type + "'; write auto, any, tool or none");
        };
    }

    private static ToolUse chosen(
            Map<String, ToolDefinition> known,
            @Nullable JsonNode choice,
            @Nullable Boolean parallel,
            @Nullable JsonNode named) {
        boolean several = parallel == null || parallel;
        if (choice != null && choice.isObject()) {
            requireType(choice, "tool_choice", "function");
            return new ToolUse(List.of(named(known, named, "tool_choice")), true, several, "call_");
        }
        String word = choice == null || choice.isNull() ? "auto" : choice.asString("");
        return switch (word) {
            case "none" -> new ToolUse(List.of(), false, true, "call_");
            case "auto" -> new ToolUse(List.copyOf(known.values()), false, several, "call_");
            case "required" -> new ToolUse(some(known), true, several, "call_");
            default ->
                throw Fields.invalid(
                        "tool_choice",
                        "'tool_choice' is " + choice + "; write none, auto, required, or the function to call");
        };
    }

    private static List<JsonNode> list(@Nullable JsonNode tools) {
        if (tools == null || tools.isNull()) return List.of();
        if (!tools.isArray()) {
            throw RefusedException.invalid("'tools' must be a list of tools", "tools", "invalid_type");
        }
        if (tools.size() > MOST_TOOLS) {
            throw Fields.invalid("tools", "'tools' has " + tools.size() + " tools; give at most " + MOST_TOOLS);
        }
        List<JsonNode> list = new ArrayList<>();
        tools.forEach(list::add);
        return list;
    }

    private static void requireType(JsonNode node, String at, String type) {
        String given = node.path("type").asString("");
        if (given.equals(type)) return;
        throw Fields.unsupported(
                at + ".type", "'" + at + ".type' is '" + given + "'; models that run here call " + type + " tools");
    }

    private static void add(Map<String, ToolDefinition> known, JsonNode tool, String schemaField, String at) {
        String name = tool.path("name").asString("");
        if (!NAME.matcher(name).matches()) {
            throw Fields.invalid(
                    at + ".name", "'" + at + ".name' is '" + name + "'; write 1 to 128 letters, digits, _ or -");
        }
        JsonNode schema = tool.path(schemaField);
        boolean none = schema.isMissingNode() || schema.isNull();
        if (!none
                && (!schema.isObject()
                        || !schema.path("type").asString("object").equals("object"))) {
            String field = at + "." + schemaField;
            throw Fields.invalid(field, "'" + field + "' must be the JSON Schema of an object");
        }
        ToolDefinition definition = new ToolDefinition(
                name,
                tool.hasNonNull("description") ? tool.get("description").asString("") : null,
                none ? NO_PARAMETERS : schema.toString());
        if (known.put(name, definition) != null) {
            throw Fields.invalid(at + ".name", "'" + at + ".name' is '" + name + "', as another tool's is");
        }
    }

    private static List<ToolDefinition> some(Map<String, ToolDefinition> known) {
        if (!known.isEmpty()) return List.copyOf(known.values());
        throw Fields.invalid("tool_choice", "'tool_choice' asks for a tool, but 'tools' has none");
    }

    private static ToolDefinition named(Map<String, ToolDefinition> known, @Nullable JsonNode choice, String at) {
        String name = choice == null ? "" : choice.path("name").asString("");
        ToolDefinition tool = known.get(name);
        if (tool != null) return tool;
        throw Fields.invalid(at, "'" + at + "' asks for the tool '" + name + "', which is not in 'tools'");
    }

    /** How calls are found in the answer; null where there can be none. */
    @Nullable
    Calls calls(TextGenerator model) {
        if (tools.isEmpty()) return null;
        return new Calls(
                format(model),
                tools.stream().map(ToolDefinition::name).collect(Collectors.toSet()),
                parallel,
                idPrefix);
    }

    /**
     * What the answer must look like.
     *
     * @param other what the request asks of an answer in words
     * @param otherParam the field that asks it
     */
    @Nullable
    Constraint constraint(TextGenerator model, @Nullable Constraint other, String otherParam) {
        if (forced) {
            ToolFormat.Frame frame = format(model).frame(tools, parallel);
            return new Constraint.Framed(
                    frame.prefix(), frame.schema(), frame.suffix(), frame.separator(), frame.most());
        }
        if (other != null && !tools.isEmpty()) {
            throw Fields.unsupported(
                    otherParam,
                    "'" + otherParam + "' holds the whole answer to JSON, in which no tool can be called;"
                            + " leave it out, or write \"none\" or \"required\" in 'tool_choice'");
        }
        return other;
    }

    /** The request's field that a constraint comes from. */
    String constraintParam(@Nullable Constraint constraint, String input, String other) {
        if (constraint == null) return input;
        return forced ? "tools" : other;
    }

    private static ToolFormat format(TextGenerator model) {
        return model.chatTemplate()
                .flatMap(template -> ToolFormat.of(template.source()))
                .orElse(ToolFormat.HERMES);
    }
}
