package io.guimo.serve;

import io.guimo.commerce.account.Caller;
import io.guimo.commerce.account.Organizations;
import io.guimo.commerce.price.PriceBook;
import io.guimo.commerce.price.PriceVersion;
import io.guimo.inference.HostedModel;
import io.guimo.inference.ImageClassifier;
import io.guimo.inference.ItemRecommender;
import io.guimo.inference.ModelHost;
import io.guimo.inference.RemoteChat;
import io.guimo.inference.TextEncoder;
import io.guimo.inference.TextGenerator;
import io.guimo.serve.http.Access;
import io.guimo.serve.http.Content;
import io.guimo.serve.http.Exchange;
import io.guimo.serve.http.Refusal;
import io.guimo.serve.http.RefusedException;
import io.guimo.serve.http.Route;
import io.guimo.units.Meter;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Which models a caller has: those that run, that it may learn of and that its plan sells. Others do not exist for it. */
public final class Models {
    private final ModelHost host;
    private final PriceBook prices;
    private final Organizations organizations;
    private final long startedAt;

    public Models(ModelHost host, PriceBook prices, Organizations organizations, Instant startedAt) {
        this.host = host;
        this.prices = prices;
        this.organizations = organizations;
        this.startedAt = startedAt.getEpochSecond();
    }

    /** Every model that the caller can use, by name. */
    public List<HostedModel> of(Caller caller) {
        return host.visible(caller.organization()).stream()
                .filter(m -> sold(caller, m.name()))
                .toList();
    }

    /**
     * The caller's model of this name and kind.
     *
     * @throws RefusedException if there is none
     */
    public <M extends HostedModel> M of(Caller caller, String name, Class<M> kind) {
        HostedModel model = find(caller, name)
                .orElseThrow(() -> new RefusedException(new Refusal.NotFound(
                        "The model '" + shortened(name)
                                + "' does not exist or your plan does not have it; GET /v1/models lists yours",
                        "model",
                        "model_not_found")));
        if (kind.isInstance(model)) return kind.cast(model);
        throw RefusedException.invalid(
                "The model '" + name + "' is not served here; send it to " + address(model),
                "model",
                "wrong_model_kind");
    }

    private Optional<HostedModel> find(Caller caller, String name) {
        return host.find(caller.organization(), name).filter(m -> sold(caller, m.name()));
    }

    /** What the product costs the caller now. */
    public Optional<PriceVersion> price(Caller caller, String product) {
        Instant now = organizations.now(caller.organization());
        return prices.find(caller.organization(), product, now)
                .filter(p -> !p.rules().isEmpty());
    }

    private boolean sold(Caller caller, String product) {
        return price(caller, product).isPresent();
    }

    /** Where each kind of model is used. */
    static String address(HostedModel model) {
        return switch (model) {
            case ImageClassifier m -> "POST /v1/predict/" + m.name();
            case ItemRecommender _ -> "POST /v1/recommendations";
            case TextEncoder _ -> "POST /v1/embeddings";
            case RemoteChat _, TextGenerator _ -> "POST /v1/chat/completions";
        };
    }

    List<Route> routes() {
        return List.of(
                Route.get(
                        "/v1/models",
                        Access.KEY,
                        Route.About.of("listModels", "Models", "The models that your plan has")
                                .answer(ModelList.class),
                        exchange -> Content.json(new ModelList(
                                "list",
                                of(exchange.caller()).stream().map(this::view).toList()))),
                Route.get(
                        "/v1/models/{id}",
                        Access.KEY,
                        Route.About.of("getModel", "Models", "One of them, with what it knows")
                                .answer(OneModelView.class),
                        this::one));
    }

    private Content one(Exchange exchange) {
        HostedModel model = of(exchange.caller(), exchange.variable("id"), HostedModel.class);
        List<String> labels = model instanceof ImageClassifier classifier ? classifier.labels() : null;
        List<String> items = model instanceof ItemRecommender recommender ? recommender.items() : null;
        return Content.json(new OneModelView(
                model.name(), "model", startedAt, "guimo", model.version(), model.meters(), labels, items));
    }

    private ModelView view(HostedModel model) {
        return new ModelView(model.name(), "model", startedAt, "guimo");
    }

    private static String shortened(String name) {
        return name.length() > 100 ? name.substring(0, 100) + "…" : name;
    }

    record ModelList(String object, List<ModelView> data) {}

    /** @param created since when this server has it, in seconds since 1970 */
    record ModelView(String id, String object, long created, String ownedBy) {}

    /**
     * @param labels which a classifier tells apart, in its own order; null for other kinds
     * @param items which a recommender knows, in its own order; null for other kinds
     */
    record OneModelView(
            String id,
            String object,
            long created,
            String ownedBy,
            String version,
            Set<Meter> meters,
            @Nullable List<String> labels,
            @Nullable List<String> items) {}
}
