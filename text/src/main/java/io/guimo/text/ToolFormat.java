package io.guimo.text;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** How a family of models writes calls of tools. */
public enum ToolFormat {
    /** Qwen and Hermes: {@code <tool_call>\n{"name": …, "arguments": {…}}\n</tool_call>}, once for each call. */
    HERMES("<tool_call>", "</tool_call>", "arguments"),
    /** SmolLM2: {@code <tool_call>[{"name": …, "arguments": {…}}, …]</tool_call>}, one list of all calls. */
    SMOL("<tool_call>", "</tool_call>", "arguments"),
    /**
     * Llama 3.1 and later: an answer that is {@code {"name": …, "parameters": {…}}}, with semicolons between several. The mark {@code <|python_tag|>} may
     * stand before it; where that is a special token, it is no text.
     */
    LLAMA("", "", "parameters");

    /** Calls that an answer is held to where it must have some: a model that finds no end is stopped there. */
    private static final int MOST_FORCED_CALLS = 16;

    private static final JsonMapper JSON = JsonMapper.shared();
    private static final Pattern TOOLS = Pattern.compile("\\btools\\b");

    final String open;
    final String close;
    final String argumentsKey;

    ToolFormat(String open, String close, String argumentsKey) {
        this.open = open;
        this.close = close;
        this.argumentsKey = argumentsKey;
    }

    /**
     * What a chat template teaches its model.
     *
     * @param template Jinja, {@link ChatTemplate#source}
     * @return empty when the template has no place for tools, or teaches a format that is none of these: {@link ToolsInText} then tells the model what it
     *     may call
     */
    public static Optional<ToolFormat> of(String template) {
        if (!TOOLS.matcher(template).find()) return Optional.empty();
        if (template.contains("<tool_call>[")) return Optional.of(SMOL);
        if (template.contains("<tool_call>")) return Optional.of(HERMES);
        if (template.contains("<|python_tag|>") || template.contains("\"parameters\": dictionary"))
            return Optional.of(LLAMA);
        return Optional.empty();
    }

    /**
     * Finds the calls in one answer.
     *
     * @param names of the tools that may be called; what calls another one is text
     * @param ids a new id for each call
     */
    public ToolCallParser parser(Set<String> names, Supplier<String> ids) {
        return new ToolCallParser(this, names, ids);
    }

    /**
     * What an answer must be that calls tools and does nothing else: so many times {@code prefix}, JSON that validates against {@code schema} and
     * {@code suffix}, with {@code separator} between.
     *
     * @param schema JSON Schema, as text
     * @param most times; at least once
     */
    public record Frame(String prefix, String schema, String suffix, String separator, int most) {}

    /**
     * The frame of calls of these tools.
     *
     * @param tools at least one; their parameters are JSON objects
     * @param parallel whether there may be several calls
     */
    public Frame frame(Collection<ToolDefinition> tools, boolean parallel) {
        int most = parallel ? MOST_FORCED_CALLS : 1;
        return switch (this) {
            case HERMES -> new Frame(open + "\n", call(tools, "").toString(), "\n" + close, "\n", most);
            case LLAMA -> new Frame("", call(tools, "").toString(), "", "; ", most);
            case SMOL -> {
                ObjectNode list = JSON.createObjectNode().put("type", "array");
                list.put("minItems", 1).put("maxItems", most);
                list.set("items", call(tools, "/items"));
                yield new Frame(open, list.toString(), close, "", 1);
            }
        };
    }

    /** @param at JSON pointer to the place of this schema in the whole */
    private ObjectNode call(Collection<ToolDefinition> tools, String at) {
        ObjectNode any = JSON.createObjectNode();
        ArrayNode calls = any.putArray("anyOf");
        for (ToolDefinition tool : tools) {
            String here = at + "/anyOf/" + calls.size() + "/properties/" + argumentsKey;
            ObjectNode call = calls.addObject().put("type", "object").put("additionalProperties", false);
            call.putArray("required").add("name").add(argumentsKey);
            ObjectNode properties = call.putObject("properties");
            properties.putObject("name").put("const", tool.name());
            JsonNode parameters = JSON.readTree(tool.parameters());
            rebase(parameters, here);
            if (parameters instanceof ObjectNode object && !object.has("type") && !object.has("$ref"))
                object.put("type", "object");
            properties.set(argumentsKey, parameters);
        }
        return any;
    }

    /** What referred to the schema's root refers to its new place. */
    private static void rebase(JsonNode schema, String root) {
        if (schema instanceof ObjectNode object) {
            JsonNode reference = object.get("$ref");
            if (reference != null
                    && reference.isString()
                    && reference.stringValue().startsWith("#")) {
                object.put("$ref", "#" + root + reference.stringValue().substring(1));
            }
        }
        List<JsonNode> parts = new ArrayList<>();
        schema.forEach(parts::add);
        for (JsonNode part : parts) rebase(part, root);
    }
}
