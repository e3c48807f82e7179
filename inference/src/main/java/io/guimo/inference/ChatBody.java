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

    /** A stretch of the body to be replaced. */
    private record Edit(int from, int to, String replacement) {}

    private ChatBody() {}

    /**
     * A request as the upstream gets it.
     *
     * @param wantsUsage whether the client itself asked for the chunk with the usage
     */
    @SuppressWarnings("ArrayRecordComponent") // handed on, never compared
    record Forwarded(byte[] body, boolean wantsUsage) {}

    /**
     * @param model           replaces the model's name; null leaves it
     * @param maxOutputTokens added when the request names no limit
     * @param stream          whether a final chunk with the usage must be asked for
     * @throws InvalidInput if the body is no JSON object
     */
    static Forwarded forward(byte[] body, @Nullable String model, int maxOutputTokens, boolean stream) {
        List<Edit> edits = new ArrayList<>();
        boolean limited = false;
        @Nullable Edit nullLimit = null;
        boolean wantsUsage = false;
        boolean anyField = false;
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
                        if (model != null) edits.add(new Edit(from, end(parser), TEXT.writeValueAsString(model)));
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
        if (stream && edits.stream().noneMatch(e -> e.replacement.startsWith("{"))) {
            added += (added.isEmpty() ? "" : ",") + "\"stream_options\":{\"include_usage\":true}";
        }
        if (!added.isEmpty()) edits.add(new Edit(open, open, added + (anyField ? "," : "")));
        return new Forwarded(edits.isEmpty() ? body : apply(body, edits), wantsUsage);
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

    private static byte[] apply(byte[] body, List<Edit> edits) {
        edits.sort(Comparator.comparingInt(Edit::from));
        ByteArrayOutputStream out = new ByteArrayOutputStream(body.length + 128);
        int copied = 0;
        for (Edit edit : edits) {
            out.write(body, copied, edit.from - copied);
            out.writeBytes(edit.replacement.getBytes(StandardCharsets.UTF_8));
            copied = edit.to;
        }
        out.write(body, copied, body.length - copied);
        return out.toByteArray();
    }

    /**
     * The field {@code usage} of an answer or of a stream's chunk.
     *
     * @return {@link ChatUsage#NONE} if there is none, or the bytes are no such JSON: what cannot be read was not reported
     */
    static ChatUsage usage(byte[] json) {
        try (JsonParser parser = JSON.createParser(ObjectReadContext.empty(), json)) {
            if (parser.nextToken() != JsonToken.START_OBJECT) return ChatUsage.NONE;
            while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
                boolean usage = parser.currentName().equals("usage");
                if (parser.nextToken() == JsonToken.START_OBJECT && usage) return readUsage(parser);
                parser.skipChildren();
            }
            return ChatUsage.NONE;
        } catch (JacksonException notReported) {
            return ChatUsage.NONE;
        }
    }

    private static ChatUsage readUsage(JsonParser parser) {
        long prompt = 0;
        long cached = 0;
        long output = 0;
        while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
            String name = parser.currentName();
            JsonToken value = parser.nextToken();
            if (name.equals("prompt_tokens")) prompt = count(parser, value);
            else if (name.equals("completion_tokens")) output = count(parser, value);
            else if (name.equals("prompt_tokens_details") && value == JsonToken.START_OBJECT)
                cached = readCached(parser);
            else parser.skipChildren();
        }
        // More from the cache than in the prompt is no statement at all: then nothing counts as cached.
        if (cached > prompt) cached = 0;
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
        return value == JsonToken.VALUE_NUMBER_INT ? Math.max(0, parser.getLongValue()) : 0;
    }
}
