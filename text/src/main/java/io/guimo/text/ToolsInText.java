package io.guimo.text;

import java.util.ArrayList;
import java.util.List;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * A conversation with tools for a model whose template has no place for them: the definitions stand in the system message, calls and results in the
 * messages, as {@link ToolFormat#HERMES} writes them.
 */
public final class ToolsInText {
    private static final JsonMapper JSON = JsonMapper.shared();

    private ToolsInText() {}

    /** The same conversation without tools: roles are {@code system}, {@code user} and {@code assistant} alone. */
    public static List<ChatMessage> written(List<ChatMessage> messages, List<ToolDefinition> tools) {
        List<ChatMessage> written = new ArrayList<>();
        if (!tools.isEmpty()) written.add(ChatMessage.of("system", definitions(tools)));
        boolean results = false; // whether the last message is made of results, to which the user's words are added
        for (ChatMessage message : messages) {
            boolean result = message.role().equals("tool");
            String text = result ? "<tool_response>\n" + message.content() + "\n</tool_response>" : content(message);
            String role = result ? "user" : message.role();
            boolean system = role.equals("system") && written.size() == 1 && !tools.isEmpty();
            if (system) {
                written.set(
                        0,
                        ChatMessage.of(
                                "system", text + "\n\n" + written.getFirst().content()));
            } else if (results && role.equals("user")) {
                written.add(ChatMessage.of("user", written.removeLast().content() + "\n" + text));
            } else {
                written.add(new ChatMessage(role, text, message.name(), List.of(), null));
            }
            results = result;
        }
        return written;
    }

    private static String content(ChatMessage message) {
        StringBuilder text = new StringBuilder(message.content());
        for (ToolCall call : message.toolCalls()) {
            ObjectNode object = JSON.createObjectNode().put("name", call.name());
            object.set("arguments", json(call.arguments()));
            if (!text.isEmpty()) text.append('\n');
            text.append("<tool_call>\n").append(object).append("\n</tool_call>");
        }
        return text.toString();
    }

    private static String definitions(List<ToolDefinition> tools) {
        StringBuilder text = new StringBuilder("You can call these functions, one JSON object a line:\n<tools>\n");
        for (ToolDefinition tool : tools) {
            ObjectNode function = JSON.createObjectNode().put("name", tool.name());
            if (tool.description() != null) function.put("description", tool.description());
            function.set("parameters", json(tool.parameters()));
            ObjectNode line = JSON.createObjectNode().put("type", "function");
            line.set("function", function);
            text.append(line).append('\n');
        }
        return text.append(
                        "</tools>\nTo call one, write its name and its arguments as JSON, in this form, once for each call:\n")
                .append("<tool_call>\n{\"name\": \"…\", \"arguments\": {…}}\n</tool_call>\n")
                .append("What it answers comes back inside <tool_response></tool_response>.")
                .toString();
    }

    /** What is no JSON stays a text, as a model may have written it. */
    private static JsonNode json(String text) {
        try {
            return JSON.readTree(text);
        } catch (JacksonException malformed) {
            return JSON.getNodeFactory().stringNode(text);
        }
    }
}
