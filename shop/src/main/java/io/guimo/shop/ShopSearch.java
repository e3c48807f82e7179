package io.guimo.shop;

import io.guimo.inference.TextEncoder;
import io.guimo.serve.EncoderInput;
import io.guimo.serve.ExtraRoutes;
import io.guimo.serve.Governed;
import io.guimo.serve.Models;
import io.guimo.serve.Order;
import io.guimo.serve.http.Access;
import io.guimo.serve.http.Content;
import io.guimo.serve.http.Exchange;
import io.guimo.serve.http.RefusedException;
import io.guimo.serve.http.Route;
import io.guimo.units.Meter;
import io.guimo.units.NearestName;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** {@code POST /v1/search}: the texts of a collection that are nearest in meaning to a query. Charged as the query's tokens, by its encoder. */
public final class ShopSearch implements ExtraRoutes {
    private static final long BODY_LIMIT = 64 * 1024;
    private static final int USUAL_LIMIT = 10;
    private static final int MOST = 50;
    private final Map<String, SearchCollection> collections;
    private final Path folder;
    private final Map<Key, SearchIndex> indexes = new ConcurrentHashMap<>();

    /** @param home the home folder: indexes lie under its {@code cache/search} */
    public ShopSearch(List<SearchCollection> collections, Path home) {
        this.collections = collections.stream().collect(Collectors.toMap(SearchCollection::name, Function.identity()));
        this.folder = home.resolve("cache").resolve("search");
    }

    /** Makes ready the index of every collection whose own encoder is given, so that no customer waits for it. */
    public void prepare(List<TextEncoder> encoders) {
        for (SearchCollection collection : collections.values()) {
            encoders.stream().filter(m -> m.name().equals(collection.model())).forEach(m -> index(m, collection));
        }
    }

    @Override
    public List<Route> routes(Governed governed, Models models) {
        return List.of(Route.post(
                "/v1/search",
                Access.KEY,
                BODY_LIMIT,
                Route.About.of("search", "Shop", "The texts of a collection that are nearest in meaning to a query")
                        .request(SearchRequest.class)
                        .answer(SearchAnswer.class),
                exchange -> governed.answer(exchange, e -> order(e, models))));
    }

    private Order order(Exchange exchange, Models models) {
        SearchRequest asked = exchange.json(SearchRequest.class);
        SearchCollection collection = collection(asked.collection);
        int limit = asked.limit == null ? USUAL_LIMIT : asked.limit;
        if (limit < 1 || limit > MOST) {
            throw RefusedException.invalid("'limit' is " + limit + "; write 1 to " + MOST, "limit", "invalid_value");
        }
        TextEncoder model = models.of(
                exchange.caller(), Objects.requireNonNullElse(asked.model, collection.model()), TextEncoder.class);
        List<int[]> tokens = EncoderInput.ofTexts(model, List.of(asked.query), "query");
        long count = tokens.getFirst().length;
        Map<Meter, Long> used = Map.of(Meter.INPUT_TOKENS, count);
        return new Order(model.name(), used, List.of(exchange.body()), () -> {
            SearchIndex index = index(model, collection);
            List<SearchIndex.Found> found = index.nearest(model.embed(tokens).getFirst(), limit);
            return new Order.Served(
                    used,
                    Content.json(new SearchAnswer(
                            "list", model.name(), collection.name(), found, new SearchUsage(count, count))));
        });
    }

    private SearchCollection collection(String name) {
        SearchCollection found = collections.get(name);
        if (found != null) return found;
        List<String> known = collections.keySet().stream().sorted().toList();
        throw RefusedException.invalid(
                "There is no collection '" + name + "'; "
                        + NearestName.of(name, known)
                                .map(n -> "did you mean '" + n + "'? ")
                                .orElse("") + "There are "
                        + String.join(", ", known),
                "collection",
                "collection_not_found");
    }

    private SearchIndex index(TextEncoder model, SearchCollection collection) {
        return indexes.computeIfAbsent(
                new Key(model.name(), model.version(), collection.name()),
                k -> SearchIndex.open(folder, model, collection));
    }

    private record Key(String model, String version, String collection) {}

    /**
     * @param collection such as {@code items} or {@code poems}
     * @param model the encoder; the collection's own unless given
     * @param limit how many are wanted; 10 unless given
     */
    record SearchRequest(
            String collection,
            String query,
            @Nullable String model,
            @Nullable Integer limit) {}

    record SearchAnswer(
            String object, String model, String collection, List<SearchIndex.Found> data, SearchUsage usage) {}

    record SearchUsage(long promptTokens, long totalTokens) {}
}
