package io.guimo.serve.language;

import io.guimo.inference.TextGenerator;
import io.guimo.inference.generate.Constraint;
import io.guimo.inference.generate.Sampling;
import io.guimo.serve.Models;
import io.guimo.serve.http.Access;
import io.guimo.serve.http.Answer;
import io.guimo.serve.http.ErrorShape;
import io.guimo.serve.http.Exchange;
import io.guimo.serve.http.Route;
import java.util.List;
import java.util.Map;

/** {@code POST /v1/messages}: Anthropic's interface, with its errors; the key may come in {@code x-api-key}. */
final class Messages {
    private static final long BODY_LIMIT = 8L << 20;
    private final GovernedText governed;
    private final Models models;

    Messages(GovernedText governed, Models models) {
        this.governed = governed;
        this.models = models;
    }

    Route route() {
        return Route.post(
                        "/v1/messages",
                        Access.KEY,
                        BODY_LIMIT,
                        Route.About.of("createMessage", "Models", "The next message of a conversation; as Anthropic's")
                                .request(MessagesRequest.class)
                                .answer(MessagesFormat.MessageView.class),
                        this::answer)
                .errors(ErrorShape.ANTHROPIC);
    }

    private Answer answer(Exchange exchange) throws Exception {
        MessagesRequest asked = exchange.json(MessagesRequest.class);
        asked.check();
        TextGenerator model = models.of(exchange.caller(), asked.model(), TextGenerator.class);
        double temperature = Fields.number("temperature", asked.temperature(), 0, 1, 1);
        Sampling sampling =
                Fields.sampling(temperature, asked.topP(), asked.topK(), null, null, null, null, Map.of(), null);
        ToolUse tools = ToolUse.ofMessages(asked.tools(), asked.toolChoice());
        Constraint constraint = tools.constraint(model, null, "tools");
        int[] prompt = Prompts.ofConversation(model, asked.conversation(), tools.tools(), "messages");
        Job job = new Job(
                model,
                List.of(prompt),
                1,
                Fields.tokens("max_tokens", asked.maxTokens()),
                sampling,
                Fields.stops("stop_sequences", asked.stopSequences()),
                -1,
                constraint,
                tools.calls(model),
                exchange.caller().organization().value());
        WireFormat wire = new MessagesFormat(exchange.id(), model);
        return governed.answer(
                exchange, job, wire, Fields.flag(asked.stream()), constraint == null ? "messages" : "tools");
    }
}
