package io.guimo.serve;

import io.guimo.serve.http.Json;
import io.guimo.serve.http.RefusedException;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;

/**
 * What must be known of a chat completion request before it is forwarded; the rest of it is the upstream's to judge.
 *
 * @param maxTokens largest answer asked for, in tokens, or null
 * @param choices how many answers are asked for
 * @param messages how many messages there are
 * @param textBytes length of all messages' texts in UTF-8
 */
record ChatRequest(
        String model,
        boolean stream,
        boolean includeUsage,
        @Nullable Long maxTokens,
        int choices,
        int messages,
        long textBytes) {
    private static final Set<String> ROLES = Set.of("system", "developer", "user", "assistant", "tool", "function");
    private static final long MOST_TOKENS = 1_000_000;
    private static final int MOST_CHOICES = 8;
    private static final int MOST_MESSAGES = 10_000;

    /** @throws RefusedException naming the field at fault */
    static ChatRequest read(byte[] body) {
        return Json.scan(body, in -> {
            Scan scan = new Scan(in);
            scan.object();
            return scan.done();
        });
    }

    private static final class Scan {
        private final JsonParser in;
        private @Nullable String model;
        private boolean stream;
        private boolean includeUsage;
        private @Nullable Long maxTokens;
        private int choices = 1;
        private int messages = -1;
        private long textBytes;

        Scan(JsonParser in) {
            this.in = in;
        }

        void object() {
            if (in.nextToken() != JsonToken.START_OBJECT) {
                throw RefusedException.invalid("The body must be a JSON object", null, "invalid_type");
            }
            while (in.nextToken() != JsonToken.END_OBJECT) {
                String name = in.currentName();
                JsonToken value = in.nextToken();
                switch (name) {
                    case "model" -> model = text(name);
                    case "stream" -> stream = value != JsonToken.VALUE_NULL && flag(name);
                    case "stream_options" -> streamOptions();
                    case "max_tokens", "max_completion_tokens" -> {
                        if (value != JsonToken.VALUE_NULL) maxTokens = whole(name, 1, MOST_TOKENS);
                    }
                    case "n" -> {
                        if (value != JsonToken.VALUE_NULL) choices = (int) whole(name, 1, MOST_CHOICES);
                    }
                    case "temperature" -> number(name, 2);
                    case "top_p" -> number(name, 1);
                    case "messages" -> messages();
                    default -> in.skipChildren();
                }
            }
        }

        ChatRequest done() {
            if (model == null) throw missing("model");
            if (messages < 0) throw missing("messages");
            if (messages == 0) {
                throw RefusedException.invalid(
                        "'messages' is empty; give at least one message", "messages", "invalid_value");
            }
            return new ChatRequest(model, stream, includeUsage, maxTokens, choices, messages, textBytes);
        }

        private void messages() {
            if (in.currentToken() != JsonToken.START_ARRAY) throw wrong("messages", "a list of messages");
            messages = 0;
            while (in.nextToken() != JsonToken.END_ARRAY) {
                message("messages[" + messages + "]");
                if (++messages > MOST_MESSAGES) {
                    throw RefusedException.invalid(
                            "'messages' has more than " + MOST_MESSAGES + " messages", "messages", "invalid_value");
                }
            }
        }

        private void message(String at) {
            if (in.currentToken() != JsonToken.START_OBJECT) throw wrong(at, "an object with 'role' and 'content'");
            String role = null;
            while (in.nextToken() != JsonToken.END_OBJECT) {
                String name = in.currentName();
                in.nextToken();
                if (name.equals("role")) {
                    role = text(at + ".role");
                    if (!ROLES.contains(role)) {
                        throw RefusedException.invalid(
                                "'" + at + ".role' is '" + role + "'; write one of "
                                        + ROLES.stream().sorted().toList(),
                                at + ".role",
                                "invalid_value");
                    }
                } else {
                    content(at + "." + name);
                }
            }
            if (role == null) throw missing(at + ".role");
        }

        /** Any value; its texts are counted. Parts that are no text would be priced by the upstream in a way that cannot be foreseen. */
        private void content(String at) {
            int depth = 0;
            do {
                switch (in.currentToken()) {
                    case START_OBJECT, START_ARRAY -> depth++;
                    case END_OBJECT, END_ARRAY -> depth--;
                    case PROPERTY_NAME -> {
                        if (Set.of("image_url", "input_audio", "file").contains(in.currentName())) {
                            throw RefusedException.invalid(
                                    "'" + at + "' has a part '" + in.currentName() + "'; only text is forwarded",
                                    at,
                                    "unsupported_content");
                        }
                    }
                    case VALUE_STRING -> textBytes += in.getString().getBytes(StandardCharsets.UTF_8).length;
                    default -> {}
                }
            } while (depth > 0 && in.nextToken() != null);
        }

        private void streamOptions() {
            if (in.currentToken() == JsonToken.VALUE_NULL) return;
            if (in.currentToken() != JsonToken.START_OBJECT) throw wrong("stream_options", "an object");
            while (in.nextToken() != JsonToken.END_OBJECT) {
                String name = in.currentName();
                in.nextToken();
                if (name.equals("include_usage")) includeUsage = flag("stream_options.include_usage");
                else in.skipChildren();
            }
        }

        private String text(String name) {
            if (in.currentToken() != JsonToken.VALUE_STRING) throw wrong(name, "a text");
            return in.getString();
        }

        private boolean flag(String name) {
            return switch (in.currentToken()) {
                case VALUE_TRUE -> true;
                case VALUE_FALSE -> false;
                default -> throw wrong(name, "true or false");
            };
        }

        private long whole(String name, long least, long most) {
            if (in.currentToken() != JsonToken.VALUE_NUMBER_INT) throw wrong(name, "a whole number");
            long value = in.getLongValue();
            if (value < least || value > most) {
                throw RefusedException.invalid(
                        "'" + name + "' is " + value + "; write " + least + " to " + most, name, "invalid_value");
            }
            return value;
        }

        private void number(String name, int most) {
            if (in.currentToken() == JsonToken.VALUE_NULL) return;
            if (!in.currentToken().isNumeric()) throw wrong(name, "a number");
            double value = in.getDoubleValue();
            if (!(value >= 0 && value <= most)) {
                throw RefusedException.invalid(
                        "'" + name + "' is " + value + "; write 0 to " + most, name, "invalid_value");
            }
        }

        private static RefusedException wrong(String name, String wanted) {
            return RefusedException.invalid("'" + name + "' must be " + wanted, name, "invalid_type");
        }

        private static RefusedException missing(String name) {
            return RefusedException.invalid("'" + name + "' is required", name, "missing_required_parameter");
        }
    }
}
