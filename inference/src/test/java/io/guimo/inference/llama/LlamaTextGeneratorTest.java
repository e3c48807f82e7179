package io.guimo.inference.llama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guimo.inference.EngineClosed;
import io.guimo.inference.EngineFailed;
import io.guimo.inference.EngineUsage;
import io.guimo.inference.InvalidInput;
import io.guimo.inference.Overloaded;
import io.guimo.inference.generate.GeneratedToken;
import io.guimo.inference.generate.GenerationEnd;
import io.guimo.inference.generate.GenerationRequest;
import io.guimo.inference.generate.Sampling;
import io.guimo.inference.generate.TokenStream;
import io.guimo.units.Meter;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** SmolLM2 in a worker. */
class LlamaTextGeneratorTest {
    private static final LlamaParts.Count FIRST = LlamaParts.COUNTS.getFirst();

    private static LlamaTextGenerator engine;

    @BeforeAll
    static void open() throws IOException, InterruptedException {
        engine = LlamaParts.open(LlamaParts.smolLm2());
    }

    @AfterAll
    static void close() {
        engine.close();
    }

    private static List<Integer> read(TokenStream stream) throws InterruptedException {
        List<Integer> ids = new ArrayList<>();
        for (Optional<GeneratedToken> token = stream.next(); token.isPresent(); token = stream.next()) {
            ids.add(token.get().id());
        }
        return ids;
    }

    @Test
    void engine_started_tellsWhatItIs() {
        assertThat(engine.name()).isEqualTo("smol");
        assertThat(engine.contextTokens()).isEqualTo(256);
        assertThat(engine.endTokens()).containsExactly(2);
        assertThat(engine.meters()).contains(Meter.CACHED_INPUT_TOKENS);
    }

    @Test
    void streams_manyAtOnce_giveTheAnswersOfLlamaServer() throws Exception {
        try (ExecutorService readers = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<List<Integer>>> answers = new ArrayList<>();
            for (int i = 0; i < 24; i++) {
                int which = i % 4;
                answers.add(readers.submit(() -> {
                    try (TokenStream stream =
                            engine.generate(LlamaParts.COUNTS.get(which).request())) {
                        List<Integer> answer = read(stream);
                        assertThat(stream.end().reason()).isEqualTo(GenerationEnd.Reason.LENGTH);
                        assertThat(stream.end().generatedTokens()).isEqualTo(30);
                        return answer;
                    }
                }));
            }
            for (int i = 0; i < 24; i++) {
                assertThat(answers.get(i).get())
                        .isEqualTo(LlamaParts.COUNTS.get(i % 4).answerTokens());
            }
        }
    }

    @Test
    void request_everyFieldSet_crossesTheWire() throws Exception {
        int[] prompt = LlamaParts.COUNTS.get(1).tokens();
        Sampling sampling = new Sampling(1.5, 50, .9, .01, .1, .1, 1.1, Map.of(216, -100d, 42, 1d), 7L);
        Instant deadline = Instant.now().plusSeconds(600);
        List<List<Integer>> answers = new ArrayList<>();
        for (String scope : List.of("first", "second")) { // one after the other: what shares a step moves the last bits
            GenerationRequest request =
                    new GenerationRequest(prompt, 12, sampling, 3, null, Set.of(30), scope, -1, deadline, null);
            List<GeneratedToken> tokens = new ArrayList<>();
            try (TokenStream stream = engine.generate(request)) {
                for (Optional<GeneratedToken> t = stream.next(); t.isPresent(); t = stream.next()) tokens.add(t.get());
            }
            answers.add(tokens.stream().map(GeneratedToken::id).toList());
            for (GeneratedToken token : tokens) {
                assertThat(token.logprob()).isNegative();
                assertThat(token.alternatives()).hasSize(3);
                assertThat(token.alternatives().get(0).logprob())
                        .isGreaterThanOrEqualTo(token.alternatives().get(2).logprob());
            }
        }
        assertThat(answers.getFirst()).isEqualTo(answers.getLast()).doesNotContain(216, 30);
    }

    @Test
    void prompt_secondTime_isCachedForItsScopeOnly() throws Exception {
        int[] prompt = new int[100];
        for (int i = 0; i < 100; i++) prompt[i] = 1000 + i;
        GenerationRequest ours =
                new GenerationRequest(prompt, 2, Sampling.GREEDY, -1, null, Set.of(), "a", 0, null, null);
        GenerationRequest theirs =
                new GenerationRequest(prompt, 2, Sampling.GREEDY, -1, null, Set.of(), "b", 0, null, null);
        List<Integer> cached = new ArrayList<>();
        for (GenerationRequest request : List.of(ours, ours, theirs)) {
            try (TokenStream stream = engine.generate(request)) {
                read(stream);
                cached.add(stream.end().cachedTokens());
                assertThat(stream.cachedTokens()).isEqualTo(stream.end().cachedTokens());
            }
        }
        assertThat(cached.get(0)).isZero();
        assertThat(cached.get(1)).isBetween(64, 99);
        assertThat(cached.get(2)).isZero();
    }

    @Test
    void refusals_crossTheWire() {
        assertThatExceptionOfType(InvalidInput.class)
                .isThrownBy(() -> engine.generate(LlamaParts.request(new int[1_000_000], 1)))
                .withMessageContaining("1000000");
        assertThatExceptionOfType(InvalidInput.class)
                .isThrownBy(() -> engine.generate(LlamaParts.request(new int[] {49_152}, 1)));
        assertThatExceptionOfType(InvalidInput.class)
                .isThrownBy(() -> engine.generate(LlamaParts.request(new int[] {5}, 1, "unknown")))
                .withMessageContaining("unknown");
    }

    @Test
    void requests_tooMany_areRefusedAndTheOthersServed() throws Exception {
        List<TokenStream> accepted = new ArrayList<>();
        int refused = 0;
        for (int i = 0; i < 80; i++) {
            try {
                accepted.add(engine.generate(LlamaParts.COUNTS.get(i % 4).request()));
            } catch (Overloaded busy) {
                assertThat(busy.retryAfter()).isPositive();
                refused++;
            }
        }
        assertThat(refused).isPositive();
        for (TokenStream stream : accepted) stream.close();
        for (TokenStream stream : accepted) {
            assertThat(stream.end().reason()).isIn(GenerationEnd.Reason.CANCELLED, GenerationEnd.Reason.LENGTH);
        }
    }

    @Test
    void stream_closed_endsWithinAStepAndItsRoomIsFree() throws Exception {
        for (int round = 0; round < 40; round++) { // 40 × 200 tokens would fill the cache of 512 positions 15 times
            TokenStream stream = engine.generate(
                    LlamaParts.request(LlamaParts.COUNTS.get(round % 4).tokens(), 200));
            List<Integer> start = new ArrayList<>();
            for (int i = 0; i < 3; i++) start.add(stream.next().orElseThrow().id());
            stream.close();
            assertThat(stream.next()).isEmpty();
            assertThat(start)
                    .isEqualTo(LlamaParts.COUNTS.get(round % 4).answerTokens().subList(0, 3));
            assertThat(stream.end().reason()).isEqualTo(GenerationEnd.Reason.CANCELLED);
            assertThat(stream.end().generatedTokens()).isBetween(3, 200);
        }
    }

    @Test
    void usage_afterARequest_hasItsTokensAndTheWorkersTime() throws Exception {
        EngineUsage before = engine.usage();
        long cpuNanos = 0;
        for (int i = 0; i < 4; i++) {
            GenerationRequest request = new GenerationRequest(
                    LlamaParts.COUNTS.get(i).tokens(),
                    10,
                    Sampling.GREEDY,
                    -1,
                    null,
                    Set.of(),
                    "usage" + i,
                    0,
                    null,
                    null);
            try (TokenStream stream = engine.generate(request)) {
                read(stream);
                cpuNanos += stream.end().cpuNanos();
            }
        }
        EngineUsage after = engine.usage();
        while (after.cpuNanos() - before.cpuNanos() < cpuNanos) { // the last step is told with the next pulse
            Thread.sleep(50);
            after = engine.usage();
        }
        assertThat(grown(before, after, Meter.INPUT_TOKENS)).isEqualTo(20 + 23 + 19 + 19);
        assertThat(grown(before, after, Meter.OUTPUT_TOKENS)).isEqualTo(40);
        assertThat(after.requests() - before.requests()).isEqualTo(4);
        assertThat(after.batches() - before.batches()).isBetween(40L, 60L);
        // to the nanosecond, but for the last step before, which may not have been told then
        assertThat(after.cpuNanos() - before.cpuNanos()).isBetween(cpuNanos, cpuNanos + 100_000_000);
        assertThat(after.workerNanos() - before.workerNanos()).isGreaterThan(cpuNanos - 20_000_000);
        assertThat(after.cpuNanosByMeter().get(Meter.OUTPUT_TOKENS)).isPositive();
        assertThat(after.busyNanos() - before.busyNanos()).isPositive();
    }

    private static long grown(EngineUsage before, EngineUsage after, Meter meter) {
        return after.units().getOrDefault(meter, 0L) - before.units().getOrDefault(meter, 0L);
    }

    @Test
    void close_streamUnderWay_isAnsweredFirst() throws Exception {
        LlamaTextGenerator closing = LlamaParts.open(LlamaParts.smolLm2());
        TokenStream stream = closing.generate(LlamaParts.request(FIRST.tokens(), 60));
        stream.next();
        closing.close();
        assertThat(read(stream)).hasSize(59).startsWith(FIRST.answerTokens().get(1));
        assertThatThrownBy(() -> closing.generate(FIRST.request())).isInstanceOf(EngineClosed.class);
        assertThat(closing.workerPid()).isEmpty();
    }

    @Test
    void worker_killed_itsStreamsFailAndTheNextOneServes() throws Exception {
        try (LlamaTextGenerator mortal = LlamaParts.open(LlamaParts.smolLm2())) {
            TokenStream stream = mortal.generate(LlamaParts.request(FIRST.tokens(), 200));
            assertThat(stream.next().orElseThrow().id())
                    .isEqualTo(FIRST.answerTokens().getFirst());
            long pid = mortal.workerPid().orElseThrow();
            ProcessHandle.of(pid).orElseThrow().destroyForcibly();
            assertThatExceptionOfType(EngineFailed.class)
                    .isThrownBy(() -> read(stream))
                    .withMessageContaining("signal 9")
                    .satisfies(failed -> assertThat(failed.retryAfter()).isPositive());
            assertThatExceptionOfType(EngineFailed.class).isThrownBy(stream::end);
            assertThat(WorkerDeaths.answerOf(mortal, FIRST)).isEqualTo(FIRST.answerTokens());
            assertThat(mortal.workerPid().orElseThrow()).isNotEqualTo(pid);
            assertThat(mortal.usage().units().get(Meter.OUTPUT_TOKENS)).isGreaterThan(30);
        }
    }
}
