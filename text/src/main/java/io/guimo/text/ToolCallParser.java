package io.guimo.text;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Finds the calls of tools in one answer while it is written. What the events say together does not depend on how the text is cut. A call whose name
 * comes first, as models are taught, is told while its arguments are written; one written otherwise once it is whole. What is no well-formed call of a
 * known tool is text, with all its marks; so is what follows a call's arguments and should not. Blanks between calls, and between a call and the text
 * before it, are dropped. Whether arguments are what the tool takes is not looked at. Used by one thread.
 */
public final class ToolCallParser {
    private static final String BEGINNING =
            "\\{\\s*+(?:\"type\"\\s*+:\\s*+\"function\"\\s*+,\\s*+)?+\"name\"\\s*+:\\s*+\"([^\"\\\\]*+)\"\\s*+,\\s*+\"(?:arguments|parameters)\"\\s*+:\\s*+(?=\\{)";
    private static final Pattern FIRST = Pattern.compile("\\s*+(\\[?+)\\s*+" + BEGINNING);
    private static final Pattern FURTHER = Pattern.compile("\\s*+()" + BEGINNING);
    private static final Pattern BARE = Pattern.compile("\\s*+;?+\\s*+(?:<\\|python_tag\\|>)?+\\s*+(?=\\{)");
    private static final Pattern BARE_TAIL = Pattern.compile("\\s*+\\}()");
    private static final Pattern TAIL = Pattern.compile("\\s*+\\}\\s*+</tool_call>()");
    private static final Pattern LIST_TAIL = Pattern.compile("\\s*+\\}\\s*+(?:(,)|\\]\\s*+</tool_call>)");
    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private enum State {
        /** Beside calls, where the next may begin. */
        BESIDE,
        /** Up to the arguments. */
        HEAD,
        /** In a call that does not begin as taught: it is read once it is whole. */
        ODD,
        ARGUMENTS,
        /** Behind the arguments. */
        TAIL,
        /** Where no call can begin any more. */
        TEXT
    }

    private final ToolFormat format;
    private final Set<String> names;
    private final Supplier<String> ids;
    private final StringBuilder held = new StringBuilder();
    private final List<ToolCallEvent> events = new ArrayList<>();
    private State state = State.BESIDE;

    /** In {@link #held}, where the call stands behind its mark. */
    private int callAt;

    private boolean inList;
    private boolean further;
    private int scanned;
    private int depth;
    private boolean inString;
    private boolean escaped;
    private int ended;
    private boolean textSinceCall = true;

    ToolCallParser(ToolFormat format, Set<String> names, Supplier<String> ids) {
        this.format = format;
        this.names = Set.copyOf(names);
        this.ids = ids;
    }

    /** What is known with this further text. */
    public List<ToolCallEvent> add(String text) {
        held.append(text);
        while (step(false)) {}
        return taken();
    }

    /** What was held back, when nothing follows. A call that was cut off within its arguments ends as it stands. */
    public List<ToolCallEvent> end() {
        while (step(true)) {}
        return taken();
    }

    /** Characters at the end of the text that are not told of yet. */
    public int held() {
        return held.length();
    }

    /** Calls that have ended. */
    public int ended() {
        return ended;
    }

    private List<ToolCallEvent> taken() {
        List<ToolCallEvent> taken = List.copyOf(events);
        events.clear();
        return taken;
    }

    /** @return whether there is more to do with what is held */
    private boolean step(boolean last) {
        return switch (state) {
            case BESIDE -> format == ToolFormat.LLAMA ? bareBeside(last) : beside(last);
            case HEAD -> head(last);
            case ODD -> odd(last);
            case ARGUMENTS -> arguments(last);
            case TAIL -> tail(last);
            case TEXT -> {
                int from = last ? held.length() : trimmed(held.length());
                text(from);
                yield false;
            }
        };
    }

    private boolean beside(boolean last) {
        int mark = held.indexOf(format.open);
        if (mark >= 0) {
            text(trimmed(mark));
            callAt = held.indexOf(format.open) + format.open.length();
            begin(false);
            return true;
        }
        text(last ? held.length() : trimmed(held.length() - begunMark()));
        return false;
    }

    private boolean bareBeside(boolean last) {
        Matcher start = BARE.matcher(held);
        if (start.lookingAt()) {
            callAt = start.end();
            begin(false);
            return true;
        }
        if (mayStillMatch(start) && !last) return false;
        state = State.TEXT;
        return true;
    }

    /** How much of the opening mark stands at the end. */
    private int begunMark() {
        for (int length = Math.min(format.open.length() - 1, held.length()); length > 0; length--) {
            if (format.open.startsWith(held.substring(held.length() - length))) return length;
        }
        return 0;
    }

    private void begin(boolean furtherOfList) {
        state = State.HEAD;
        further = furtherOfList;
        if (!furtherOfList) inList = false;
        scanned = 0;
    }

    private boolean head(boolean last) {
        Matcher head = (further ? FURTHER : FIRST).matcher(held).region(callAt, held.length());
        if (head.lookingAt() && names.contains(head.group(2))) {
            if (!head.group(1).isEmpty()) inList = true;
            events.add(new ToolCallEvent.Begin(ids.get(), head.group(2)));
            held.delete(0, head.end());
            state = State.ARGUMENTS;
            return true;
        }
        if (mayStillMatch(head) && !last) return false;
        state = State.ODD;
        return true;
    }

    private boolean odd(boolean last) {
        int close = format.close.isEmpty()
                ? -1
                : held.indexOf(format.close, Math.max(callAt, scanned - format.close.length()));
        scanned = held.length();
        if (close < 0 && !last) return false;
        int end = close < 0 ? held.length() : close;
        List<ToolCall> calls = calls((further && inList ? "[" : "") + held.substring(callAt, end));
        int consumed = close < 0 ? held.length() : close + format.close.length();
        state = State.BESIDE;
        if (calls.isEmpty()) {
            text(consumed);
            return true;
        }
        for (ToolCall call : calls) {
            events.add(new ToolCallEvent.Begin(call.id(), call.name()));
            events.add(new ToolCallEvent.Arguments(call.arguments()));
            callEnds();
        }
        held.delete(0, consumed);
        return true;
    }

    /** All calls of a text, or none where one of them is none. */
    private List<ToolCall> calls(String json) {
        List<ToolCall> calls = new ArrayList<>();
        try {
            JsonNode whole = JSON.readTree(json);
            for (JsonNode call : whole.isArray() ? whole : List.of(whole)) {
                String name = call.path("name").asString("");
                JsonNode arguments = call.has("arguments") ? call.get("arguments") : call.path("parameters");
                if (!names.contains(name) || !arguments.isObject()) return List.of();
                calls.add(new ToolCall(ids.get(), name, arguments.toString()));
            }
        } catch (JacksonException malformed) {
            return List.of();
        }
        return calls;
    }

    private boolean arguments(boolean last) {
        int i = 0;
        boolean whole = false;
        while (i < held.length() && !whole) {
            char c = held.charAt(i++);
            if (escaped) escaped = false;
            else if (inString) {
                if (c == '\\') escaped = true;
                else if (c == '"') inString = false;
            } else if (c == '"') inString = true;
            else if (c == '{' || c == '[') depth++;
            else if (c == '}' || c == ']') whole = --depth == 0;
        }
        if (i > 0) events.add(new ToolCallEvent.Arguments(held.substring(0, i)));
        held.delete(0, i);
        if (whole) {
            state = State.TAIL;
            return true;
        }
        if (last) {
            depth = 0;
            inString = false;
            escaped = false;
            callEnds();
            state = State.BESIDE;
        }
        return false;
    }

    private boolean tail(boolean last) {
        Matcher tail = (format == ToolFormat.LLAMA ? BARE_TAIL : inList ? LIST_TAIL : TAIL).matcher(held);
        if (tail.lookingAt()) {
            callEnds();
            boolean more = ",".equals(tail.group(1));
            held.delete(0, tail.end());
            callAt = 0;
            if (more) begin(true);
            else state = State.BESIDE;
            return true;
        }
        if (mayStillMatch(tail)) {
            if (!last) return false;
            callEnds();
            held.setLength(0); // a part of the closing marks
            state = State.BESIDE;
            return false;
        }
        callEnds();
        state = State.BESIDE;
        return true;
    }

    private void callEnds() {
        events.add(new ToolCallEvent.End());
        ended++;
        textSinceCall = false;
    }

    /** Tells so much of what is held as text, unless it is only blanks behind a call. */
    private void text(int length) {
        if (length == 0) return;
        String text = held.substring(0, length);
        held.delete(0, length);
        if (!textSinceCall && text.isBlank()) return;
        textSinceCall = true;
        events.add(new ToolCallEvent.Text(text));
    }

    /** After a match that failed: whether more text could change that. */
    @SuppressWarnings("JdkObsolete") // meant for text that comes in pieces, which this is
    private static boolean mayStillMatch(Matcher failed) {
        return failed.hitEnd();
    }

    /** Where the blanks before a place begin. */
    private int trimmed(int end) {
        int from = end;
        while (from > 0 && Character.isWhitespace(held.charAt(from - 1))) from--;
        return from;
    }
}
