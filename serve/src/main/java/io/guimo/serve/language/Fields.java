package io.guimo.serve.language;

import io.guimo.inference.generate.Constraint;
import io.guimo.inference.generate.Sampling;
import io.guimo.serve.http.RefusedException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.TokenStreamContext;

/** Checks of the fields that several wire formats share. Each refusal names the field, its value and what is permitted. */
final class Fields {
    static final int MOST_CHOICES = 8;
    private static final int MOST_STOPS = 16;
    private static final int MOST_STOP_CHARACTERS = 1000;
    private static final int MOST_BIASES = 1024;
    private static final long MOST_TOKENS = 1_000_000_000;

    private Fields() {}

    static double number(String name, @Nullable Double value, double least, double most, double otherwise) {
        if (value == null) return otherwise;
        if (!(value >= least && value <= most)) {
            throw invalid(name, "'" + name + "' is " + plain(value) + "; write " + plain(least) + " to " + plain(most));
        }
        return value;
    }

    static double overZero(String name, @Nullable Double value, double most, double otherwise) {
        if (value == null) return otherwise;
        if (!(value > 0 && value <= most)) {
            throw invalid(name, "'" + name + "' is " + plain(value) + "; write more than 0, to " + plain(most));
        }
        return value;
    }

    static long whole(String name, @Nullable Long value, long least, long most, long otherwise) {
        if (value == null) return otherwise;
        if (value < least || value > most) {
            throw invalid(name, "'" + name + "' is " + value + "; write " + least + " to " + most);
        }
        return value;
    }

    /** At least 1; what is beyond a context's size is cut to it later. Null: not given. */
    static @Nullable Integer tokens(String name, @Nullable Long value) {
        if (value == null) return null;
        return Math.toIntExact(whole(name, value, 1, MOST_TOKENS, 1));
    }

    static boolean flag(@Nullable Boolean value) {
        return value != null && value;
    }

    /** @param biases by token id, as text */
    static Map<Integer, Double> logitBias(@Nullable Map<String, Double> biases, int vocabularySize) {
        if (biases == null) return Map.of();
        if (biases.size() > MOST_BIASES) {
            throw invalid("logit_bias", "'logit_bias' has " + biases.size() + " tokens; give at most " + MOST_BIASES);
        }
        Map<Integer, Double> byId = new HashMap<>();
        biases.forEach((token, bias) -> {
            String at = "logit_bias." + token;
            int id = token.matches("\\d{1,9}") ? Integer.parseInt(token) : -1;
            if (id < 0 || id >= vocabularySize) {
                throw invalid(at, "'" + at + "' is no token of this model; its ids are 0 to " + (vocabularySize - 1));
            }
            byId.put(id, number(at, bias, -100, 100, 0));
        });
        return byId;
    }

    static List<String> stops(String name, @Nullable List<String> stops) {
        if (stops == null) return List.of();
        if (stops.size() > MOST_STOPS) {
            throw invalid(name, "'" + name + "' has " + stops.size() + " texts; give at most " + MOST_STOPS);
        }
        for (int i = 0; i < stops.size(); i++) {
            int length = stops.get(i).length();
            if (length == 0 || length > MOST_STOP_CHARACTERS) {
                throw invalid(
                        name,
                        "'" + name + "' has a text of " + length + " characters; give 1 to " + MOST_STOP_CHARACTERS);
            }
        }
        return stops;
    }

    /** OpenAI's sampling with the further cuts that open models are used to. */
    static Sampling sampling(
            @Nullable Double temperature,
            @Nullable Double topP,
            @Nullable Long topK,
            @Nullable Double minP,
            @Nullable Double frequencyPenalty,
            @Nullable Double presencePenalty,
            @Nullable Double repetitionPenalty,
            Map<Integer, Double> logitBias,
            @Nullable Long seed) {
        return new Sampling(
                number("temperature", temperature, 0, 2, 1),
                Math.toIntExact(whole("top_k", topK, 0, Integer.MAX_VALUE, 0)),
                topP == null || topP > 0 ? number("top_p", topP, 0, 1, 1) : overZero("top_p", topP, 1, 1),
                number("min_p", minP, 0, 1, 0),
                number("frequency_penalty", frequencyPenalty, -2, 2, 0),
                number("presence_penalty", presencePenalty, -2, 2, 0),
                overZero("repetition_penalty", repetitionPenalty, 2, 1),
                logitBias,
                seed);
    }

    /** As OpenAI's {@code response_format}, or what stands in {@code text.format} of its responses. */
    static @Nullable Constraint constraint(String name, String type, @Nullable Object schema) {
        return switch (type) {
            case "text" -> null;
            case "json_object" -> new Constraint.JsonObject();
            case "json_schema" -> {
                if (schema == null) {
                    throw new RefusedException(new io.guimo.serve.http.Refusal.InvalidRequest(
                            "'" + name + "' needs a schema", name, "missing_required_parameter"));
                }
                yield new Constraint.JsonSchema(schema.toString());
            }
            default ->
                throw invalid(
                        name + ".type",
                        "'" + name + ".type' is '" + type + "'; write text, json_object or json_schema");
        };
    }

    /** Where the value that begins at the parser's token stands, such as {@code messages[0].content}. */
    static String path(JsonParser in) {
        TokenStreamContext at = in.streamReadContext();
        boolean inside = in.currentToken() == JsonToken.START_ARRAY || in.currentToken() == JsonToken.START_OBJECT;
        String pointer = (inside ? at.getParent() : at).pathAsPointer().toString();
        return pointer.replaceAll("/(\\d+)", "[$1]").replace('/', '.').substring(1);
    }

    static RefusedException invalid(String name, String message) {
        return RefusedException.invalid(message, name, "invalid_value");
    }

    static RefusedException unsupported(String name, String message) {
        return RefusedException.invalid(message, name, "unsupported_parameter");
    }

    private static String plain(double value) {
        return value == Math.rint(value) && Math.abs(value) < 1e15
                ? Long.toString((long) value)
                : Double.toString(value);
    }
}
