package io.guimo.serve;

import io.guimo.inference.InferenceRefusal;
import io.guimo.inference.ItemRecommender;
import io.guimo.inference.ScoredItem;
import io.guimo.serve.http.Access;
import io.guimo.serve.http.Answer;
import io.guimo.serve.http.Content;
import io.guimo.serve.http.Exchange;
import io.guimo.serve.http.RefusedException;
import io.guimo.serve.http.Route;
import io.guimo.units.Meter;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** {@code POST /v1/recommendations}: what goes well with the given items. Charged by the request. */
final class Recommendations {
    private static final long BODY_LIMIT = 256 * 1024;
    private static final int USUAL_LIMIT = 10;
    private static final Map<Meter, Long> ONE = Map.of(Meter.REQUESTS, 1L);
    private final Governed governed;
    private final Models models;

    Recommendations(Governed governed, Models models) {
        this.governed = governed;
        this.models = models;
    }

    Route route() {
        return Route.post(
                "/v1/recommendations",
                Access.KEY,
                BODY_LIMIT,
                Route.About.of("createRecommendations", "Models", "What goes well with the given items")
                        .request(RecommendationsRequest.class)
                        .answer(RecommendationsAnswer.class),
                this::answer);
    }

    private Answer answer(Exchange exchange) throws Exception {
        return governed.answer(exchange, this::order);
    }

    private Order order(Exchange exchange) {
        RecommendationsRequest asked = exchange.json(RecommendationsRequest.class);
        ItemRecommender model = models.of(exchange.caller(), asked.model, ItemRecommender.class);
        int most = model.items().size();
        int limit = asked.limit == null ? Math.min(USUAL_LIMIT, most) : asked.limit;
        if (limit < 1 || limit > most) {
            throw RefusedException.invalid("'limit' is " + limit + "; write 1 to " + most, "limit", "invalid_value");
        }
        if (asked.items.isEmpty() || asked.items.size() > model.maxItems()) {
            throw RefusedException.invalid(
                    "'items' has " + asked.items.size() + " items; give 1 to " + model.maxItems(),
                    "items",
                    "invalid_value");
        }
        return new Order(model.name(), ONE, List.of(exchange.body()), () -> recommended(model, asked.items, limit));
    }

    private static Order.Served recommended(ItemRecommender model, List<String> items, int limit) {
        try {
            List<ScoredItem> best = model.recommend(items, limit);
            return new Order.Served(ONE, Content.json(new RecommendationsAnswer(best, new RequestUsage(1))));
        } catch (InferenceRefusal e) {
            throw new RefusedException(EngineRefusals.refusal(e, "items"));
        }
    }

    /** @param limit how many are wanted, the best first; 10 unless given */
    record RecommendationsRequest(
            String model, List<String> items, @Nullable Integer limit) {}

    record RecommendationsAnswer(List<ScoredItem> data, RequestUsage usage) {}

    record RequestUsage(long requests) {}
}
