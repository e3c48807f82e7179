package io.guimo.serve;

import io.guimo.inference.GeneratorState;
import io.guimo.inference.HostedModel;
import io.guimo.inference.ModelHost;
import io.guimo.inference.RemoteChat;
import io.guimo.inference.RemoteState;
import io.guimo.inference.TextGenerator;
import io.guimo.inference.UpstreamState;
import io.micrometer.core.instrument.FunctionCounter;
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
import java.util.function.ToIntFunction;
import java.util.function.ToLongFunction;

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
            if (model instanceof RemoteChat remote) measureRemote(remote);
            if (model instanceof TextGenerator) measureGenerator(model.name());
        }
    }

    /** What a language model has under way: a figure that does not come down again when nobody asks is a leak. */
    private void measureGenerator(String name) {
        generatorGauge("guimo.engine.sequences.running", name, GeneratorState::running);
        generatorGauge("guimo.engine.sequences.waiting", name, GeneratorState::waiting);
        generatorGauge("guimo.engine.cache.tokens.used", name, GeneratorState::cellsUsed);
        generatorGauge("guimo.engine.cache.tokens.kept", name, GeneratorState::prefixTokens);
    }

    private void generatorGauge(String metric, String name, ToIntFunction<GeneratorState> value) {
        gauge(metric, name, m -> m instanceof TextGenerator generator ? value.applyAsInt(generator.state()) : 0);
    }

    /** What is counted of a remote model beside its work. Tokens by both counts are kept where we count ourselves. */
    private void measureRemote(RemoteChat remote) {
        String name = remote.name();
        counter("guimo.remote.retries", name, Tags.empty(), RemoteState::retries);
        counter("guimo.remote.failovers", name, Tags.empty(), RemoteState::failovers);
        counter("guimo.remote.usage.differences", name, Tags.empty(), RemoteState::countsDiffered);
        Tags input = Tags.of("direction", "input");
        Tags output = Tags.of("direction", "output");
        counter("guimo.remote.tokens", name, input.and("count", "ours"), s -> s.tokens()
                .ourInput());
        counter("guimo.remote.tokens", name, input.and("count", "upstream"), s -> s.tokens()
                .theirInput());
        counter("guimo.remote.tokens", name, output.and("count", "ours"), s -> s.tokens()
                .ourOutput());
        counter("guimo.remote.tokens", name, output.and("count", "upstream"), s -> s.tokens()
                .theirOutput());
        List<UpstreamState> upstreams = remote.state().upstreams();
        for (int i = 0; i < upstreams.size(); i++) {
            int index = i;
            Tags tags = Tags.of("upstream", i + " " + upstreams.get(i).address());
            counter("guimo.remote.exchanges", name, tags, s -> s.upstreams()
                    .get(index)
                    .exchanges());
            counter("guimo.remote.failures", name, tags, s -> s.upstreams()
                    .get(index)
                    .failures());
            remoteGauge("guimo.remote.outstanding", name, tags, s -> s.upstreams()
                    .get(index)
                    .outstanding());
            remoteGauge(
                    "guimo.remote.in.use",
                    name,
                    tags,
                    s -> s.upstreams().get(index).breaker().equals("closed") ? 1 : 0);
        }
    }

    private void counter(String name, String model, Tags tags, ToLongFunction<RemoteState> value) {
        FunctionCounter.builder(name, host, h -> remote(h, model, value))
                .tags(tags.and("model", model))
                .register(registry);
    }

    private void remoteGauge(String name, String model, Tags tags, ToLongFunction<RemoteState> value) {
        Gauge.builder(name, host, h -> remote(h, model, value))
                .tags(tags.and("model", model))
                .register(registry);
    }

    private static double remote(ModelHost host, String model, ToLongFunction<RemoteState> value) {
        for (HostedModel each : host.all()) {
            if (each instanceof RemoteChat remote && remote.name().equals(model))
                return value.applyAsLong(remote.state());
        }
        return 0;
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
