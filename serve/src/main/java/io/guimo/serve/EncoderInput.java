package io.guimo.serve;

import io.guimo.inference.InvalidInput;
import io.guimo.inference.TextEncoder;
import io.guimo.serve.http.RefusedException;
import java.util.List;

/** Texts and token ids for an encoder, refused where it could not read them. */
public final class EncoderInput {
    private EncoderInput() {}

    /**
     * Token ids of each text.
     *
     * @param param field that the texts came in
     * @throws RefusedException if there are none or too many, or one is empty or too long
     */
    public static List<int[]> ofTexts(TextEncoder model, List<String> texts, String param) {
        checkCount(model, texts.size(), param);
        try {
            return checked(model, model.tokenize(texts), param);
        } catch (InvalidInput e) {
            throw new RefusedException(EngineRefusals.refusal(e, param));
        }
    }

    /** The same ids, if the encoder can read them. */
    static List<int[]> checked(TextEncoder model, List<int[]> tokens, String param) {
        checkCount(model, tokens.size(), param);
        for (int i = 0; i < tokens.size(); i++) {
            int length = tokens.get(i).length;
            if (length >= 1 && length <= model.maxTokens()) continue;
            throw RefusedException.invalid(
                    "'" + param + "[" + i + "]' has " + length + " tokens; '" + model.name() + "' reads 1 to "
                            + model.maxTokens() + (length == 0 ? "" : ", so split the text"),
                    param + "[" + i + "]",
                    length == 0 ? "invalid_value" : "context_length_exceeded");
        }
        return tokens;
    }

    private static void checkCount(TextEncoder model, int count, String param) {
        if (count == 0) {
            throw RefusedException.invalid("'" + param + "' is empty; give at least one text", param, "invalid_value");
        }
        if (count > model.maxTexts()) {
            throw RefusedException.invalid(
                    "'" + param + "' has " + count + " texts; '" + model.name() + "' takes 1 to " + model.maxTexts()
                            + " at once",
                    param,
                    "too_many_inputs");
        }
    }
}
