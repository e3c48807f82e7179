package io.guimo.inference.llama;

import io.guimo.inference.generate.GenerationRequest;
import io.guimo.inference.generate.Sampling;
import io.guimo.inference.generate.SchedulerSettings;
import io.guimo.inference.generate.TokenStream;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.LongSupplier;

/**
 * Clients that ask an engine or a llama-server for text, each again as soon as it has its answer, for a while; a line of JSON for each number of
 * clients. Prompts are random tokens, so that nothing is found in a cache; answers have a fixed length. For {@code benchmarks/language}.
 *
 * <p>Arguments: {@code ours GGUF LIBRARIES THREADS} or {@code theirs URL PID}, then for each run {@code CLIENTS:PROMPT:ANSWER:SECONDS}.
 */
final class LanguageLoad {
    /** Whoever answers: calls back for each token. */
    private interface Target {
        void answer(int[] prompt, int tokens, Runnable onToken) throws IOException, InterruptedException;
    }

    private record Run(int clients, int prompt, int answer, int seconds) {
        static Run parse(String text) {
            int[] numbers =
                    Arrays.stream(text.split(":")).mapToInt(Integer::parseInt).toArray();
            return new Run(numbers[0], numbers[1], numbers[2], numbers[3]);
        }
    }

    /** What one client saw in the measured time. */
    private static final class Seen {
        final List<Long> firstNanos = new ArrayList<>();
        final List<Long> gapNanos = new ArrayList<>();
        long prompts;
        long tokens;
    }

    private LanguageLoad() {}

    public static void main(String[] arguments) throws Exception {
        if (arguments[0].equals("ours")) {
            int threads = Integer.parseInt(arguments[3]);
            try (LlamaTextGenerator engine = new LlamaTextGenerator(
                    new LlamaTextGenerator.Model(
                            Path.of(arguments[2]),
                            Path.of(arguments[1]),
                            new LlamaSettings(1024, 32_768, 64, 512, threads),
                            new SchedulerSettings("bench", "1", 64, 512, 64, Integer.MAX_VALUE),
                            LlamaParts.vocabulary()),
                    LlamaParts.tokenizer(),
                    Optional.empty(),
                    Set.of(),
                    fraction -> {})) {
                Target target = (prompt, tokens, onToken) -> answer(engine, prompt, tokens, onToken);
                measureAll("ours", threads, target, () -> engine.usage().workerNanos(), arguments, 4);
            }
        } else {
            ProcessHandle server =
                    ProcessHandle.of(Long.parseLong(arguments[2])).orElseThrow();
            HttpClient http = HttpClient.newBuilder()
                    .version(HttpClient.Version.HTTP_1_1)
                    .executor(Executors.newVirtualThreadPerTaskExecutor())
                    .build();
            URI uri = URI.create(arguments[1] + "/completion");
            Target target = (prompt, tokens, onToken) -> answer(http, uri, prompt, tokens, onToken);
            LongSupplier cpu =
                    () -> server.info().totalCpuDuration().orElseThrow().toNanos();
            measureAll("theirs", 0, target, cpu, arguments, 3);
        }
        System.exit(0);
    }

    private static void answer(LlamaTextGenerator engine, int[] prompt, int tokens, Runnable onToken)
            throws InterruptedException {
        GenerationRequest request =
                new GenerationRequest(prompt, tokens, Sampling.GREEDY, -1, null, Set.of(), "bench", 0, null, null);
        try (TokenStream stream = engine.generate(request)) {
            while (stream.next().isPresent()) onToken.run();
        }
    }

    private static void answer(HttpClient http, URI uri, int[] prompt, int tokens, Runnable onToken)
            throws IOException, InterruptedException {
        String body = "{\"prompt\":" + Arrays.toString(prompt) + ",\"n_predict\":" + tokens
                + ",\"stream\":true,\"temperature\":0,\"samplers\":[\"top_k\"],\"top_k\":1,\"ignore_eos\":true,\"cache_prompt\":false,\"return_tokens\":true}";
        HttpRequest request = HttpRequest.newBuilder(uri)
                .header("content-type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build();
        HttpResponse<InputStream> response;
        try {
            response = http.send(request, HttpResponse.BodyHandlers.ofInputStream());
        } catch (IOException closed) { // it closes kept connections after five seconds, just as one is used again
            response = http.send(request, HttpResponse.BodyHandlers.ofInputStream());
        }
        if (response.statusCode() != 200) throw new IOException("status " + response.statusCode());
        try (BufferedReader lines =
                new BufferedReader(new InputStreamReader(response.body(), StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (line.startsWith("data: ") && line.contains("\"stop\":false")) onToken.run();
            }
        }
    }

    private static void measureAll(
            String name, int threads, Target target, LongSupplier cpuNanos, String[] arguments, int first)
            throws Exception {
        measure(target, new Run(2, 64, 8, 3)); // warm
        for (int i = first; i < arguments.length; i++) {
            Run run = Run.parse(arguments[i]);
            long cpuBefore = cpuNanos.getAsLong();
            long began = System.nanoTime();
            List<Seen> seen = measure(target, run);
            double seconds = (System.nanoTime() - began) / 1e9;
            double cpuSeconds = (cpuNanos.getAsLong() - cpuBefore) / 1e9;
            long tokens = seen.stream().mapToLong(s -> s.tokens).sum();
            long prompts = seen.stream().mapToLong(s -> s.prompts).sum();
            long[] firsts =
                    sorted(seen.stream().flatMap(s -> s.firstNanos.stream()).toList());
            long[] gaps = sorted(seen.stream().flatMap(s -> s.gapNanos.stream()).toList());
            System.out.printf(
                    "{\"engine\":\"%s\",\"threads\":%d,\"clients\":%d,\"prompt\":%d,\"answer\":%d,\"promptTokensPerSecond\":%.1f,"
                            + "\"outputTokensPerSecond\":%.1f,\"firstTokenMillisP50\":%.1f,\"firstTokenMillisP99\":%.1f,"
                            + "\"gapMillisP50\":%.1f,\"gapMillisP99\":%.1f,\"cpuMillisPerToken\":%.3f}%n",
                    name,
                    threads,
                    run.clients,
                    run.prompt,
                    run.answer,
                    prompts * run.prompt / seconds,
                    tokens / seconds,
                    at(firsts, .5),
                    at(firsts, .99),
                    at(gaps, .5),
                    at(gaps, .99),
                    1000 * cpuSeconds / Math.max(1, tokens + prompts * run.prompt));
        }
    }

    /** Clients begin new answers until the time is over; the last ones are finished and counted, and so is their time. */
    private static List<Seen> measure(Target target, Run run) throws Exception {
        long until = System.nanoTime() + Duration.ofSeconds(run.seconds).toNanos();
        try (ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<Seen>> running = new ArrayList<>();
            for (int client = 0; client < run.clients; client++) {
                Random random = new Random(31L * client + System.nanoTime());
                running.add(clients.submit(() -> {
                    Seen seen = new Seen();
                    while (System.nanoTime() < until) {
                        long[] last = {System.nanoTime()};
                        boolean[] first = {true};
                        target.answer(random.ints(run.prompt, 1000, 40_000).toArray(), run.answer, () -> {
                            long now = System.nanoTime();
                            (first[0] ? seen.firstNanos : seen.gapNanos).add(now - last[0]);
                            first[0] = false;
                            last[0] = now;
                            seen.tokens++;
                        });
                        seen.prompts++;
                    }
                    return seen;
                }));
            }
            List<Seen> all = new ArrayList<>();
            for (Future<Seen> client : running) all.add(client.get());
            return all;
        }
    }

    private static long[] sorted(List<Long> nanos) {
        return nanos.stream().mapToLong(n -> n).sorted().toArray();
    }

    private static double at(long[] sorted, double quantile) {
        if (sorted.length == 0) return 0;
        return sorted[(int) Math.min(sorted.length - 1, quantile * sorted.length)] / 1e6;
    }
}
