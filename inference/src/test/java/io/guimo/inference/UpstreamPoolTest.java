package io.guimo.inference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.assertj.core.api.Assertions.within;

import io.guimo.inference.FakeUpstream.Script;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Several upstreams, most of which misbehave. */
@Timeout(60)
final class UpstreamPoolTest {
    private static final byte[] REQUEST =
            bytes("{\"model\":\"chat\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],\"max_tokens\":5}");
    private static final String ANSWER =
            "{\"id\":\"1\",\"model\":\"theirs\",\"choices\":[{\"index\":0}],\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":4}}";
    private static final String STREAM_HEAD =
            "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
    private static final Script GOOD = FakeUpstream.json(ANSWER);
    private static final RemoteTimeLimits PATIENT = RemoteTimeLimits.STANDARD;

    // Balancing

    @Test
    void complete_laterTurnsOfAConversation_sameUpstream() {
        try (Fakes fakes = new Fakes(GOOD, GOOD, GOOD);
                OpenAiRemoteChat chat = fakes.chat()) {
            SplittableRandom random = new SplittableRandom(3);
            Map<Integer, Integer> upstreamOf = new HashMap<>();
            int[] perUpstream = new int[3];
            for (int i = 0; i < 300; i++) {
                int conversation = random.nextInt(60);
                StringBuilder messages = new StringBuilder("{\"role\":\"user\",\"content\":\"" + conversation + "\"}");
                messages.append(",{\"role\":\"assistant\",\"content\":\"a\"},{\"role\":\"user\",\"content\":\"b\"}"
                        .repeat(random.nextInt(3)));
                int[] before = fakes.counts();
                chat.complete(bytes("{\"model\":\"chat\",\"messages\":[" + messages + "]}"));
                int[] after = fakes.counts();
                int served = 0;
                for (int u = 0; u < 3; u++) if (after[u] > before[u]) served = u;
                perUpstream[served]++;
                assertThat(upstreamOf.putIfAbsent(conversation, served)).isIn(null, served);
            }
            assertThat(perUpstream).doesNotContain(0);
        }
    }

    @Test
    void complete_preferredUpstreamHasMoreThanItsShare_leastLoadedTakesIt() throws Exception {
        Gate gate = new Gate();
        try (Fakes fakes = new Fakes(gate, gate, gate);
                OpenAiRemoteChat chat = fakes.chat();
                ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<ChatReply>> calls = new ArrayList<>();
            for (int i = 1; i <= 30; i++) {
                calls.add(callers.submit(() -> chat.complete(REQUEST))); // all of one conversation
                gate.awaitArrived(i);
            }
            int[] counts = fakes.counts();
            gate.open();
            for (Future<ChatReply> call : calls)
                assertThat(call.get().succeeded()).isTrue();
            // Its bound is ceil(1.25 * 30 / 3); the others share the rest evenly.
            Arrays.sort(counts);
            assertThat(counts).containsExactly(8, 9, 13);
        }
    }

    @Test
    void complete_manyAtOnce_outstandingByWeight() throws Exception {
        Gate gate = new Gate();
        try (Fakes fakes = new Fakes(gate, gate);
                OpenAiRemoteChat chat = fakes.chat(List.of(1, 3), PATIENT, RetrySettings.STANDARD);
                ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = 1; i <= 80; i++) {
                byte[] request = bytes("{\"messages\":[{\"role\":\"user\",\"content\":\"" + i + "\"}]}");
                var _ = callers.submit(() -> chat.complete(request));
                gate.awaitArrived(i);
            }
            int[] counts = fakes.counts();
            gate.open();
            assertThat((double) counts[1] / 80).isCloseTo(.75, within(.1));
        }
    }

    // Tries

    @ParameterizedTest
    @ValueSource(strings = {"refused", "reset", "502", "503", "429"})
    void complete_nothingWasAnswered_anotherUpstreamServesOnce(String fault) {
        Script faulty = fault.equals("reset")
                ? (_, _, _) -> false
                : status(fault.equals("refused") ? "200 OK" : fault + " Not now", "");
        for (int i = 0; i < 12; i++) { // other conversations prefer other upstreams
            try (Fakes fakes = new Fakes(faulty, GOOD);
                    OpenAiRemoteChat chat = fakes.chat()) {
                if (fault.equals("refused")) fakes.all.getFirst().close();
                byte[] request = bytes("{\"messages\":[{\"role\":\"user\",\"content\":\"" + i + "\"}]}");

                ChatReply reply = chat.complete(request);

                assertThat(reply.usage()).isEqualTo(new ChatUsage(10, 0, 4, true));
                assertThat(fakes.counts()[1]).isEqualTo(1);
                assertThat(chat.usage().requests()).isEqualTo(1);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"400, true", "413, true", "422, true", "401, true", "404, true", "500, true", "504, true"})
    void complete_otherRefusal_passedOnWithoutAnotherTry(int status, boolean passedOn) {
        Script refuses = status(status + " No", "");
        try (Fakes fakes = new Fakes(refuses, refuses);
                OpenAiRemoteChat chat = fakes.chat()) {
            ChatReply reply = chat.complete(REQUEST);
            assertThat(reply.status() == status).isEqualTo(passedOn);
            assertThat(fakes.tries()).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "HTTP/1.1 200 OK\r\ncontent-le",
                "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"choices\":[",
                "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nnot JSON!",
                "HTTP/1.1 200 OK\r\ncontent-length: 14\r\n\r\n{\"choices\":[}x",
                "HTTP/1.1 200 OK\r\ncontent-length: 15\r\n\r\n{\"object\":\"ok\"}",
                "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 14\r\n\r\n{\"choices\":[]}",
                "HTTP/1.1 200 OK\r\ncontent-length: 67108865\r\n\r\n",
                "\u0000\u0001\u0002\u0003 garbage\r\n\r\n",
            })
    void complete_answerBegunAndNone_failsWithoutAnotherTry(String answer) {
        Script broken = (_, _, out) -> {
            out.write(FakeUpstream.ascii(answer));
            return false;
        };
        try (Fakes fakes = new Fakes(broken, broken);
                OpenAiRemoteChat chat = fakes.chat()) {
            UpstreamFailed failed = catchThrowableOfType(UpstreamFailed.class, () -> chat.complete(REQUEST));

            assertThat(failed.unanswered()).isFalse();
            assertThat(fakes.tries()).isEqualTo(1);
            assertThat(chat.usage().requests()).isZero();
        }
    }

    @Test
    void complete_allBusyForAWhile_waitsAsToldAndIsServed() {
        long[] busyUntil = {0};
        List<Long> early = new CopyOnWriteArrayList<>();
        Script busyOnce = (head, body, out) -> {
            long now = System.nanoTime();
            if (busyUntil[0] == 0) {
                busyUntil[0] = now + 300_000_000;
                return status("503 Busy", "retry-after: 0.3\r\n").answer(head, body, out);
            }
            if (now < busyUntil[0]) early.add(busyUntil[0] - now);
            return GOOD.answer(head, body, out);
        };
        try (Fakes fakes = new Fakes(busyOnce);
                OpenAiRemoteChat chat = fakes.chat()) {
            assertThat(chat.complete(REQUEST).succeeded()).isTrue();
            assertThat(fakes.tries()).isEqualTo(2);
            assertThat(early).isEmpty();
        }
    }

    @Test
    void complete_busyForLongerThanMayBeWaited_refusedWithItsTimeAndLeftAlone() {
        String date = DateTimeFormatter.RFC_1123_DATE_TIME.format(
                Instant.now().plusSeconds(40).atZone(ZoneOffset.UTC));
        for (String retryAfter : List.of("30", date, "99999999")) {
            for (String status : List.of("429 Too Many Requests", "503 Busy")) {
                Script busy = status(status, "Retry-After: " + retryAfter + "\r\n");
                try (Fakes fakes = new Fakes(busy, busy);
                        OpenAiRemoteChat chat = fakes.chat()) {
                    UpstreamBusy refused = catchThrowableOfType(UpstreamBusy.class, () -> chat.complete(REQUEST));
                    assertThat(refused.retryAfter()).isBetween(Duration.ofSeconds(5), Duration.ofMinutes(1));
                    assertThat(fakes.tries()).isEqualTo(2);

                    assertThatThrownBy(() -> chat.complete(REQUEST)).isInstanceOf(UpstreamBusy.class);
                    assertThat(fakes.tries()).isEqualTo(2);
                }
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"'', 1000", "0, 10", "0.25, 250", "2, 2000", "-7, 10", "soon, 1000", "1e300, 60000", "NaN, 10"})
    void retryAfter_anything_withinBounds(String header, long millis) {
        assertThat(Upstream.retryAfter(header)).isEqualTo(Duration.ofMillis(millis));
    }

    @Test
    void complete_everythingFails_retriesAddAtMostAFifth() {
        Script bad = status("502 Bad Gateway", "");
        try (Fakes fakes = new Fakes(bad, bad, bad);
                OpenAiRemoteChat chat =
                        fakes.chat(null, PATIENT, RetrySettings.STANDARD, 20, Duration.ofSeconds(2), Duration.ZERO)) {
            for (int i = 0; i < 55; i++) {
                // 20 of the last 20 open a breaker, so that few are left out for that reason
                assertThatThrownBy(() -> chat.complete(REQUEST)).isInstanceOf(InferenceRefusal.class);
            }
            assertThat(chat.state().retries()).isBetween(10L, 10L + 55 / 5);
        }
    }

    // Time

    @Test
    void complete_upstreamHangs_timedOutWithoutAnotherTry() {
        CountDownLatch end = new CountDownLatch(1);
        Script hangs = (_, _, _) -> await(end);
        RemoteTimeLimits short_ = new RemoteTimeLimits(null, null, null, Duration.ofMillis(100));
        try (Fakes fakes = new Fakes(hangs, hangs);
                OpenAiRemoteChat chat = fakes.chat(null, short_, RetrySettings.STANDARD)) {
            UpstreamFailed failed = catchThrowableOfType(UpstreamFailed.class, () -> chat.complete(REQUEST));
            assertThat(failed.timedOut()).isTrue();
            assertThat(failed.unanswered()).isFalse();
            assertThat(fakes.tries()).isEqualTo(1);
            end.countDown();
        }
    }

    /** Each limit alone ends its case; the others are too long for the test to pass. */
    @ParameterizedTest
    @ValueSource(strings = {"firstByte", "betweenChunks", "total"})
    void stream_slowerThanItsLimit_timedOut(String limit) {
        CountDownLatch end = new CountDownLatch(1);
        Script slow = (_, _, out) -> {
            if (limit.equals("firstByte")) return await(end);
            out.write(FakeUpstream.ascii(STREAM_HEAD));
            out.write(chunk("data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n"));
            if (limit.equals("betweenChunks")) return await(end);
            while (end.getCount() > 0) { // alive without an end
                out.write(chunk(": still here\n\n"));
                LockSupport.parkNanos(5_000_000);
            }
            return false;
        };
        Duration short_ = Duration.ofMillis(150);
        RemoteTimeLimits limits = new RemoteTimeLimits(
                null,
                limit.equals("firstByte") ? short_ : null,
                limit.equals("betweenChunks") ? short_ : null,
                limit.equals("total") ? short_ : null);
        try (Fakes fakes = new Fakes(slow);
                OpenAiRemoteChat chat = fakes.chat(null, limits, RetrySettings.STANDARD)) {
            UpstreamFailed failed = catchThrowableOfType(UpstreamFailed.class, () -> chat.stream(REQUEST, _ -> true));
            assertThat(failed.timedOut()).isTrue();
            end.countDown();
        }
    }

    @Test
    void complete_largeRequestThatNobodyReads_timedOut() throws Exception {
        try (ServerSocket deaf = new ServerSocket(0, 10, InetAddress.getLoopbackAddress());
                OpenAiRemoteChat chat = new OpenAiRemoteChat(
                        "chat",
                        "1",
                        settings(
                                List.of(UpstreamSettings.of("http://127.0.0.1:" + deaf.getLocalPort() + "/v1")),
                                new RemoteTimeLimits(null, null, null, Duration.ofMillis(300)),
                                RetrySettings.STANDARD,
                                5,
                                Duration.ZERO))) {
            byte[] large = bytes("{\"messages\":[{\"role\":\"user\",\"content\":\"" + "x".repeat(40 << 20) + "\"}]}");
            UpstreamFailed failed = catchThrowableOfType(UpstreamFailed.class, () -> chat.complete(large));
            assertThat(failed.timedOut()).isTrue();
        }
    }

    // Health

    @Test
    void complete_upstreamFailsAgainAndAgain_restsThenOneTrialBringsItBack() {
        boolean[] healthy = {false};
        Script sick = (head, body, out) -> (healthy[0] ? GOOD : status("500 Broken", "")).answer(head, body, out);
        try (Fakes fakes = new Fakes(sick);
                OpenAiRemoteChat chat =
                        fakes.chat(null, PATIENT, RetrySettings.STANDARD, 3, Duration.ofMillis(50), Duration.ZERO)) {
            for (int i = 0; i < 3; i++)
                assertThat(chat.complete(REQUEST).status()).isEqualTo(500);
            assertThat(chat.state().upstreams().getFirst().breaker()).isNotEqualTo("closed");
            UpstreamBusy refused = null;
            int triesBefore = fakes.tries();
            if (catchThrowable(() -> chat.complete(REQUEST)) instanceof UpstreamBusy busy) refused = busy;
            // On a stalled machine the rest may be over already; then that call was the trial.
            if (refused != null) {
                assertThat(refused.retryAfter()).isLessThanOrEqualTo(Duration.ofMillis(50));
                assertThat(fakes.tries()).isEqualTo(triesBefore);
            }
            healthy[0] = true;
            while (!chat.state().upstreams().getFirst().breaker().equals("closed")) {
                LockSupport.parkNanos(5_000_000);
                var _ = catchThrowable(() -> chat.complete(REQUEST));
            }
            assertThat(chat.complete(REQUEST).succeeded()).isTrue();
        }
    }

    @Test
    void probe_idleUpstreamDies_outOfUseBeforeARequestFindsOutAndBackWhenItLives() {
        Script dead = (_, _, _) -> false;
        try (Fakes fakes = new Fakes(GOOD);
                OpenAiRemoteChat chat = fakes.chat(
                        null, PATIENT, RetrySettings.STANDARD, 5, Duration.ofMinutes(10), Duration.ofMillis(20))) {
            FakeUpstream upstream = fakes.all.getFirst();
            assertThat(chat.complete(REQUEST).succeeded()).isTrue();
            upstream.probe = dead;
            awaitBreaker(chat, "open");
            int tries = fakes.tries();
            assertThatThrownBy(() -> chat.complete(REQUEST)).isInstanceOf(UpstreamBusy.class);
            assertThat(fakes.tries()).isEqualTo(tries);

            upstream.probe = status("404 No such page", "");
            awaitBreaker(chat, "half_open");
            assertThat(chat.complete(REQUEST).succeeded()).isTrue();
            assertThat(chat.state().upstreams().getFirst().breaker()).isEqualTo("closed");
        }
    }

    private static void awaitBreaker(OpenAiRemoteChat chat, String state) {
        while (!chat.state().upstreams().getFirst().breaker().equals(state)) LockSupport.parkNanos(2_000_000);
    }

    // Streams

    @Test
    void stream_errorWithinIt_failsAfterWhatArrived() {
        for (String event : List.of(
                "{\"error\":{\"message\":\"out of memory\"}}",
                "no JSON",
                "{\"choices\":[",
                "{\"a\":1}}",
                "{\"a\":\"}")) {
            Script fails = (_, _, out) -> {
                out.write(FakeUpstream.ascii(STREAM_HEAD));
                out.write(chunk("data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}],\"error\":null}\n\n"));
                out.write(chunk("data: " + event + "\n\n"));
                out.write(chunk("data: [DONE]\n\n"));
                out.write(FakeUpstream.ascii("0\r\n\r\n"));
                return true;
            };
            try (Fakes fakes = new Fakes(fails, fails);
                    OpenAiRemoteChat chat = fakes.chat()) {
                List<byte[]> chunks = new ArrayList<>();
                assertThatThrownBy(() -> chat.stream(REQUEST, chunks::add)).isInstanceOf(UpstreamFailed.class);
                assertThat(chunks).hasSize(1);
                assertThat(fakes.tries()).isEqualTo(1);
            }
        }
    }

    @Test
    void answers_underWhateverNameTheUpstreamUses_carryOurs() {
        Map<String, String> renamed = Map.of(
                "{\"model\":\"Qwen/Qwen3\",\"choices\":[]}", "{\"model\":\"chat\",\"choices\":[]}",
                "{\"choices\":[{\"model\":\"x\"}], \"model\" : \"a\\\"b\\\\\" }",
                        "{\"choices\":[{\"model\":\"x\"}], \"model\" : \"chat\" }",
                "{\"choices\":[{\"message\":{\"content\":\"\\\"model\\\":\\\"y\\\"\"}}]}",
                        "{\"choices\":[{\"message\":{\"content\":\"\\\"model\\\":\\\"y\\\"\"}}]}",
                "{\"a\":\"model\",\"choices\":[],\"model\":null}", "{\"a\":\"model\",\"choices\":[],\"model\":null}");
        renamed.forEach((theirs, ours) -> {
            try (Fakes fakes = new Fakes(FakeUpstream.json(theirs));
                    OpenAiRemoteChat chat = fakes.chat()) {
                assertThat(new String(chat.complete(REQUEST).body(), StandardCharsets.UTF_8))
                        .isEqualTo(ours);
                fakes.all.getFirst().script = stream("data: " + theirs + "\n\ndata: [DONE]\n\n");
                List<String> chunks = new ArrayList<>();
                chat.stream(REQUEST, data -> chunks.add(new String(data, StandardCharsets.UTF_8)));
                assertThat(chunks).containsExactly(ours);
            }
        });
    }

    // Counts

    @Test
    void complete_tokenizerHere_ourCountIsBilledAndTheirsCompared() {
        TokenCount letters = new TokenCount(text -> text.length() + 2);
        String before = "{\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"abcd\"}},"
                + "{\"index\":1,\"message\":{\"content\":null,\"tool_calls\":[{\"id\":\"7\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]}}],"
                + "\"usage\":{\"prompt_tokens\":11,\"completion_tokens\":";
        for (int theirs : new int[] {7, 15, 16, 1_000_000}) {
            try (Fakes fakes = new Fakes(
                            FakeUpstream.json(before + theirs + ",\"prompt_tokens_details\":{\"cached_tokens\":6}}}"));
                    OpenAiRemoteChat chat = fakes.chat(letters)) {
                // 3 to open the answer, 5 around the message, 2 letters; 4 + 3 letters of answer
                assertThat(chat.complete(REQUEST).usage()).isEqualTo(new ChatUsage(4, 6, 7, true));
                RemoteState state = chat.state();
                assertThat(state.tokens()).isEqualTo(new RemoteState.BothCounts(10, 11, 7, theirs));
                assertThat(state.countsDiffered()).isEqualTo(theirs > 15 ? 1 : 0);
            }
        }
    }

    @Test
    void stream_tokenizerHere_countsWhatWasHandedOver() {
        TokenCount letters = new TokenCount(String::length);
        String events = """
                data: {"choices":[{"index":0,"delta":{"role":"assistant","content":"abc"}}]}

                data: {"choices":[{"index":1,"delta":{"content":"de"}}]}

                data: {"choices":[{"index":0,"delta":{"content":"fghi"}}]}

                data: [DONE]

                """;
        try (Fakes fakes = new Fakes(stream(events));
                OpenAiRemoteChat chat = fakes.chat(letters)) {
            assertThat(chat.stream(REQUEST, _ -> true).usage()).isEqualTo(new ChatUsage(10, 0, 9, true));
            int[] left = {2};
            assertThat(chat.stream(REQUEST, _ -> left[0]-- > 0).usage()).isEqualTo(new ChatUsage(10, 0, 5, true));
        }
    }

    // Fallback

    @Test
    void failover_nothingWasSaid_otherAnswersUnderItsOwnName() {
        for (Script faulty : List.of(status("503 Busy", "retry-after: 60\r\n"), (_, _, _) -> false)) {
            try (Fakes one = new Fakes(faulty);
                    Fakes two = new Fakes(GOOD);
                    OpenAiRemoteChat first = one.chat();
                    OpenAiRemoteChat second = new OpenAiRemoteChat("spare", "1", two.settings());
                    FailoverChat chat = new FailoverChat(first, () -> second)) {
                ChatReply reply = chat.complete(bytes("{\"model\":\"chat\",\"messages\":[]}"));
                assertThat(reply.servedBy()).isEqualTo("spare");
                assertThat(new String(reply.body(), StandardCharsets.UTF_8)).contains("\"model\":\"spare\"");
                assertThat(two.all.getFirst().bodies)
                        .containsExactly("{\"max_tokens\":4096,\"model\":\"spare\",\"messages\":[]}");

                two.all.getFirst().script =
                        stream("data: {\"model\":\"theirs\",\"choices\":[{\"index\":0}]}\n\ndata: [DONE]\n\n");
                List<String> heard = new ArrayList<>();
                chat.stream(REQUEST, new RemoteChat.ChunkListener() {
                    @Override
                    public void servedBy(String model) {
                        heard.add(model);
                    }

                    @Override
                    public boolean chunk(byte[] data) {
                        return heard.add(new String(data, StandardCharsets.UTF_8));
                    }
                });
                assertThat(heard).containsExactly("spare", "{\"model\":\"spare\",\"choices\":[{\"index\":0}]}");
                assertThat(chat.state().failovers()).isEqualTo(2);
                assertThat(chat.name()).isEqualTo("chat");
            }
        }
    }

    @Test
    void failover_answerBegunOrRefusedOrTimedOut_notAsked() {
        Script breaks = (_, _, out) -> {
            out.write(FakeUpstream.ascii("HTTP/1.1 200 OK\r\n"));
            return false;
        };
        CountDownLatch end = new CountDownLatch(1);
        Script hangs = (_, _, _) -> await(end);
        RemoteTimeLimits short_ = new RemoteTimeLimits(null, null, null, Duration.ofMillis(100));
        for (Script faulty : List.of(breaks, hangs)) {
            try (Fakes one = new Fakes(faulty);
                    Fakes two = new Fakes(GOOD);
                    OpenAiRemoteChat second = two.chat();
                    FailoverChat chat =
                            new FailoverChat(one.chat(null, short_, RetrySettings.STANDARD), () -> second)) {
                assertThatThrownBy(() -> chat.complete(REQUEST)).isInstanceOf(UpstreamFailed.class);
                assertThatThrownBy(() -> chat.complete(bytes("[]"))).isInstanceOf(InvalidInput.class);
                assertThat(two.tries()).isZero();
            }
        }
        end.countDown();
        try (Fakes one = new Fakes((_, _, _) -> false);
                FailoverChat chat = new FailoverChat(one.chat(), () -> null)) {
            assertThatThrownBy(() -> chat.complete(REQUEST)).isInstanceOf(UpstreamFailed.class);
        }
    }

    // Everything at once

    /**
     * Upstreams that misbehave at random, 16 callers, every request known by its number. Each caller gets its own answer, whole, from one try, or a
     * refusal; and no request is sent again once an upstream had begun to answer it.
     */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void exchange_randomFaults_neverTwoDeliveriesOfOneRequest(long seed) throws Exception {
        Map<String, List<String>> fates = new ConcurrentHashMap<>();
        Script[] scripts = new Script[4];
        for (int u = 0; u < scripts.length; u++) scripts[u] = new Moody(new SplittableRandom(100 * seed + u), fates);
        RemoteTimeLimits limits =
                new RemoteTimeLimits(null, Duration.ofSeconds(20), Duration.ofMillis(300), Duration.ofSeconds(20));
        RetrySettings retries = new RetrySettings(4, Duration.ofMillis(500));
        try (Fakes fakes = new Fakes(scripts);
                OpenAiRemoteChat chat =
                        fakes.chat(null, limits, retries, 18, Duration.ofMillis(10), Duration.ofMillis(10));
                ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<Integer>> all = new ArrayList<>();
            for (int caller = 0; caller < 16; caller++) {
                String name = "c" + caller;
                all.add(callers.submit(() -> {
                    int served = 0;
                    for (int i = 0; i < 100; i++) if (ask(chat, name + "-" + i, i % 2 == 0)) served++;
                    return served;
                }));
            }
            int served = 0;
            for (Future<Integer> each : all) served += each.get();
            assertThat(served).as("seed %d, of 1600", seed).isBetween(100, 1500);
            assertThat(chat.state().retries()).isPositive();
        }
        fates.forEach((request, tries) -> {
            for (String fate : tries.subList(0, tries.size() - 1))
                assertThat(fate).as("seed %d, %s: %s", seed, request, tries).isIn("reset", "429", "502", "503");
        });
    }

    private static boolean ask(OpenAiRemoteChat chat, String id, boolean stream) {
        byte[] request = bytes("{\"messages\":[{\"role\":\"user\",\"content\":\"" + id + "\"}]}");
        List<String> chunks = new ArrayList<>();
        try {
            if (stream) {
                ChatStreamEnd end = chat.stream(request, data -> chunks.add(new String(data, StandardCharsets.UTF_8)));
                if (!end.succeeded()) {
                    assertThat(chunks).isEmpty();
                    return false;
                }
                assertThat(chunks).hasSize(5);
            } else {
                ChatReply reply = chat.complete(request);
                if (!reply.succeeded()) return false;
                chunks.add(new String(reply.body(), StandardCharsets.UTF_8));
            }
            return true;
        } catch (InferenceRefusal refused) {
            return false;
        } finally {
            for (int i = 0; i < chunks.size(); i++)
                assertThat(chunks.get(i)).contains("\"" + id + "\"").contains("\"part\":" + i);
        }
    }

    /** Answers well half the time. */
    private static final class Moody implements Script {
        private static final List<String> FATES = List.of(
                "well", "well", "well", "well", "well", "well", "reset", "429", "502", "503", "500", "head", "middle",
                "garbage", "stall");

        private final SplittableRandom random;
        private final Map<String, List<String>> fates;

        Moody(SplittableRandom random, Map<String, List<String>> fates) {
            this.random = random;
            this.fates = fates;
        }

        @Override
        public boolean answer(String head, String body, OutputStream out) throws IOException {
            String id = body.replaceAll(".*\"content\":(\"[^\"]*\").*", "$1");
            boolean stream = body.contains("include_usage");
            String fate;
            synchronized (random) {
                fate = FATES.get(random.nextInt(FATES.size()));
            }
            fates.computeIfAbsent(id, _ -> new CopyOnWriteArrayList<>()).add(fate);
            return switch (fate) {
                case "reset" -> false;
                case "429", "502", "503" ->
                    status(fate + " Later", "retry-after: 0.02\r\n").answer(head, body, out);
                case "500" -> status("500 Broken", "").answer(head, body, out);
                case "head" -> {
                    out.write(FakeUpstream.ascii("HTTP/1.1 200 OK\r\ncontent-ty"));
                    yield false;
                }
                default -> stream ? streamed(id, fate, out) : whole(id, fate, out);
            };
        }

        private static boolean whole(String id, String fate, OutputStream out) throws IOException {
            String answer = "{\"id\":" + id + ",\"choices\":[{\"part\":0}]}";
            byte[] all = FakeUpstream.whole("200 OK", "application/json", fate.equals("garbage") ? "<html>" : answer);
            boolean cut = fate.equals("middle") || fate.equals("stall");
            out.write(all, 0, cut ? all.length - 5 : all.length);
            return !cut;
        }

        private static boolean streamed(String id, String fate, OutputStream out) throws IOException {
            out.write(FakeUpstream.ascii(STREAM_HEAD));
            for (int i = 0; i < 5; i++) {
                if (i == 3 && fate.equals("middle")) return false;
                if (i == 3 && fate.equals("garbage")) out.write(chunk("data: <html>\n\n"));
                if (i == 3 && fate.equals("stall")) {
                    LockSupport.parkNanos(400_000_000);
                    return false;
                }
                out.write(chunk("data: {\"id\":" + id + ",\"choices\":[{\"part\":" + i + "}]}\n\n"));
            }
            out.write(chunk("data: [DONE]\n\n"));
            out.write(FakeUpstream.ascii("0\r\n\r\n"));
            return true;
        }
    }

    // Helpers

    /** Holds every request until it is opened. */
    private static final class Gate implements Script {
        private final CountDownLatch open = new CountDownLatch(1);
        private final Semaphore arrived = new Semaphore(0);
        private int awaited;

        @Override
        public boolean answer(String head, String body, OutputStream out) throws IOException {
            arrived.release();
            await(open);
            return GOOD.answer(head, body, out);
        }

        void awaitArrived(int count) {
            arrived.acquireUninterruptibly(count - awaited);
            awaited = count;
        }

        void open() {
            open.countDown();
        }
    }

    private static boolean await(CountDownLatch end) {
        try {
            end.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return false;
    }

    private static Script status(String status, String headers) {
        return (_, _, out) -> {
            out.write(FakeUpstream.ascii("HTTP/1.1 " + status + "\r\n" + headers
                    + "content-type: application/json\r\ncontent-length: 2\r\n\r\n{}"));
            return true;
        };
    }

    private static Script stream(String events) {
        return (_, _, out) -> {
            out.write(FakeUpstream.ascii(STREAM_HEAD));
            out.write(chunk(events));
            out.write(FakeUpstream.ascii("0\r\n\r\n"));
            return true;
        };
    }

    private static byte[] chunk(String text) {
        return FakeUpstream.ascii(Integer.toHexString(bytes(text).length) + "\r\n" + text + "\r\n");
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static RemoteChatSettings settings(
            List<UpstreamSettings> upstreams,
            RemoteTimeLimits limits,
            RetrySettings retries,
            int breakAfter,
            Duration probeEvery) {
        return new RemoteChatSettings(upstreams, limits, retries, breakAfter, null, probeEvery, null, null, null);
    }

    /** As many fake upstreams as scripts. */
    private static final class Fakes implements AutoCloseable {
        final List<FakeUpstream> all;

        Fakes(Script... scripts) {
            all = Arrays.stream(scripts).map(FakeUpstream::new).toList();
        }

        int[] counts() {
            return all.stream().mapToInt(f -> f.bodies.size()).toArray();
        }

        int tries() {
            return Arrays.stream(counts()).sum();
        }

        RemoteChatSettings settings() {
            return RemoteChatSettings.of(
                    all.stream().map(f -> UpstreamSettings.of(f.baseUrl())).toArray(UpstreamSettings[]::new));
        }

        OpenAiRemoteChat chat() {
            return new OpenAiRemoteChat("chat", "1", settings());
        }

        OpenAiRemoteChat chat(TokenCount tokens) {
            return new OpenAiRemoteChat("chat", "1", settings(), KeyReference.NONE, Optional.of(tokens));
        }

        OpenAiRemoteChat chat(@Nullable List<Integer> weights, RemoteTimeLimits limits, RetrySettings retries) {
            return chat(weights, limits, retries, 5, Duration.ofSeconds(2), Duration.ZERO);
        }

        OpenAiRemoteChat chat(
                @Nullable List<Integer> weights,
                RemoteTimeLimits limits,
                RetrySettings retries,
                int breakAfter,
                Duration restFor,
                Duration probeEvery) {
            List<UpstreamSettings> upstreams = new ArrayList<>();
            for (int i = 0; i < all.size(); i++) {
                upstreams.add(new UpstreamSettings(
                        URI.create(all.get(i).baseUrl()),
                        null,
                        weights == null ? null : weights.get(i),
                        null,
                        null,
                        null));
            }
            return new OpenAiRemoteChat(
                    "chat",
                    "1",
                    new RemoteChatSettings(
                            upstreams, limits, retries, breakAfter, restFor, probeEvery, null, null, null));
        }

        @Override
        public void close() {
            all.forEach(FakeUpstream::close);
        }
    }
}
