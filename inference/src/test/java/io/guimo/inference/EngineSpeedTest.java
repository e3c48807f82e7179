package io.guimo.inference;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.OperatingSystemMXBean;
import io.guimo.registry.ModelPackage;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Figures for docs/log.md, in a closed loop, the settings compared by turns; prints and asserts nothing about speed. */
@Tag("long")
final class EngineSpeedTest {
    private static final Duration SPAN = Duration.ofSeconds(2);
    private static final byte[] CHAT =
            "{\"model\":\"chat\",\"messages\":[{\"role\":\"user\",\"content\":\"Say hello.\"}],\"max_tokens\":16}"
                    .getBytes(StandardCharsets.UTF_8);

    @TempDir
    private Path folder;

    @Test
    void images_byClientsAndLinger_printed() throws IOException {
        TestPackages packages = new TestPackages(folder);
        ModelPackage content = packages.verified(packages.classifier(1));
        SplittableRandom random = new SplittableRandom(1);
        List<byte[]> images = new ArrayList<>();
        for (int i = 0; i < 64; i++) images.add(TestPackages.image(random, 28, 28));
        for (int round = 0; round < 2; round++) {
            for (int micros : new int[] {0, 500, 2000}) {
                EngineSettings settings = new EngineSettings(1, 32, Duration.of(micros, ChronoUnit.MICROS), null);
                try (ImageClassifier model =
                        (ImageClassifier) Started.loader(settings).open("labels", "1", content)) {
                    for (int clients : new int[] {1, 8, 64}) {
                        print(
                                "images, linger " + micros + " µs",
                                model,
                                clients,
                                i -> model.classify(List.of(images.get(i % 64))));
                    }
                }
            }
        }
    }

    @Test
    void texts_byClientsAndLinger_printed() throws IOException {
        TestPackages packages = new TestPackages(folder);
        ModelPackage content = packages.verified(packages.encoder("bge-small-zh", 512));
        SplittableRandom random = new SplittableRandom(1);
        List<int[]> texts = new ArrayList<>();
        for (int i = 0; i < 64; i++)
            texts.add(random.ints(4 + random.nextInt(28), 700, 20_000).toArray());
        for (int batch : new int[] {1, 32, 1, 32}) {
            EngineSettings settings = new EngineSettings(1, batch, null, null);
            try (TextEncoder model = (TextEncoder) Started.loader(settings).open("search", "1", content)) {
                for (int clients : new int[] {1, 8, 64}) {
                    print(
                            "texts of 4 to 31 tokens, batch " + batch,
                            model,
                            clients,
                            i -> model.embed(List.of(texts.get(i % 64))));
                }
            }
        }
    }

    @Test
    void chat_besideTheJdksClient_printed() throws IOException {
        try (FakeUpstream upstream = new FakeUpstream(
                        FakeUpstream.json("{\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":1}}"));
                OpenAiRemoteChat model = new OpenAiRemoteChat("chat", "1", RemoteChatSettings.of(upstream.baseUrl()));
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
                HttpClient client = HttpClient.newBuilder()
                        .version(HttpClient.Version.HTTP_1_1)
                        .executor(threads)
                        .build()) {
            HttpRequest request = HttpRequest.newBuilder(URI.create(upstream.baseUrl() + "/chat/completions"))
                    .POST(HttpRequest.BodyPublishers.ofByteArray(CHAT))
                    .header("content-type", "application/json")
                    .build();
            for (int round = 0; round < 3; round++) {
                upstream.heads.clear();
                upstream.bodies.clear();
                print("chat, own connections (the fake upstream's CPU included)", model, 32, _ -> model.complete(CHAT));
                upstream.heads.clear();
                upstream.bodies.clear();
                print("chat, JDK client (the fake upstream's CPU included)", model, 32, _ -> {
                    try {
                        assertThat(client.send(request, HttpResponse.BodyHandlers.ofByteArray())
                                        .statusCode())
                                .isEqualTo(200);
                    } catch (IOException | InterruptedException e) {
                        throw new IllegalStateException(e);
                    }
                });
            }
            assertThat(model.connectionsOpened()).isLessThanOrEqualTo(64);
        }
    }

    private interface Call {
        void run(int number);
    }

    private static void print(String what, HostedModel model, int clients, Call call) {
        OperatingSystemMXBean system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        EngineUsage before = model.usage();
        long cpuBefore = system.getProcessCpuTime();
        long began = System.nanoTime();
        long end = began + SPAN.toNanos();
        List<long[]> waits = new ArrayList<>();
        try (ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<long[]>> loops = new ArrayList<>();
            for (int c = 0; c < clients; c++) {
                int client = c;
                loops.add(callers.submit(() -> callUntil(end, client, call)));
            }
            for (Future<long[]> loop : loops) waits.add(loop.get());
        } catch (ExecutionException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
        long elapsed = System.nanoTime() - began;
        long[] sorted = waits.stream().flatMapToLong(Arrays::stream).sorted().toArray();
        EngineUsage after = model.usage();
        double calls = sorted.length;
        System.out.printf(
                "%s, %d clients: %.0f/s, p50 %.2f ms, p99 %.2f ms, engine %.0f µs CPU a call, process %.0f, %.1f calls a batch%n",
                what,
                clients,
                calls * 1e9 / elapsed,
                sorted[sorted.length / 2] / 1e6,
                sorted[(int) (sorted.length * .99)] / 1e6,
                (after.cpuNanos() - before.cpuNanos()) / 1e3 / calls,
                (system.getProcessCpuTime() - cpuBefore) / 1e3 / calls,
                calls / Math.max(1, after.batches() - before.batches()));
    }

    private static long[] callUntil(long end, int client, Call call) {
        List<Long> waits = new ArrayList<>();
        for (int number = client; System.nanoTime() < end; number++) {
            long began = System.nanoTime();
            call.run(number);
            waits.add(System.nanoTime() - began);
        }
        return waits.stream().mapToLong(Long::longValue).toArray();
    }
}
