package io.guimo.serve.language;

import io.guimo.inference.TextGenerator;
import io.guimo.inference.generate.Sampling;
import io.guimo.serve.Models;
import io.guimo.serve.TextsOrTokens;
import io.guimo.serve.http.Access;
import io.guimo.serve.http.Answer;
import io.guimo.serve.http.Exchange;
import io.guimo.serve.http.Route;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/** {@code POST /v1/completions}: OpenAI's older interface, text that is continued. */
final class Completions {
    private static final long BODY_LIMIT = 8L << 20;
    private static final int TOKENS_UNLESS_SAID = 16;

    /** More prompts than this in one request would wait for each other: that is what batches are for. */
    private static final int MOST_PROMPTS = 64;

    private final GovernedText governed;
    private final Models models;

    Completions(GovernedText governed, Models models) {
        this.governed = governed;
        this.models = models;
    }

    Route route() {
        return Route.post(
                "/v1/completions",
                Access.KEY,
                BODY_LIMIT,
                Route.About.of("createCompletion", "Models", "A text, continued; as OpenAI's")
                        .request(CompletionRequest.class)
                        .answer(CompletionsFormat.TextCompletion.class),
                this::answer);
    }

    private Answer answer(Exchange exchange) throws Exception {
        CompletionRequest asked = exchange.json(CompletionRequest.class);
        TextGenerator model = models.of(exchange.caller(), asked.model(), TextGenerator.class);
        int choices = (int) Fields.whole("n", asked.n(), 1, Fields.MOST_CHOICES, 1);
        asked.check(choices);
        Sampling sampling = Fields.sampling(
                asked.temperature(),
                asked.topP(),
                asked.topK(),
                asked.minP(),
                asked.frequencyPenalty(),
                asked.presencePenalty(),
                asked.repetitionPenalty(),
                Fields.logitBias(asked.logitBias(), model.vocabulary().size()),
                asked.seed());
        int logprobs = (int) Fields.whole("logprobs", asked.logprobs(), 0, CompletionRequest.MOST_LOGPROBS, -1);
        List<int[]> prompts = prompts(model, asked.prompt());
        Integer maxTokens = Fields.tokens("max_tokens", asked.maxTokens());
        Job job = new Job(
                model,
                prompts,
                choices,
                maxTokens == null ? TOKENS_UNLESS_SAID : maxTokens,
                sampling,
                Fields.stops("stop", asked.stop() == null ? null : asked.stop().texts()),
                logprobs,
                null,
                null,
                exchange.caller().organization().value());
        ChatCompletionRequest.StreamOptions options = asked.streamOptions();
        WireFormat wire = new CompletionsFormat(
                exchange.id().value(),
                Instant.now().getEpochSecond(),
                model,
                Fields.flag(asked.echo()) ? echoes(model, asked.prompt(), choices) : List.of(),
                logprobs >= 0,
                options != null && Fields.flag(options.includeUsage()));
        return governed.answer(exchange, job, wire, Fields.flag(asked.stream()), "prompt");
    }

    private static List<int[]> prompts(TextGenerator model, TextsOrTokens prompt) {
        if (prompt.size() < 1 || prompt.size() > MOST_PROMPTS) {
            throw Fields.invalid(
                    "prompt", "'prompt' has " + prompt.size() + " prompts; give 1 to " + MOST_PROMPTS + " at once");
        }
        List<int[]> prompts = new ArrayList<>();
        for (int i = 0; i < prompt.size(); i++) {
            String param = prompt.size() == 1 ? "prompt" : "prompt[" + i + "]";
            prompts.add(
                    switch (prompt) {
                        case TextsOrTokens.Texts(List<String> texts) -> Prompts.ofText(model, texts.get(i), param);
                        case TextsOrTokens.TokenIds(List<int[]> ids) -> Prompts.ofTokens(model, ids.get(i), param);
                    });
        }
        return prompts;
    }

    /** What each choice's answer begins with. */
    private static List<String> echoes(TextGenerator model, TextsOrTokens prompt, int choices) {
        List<String> echoes = new ArrayList<>();
        for (int i = 0; i < prompt.size() * choices; i++) {
            echoes.add(
                    switch (prompt) {
                        case TextsOrTokens.Texts(List<String> texts) -> texts.get(i / choices);
                        case TextsOrTokens.TokenIds(List<int[]> ids) ->
                            model.tokenizer().decode(ids.get(i / choices));
                    });
        }
        return echoes;
    }
}
