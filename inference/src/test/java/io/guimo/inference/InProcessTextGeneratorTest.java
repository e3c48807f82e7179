package io.guimo.inference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guimo.inference.generate.FakeDecoder;
import io.guimo.inference.generate.GeneratedToken;
import io.guimo.inference.generate.GenerationRequest;
import io.guimo.inference.generate.Sampling;
import io.guimo.inference.generate.Scheduler;
import io.guimo.inference.generate.SchedulerSettings;
import io.guimo.inference.generate.TokenStream;
import io.guimo.text.Tokenizer;
import io.guimo.units.Meter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
final class InProcessTextGeneratorTest {
    private static final String TOKENIZER = """
            {"version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": null, "pre_tokenizer": {"type": "Whitespace"},
             "post_processor": null, "decoder": null, "model": {"type": "WordLevel", "vocab": {"?": 0, "bread": 1, "tea": 2}, "unk_token": "?"}}
            """;

    @TempDir
    Path folder;

    private static Scheduler scheduler() {
        return new Scheduler(
                new FakeDecoder(64, 4, 256, 16, true), FakeDecoder.WORDS, SchedulerSettings.standard("tea", "1"));
    }

    private InProcessTextGenerator open() throws IOException {
        Path file = Files.writeString(folder.resolve("tokenizer.json"), TOKENIZER);
        return new InProcessTextGenerator(
                "tea",
                "1",
                Tokenizer.open(file, 64, folder.resolve("native")),
                FakeDecoder.WORDS,
                Optional.empty(),
                Set.of(3),
                scheduler());
    }

    private static GenerationRequest request(@Nullable String adapter) {
        return new GenerationRequest(
                new int[] {1, 2, 1, 2}, 6, Sampling.GREEDY, -1, null, Set.of(), "acme", 0, null, adapter);
    }

    private static List<Integer> read(TokenStream stream) throws InterruptedException {
        List<Integer> tokens = new ArrayList<>();
        for (Optional<GeneratedToken> next = stream.next(); next.isPresent(); next = stream.next()) {
            tokens.add(next.get().id());
        }
        return tokens;
    }

    @Test
    void generate_modelAndAdapter_eachInItsOwnCache_allCounted() throws Exception {
        try (InProcessTextGenerator model = open()) {
            model.loadAdapter("polite", scheduler());
            try (Scheduler refused = scheduler()) {
                assertThatThrownBy(() -> model.loadAdapter("polite", refused))
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessageContaining("polite");
            }
            assertThat(read(model.generate(request(null)))).hasSize(6);
            assertThat(read(model.generate(request(null)))).hasSize(6);
            TokenStream adapted = model.generate(request("polite"));
            assertThat(read(adapted)).hasSize(6);
            assertThat(adapted.cachedTokens()).isZero();

            EngineUsage usage = model.usage();
            assertThat(usage.units())
                    .isEqualTo(Map.of(
                            Meter.INPUT_TOKENS, 4L + 1 + 4, Meter.CACHED_INPUT_TOKENS, 3L, Meter.OUTPUT_TOKENS, 18L));
            assertThat(usage.units().keySet()).isEqualTo(model.meters());
            assertThat(usage.requests()).isEqualTo(3);
            assertThat(usage.batches()).isEqualTo(18);
            assertThat(usage.cpuNanosByMeter().values().stream().mapToLong(Long::longValue))
                    .allMatch(nanos -> nanos > 0);
            assertThat(usage.cpuNanosByMeter().values().stream()
                            .mapToLong(Long::longValue)
                            .sum())
                    .isEqualTo(usage.cpuNanos());

            model.dropAdapter("polite");
            assertThatThrownBy(() -> model.generate(request("polite")))
                    .isInstanceOf(InvalidInput.class)
                    .hasMessageContaining("no adapter polite");
            assertThat(model.usage().units()).isEqualTo(usage.units());
        }
    }

    @Test
    void close_whileInWork_answersThenRefuses() throws Exception {
        InProcessTextGenerator model = open();
        model.loadAdapter("polite", scheduler());
        List<TokenStream> streams = new ArrayList<>();
        for (int i = 0; i < 8; i++) streams.add(model.generate(request(i % 2 == 0 ? null : "polite")));
        model.close();
        for (TokenStream stream : streams) assertThat(read(stream)).hasSize(6);
        assertThatThrownBy(() -> model.generate(request(null))).isInstanceOf(EngineClosed.class);
        assertThatThrownBy(() -> model.generate(request("polite"))).isInstanceOf(EngineClosed.class);
        try (Scheduler late = scheduler()) {
            assertThatThrownBy(() -> model.loadAdapter("polite", late)).isInstanceOf(EngineClosed.class);
        }
    }
}
