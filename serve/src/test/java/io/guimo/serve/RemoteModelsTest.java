package io.guimo.serve;

import static org.assertj.core.api.Assertions.assertThat;

import io.guimo.commerce.meter.UsageEvent;
import io.guimo.commerce.meter.UsageFilter;
import io.guimo.commerce.meter.UsageSum;
import io.guimo.inference.FailoverChat;
import io.guimo.inference.KeyReference;
import io.guimo.inference.OpenAiRemoteChat;
import io.guimo.inference.RemoteChat;
import io.guimo.inference.RemoteChatSettings;
import io.guimo.inference.RemoteTimeLimits;
import io.guimo.inference.RetrySettings;
import io.guimo.inference.TokenCount;
import io.guimo.inference.UpstreamSettings;
import io.guimo.registry.ModelOwner;
import io.guimo.units.Meter;
import io.guimo.units.Money;
import io.guimo.units.RequestId;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What customers get and pay for through remote models, over HTTP and a real database. */
@Timeout(120)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class RemoteModelsTest {
    private static final String ASK =
            "{\"model\":\"%s\",\"stream\":%s,\"messages\":[{\"role\":\"user\",\"content\":\"%s\"}]}";
    private TestPlatform gate;

    @BeforeAll
    void start() {
        gate = TestPlatform.start("remote_models_test");
        for (String model : List.of("remote", "spare", "counted")) {
            gate.sell(
                    model,
                    Map.of(
                            Meter.INPUT_TOKENS, TestPlatform.flat(model.equals("spare") ? "1" : "0.001"),
                            Meter.CACHED_INPUT_TOKENS, TestPlatform.flat("0.0005"),
                            Meter.OUTPUT_TOKENS, TestPlatform.flat(model.equals("spare") ? "1" : "0.002")));
        }
    }

    @AfterAll
    void stop() {
        gate.close();
    }

    private void mount(RemoteChat model) {
        gate.platform.models().mount(ModelOwner.operator(), model);
    }

    private static RemoteChatSettings settings(List<UpstreamSettings> upstreams) {
        return new RemoteChatSettings(
                upstreams,
                new RemoteTimeLimits(null, Duration.ofSeconds(20), Duration.ofMillis(300), Duration.ofSeconds(20)),
                new RetrySettings(4, Duration.ofMillis(500)),
                18,
                Duration.ofMillis(10),
                Duration.ofMillis(50),
                null,
                null,
                null);
    }

    /** Two servers of our own behind a third; one of the two stops under load. */
    @Test
    void chat_twoOfOurServersBehind_oneStops_everyRequestServedAndBilledOnce() throws Exception {
        try (TestPlatform first = TestPlatform.start("remote_origin_one");
                TestPlatform second = TestPlatform.start("remote_origin_two")) {
            TestPlatform.Customer atFirst = first.customer("100");
            TestPlatform.Customer atSecond = second.customer("100");
            mount(new OpenAiRemoteChat(
                    "remote",
                    "1",
                    settings(List.of(
                            new UpstreamSettings(
                                    first.uri("/v1"), "talker", 1, null, new KeyReference("first", null), null),
                            new UpstreamSettings(
                                    second.uri("/v1"), "talker", 1, null, new KeyReference("second", null), null))),
                    key -> "first".equals(key.secret()) ? atFirst.key() : atSecond.key(),
                    Optional.empty()));
            TestPlatform.Customer customer = gate.customer("100");
            AtomicInteger answered = new AtomicInteger();
            try (ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor()) {
                List<Future<?>> all = new ArrayList<>();
                for (int client = 0; client < 8; client++) {
                    int number = client;
                    all.add(clients.submit(() -> {
                        for (int i = 0; i < 25; i++) {
                            boolean stream = i % 2 == 0;
                            HttpResponse<String> answer = gate.post(
                                    "/v1/chat/completions",
                                    customer.key(),
                                    ASK.formatted("remote", stream, number + " " + i));
                            assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
                            if (stream) assertThat(answer.body()).contains("w4").endsWith("data: [DONE]\n\n");
                            else assertThat(answer.body()).contains("\"model\":\"remote\"", "\"content\":\"ok\"");
                            if (answered.incrementAndGet() == 80) first.server.close();
                        }
                        return null;
                    }));
                }
                for (Future<?> each : all) each.get();
            }
            long ours = output(gate, customer);
            assertThat(ours).isEqualTo(200 * 5L);
            assertThat(gate.available(customer)).isEqualTo(yuan("100").minus(yuan("3.8"))); // 200 × .019
            assertThat(output(first, atFirst)).isPositive();
            assertThat(output(first, atFirst) + output(second, atSecond)).isEqualTo(ours);
        }
    }

    private static long output(TestPlatform api, TestPlatform.Customer customer) {
        return api.commerce.usage().sums(UsageFilter.of(customer.organization())).stream()
                .filter(s -> s.meter() == Meter.OUTPUT_TOKENS)
                .mapToLong(UsageSum::quantity)
                .sum();
    }

    @Test
    void chat_modelCannotAnswer_fallbackDoesAtThePriceAskedForAndSaysSo() throws Exception {
        ScriptedUpstream.Script good = (id, stream, out) -> {
            if (stream) {
                ScriptedUpstream.head(out);
                ScriptedUpstream.event(out, "{\"model\":\"x\",\"choices\":[{\"delta\":{\"content\":\"a\"}}]}");
                ScriptedUpstream.event(out, "{\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":5}}");
                ScriptedUpstream.end(out);
            } else {
                ScriptedUpstream.whole(
                        out,
                        "200 OK",
                        "{\"model\":\"x\",\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":5}}");
            }
            return true;
        };
        try (ScriptedUpstream gone = new ScriptedUpstream((_, _, _) -> false);
                ScriptedUpstream there = new ScriptedUpstream(good)) {
            OpenAiRemoteChat spare = new OpenAiRemoteChat("spare", "1", RemoteChatSettings.of(there.baseUrl()));
            mount(spare);
            mount(new FailoverChat(
                    new OpenAiRemoteChat("remote", "1", RemoteChatSettings.of(gone.baseUrl())), () -> spare));
            TestPlatform.Customer customer = gate.customer("10");

            HttpResponse<String> whole =
                    gate.post("/v1/chat/completions", customer.key(), ASK.formatted("remote", false, "a"));
            HttpResponse<String> stream =
                    gate.post("/v1/chat/completions", customer.key(), ASK.formatted("remote", true, "a"));
            HttpResponse<String> asked =
                    gate.post("/v1/chat/completions", customer.key(), ASK.formatted("spare", false, "a"));

            for (HttpResponse<String> answer : List.of(whole, stream)) {
                assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
                assertThat(answer.body()).contains("\"model\":\"spare\"");
                assertThat(answer.headers().firstValue("x-guimo-served-by")).contains("spare");
            }
            assertThat(whole.headers().firstValue("x-guimo-amount")).contains("0.019"); // 9 × .001 + 5 × .002
            assertThat(asked.statusCode()).isEqualTo(429); // its own price is beyond the wallet
            assertThat(asked.headers().firstValue("x-guimo-served-by")).isEmpty();
            assertThat(gate.available(customer)).isEqualTo(yuan("9.962"));
            assertThat(gate.get("/metrics", "").body())
                    .contains("guimo_remote_failovers_total{model=\"remote\"} 2.0")
                    .contains("guimo_remote_in_use{model=\"remote\",upstream=\"0 127.0.0.1:");
        }
    }

    @Test
    void chat_upstreamBusy_customerIsToldWhenAndNothingIsHeld() throws Exception {
        ScriptedUpstream.Script busy = (_, _, out) -> {
            ScriptedUpstream.whole(out, "429 Too Many Requests\r\nretry-after: 7", "{}");
            return true;
        };
        try (ScriptedUpstream upstream = new ScriptedUpstream(busy)) {
            mount(new OpenAiRemoteChat("remote", "1", settings(List.of(UpstreamSettings.of(upstream.baseUrl())))));
            TestPlatform.Customer customer = gate.customer("100");
            for (boolean stream : new boolean[] {true, false}) {
                HttpResponse<String> answer =
                        gate.post("/v1/chat/completions", customer.key(), ASK.formatted("remote", stream, "a"));
                assertThat(answer.statusCode()).isEqualTo(503);
                assertThat(answer.headers().firstValueAsLong("retry-after").orElseThrow())
                        .isBetween(1L, 7L);
                assertThat(answer.body()).contains("\"code\":\"overloaded\"").doesNotContain("sk-");
            }
            assertThat(gate.available(customer)).isEqualTo(yuan("100"));
        }
    }

    @Test
    void chat_tokenizerHere_billedByOurCountWhateverIsReported() throws Exception {
        ScriptedUpstream.Script boasts = (_, stream, out) -> {
            String usage = "\"usage\":{\"prompt_tokens\":900,\"completion_tokens\":500}";
            if (stream) {
                ScriptedUpstream.head(out);
                ScriptedUpstream.event(out, "{\"choices\":[{\"delta\":{\"content\":\"abc\"}}]}");
                ScriptedUpstream.event(out, "{\"choices\":[{\"delta\":{\"content\":\"de\"}}]}");
                ScriptedUpstream.event(out, "{\"choices\":[]," + usage + "}");
                ScriptedUpstream.end(out);
            } else {
                ScriptedUpstream.whole(
                        out, "200 OK", "{\"choices\":[{\"message\":{\"content\":\"abcde\"}}]," + usage + "}");
            }
            return true;
        };
        try (ScriptedUpstream upstream = new ScriptedUpstream(boasts)) {
            mount(new OpenAiRemoteChat(
                    "counted",
                    "1",
                    RemoteChatSettings.of(upstream.baseUrl()),
                    KeyReference.NONE,
                    Optional.of(new TokenCount(String::length))));
            for (boolean stream : new boolean[] {true, false}) {
                TestPlatform.Customer customer = gate.customer("10");
                HttpResponse<String> answer =
                        gate.post("/v1/chat/completions", customer.key(), ASK.formatted("counted", stream, "ab"));
                assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
                // 3 + 5 + 2 letters in, 5 letters out
                assertThat(gate.available(customer)).isEqualTo(yuan("10").minus(yuan("0.02")));
            }
            assertThat(gate.get("/metrics", "").body())
                    .contains("guimo_remote_usage_differences_total{model=\"counted\"} 2.0")
                    .contains("guimo_remote_tokens_total{count=\"ours\",direction=\"output\",model=\"counted\"} 10.0")
                    .contains(
                            "guimo_remote_tokens_total{count=\"upstream\",direction=\"output\",model=\"counted\"} 1000.0");
        }
    }

    /**
     * Upstreams that refuse, break off, hang, answer nonsense or leave out the usage, at random. For every request: at most one bill, and tokens read ≤
     * billed ≤ computed by the one upstream that delivered; a refusal is free; at the end nothing is held and the sums agree.
     */
    @ParameterizedTest
    @ValueSource(longs = {1, 2})
    void chat_upstreamsMisbehave_readAtMostBilledAtMostComputed(long seed) throws Exception {
        Map<String, List<Integer>> computed = new ConcurrentHashMap<>();
        try (ScriptedUpstream one = new ScriptedUpstream(new Moody(new SplittableRandom(10 * seed), computed));
                ScriptedUpstream two = new ScriptedUpstream(new Moody(new SplittableRandom(10 * seed + 1), computed));
                ScriptedUpstream three =
                        new ScriptedUpstream(new Moody(new SplittableRandom(10 * seed + 2), computed))) {
            mount(new OpenAiRemoteChat(
                    "remote",
                    "1",
                    settings(Stream.of(one, two, three)
                            .map(u -> UpstreamSettings.of(u.baseUrl()))
                            .toList())));
            TestPlatform.Customer customer = gate.customer("1000");
            Map<String, Read> read = new ConcurrentHashMap<>();
            try (ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor()) {
                List<Future<?>> all = new ArrayList<>();
                for (int client = 0; client < 8; client++) {
                    int number = client;
                    all.add(clients.submit(() -> {
                        for (int i = 0; i < 25; i++) {
                            String id = "q" + seed + "-" + number + "-" + i;
                            read.put(id, ask(customer, id, i % 3 != 0));
                        }
                        return null;
                    }));
                }
                for (Future<?> each : all) each.get();
            }
            Money billed = yuan("0");
            int served = 0;
            for (Map.Entry<String, Read> each : read.entrySet()) {
                Optional<UsageEvent> event =
                        gate.commerce.usage().find(customer.organization(), each.getValue().request);
                long tokens = event.map(RemoteModelsTest::outputTokens).orElse(0L);
                int most = computed.getOrDefault(each.getKey(), List.of()).stream()
                        .mapToInt(c -> c)
                        .max()
                        .orElse(0);
                assertThat(tokens)
                        .as(
                                "seed %d, %s: read %s, computed %s",
                                seed, each, each.getValue(), computed.get(each.getKey()))
                        .isBetween((long) each.getValue().tokens, (long) most);
                if (event.isPresent()) {
                    billed = billed.plus(event.get().amount());
                    served++;
                }
            }
            assertThat(served).as("seed %d, of 200", seed).isBetween(20, 190);
            assertThat(gate.available(customer)).isEqualTo(yuan("1000").minus(billed));
            assertThat(gate.commerce.ledger().balance(customer.organization()).reserved())
                    .isEqualTo(yuan("0"));
            assertThat(gate.commerce.ledger().verify().isRight()).isTrue();
        }
    }

    private record Read(RequestId request, int tokens) {}

    private Read ask(TestPlatform.Customer customer, String id, boolean stream) throws Exception {
        HttpResponse<Stream<String>> answer = gate.client.send(
                gate.request("/v1/chat/completions", customer.key())
                        .POST(HttpRequest.BodyPublishers.ofString(ASK.formatted("remote", stream, id)))
                        .build(),
                HttpResponse.BodyHandlers.ofLines());
        RequestId request =
                new RequestId(answer.headers().firstValue("x-request-id").orElseThrow());
        List<String> lines = new ArrayList<>();
        try (Stream<String> body = answer.body()) {
            body.forEach(lines::add);
        } catch (UncheckedIOException brokenOff) {
            assertThat(stream).isTrue();
        }
        if (answer.statusCode() != 200) return new Read(request, 0);
        List<String> contents =
                lines.stream().filter(l -> l.contains("\"part\"")).toList();
        for (int i = 0; i < contents.size(); i++)
            assertThat(contents.get(i)).contains("\"id\":\"" + id + "\"", "\"part\":" + i + "}");
        return new Read(request, stream ? contents.size() : 3);
    }

    private static long outputTokens(UsageEvent event) {
        return event.lines().stream()
                .filter(l -> l.meter() == Meter.OUTPUT_TOKENS)
                .mapToLong(l -> l.quantity())
                .sum();
    }

    /** A token in a chunk; whole answers have three. */
    private static final class Moody implements ScriptedUpstream.Script {
        private static final List<String> FATES = List.of(
                "well", "well", "well", "well", "silent", "silent", "reset", "429", "502", "503", "500", "head",
                "middle", "garbage", "error", "stall");

        private final SplittableRandom random;
        private final Map<String, List<Integer>> computed;

        Moody(SplittableRandom random, Map<String, List<Integer>> computed) {
            this.random = random;
            this.computed = computed;
        }

        @Override
        public boolean answer(String id, boolean stream, OutputStream out) throws IOException {
            String fate;
            int length;
            synchronized (random) {
                fate = FATES.get(random.nextInt(FATES.size()));
                length = 1 + random.nextInt(300);
            }
            return switch (fate) {
                case "reset" -> false;
                case "429", "502", "503" -> {
                    ScriptedUpstream.whole(out, fate + " Later\r\nretry-after: 0.02", "{}");
                    yield true;
                }
                case "500" -> {
                    ScriptedUpstream.whole(out, "500 Broken", "{}");
                    yield true;
                }
                case "head" -> {
                    out.write("HTTP/1.1 200 OK\r\ncontent-ty".getBytes(StandardCharsets.US_ASCII));
                    yield false;
                }
                default -> stream ? streamed(id, fate, length, out) : whole(id, fate, out);
            };
        }

        private boolean whole(String id, String fate, OutputStream out) throws IOException {
            if (!List.of("well", "silent").contains(fate)) {
                out.write("HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n{\"choices\":["
                        .getBytes(StandardCharsets.US_ASCII));
                return false;
            }
            String usage = ",\"usage\":{\"prompt_tokens\":4,\"completion_tokens\":3}";
            String answer = "{\"choices\":[{\"id\":\"" + id + "\",\"part\":0}]" + usage + "}";
            note(id, 3);
            ScriptedUpstream.whole(out, "200 OK", answer);
            return true;
        }

        private boolean streamed(String id, String fate, int length, OutputStream out) throws IOException {
            int cut = List.of("well", "silent").contains(fate) ? length : length / 2;
            note(id, length);
            ScriptedUpstream.head(out);
            for (int i = 0; i < cut; i++)
                ScriptedUpstream.event(out, "{\"choices\":[{\"id\":\"" + id + "\",\"part\":" + i + "}]}");
            switch (fate) {
                case "middle" -> {
                    return false;
                }
                case "garbage" -> ScriptedUpstream.event(out, "<html>");
                case "error" -> ScriptedUpstream.event(out, "{\"error\":{\"message\":\"x\"}}");
                case "stall" -> {
                    LockSupport.parkNanos(400_000_000);
                    return false;
                }
                case "well" ->
                    ScriptedUpstream.event(
                            out,
                            "{\"choices\":[],\"usage\":{\"prompt_tokens\":4,\"completion_tokens\":" + length + "}}");
                default -> {}
            }
            ScriptedUpstream.end(out);
            return true;
        }

        private void note(String id, int tokens) {
            computed.computeIfAbsent(id, _ -> new CopyOnWriteArrayList<>()).add(tokens);
        }
    }

    private static Money yuan(String amount) {
        return Money.of(TestPlatform.CNY, amount);
    }
}
