package io.guimo.serve;

import io.guimo.commerce.Commerce;
import io.guimo.serve.admin.AdminRoutes;
import io.guimo.serve.http.Access;
import io.guimo.serve.http.Content;
import io.guimo.serve.http.HttpServer;
import io.guimo.serve.http.OpenApi;
import io.guimo.serve.http.RateLimits;
import io.guimo.serve.http.Refusal;
import io.guimo.serve.http.Route;
import io.guimo.serve.http.RouteTable;
import io.guimo.serve.language.LanguageApi;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;

/** The running API. */
public final class Server implements AutoCloseable {
    private static final Duration HEAD_LIMIT = Duration.ofSeconds(10);
    private static final String PROMETHEUS_TEXT = "text/plain; version=0.0.4; charset=utf-8";
    private final HttpServer http;
    private final String host;

    private final AtomicBoolean taking;

    private Server(HttpServer http, String host, AtomicBoolean taking) {
        this.http = http;
        this.host = host;
        this.taking = taking;
    }

    /**
     * Starts listening.
     *
     * @param extras routes of businesses and of the console
     * @throws java.io.UncheckedIOException with a {@link java.net.BindException} if the address cannot be listened on
     */
    public static Server start(ServeSettings settings, Platform platform, List<ExtraRoutes> extras) {
        RateLimits rateLimits =
                new RateLimits(settings.requestsPerMinute(), settings.tokensPerMinute(), System::nanoTime);
        Commerce commerce = platform.commerce();
        Governed governed = new Governed(commerce.till(), rateLimits);
        Models models = new Models(
                platform.models(),
                commerce.prices(),
                commerce.organizations(),
                platform.world().instant());
        PrometheusMeterRegistry metrics = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        ModelMetrics modelMetrics = new ModelMetrics(platform.models(), metrics);
        AtomicBoolean taking = new AtomicBoolean();

        List<Route> routes = new ArrayList<>(models.routes());
        routes.add(new Predictions(governed, models).route());
        routes.add(new Recommendations(governed, models).route());
        routes.add(new Embeddings(governed, models).route());
        routes.add(new Rerank(governed, models).route());
        LanguageApi language = new LanguageApi(governed, models, commerce.till(), platform.database());
        routes.add(new ChatCompletions(governed, models, commerce.till(), language.conversations()).route());
        routes.addAll(language.routes());
        routes.addAll(AdminRoutes.of(platform));
        for (ExtraRoutes extra : extras) routes.addAll(extra.routes(governed, models));
        routes.addAll(health(taking::get, modelMetrics, metrics));
        routes.add(description(routes));

        HttpServer http = HttpServer.start(
                new HttpServer.Options(
                        settings.host(),
                        settings.port(),
                        settings.connections(),
                        settings.concurrentRequests(),
                        settings.bodyMemoryMebibytes() * 1024L * 1024,
                        HEAD_LIMIT,
                        settings.drain()),
                new RouteTable(routes),
                commerce.keys()::authenticate,
                rateLimits,
                metrics);
        taking.set(true);
        return new Server(http, settings.host(), taking);
    }

    /** The port listened on. */
    public int port() {
        return http.port();
    }

    /** Where clients on this machine find the server, such as {@code http://127.0.0.1:8080}. */
    public URI baseUrl() {
        String reachable = host.equals("0.0.0.0") || host.equals("::") ? "127.0.0.1" : host;
        return URI.create("http://" + (reachable.contains(":") ? "[" + reachable + "]" : reachable) + ":" + port());
    }

    /** Refuses new requests, lets those under way end, and stops listening. */
    @Override
    public void close() {
        taking.set(false);
        http.close();
    }

    private static List<Route> health(BooleanSupplier ready, ModelMetrics models, PrometheusMeterRegistry metrics) {
        return List.of(
                Route.get(
                        "/health/live",
                        Access.PUBLIC,
                        Route.About.of("getLive", "Health", "Whether the process runs")
                                .answer(Health.class),
                        exchange -> Content.json(new Health("live"))),
                Route.get(
                        "/health/ready",
                        Access.PUBLIC,
                        Route.About.of("getReady", "Health", "Whether requests are served; 503 while not")
                                .answer(Health.class),
                        exchange -> ready.getAsBoolean()
                                ? Content.json(new Health("ready"))
                                : Content.json(503, new Health("not ready"))),
                Route.get(
                        "/metrics",
                        Access.PUBLIC,
                        Route.About.of("getMetrics", "Health", "Measurements for Prometheus")
                                .answerMediaType(PROMETHEUS_TEXT),
                        exchange -> {
                            models.update();
                            return Content.text(200, PROMETHEUS_TEXT, metrics.scrape());
                        }));
    }

    /** The description lists itself too: its route is described before the document that it gives is known. */
    private static Route description(List<Route> others) {
        Route.About about = Route.About.of("getOpenApi", "Health", "This description");
        List<Route> all = new ArrayList<>(others);
        all.add(Route.get("/openapi.json", Access.PUBLIC, about, exchange -> new Refusal.Broken(exchange.id())));
        Content document = new Content(200, Content.JSON, OpenApi.describe(all, "Guimo", "1"), Map.of());
        return Route.get("/openapi.json", Access.PUBLIC, about, exchange -> document);
    }

    /** @param status {@code live}, {@code ready} or {@code not ready} */
    record Health(String status) {}
}
