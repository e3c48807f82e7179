package io.guimo.serve;

import io.guimo.commerce.account.Caller;
import io.guimo.serve.http.Access;
import io.guimo.serve.http.Content;
import io.guimo.serve.http.HttpServer;
import io.guimo.serve.http.OpenApi;
import io.guimo.serve.http.RateLimits;
import io.guimo.serve.http.Refusal;
import io.guimo.serve.http.Route;
import io.guimo.serve.http.RouteTable;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import java.util.function.Function;

/** The running API. */
public final class Server implements AutoCloseable {
    private static final Duration HEAD_LIMIT = Duration.ofSeconds(10);
    private static final String PROMETHEUS_TEXT = "text/plain; version=0.0.4; charset=utf-8";
    private final HttpServer http;
    private final String host;

    private Server(HttpServer http, String host) {
        this.http = http;
        this.host = host;
    }

    /**
     * Starts listening.
     *
     * @param authenticate the caller of a secret, if it is a valid key's
     * @param ready whether everything behind the API works
     * @param routes all routes but those of the server itself
     * @throws java.io.UncheckedIOException with a {@link java.net.BindException} if the address cannot be listened on
     */
    public static Server start(
            ServeSettings settings,
            Function<String, Optional<Caller>> authenticate,
            BooleanSupplier ready,
            List<Route> routes) {
        PrometheusMeterRegistry metrics = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        AtomicReference<HttpServer> started = new AtomicReference<>();
        List<Route> all = new ArrayList<>(routes);
        all.add(live());
        all.add(ready(() -> {
            HttpServer server = started.get();
            return server != null && server.isTaking() && ready.getAsBoolean();
        }));
        all.add(Route.get(
                "/metrics",
                Access.PUBLIC,
                Route.About.of("getMetrics", "Health", "Measurements for Prometheus")
                        .answerMediaType(PROMETHEUS_TEXT),
                exchange -> Content.text(200, PROMETHEUS_TEXT, metrics.scrape())));
        all.add(description(all));
        HttpServer http = HttpServer.start(
                new HttpServer.Options(
                        settings.host(),
                        settings.port(),
                        settings.connections(),
                        settings.concurrentRequests(),
                        settings.bodyMemoryMebibytes() * 1024L * 1024,
                        HEAD_LIMIT,
                        settings.drain()),
                new RouteTable(all),
                authenticate,
                new RateLimits(settings.requestsPerMinute(), settings.tokensPerMinute(), System::nanoTime),
                metrics);
        started.set(http);
        return new Server(http, settings.host());
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
        http.close();
    }

    private static Route live() {
        return Route.get(
                "/health/live",
                Access.PUBLIC,
                Route.About.of("getLive", "Health", "Whether the process runs").answer(Health.class),
                exchange -> Content.json(new Health("live")));
    }

    private static Route ready(BooleanSupplier ready) {
        return Route.get(
                "/health/ready",
                Access.PUBLIC,
                Route.About.of("getReady", "Health", "Whether requests are served; 503 while not")
                        .answer(Health.class),
                exchange -> ready.getAsBoolean()
                        ? Content.json(new Health("ready"))
                        : Content.json(503, new Health("not ready")));
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
