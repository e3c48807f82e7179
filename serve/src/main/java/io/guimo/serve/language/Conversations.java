package io.guimo.serve.language;

import io.guimo.inference.TextGenerator;
import io.guimo.inference.generate.Constraint;
import io.guimo.inference.generate.GenerationRequest;
import io.guimo.inference.generate.Sampling;
import io.guimo.serve.http.Answer;
import io.guimo.serve.http.Exchange;
import io.guimo.serve.http.Route;
import java.time.Instant;
import java.util.List;

/** {@code POST /v1/chat/completions} for models that run here. */
public final class Conversations {
    private final GovernedText governed;

    Conversations(GovernedText governed) {
        this.governed = governed;
    }

    /** What the description says of the route, which remote models share. */
    public static Route.About about() {
        return Route.About.of("createChatCompletion", "Models", "The next message of a conversation; as OpenAI's")
                .request(ChatCompletionRequest.class)
                .answer(ChatCompletionsFormat.ChatCompletion.class);
    }

    /** The next message of the conversation in the request's body. */
    public Answer answer(Exchange exchange, TextGenerator model) throws Exception {
        ChatCompletionRequest asked = exchange.json(ChatCompletionRequest.class);
        asked.check();
        int choices = (int) Fields.whole("n", asked.n(), 1, Fields.MOST_CHOICES, 1);
        int most = GenerationRequest.MOST_TOP_LOGPROBS;
        int topLogprobs = (int) Fields.whole("top_logprobs", asked.topLogprobs(), 0, most, 0);
        boolean logprobs = Fields.flag(asked.logprobs());
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
        ChatCompletionRequest.ResponseFormat format = asked.responseFormat();
        ToolUse tools = ToolUse.ofChat(asked.tools(), asked.toolChoice(), asked.parallelToolCalls());
        Constraint shape = format == null
                ? null
                : Fields.constraint(
                        "response_format",
                        format.type(),
                        format.jsonSchema() == null ? null : format.jsonSchema().schema());
        Constraint constraint = tools.constraint(model, shape, "response_format");
        Integer maxTokens = asked.mostTokens();
        List<String> stops =
                Fields.stops("stop", asked.stop() == null ? null : asked.stop().texts());
        int[] prompt = Prompts.ofConversation(model, asked.conversation(), tools.tools(), "messages");
        Job job = new Job(
                model,
                List.of(prompt),
                choices,
                maxTokens,
                sampling,
                stops,
                logprobs ? topLogprobs : -1,
                constraint,
                tools.calls(model),
                exchange.caller().organization().value());
        WireFormat wire = new ChatCompletionsFormat(
                exchange.id().value(), Instant.now().getEpochSecond(), model, choices, logprobs, asked.includesUsage());
        String param = tools.constraintParam(constraint, "messages", "response_format");
        return governed.answer(exchange, job, wire, Fields.flag(asked.stream()), param);
    }
}
