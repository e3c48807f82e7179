package io.guimo.serve;

import io.guimo.inference.HostedModel;
import io.guimo.inference.ModelHost;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.binder.MeterBinder;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.core.instrument.binder.system.UptimeMetrics;
import java.util.List;
import java.util.function.ToDoubleFunction;

/** What engines have done, by model, and how the process does. Read when Prometheus asks, not while models work. */
final class ModelMetrics {
    private ModelMetrics() {}

    static void measure(ModelHost host, MeterRegistry registry) {
        for (MeterBinder binder :
                List.of(new JvmMemoryMetrics(), new JvmThreadMetrics(), new ProcessorMetrics(), new UptimeMetrics())) {
            binder.bindTo(registry);
        }
        for (HostedModel model : host.all()) {
            Tags tags = Tags.of("model", model.name());
            count(registry, "guimo.engine.requests", tags, host, model.name(), m ->
                    (double) m.usage().requests());
            count(registry, "guimo.engine.batches", tags, host, model.name(), m ->
                    (double) m.usage().batches());
            count(
                    registry,
                    "guimo.engine.cpu.seconds",
                    tags,
                    host,
                    model.name(),
                    m -> m.usage().cpuNanos() / 1e9);
            count(
                    registry,
                    "guimo.engine.busy.seconds",
                    tags,
                    host,
                    model.name(),
                    m -> m.usage().busyNanos() / 1e9);
        }
    }

    /** By name, so that a model's next version goes on where it stands. */
    private static void count(
            MeterRegistry registry,
            String name,
            Tags tags,
            ModelHost host,
            String model,
            ToDoubleFunction<HostedModel> value) {
        Gauge.builder(name, host, h -> h.all().stream()
                        .filter(m -> m.name().equals(model))
                        .mapToDouble(value)
                        .sum())
                .tags(tags)
                .register(registry);
    }
}
