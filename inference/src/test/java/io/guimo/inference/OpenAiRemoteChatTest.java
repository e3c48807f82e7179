package io.guimo.inference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.guimo.units.Meter;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
final class OpenAiRemoteChatTest {
    private static final byte[] REQUEST = "{\"model\":\"chat\",\"max_tokens\":5}".getBytes(StandardCharsets.UTF_8);
    private static final String ANSWER =
            "{\"id\":\"1\",\"choices\":[],\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":4}}";
    private static final String STREAM_HEAD =
            "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";

    @Test
    void complete_answer_passedOnWithUsage() {
        try (FakeUpstream upstream = new FakeUpstream(FakeUpstream.json(ANSWER));
                OpenAiRemoteChat chat = chat(upstream)) {
            ChatReply reply = chat.complete(REQUEST);

            assertThat(reply.status()).isEqualTo(200);
            assertThat(reply.contentType()).isEqualTo("application/json");
            assertThat(new String(reply.body(), StandardCharsets.UTF_8)).isEqualTo(ANSWER);
            assertThat(reply.usage()).isEqualTo(new ChatUsage(10, 0, 4, true));
            assertThat(upstream.heads.getFirst())
                    .startsWith("POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:")
                    .contains("authorization: Bearer sk-secret\r\n", "content-length: " + REQUEST.length);
            assertThat(chat.usage().units())
                    .containsEntry(Meter.OUTPUT_TOKENS, 4L)
                    .containsEntry(Meter.INPUT_TOKENS, 10L);
        }
    }

    @Test
    void complete_upstreamKnowsAnotherName_sentUnderThat() {
        try (FakeUpstream upstream = new FakeUpstream(FakeUpstream.json(ANSWER));
                OpenAiRemoteChat chat = new OpenAiRemoteChat(
                        "chat",
                        "1",
                        RemoteChatSettings.of(new UpstreamSettings(
                                URI.create(upstream.baseUrl() + "/"), "Qwen/Qwen3-0.6B", null, null, null, null)))) {
            chat.complete(REQUEST);

            assertThat(upstream.bodies).containsExactly("{\"model\":\"Qwen/Qwen3-0.6B\",\"max_tokens\":5}");
            assertThat(upstream.heads.getFirst())
                    .startsWith("POST /v1/chat/completions ")
                    .doesNotContain("authorization");
        }
    }

    @Test
    void complete_refusalOfUpstream_passedOnAndNotCounted() {
        FakeUpstream.Script refuses = (_, _, out) -> {
            out.write(FakeUpstream.whole("400 Bad Request", "application/json", ANSWER));
            return true;
        };
        try (FakeUpstream upstream = new FakeUpstream(refuses);
                OpenAiRemoteChat chat = chat(upstream)) {
            ChatReply reply = chat.complete(REQUEST);

            assertThat(reply.status()).isEqualTo(400);
            assertThat(reply.succeeded()).isFalse();
            assertThat(chat.usage().requests()).isZero();
        }
    }

    @Test
    void complete_oneAfterAnother_oneConnection() {
        try (FakeUpstream upstream = new FakeUpstream(FakeUpstream.json(ANSWER));
                OpenAiRemoteChat chat = chat(upstream)) {
            for (int i = 0; i < 100; i++) chat.complete(REQUEST);

            assertThat(upstream.connections).hasValue(1);
            assertThat(chat.connectionsOpened()).isEqualTo(1);
        }
    }

    @Test
    void complete_keptConnectionWasClosed_triedOnceMore() {
        try (FakeUpstream upstream = new FakeUpstream(FakeUpstream.json(ANSWER));
                OpenAiRemoteChat chat = chat(upstream)) {
            for (int i = 0; i < 20; i++) {
                assertThat(chat.complete(REQUEST).status()).isEqualTo(200);
                upstream.dropConnections();
            }
            assertThat(chat.connectionsOpened()).isEqualTo(20);
        }
    }

    @Test
    void complete_firstConnectionCloses_failsWithoutAnotherTry() {
        try (FakeUpstream upstream = new FakeUpstream((_, _, _) -> false);
                OpenAiRemoteChat chat = chat(upstream)) {
            assertThatThrownBy(() -> chat.complete(REQUEST))
                    .isInstanceOfSatisfying(
                            UpstreamFailed.class, e -> assertThat(e.timedOut()).isFalse());
            assertThat(upstream.bodies).hasSize(1);
        }
    }

    @Test
    void complete_answerBreaksOffOnKeptConnection_notSentAgain() {
        try (FakeUpstream upstream = new FakeUpstream(FakeUpstream.json(ANSWER));
                OpenAiRemoteChat chat = chat(upstream)) {
            chat.complete(REQUEST);
            upstream.script = (_, _, out) -> {
                out.write(FakeUpstream.ascii("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"));
                return false;
            };
            assertThatThrownBy(() -> chat.complete(REQUEST)).isInstanceOf(UpstreamFailed.class);
            assertThat(upstream.bodies).hasSize(2);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\n{\r\n8;ext=1\r\n\"choices\r\n5\r\n\":[]}\r\n0\r\ntrailer: x\r\n\r\n",
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length:   14   \r\n\r\n{\"choices\":[]}",
                "HTTP/1.1 200 OK\nCONTENT-LENGTH: 14\n\n{\"choices\":[]}",
                "HTTP/1.0 200 OK\r\n\r\n{\"choices\":[]}",
                "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{\"choices\":[]}",
            })
    void complete_everyWayToEndABody_read(String answer) {
        for (int piece : new int[] {1, 3, 1000}) {
            FakeUpstream.Script inPieces = (_, _, out) -> {
                byte[] bytes = FakeUpstream.ascii(answer);
                for (int i = 0; i < bytes.length; i += piece) {
                    out.write(bytes, i, Math.min(piece, bytes.length - i));
                    out.flush();
                }
                return answer.contains("hunked")
                        || answer.toLowerCase(Locale.ROOT).contains("length");
            };
            try (FakeUpstream upstream = new FakeUpstream(inPieces);
                    OpenAiRemoteChat chat = chat(upstream)) {
                for (int i = 0; i < 3; i++) {
                    assertThat(new String(chat.complete(REQUEST).body(), StandardCharsets.UTF_8))
                            .isEqualTo("{\"choices\":[]}");
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SSH-2.0-OpenSSH\r\n\r\n",
                "HTTP/1.1 abc OK\r\n\r\n",
                "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
                "HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n",
                "HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n",
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n-5\r\n",
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n",
                "HTTP/1.1 200 OK\r\n: nameless\r\n\r\n",
                "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nabc",
                "HTTP/1.1 200",
                "",
            })
    void complete_brokenAnswer_upstreamFailed(String answer) {
        FakeUpstream.Script broken = (_, _, out) -> {
            out.write(FakeUpstream.ascii(answer));
            return false;
        };
        try (FakeUpstream upstream = new FakeUpstream(broken);
                OpenAiRemoteChat chat = chat(upstream)) {
            assertThat(catchThrowable(() -> chat.complete(REQUEST))).isInstanceOf(UpstreamFailed.class);
        }
    }

    @Test
    void complete_endlessHeaders_refusedWithinBounds() {
        FakeUpstream.Script endless = (_, _, out) -> {
            out.write(FakeUpstream.ascii("HTTP/1.1 200 OK\r\n"));
            for (int i = 0; i < 100_000; i++) out.write(FakeUpstream.ascii("x-" + i + ": y\r\n"));
            return false;
        };
        try (FakeUpstream upstream = new FakeUpstream(endless);
                OpenAiRemoteChat chat = chat(upstream)) {
            assertThatThrownBy(() -> chat.complete(REQUEST))
                    .isInstanceOf(UpstreamFailed.class)
                    .hasMessageContaining("headers are longer");
        }
    }

    @Test
    void complete_noAnswerInTime_timedOut() {
        CountDownLatch end = new CountDownLatch(1);
        FakeUpstream.Script silent = (_, _, _) -> {
            try {
                end.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            return false;
        };
        try (FakeUpstream upstream = new FakeUpstream(silent);
                OpenAiRemoteChat chat = new OpenAiRemoteChat(
                        "chat",
                        "1",
                        new RemoteChatSettings(
                                List.of(UpstreamSettings.of(upstream.baseUrl())),
                                new RemoteTimeLimits(null, null, null, Duration.ofMillis(50)),
                                null,
                                null,
                                null,
                                null,
                                null,
                                null,
                                null))) {
            assertThatThrownBy(() -> chat.complete(REQUEST))
                    .isInstanceOfSatisfying(
                            UpstreamFailed.class, e -> assertThat(e.code()).isEqualTo("upstream_timeout"));
            end.countDown();
        }
    }

    @Test
    void complete_nobodyListens_upstreamFailed() {
        FakeUpstream gone = new FakeUpstream(FakeUpstream.json(ANSWER));
        gone.close();
        try (OpenAiRemoteChat chat = chat(gone)) {
            assertThatThrownBy(() -> chat.complete(REQUEST)).isInstanceOf(UpstreamFailed.class);
        }
    }

    @Test
    void complete_moreThanConnectionsAndQueue_overloadedAndNoMoreAtOnce() throws Exception {
        int connections = 4;
        AtomicInteger atOnce = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        CountDownLatch full = new CountDownLatch(connections);
        CountDownLatch goOn = new CountDownLatch(1);
        FakeUpstream.Script slow = (_, _, out) -> {
            most.accumulateAndGet(atOnce.incrementAndGet(), Math::max);
            full.countDown();
            try {
                goOn.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            atOnce.decrementAndGet();
            out.write(FakeUpstream.whole("200 OK", "application/json", ANSWER));
            return true;
        };
        try (FakeUpstream upstream = new FakeUpstream(slow);
                OpenAiRemoteChat chat = new OpenAiRemoteChat(
                        "chat",
                        "1",
                        RemoteChatSettings.of(new UpstreamSettings(
                                URI.create(upstream.baseUrl()), null, null, connections, null, null)));
                ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<ChatReply>> first = new ArrayList<>();
            for (int i = 0; i < connections; i++) first.add(callers.submit(() -> chat.complete(REQUEST)));
            full.await();
            List<Future<ChatReply>> more = new ArrayList<>();
            for (int i = 0; i < 20; i++) more.add(callers.submit(() -> chat.complete(REQUEST)));
            int refused = 0;
            // All but as many as may wait are refused, without waiting for an answer.
            while (refused < 20 - connections) {
                refused = (int) more.stream()
                        .filter(f -> f.state() == Future.State.FAILED)
                        .count();
                Thread.onSpinWait();
            }
            goOn.countDown();
            for (Future<ChatReply> call : first) assertThat(call.get().status()).isEqualTo(200);
            int served = 0;
            for (Future<ChatReply> call : more) {
                if (call.state() == Future.State.FAILED)
                    assertThat(call.exceptionNow()).isInstanceOf(Overloaded.class);
                else served += call.get().status() / 200;
            }
            assertThat(served).isEqualTo(connections);
            assertThat(most).hasValue(connections);
        }
    }

    @Test
    void stream_events_passedInOrderWhateverTheyAreCutInto() {
        String events = String.join(
                "",
                ": hello\r\n\r\n",
                "data: {\"choices\":[{\"delta\":{\"content\":\"价\"}}]}\n\n",
                "event: x\ndata:{\"choices\":[{\"delta\":{\"content\":\"b\"}}]}\r\n\r\n",
                "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":2}}\n\n",
                "data: [DONE]\n\n");
        for (int piece : new int[] {1, 7, 100, 10_000}) {
            try (FakeUpstream upstream = new FakeUpstream(chunked(events, piece));
                    OpenAiRemoteChat chat = chat(upstream)) {
                for (int i = 0; i < 2; i++) {
                    List<String> chunks = new ArrayList<>();
                    ChatStreamEnd end =
                            chat.stream(REQUEST, data -> chunks.add(new String(data, StandardCharsets.UTF_8)));

                    assertThat(chunks)
                            .containsExactly(
                                    "{\"choices\":[{\"delta\":{\"content\":\"价\"}}]}",
                                    "{\"choices\":[{\"delta\":{\"content\":\"b\"}}]}");
                    assertThat(end.complete()).isTrue();
                    assertThat(end.usage()).isEqualTo(new ChatUsage(7, 0, 2, true));
                }
                assertThat(upstream.connections).hasValue(1);
                assertThat(upstream.bodies.getFirst()).contains("\"include_usage\":true");
            }
        }
    }

    @Test
    void stream_clientAskedForUsage_getsItsChunk() {
        String events =
                "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":2}}\n\ndata: [DONE]\n\n";
        byte[] request = "{\"stream_options\":{\"include_usage\":true}}".getBytes(StandardCharsets.UTF_8);
        try (FakeUpstream upstream = new FakeUpstream(chunked(events, 100));
                OpenAiRemoteChat chat = chat(upstream)) {
            List<String> chunks = new ArrayList<>();
            chat.stream(request, data -> chunks.add(new String(data, StandardCharsets.UTF_8)));

            assertThat(chunks).singleElement().asString().contains("prompt_tokens");
        }
    }

    @Test
    void stream_noUsageReported_chunksCounted() {
        String events = "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n".repeat(5) + "data: [DONE]\n\n";
        try (FakeUpstream upstream = new FakeUpstream(chunked(events, 100));
                OpenAiRemoteChat chat = chat(upstream)) {
            assertThat(chat.stream(REQUEST, _ -> true).usage()).isEqualTo(new ChatUsage(0, 0, 5, false));
        }
    }

    @Test
    void stream_listenerEndsIt_upstreamSeesTheConnectionClose() throws Exception {
        CountDownLatch noticed = new CountDownLatch(1);
        FakeUpstream.Script endless = (_, _, out) -> {
            out.write(FakeUpstream.ascii(STREAM_HEAD));
            try {
                while (true) out.write(FakeUpstream.ascii("c\r\ndata: {\"a\"}\n\r\n"));
            } catch (IOException closed) {
                noticed.countDown();
                throw closed;
            }
        };
        try (FakeUpstream upstream = new FakeUpstream(endless);
                OpenAiRemoteChat chat = chat(upstream)) {
            AtomicInteger chunks = new AtomicInteger();

            ChatStreamEnd end = chat.stream(REQUEST, _ -> chunks.incrementAndGet() < 3);

            assertThat(end.complete()).isFalse();
            assertThat(chunks).hasValue(3);
            noticed.await();
        }
    }

    @Test
    void stream_breaksOff_failsAfterWhatArrived() {
        FakeUpstream.Script breaks = (_, _, out) -> {
            out.write(FakeUpstream.ascii(STREAM_HEAD + "10\r\ndata: {\"a\":12}\n\n\r\n"));
            return false;
        };
        try (FakeUpstream upstream = new FakeUpstream(breaks);
                OpenAiRemoteChat chat = chat(upstream)) {
            List<String> chunks = new ArrayList<>();
            assertThatThrownBy(() -> chat.stream(REQUEST, data -> chunks.add(new String(data, StandardCharsets.UTF_8))))
                    .isInstanceOf(UpstreamFailed.class);
            assertThat(chunks).containsExactly("{\"a\":12}");
        }
    }

    @Test
    void stream_refusalOfUpstream_passedOnWhole() {
        FakeUpstream.Script refuses = (_, _, out) -> {
            out.write(FakeUpstream.whole("404 Not Found", "application/json", "{\"error\":{}}"));
            return true;
        };
        try (FakeUpstream upstream = new FakeUpstream(refuses);
                OpenAiRemoteChat chat = chat(upstream)) {
            ChatStreamEnd end = chat.stream(REQUEST, _ -> true);

            assertThat(end.status()).isEqualTo(404);
            assertThat(new String(end.refusalBody(), StandardCharsets.UTF_8)).isEqualTo("{\"error\":{}}");
        }
    }

    @Test
    void stream_eventWithoutEnd_refusedWithinBounds() {
        FakeUpstream.Script endless = (_, _, out) -> {
            out.write(FakeUpstream.ascii(STREAM_HEAD));
            byte[] piece = FakeUpstream.ascii("2000\r\n" + "x".repeat(8192) + "\r\n");
            while (true) out.write(piece);
        };
        try (FakeUpstream upstream = new FakeUpstream(endless);
                OpenAiRemoteChat chat = chat(upstream)) {
            assertThatThrownBy(() -> chat.stream(REQUEST, _ -> true))
                    .isInstanceOf(UpstreamFailed.class)
                    .hasMessageContaining("event is longer");
        }
    }

    @Test
    void close_thenCall_engineClosed() {
        try (FakeUpstream upstream = new FakeUpstream(FakeUpstream.json(ANSWER))) {
            OpenAiRemoteChat chat = chat(upstream);
            chat.close();
            assertThatThrownBy(() -> chat.complete(REQUEST)).isInstanceOf(EngineClosed.class);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"ftp://x/v1", "http:///v1", "x", "http://h/v1?a=b", "file:/etc/passwd", "http://u:p@h/v1"})
    void settings_notAnAddress_refused(String url) {
        assertThatThrownBy(() -> RemoteChatSettings.of(url)).isInstanceOf(IllegalArgumentException.class);
    }

    private static OpenAiRemoteChat chat(FakeUpstream upstream) {
        return new OpenAiRemoteChat(
                "chat",
                "1",
                RemoteChatSettings.of(new UpstreamSettings(
                        URI.create(upstream.baseUrl()), null, null, null, new KeyReference("up", null), null)),
                _ -> "sk-secret",
                Optional.empty());
    }

    private static FakeUpstream.Script chunked(String events, int piece) {
        return (_, _, out) -> {
            out.write(FakeUpstream.ascii(STREAM_HEAD));
            byte[] bytes = FakeUpstream.ascii(events);
            for (int i = 0; i < bytes.length; i += piece) {
                int n = Math.min(piece, bytes.length - i);
                out.write(FakeUpstream.ascii(Integer.toHexString(n) + "\r\n"));
                out.write(bytes, i, n);
                out.write(FakeUpstream.ascii("\r\n"));
                out.flush();
            }
            out.write(FakeUpstream.ascii("0\r\n\r\n"));
            return true;
        };
    }
}
