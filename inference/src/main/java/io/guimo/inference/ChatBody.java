package io.guimo.inference;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.core.json.JsonWriteFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * Reads and edits chat completion bodies by walking over their tokens once: what is not edited stays byte for byte what the client sent, fields that
 * this code has never heard of included.
 */
final class ChatBody {
    private static final JsonFactory JSON = JsonFactory.builder().build();
    private static final JsonMapper TEXT =
            JsonMapper.builder().enable(JsonWriteFeature.ESCAPE_NON_ASCII).build();

    /** A stretch of the body to be replaced; by the model's name at the upstream where there is no replacement. */
    private record Edit(int from, int to, @Nullable String replacement) {}

    private ChatBody() {}

    /** A request that was read once and can be written for any upstream. */
    static final class Request {
        private final byte[] body;
        private final List<Edit> edits;
        private final boolean wantsUsage;
        private final long prefix;

        private Request(byte[] body, List<Edit> edits, boolean wantsUsage, long prefix) {
            this.body = body;
            this.edits = edits;
            this.wantsUsage = wantsUsage;
            this.prefix = prefix;
        }

        /** Whether the client itself asked for the chunk with the usage. */
        boolean wantsUsage() {
            return wantsUsage;
        }

        /** Stands for the conversation's beginning, up to the first message of a user; 0 where nobody asked for it. */
        long prefix() {
            return prefix;
        }

        /** As the client sent it. */
        byte[] asSent() {
            return body;
        }

        /** As an upstream gets it that knows the model by this name, which is {@link #quoted}. */
        byte[] as(byte[] quotedModel) {
            return edits.isEmpty() ? body : apply(body, edits, quotedModel);
        }

        /** As it is, with its limit. */
        byte[] limited() {
            List<Edit> others =
                    edits.stream().filter(e -> e.replacement != null).toList();
            return others.isEmpty() ? body : apply(body, others, new byte[0]);
        }
    }

    /**
     * @param maxOutputTokens added when the request names no limit
     * @param stream          whether a final chunk with the usage must be asked for
     * @param withPrefix      whether the conversation's beginning is wanted
     * @throws InvalidInput if the body is no JSON object
     */
    static Request read(byte[] body, int maxOutputTokens, boolean stream, boolean withPrefix) {
        List<Edit> edits = new ArrayList<>(4);
        boolean limited = false;
        @Nullable Edit nullLimit = null;
        boolean wantsUsage = false;
        boolean optionsWritten = false;
        boolean anyField = false;
        long prefix = 0;
        int open;
        try (JsonParser parser = JSON.createParser(ObjectReadContext.empty(), body)) {
            if (parser.nextToken() != JsonToken.START_OBJECT)
                throw new InvalidInput(-1, "the request's body is not a JSON object");
            open = (int) parser.currentLocation().getByteOffset();
            while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
                anyField = true;
                String name = parser.currentName();
                JsonToken value = parser.nextToken();
                int from = (int) parser.currentTokenLocation().getByteOffset();
                switch (name) {
                    case "model" -> {
                        skip(parser);
                        edits.add(new Edit(from, end(parser), null));
                    }
                    case "max_tokens", "max_completion_tokens" -> {
                        skip(parser);
                        if (value != JsonToken.VALUE_NULL) limited = true;
                        else if (name.equals("max_tokens"))
                            nullLimit = new Edit(from, end(parser), Integer.toString(maxOutputTokens));
                    }
                    case "stream_options" -> {
                        wantsUsage = readIncludeUsage(parser, value);
                        if (stream) edits.add(new Edit(from, end(parser), "{\"include_usage\":true}"));
                        optionsWritten = true;
                    }
                    case "messages" -> {
                        if (withPrefix && value == JsonToken.START_ARRAY)
                            prefix = Prefixes.hash(body, from, readBeginning(parser));
                        else skip(parser);
                    }
                    default -> skip(parser);
                }
            }
        } catch (JacksonException e) {
            throw new InvalidInput(-1, "the request's body is not JSON: " + e.getOriginalMessage());
        }
        String added = "";
        // Of two fields of one name readers take the last: a limit that stands there as null is written over, not
        // written twice.
        if (!limited && nullLimit != null) edits.add(nullLimit);
        else if (!limited) added += "\"max_tokens\":" + maxOutputTokens;
        if (stream && !optionsWritten) {
            added += (added.isEmpty() ? "" : ",") + "\"stream_options\":{\"include_usage\":true}";
        }
        if (!added.isEmpty()) edits.add(new Edit(open, open, added + (anyField ? "," : "")));
        edits.sort(Comparator.comparingInt(Edit::from));
        return new Request(body, edits, wantsUsage, prefix);
    }

    /**
     * Reads the list of messages to its end.
     *
     * @return where the first message of a user ends, or the list
     */
    private static int readBeginning(JsonParser parser) {
        int beginning = -1;
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            if (beginning >= 0 || parser.currentToken() != JsonToken.START_OBJECT) {
                parser.skipChildren();
                continue;
            }
            boolean user = false;
            while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
                boolean role = parser.currentName().equals("role");
                JsonToken value = parser.nextToken();
                if (role && value == JsonToken.VALUE_STRING)
                    user = parser.getString().equals("user");
                else parser.skipChildren();
            }
            if (user) beginning = end(parser);
        }
        return beginning >= 0 ? beginning : end(parser);
    }

    private static boolean readIncludeUsage(JsonParser parser, JsonToken value) {
        if (value != JsonToken.START_OBJECT) {
            skip(parser);
            return false;
        }
        boolean wanted = false;
        while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
            boolean usage = parser.currentName().equals("include_usage");
            wanted |= parser.nextToken() == JsonToken.VALUE_TRUE && usage;
            skip(parser);
        }
        return wanted;
    }

    /** Leaves the parser behind the value that it stands on. Text is decoded lazily: its end is known only once it was read. */
    private static void skip(JsonParser parser) {
        parser.skipChildren();
        parser.finishToken();
    }

    private static int end(JsonParser parser) {
        return (int) parser.currentLocation().getByteOffset();
    }

    /** A name as JSON text. */
    static byte[] quoted(String name) {
        return TEXT.writeValueAsBytes(name);
    }

    private static byte[] apply(byte[] body, List<Edit> edits, byte[] quotedModel) {
        ByteArrayOutputStream out = new ByteArrayOutputStream(body.length + 128);
        int copied = 0;
        for (Edit edit : edits) {
            out.write(body, copied, edit.from - copied);
            out.writeBytes(edit.replacement == null ? quotedModel : edit.replacement.getBytes(StandardCharsets.UTF_8));
            copied = edit.to;
        }
        out.write(body, copied, body.length - copied);
        return out.toByteArray();
    }

    /**
     * The tokens of an object as the field {@code usage} has it.
     *
     * @return {@link ChatUsage#NONE} if the bytes are no such JSON, or it does not count both the prompt and the answer: what cannot be read was not
     *         reported, and is not nothing
     */
    static ChatUsage usage(byte[] json, int from, int to) {
        try (JsonParser parser = JSON.createParser(ObjectReadContext.empty(), json, from, to - from)) {
            return parser.nextToken() == JsonToken.START_OBJECT ? readUsage(parser) : ChatUsage.NONE;
        } catch (JacksonException notReported) {
            return ChatUsage.NONE;
        }
    }

    private static ChatUsage readUsage(JsonParser parser) {
        long prompt = -1;
        long cached = 0;
        long output = -1;
        while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
            String name = parser.currentName();
            JsonToken value = parser.nextToken();
            if (name.equals("prompt_tokens")) prompt = count(parser, value);
            else if (name.equals("completion_tokens")) output = count(parser, value);
            else if (name.equals("prompt_tokens_details") && value == JsonToken.START_OBJECT)
                cached = readCached(parser);
            else parser.skipChildren();
        }
        if (prompt < 0 || output < 0) return ChatUsage.NONE;
        // More from the cache than in the prompt is no statement at all: then nothing counts as cached.
        if (cached < 0 || cached > prompt) cached = 0;
        return new ChatUsage(prompt - cached, cached, output, true);
    }

    private static long readCached(JsonParser parser) {
        long cached = 0;
        while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
            boolean wanted = parser.currentName().equals("cached_tokens");
            JsonToken value = parser.nextToken();
            if (wanted) cached = count(parser, value);
            else parser.skipChildren();
        }
        return cached;
    }

    private static long count(JsonParser parser, JsonToken value) {
        return value == JsonToken.VALUE_NUMBER_INT ? parser.getLongValue() : -1;
    }
}
