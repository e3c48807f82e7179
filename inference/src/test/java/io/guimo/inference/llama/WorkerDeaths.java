package io.guimo.inference.llama;

import static org.assertj.core.api.Assertions.assertThat;

import io.guimo.inference.EngineFailed;
import io.guimo.inference.generate.GeneratedToken;
import io.guimo.inference.generate.TokenStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;

/** Kills a worker again and again under the hands of its clients. */
final class WorkerDeaths {
    private static final int CLIENTS = 12;

    private WorkerDeaths() {}

    /** The answer to a prompt, asked again until a worker lives to give it. */
    static List<Integer> answerOf(LlamaTextGenerator engine, LlamaParts.Count count) throws InterruptedException {
        while (true) {
            try (TokenStream stream = engine.generate(count.request())) {
                List<Integer> ids = new ArrayList<>();
                for (Optional<GeneratedToken> t = stream.next(); t.isPresent(); t = stream.next())
                    ids.add(t.get().id());
                return ids;
            } catch (EngineFailed dead) {
                Thread.sleep(20);
            }
        }
    }

    /** @param seed chooses the moments */
    static void survive(int kills, long seed) throws Exception {
        System.out.println("WorkerDeaths: seed " + seed);
        Random random = new Random(seed);
        AtomicInteger answers = new AtomicInteger();
        AtomicInteger cut = new AtomicInteger();
        AtomicInteger refused = new AtomicInteger();
        try (LlamaTextGenerator engine = LlamaParts.open(LlamaParts.smolLm2());
                ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor()) {
            AtomicInteger left = new AtomicInteger(kills);
            List<Future<?>> running = new ArrayList<>();
            for (int client = 0; client < CLIENTS; client++) {
                LlamaParts.Count count = LlamaParts.COUNTS.get(client % 4);
                running.add(clients.submit(() -> {
                    while (left.get() > 0) ask(engine, count, answers, cut, refused);
                    return null;
                }));
            }
            for (; left.get() > 0; left.decrementAndGet()) {
                answerOf(engine, LlamaParts.COUNTS.get(random.nextInt(4)));
                Thread.sleep(random.nextInt(120));
                engine.workerPid().flatMap(ProcessHandle::of).ifPresent(ProcessHandle::destroyForcibly);
            }
            for (Future<?> client : running) client.get();
            for (LlamaParts.Count count : LlamaParts.COUNTS) {
                assertThat(answerOf(engine, count)).isEqualTo(count.answerTokens());
            }
        }
        assertThat(answers.get()).isGreaterThan(kills);
        assertThat(cut.get()).isPositive();
        System.out.println("WorkerDeaths: " + kills + " kills, " + answers + " answers, " + cut + " streams cut, "
                + refused + " requests refused");
    }

    private static void ask(
            LlamaTextGenerator engine,
            LlamaParts.Count count,
            AtomicInteger answers,
            AtomicInteger cut,
            AtomicInteger refused)
            throws IOException, InterruptedException {
        TokenStream stream;
        try {
            stream = engine.generate(count.request());
        } catch (EngineFailed starting) {
            assertThat(starting.retryAfter()).isPositive();
            refused.incrementAndGet();
            Thread.sleep(10);
            return;
        }
        List<Integer> ids = new ArrayList<>();
        try (stream) {
            for (Optional<GeneratedToken> t = stream.next(); t.isPresent(); t = stream.next())
                ids.add(t.get().id());
            assertThat(ids).isEqualTo(count.answerTokens());
            answers.incrementAndGet();
        } catch (EngineFailed dead) {
            assertThat(ids).isEqualTo(count.answerTokens().subList(0, ids.size()));
            cut.incrementAndGet();
        }
    }
}
