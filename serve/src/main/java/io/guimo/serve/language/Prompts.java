package io.guimo.serve.language;

import io.guimo.inference.TextGenerator;
import io.guimo.serve.http.RefusedException;
import io.guimo.text.ChatMessage;
import io.guimo.text.ChatTemplate;
import io.guimo.text.ToolDefinition;
import io.guimo.text.ToolFormat;
import io.guimo.text.ToolsInText;
import java.util.List;
import java.util.Objects;
import java.util.function.Supplier;

/** What a model reads: a conversation or a text as its tokens, refused where it does not fit. */
final class Prompts {
    private static final long USUAL_CHARACTERS_PER_TOKEN = 16;

    private Prompts() {}

    /**
     * @param tools that the model is told of: by its template, or in the system message where that has no place for them
     * @param param the field that holds the conversation
     */
    static int[] ofConversation(
            TextGenerator model, List<ChatMessage> messages, List<ToolDefinition> tools, String param) {
        ChatTemplate template = model.chatTemplate()
                .orElseThrow(() -> RefusedException.invalid(
                        "The model '" + model.name()
                                + "' only continues text, it has no template for conversations; send it to POST /v1/completions",
                        "model",
                        "wrong_model_kind"));
        ChatTemplate.Prompt prompt;
        try {
            prompt = ToolFormat.of(template.source()).isPresent()
                    ? template.render(messages, tools, true)
                    : template.render(ToolsInText.written(messages, tools), List.of(), true);
        } catch (ChatTemplate.Refused refused) {
            throw Fields.invalid(param, Objects.requireNonNull(refused.getMessage()));
        }
        long characters = prompt.pieces().stream().mapToLong(String::length).sum();
        requireShort(model, characters, () -> String.join("", prompt.pieces()), param);
        return fitting(model, model.tokenizer().encode(prompt), param);
    }

    static int[] ofText(TextGenerator model, String text, String param) {
        requireShort(model, text.length(), () -> text, param);
        return fitting(model, model.tokenizer().encode(text), param);
    }

    static int[] ofTokens(TextGenerator model, int[] ids, String param) {
        int size = model.vocabulary().size();
        for (int id : ids) {
            if (id < 0 || id >= size) {
                throw Fields.invalid(
                        param, "'" + param + "' has the token id " + id + "; this model's are 0 to " + (size - 1));
            }
        }
        return fitting(model, ids, param);
    }

    /** A text that is far too long is refused without the time that its tokens would take. */
    private static void requireShort(TextGenerator model, long characters, Supplier<String> text, String param) {
        if (characters <= USUAL_CHARACTERS_PER_TOKEN * model.contextTokens()) return;
        if (model.tokenizer().count(text.get(), model.contextTokens()).isPresent()) return;
        throw RefusedException.invalid(
                "This model reads and writes at most " + model.contextTokens() + " tokens together, but '" + param
                        + "' alone has " + characters + " characters, which are more; shorten it",
                param,
                "context_length_exceeded");
    }

    private static int[] fitting(TextGenerator model, int[] ids, String param) {
        if (ids.length == 0) throw Fields.invalid(param, "'" + param + "' is empty; give at least one token");
        if (ids.length >= model.contextTokens()) {
            throw RefusedException.invalid(
                    "This model reads and writes at most " + model.contextTokens() + " tokens together, but '" + param
                            + "' alone has " + ids.length + "; shorten it",
                    param,
                    "context_length_exceeded");
        }
        return ids;
    }
}
