package io.guimo.text;

import io.guimo.text.jinja.JinjaException;
import io.guimo.text.jinja.JinjaTemplate;
import java.math.BigInteger;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A model's chat template: how a conversation becomes its prompt. The text is what Hugging Face's {@code apply_chat_template} makes of the same template
 * (Jinja, see {@link io.guimo.text.jinja}); {@link Prompt} says where a message's text must not be read as one of the model's marks. Thread-safe.
 */
public final class ChatTemplate {
    /**
     * A prompt in pieces that are tokenised one by one: a border stands inside each text of a special token that a message contained, so that a
     * user's text never becomes a special token.
     */
    public record Prompt(List<String> pieces) {
        public Prompt {
            pieces = List.copyOf(pieces);
        }

        /** The whole text. */
        public String text() {
            return String.join("", pieces);
        }
    }

    /** A conversation that the template refuses, such as one with roles that it has no place for, or cannot render within bounds. */
    public static final class Refused extends IllegalArgumentException {
        Refused(String why, @Nullable Throwable cause) {
            super(why, cause);
        }
    }

    private static final JsonMapper JSON = JsonMapper.shared();
    private static final char FIRST_BORDER = '\uFDD0';

    private final JinjaTemplate template;
    private final String source;
    private final Map<String, String> markNames;
    private final Marks marks;
    private final InstantSource clock;

    private ChatTemplate(
            JinjaTemplate template, String source, Map<String, String> markNames, Marks marks, InstantSource clock) {
        this.template = template;
        this.source = source;
        this.markNames = markNames;
        this.marks = marks;
        this.clock = clock;
    }

    /**
     * @param source Jinja
     * @param markNames what the template may write by name, such as {@code bos_token} and {@code eos_token}
     * @param marks texts of the model's special tokens ({@link Tokenizer#specialTokens})
     * @param clock for templates that tell the model the date, in UTC
     * @throws IllegalArgumentException when the template cannot be read
     */
    public static ChatTemplate of(
            String source, Map<String, String> markNames, Set<String> marks, InstantSource clock) {
        for (String mark : marks) {
            if (mark.codePointCount(0, mark.length()) < 2) {
                throw new IllegalArgumentException("the special token '" + mark
                        + "' is a single character, which no border can keep out of a message");
            }
        }
        try {
            return new ChatTemplate(
                    JinjaTemplate.parse(source), source, Map.copyOf(markNames), new Marks(marks), clock);
        } catch (JinjaException unreadable) {
            throw new IllegalArgumentException(
                    "the chat template cannot be read: " + unreadable.getMessage(), unreadable);
        }
    }

    /** The Jinja source. */
    public String source() {
        return source;
    }

    /**
     * @param addGenerationPrompt whether the prompt ends where the assistant begins to speak
     * @throws Refused when the template refuses the conversation, or takes too much for it
     */
    public Prompt render(List<ChatMessage> messages, List<ToolDefinition> tools, boolean addGenerationPrompt) {
        Conversation conversation = new Conversation(border(messages, tools));
        Map<String, @Nullable Object> values = new HashMap<>(markNames);
        values.put("messages", conversation.messages(messages));
        values.put("tools", tools.isEmpty() ? null : conversation.tools(tools));
        values.put("documents", null);
        values.put("add_generation_prompt", addGenerationPrompt);
        Instant now = clock.instant();
        try {
            String text = template.render(
                    values, Map.of("strftime_now", format -> date(format, now)), conversation.characters);
            return new Prompt(Arrays.stream(text.split(String.valueOf(conversation.border)))
                    .filter(piece -> !piece.isEmpty())
                    .toList());
        } catch (JinjaException refused) {
            throw new Refused(
                    refused.isRaisedByTemplate()
                            ? "the model's chat template refuses this conversation: " + refused.getMessage()
                            : "the model's chat template cannot render this conversation: " + refused.getMessage(),
                    refused);
        }
    }

    /** A character that the conversation doesn't hold, to mark places with. */
    private static char border(List<ChatMessage> messages, List<ToolDefinition> tools) {
        String all = messages + "" + tools; // names every text of them
        for (char c = FIRST_BORDER; JinjaTemplate.isBorder(c); c++) {
            if (all.indexOf(c) < 0) return c;
        }
        throw new Refused(
                "the conversation holds all 32 characters from U+FDD0 on, which are no text; leave one out", null);
    }

    /** Turns a conversation into the values that templates expect, with a border inside each mark. */
    private final class Conversation {
        private final char border;
        private long characters;

        Conversation(char border) {
            this.border = border;
        }

        List<Object> messages(List<ChatMessage> messages) {
            List<Object> list = new ArrayList<>();
            for (ChatMessage message : messages) {
                Map<String, Object> map = new LinkedHashMap<>();
                map.put("role", guarded(message.role()));
                map.put("content", guarded(message.content()));
                if (!message.toolCalls().isEmpty()) {
                    map.put(
                            "tool_calls",
                            message.toolCalls().stream().map(this::call).toList());
                }
                if (message.toolCallId() != null) map.put("tool_call_id", guarded(message.toolCallId()));
                if (message.name() != null) map.put("name", guarded(message.name()));
                list.add(map);
            }
            return list;
        }

        private Object call(ToolCall call) {
            Map<String, @Nullable Object> function = new LinkedHashMap<>();
            function.put("name", guarded(call.name()));
            function.put("arguments", json(call.arguments()));
            Map<String, @Nullable Object> map = new LinkedHashMap<>();
            map.put("id", guarded(call.id()));
            map.put("type", "function");
            map.put("function", function);
            return map;
        }

        List<Object> tools(List<ToolDefinition> tools) {
            List<Object> list = new ArrayList<>();
            for (ToolDefinition tool : tools) {
                Map<String, @Nullable Object> function = new LinkedHashMap<>();
                function.put("name", guarded(tool.name()));
                if (tool.description() != null) function.put("description", guarded(tool.description()));
                function.put("parameters", json(tool.parameters()));
                Map<String, @Nullable Object> map = new LinkedHashMap<>();
                map.put("type", "function");
                map.put("function", function);
                list.add(map);
            }
            return list;
        }

        /** Templates take arguments apart; a text that is no JSON, as a model may have written it, stays a text. */
        private @Nullable Object json(String text) {
            try {
                return value(JSON.readTree(text));
            } catch (JacksonException malformed) {
                return guarded(text);
            }
        }

        private @Nullable Object value(JsonNode node) {
            return switch (node.getNodeType()) {
                case NULL, MISSING -> null;
                case BOOLEAN -> node.asBoolean();
                case NUMBER -> {
                    if (!node.isIntegralNumber()) yield node.asDouble();
                    BigInteger whole = node.bigIntegerValue();
                    yield whole.bitLength() < Long.SIZE ? (Object) whole.longValue() : whole;
                }
                case ARRAY -> {
                    List<@Nullable Object> list = new ArrayList<>();
                    node.forEach(item -> list.add(value(item)));
                    yield list;
                }
                case OBJECT -> {
                    Map<String, @Nullable Object> map = new LinkedHashMap<>();
                    node.properties().forEach(entry -> map.put(guarded(entry.getKey()), value(entry.getValue())));
                    yield map;
                }
                default -> guarded(node.asString());
            };
        }

        /** The text with a border after the first character of each mark in it. */
        private String guarded(String text) {
            characters += text.length();
            StringBuilder guarded = new StringBuilder(text.length() + 8);
            int taken = 0;
            for (int i = 0; i < text.length(); i++) {
                if (!marks.beginAt(text, i)) continue;
                if (Character.isHighSurrogate(text.charAt(i))) i++;
                guarded.append(text, taken, i + 1).append(border);
                taken = i + 1;
            }
            return guarded.append(text, taken, text.length()).toString();
        }
    }

    /** What {@code strftime} of C prints, of the directives that templates use; others are refused. */
    private static String date(String format, Instant now) {
        ZonedDateTime time = now.atZone(ZoneOffset.UTC);
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < format.length(); i++) {
            char c = format.charAt(i);
            if (c != '%' || i + 1 == format.length()) {
                out.append(c);
                continue;
            }
            char directive = format.charAt(++i);
            boolean bare = directive == '-' && i + 1 < format.length();
            if (bare) directive = format.charAt(++i);
            String pattern =
                    switch (directive) {
                        case 'Y' -> "uuuu";
                        case 'y' -> "uu";
                        case 'm' -> bare ? "M" : "MM";
                        case 'd' -> bare ? "d" : "dd";
                        case 'H' -> bare ? "H" : "HH";
                        case 'I' -> bare ? "h" : "hh";
                        case 'M' -> bare ? "m" : "mm";
                        case 'S' -> bare ? "s" : "ss";
                        case 'j' -> bare ? "D" : "DDD";
                        case 'B' -> "MMMM";
                        case 'b' -> "MMM";
                        case 'A' -> "EEEE";
                        case 'a' -> "EEE";
                        case 'p' -> "a";
                        case 'F' -> "uuuu-MM-dd";
                        case 'T' -> "HH:mm:ss";
                        case '%' -> "'%'";
                        default ->
                            throw new Refused(
                                    "the model's chat template asks for the date as " + format + ", of which %"
                                            + directive + " is not known",
                                    null);
                    };
            out.append(DateTimeFormatter.ofPattern(pattern, Locale.ENGLISH).format(time));
        }
        return out.toString();
    }
}
