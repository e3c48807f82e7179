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
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.ToDoubleFunction;

/** What engines have done, by model, and how the process does. Read when Prometheus asks, not while models work. */
final class ModelMetrics {
    private final ModelHost host;
    private final MeterRegistry registry;
    private final Set<String> measured = ConcurrentHashMap.newKeySet();

    ModelMetrics(ModelHost host, MeterRegistry registry) {
        this.host = host;
        this.registry = registry;
        for (MeterBinder binder :
                List.of(new JvmMemoryMetrics(), new JvmThreadMetrics(), new ProcessorMetrics(), new UptimeMetrics())) {
            binder.bindTo(registry);
        }
    }

    /** Begins to measure models that were loaded since the last call. By name, so that a model's next version goes on where it stands. */
    void update() {
        for (HostedModel model : host.all()) {
            if (!measured.add(model.name())) continue;
            gauge("guimo.engine.requests", model.name(), m -> (double) m.usage().requests());
            gauge("guimo.engine.batches", model.name(), m -> (double) m.usage().batches());
            gauge("guimo.engine.cpu.seconds", model.name(), m -> m.usage().cpuNanos() / 1e9);
            gauge("guimo.engine.busy.seconds", model.name(), m -> m.usage().busyNanos() / 1e9);
        }
    }

    private void gauge(String name, String model, ToDoubleFunction<HostedModel> value) {
        Gauge.builder(name, host, h -> h.all().stream()
                        .filter(m -> m.name().equals(model))
                        .mapToDouble(value)
                        .sum())
                .tags(Tags.of("model", model))
                .register(registry);
    }
}
