package io.guimo.serve.http;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/** Counts and times answers by route and status; the route's template, never the path itself, so that ids do not become label values. */
final class RequestMetrics {
    private final MeterRegistry registry;
    private final Map<Key, Timer> timers = new ConcurrentHashMap<>();

    RequestMetrics(MeterRegistry registry) {
        this.registry = registry;
    }

    void answered(String method, String path, int status, long nanos) {
        timers.computeIfAbsent(new Key(method, path, status), this::timer).record(nanos, TimeUnit.NANOSECONDS);
    }

    private Timer timer(Key key) {
        return Timer.builder("guimo.http.requests")
                .description("Time from the parsed request to the sent answer")
                .tags(Tags.of("method", key.method, "route", key.path, "status", Integer.toString(key.status)))
                .register(registry);
    }

    private record Key(String method, String path, int status) {}
}
