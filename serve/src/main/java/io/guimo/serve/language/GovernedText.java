package io.guimo.serve.language;

import io.guimo.commerce.Authorization;
import io.guimo.commerce.IdempotencyKey;
import io.guimo.commerce.Refused;
import io.guimo.commerce.Reservation;
import io.guimo.commerce.Till;
import io.guimo.commerce.UsageRequest.Delivery;
import io.guimo.commerce.price.PriceVersion;
import io.guimo.inference.InferenceRefusal;
import io.guimo.inference.generate.GeneratedToken;
import io.guimo.inference.generate.TokenStream;
import io.guimo.serve.EngineRefusals;
import io.guimo.serve.Governed;
import io.guimo.serve.Models;
import io.guimo.serve.Order;
import io.guimo.serve.http.Answer;
import io.guimo.serve.http.EventStream;
import io.guimo.serve.http.Exchange;
import io.guimo.serve.http.RefusedException;
import io.guimo.text.ToolCallEvent;
import io.guimo.units.Meter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The way of every generated text that is sold: {@link Governed} for whole answers, {@link PaidStream} for those that stream. */
final class GovernedText {
    private final Governed governed;
    private final Models models;
    private final Till till;

    GovernedText(Governed governed, Models models, Till till) {
        this.governed = governed;
        this.models = models;
        this.till = till;
    }

    /** @param inputParam the request's field that the engine's complaints are about */
    Answer answer(Exchange exchange, Job job, WireFormat format, boolean stream, String inputParam) throws Exception {
        return stream
                ? stream(exchange, job, format, inputParam)
                : governed.answer(exchange, e -> order(e, job, format, inputParam));
    }

    private Answer stream(Exchange exchange, Job job, WireFormat format, String inputParam) {
        Optional<IdempotencyKey> key = Governed.idempotencyKey(exchange, List.of(exchange.body()));
        Map<Meter, Long> atMost = PaidStream.firstHold(job, price(exchange, job));
        return switch (governed.authorize(exchange, job.model().name(), atMost, key, Delivery.BEFORE_SETTLE)) {
            case Refused refused -> governed.refusal(exchange, refused);
            case Authorization.Replayed replayed -> governed.replayed(exchange, replayed);
            case Authorization.Granted(Reservation reservation) ->
                new EventStream(
                        new PaidStream(till, job, format, inputParam, reservation, key.isPresent()),
                        Map.of(Governed.RECEIPT, exchange.id().value()));
        };
    }

    private Order order(Exchange exchange, Job job, WireFormat format, String inputParam) {
        Map<Meter, Long> atMost = PaidStream.hold(job, job.mostOutput(), price(exchange, job));
        return new Order(job.model().name(), atMost, List.of(exchange.body()), () -> {
            try {
                return served(job, format);
            } catch (InferenceRefusal e) {
                throw new RefusedException(EngineRefusals.refusal(e, inputParam));
            }
        });
    }

    private Optional<PriceVersion> price(Exchange exchange, Job job) {
        return models.price(exchange.caller(), job.model().name());
    }

    private static Order.Served served(Job job, WireFormat format) throws InterruptedException {
        List<WireFormat.Whole> choices = new ArrayList<>();
        long output = 0;
        boolean[] begun = new boolean[job.choices()];
        try (Generation generation = Generation.start(job)) {
            for (int choice = 0; choice < begun.length; choice++) {
                ChoiceText text = new ChoiceText(job.model().vocabulary(), job.stops(), job.calls());
                choices.add(whole(generation.stream(choice), text));
                begun[choice] = true;
                output += text.tokens();
            }
            TokenUsage usage = new TokenUsage(job.promptTokens(), generation.cachedTokens(begun), output);
            return new Order.Served(usage.units(job.model().meters()), format.whole(choices, usage));
        }
    }

    private static WireFormat.Whole whole(TokenStream stream, ChoiceText text) throws InterruptedException {
        List<ToolCallEvent> events = new ArrayList<>();
        List<GeneratedToken> tokens = new ArrayList<>();
        for (Optional<GeneratedToken> token = stream.next(); token.isPresent(); token = stream.next()) {
            append(text.add(token.get()), events, tokens);
            Finish over = text.over();
            if (over != null) {
                stream.close();
                return new WireFormat.Whole(new ChoiceText.Delta(events, tokens), over);
            }
        }
        append(text.end(), events, tokens);
        Finish finish = text.ended(stream.end().reason());
        return new WireFormat.Whole(new ChoiceText.Delta(events, tokens), finish);
    }

    private static void append(ChoiceText.Delta delta, List<ToolCallEvent> events, List<GeneratedToken> tokens) {
        events.addAll(delta.events());
        tokens.addAll(delta.tokens());
    }
}
