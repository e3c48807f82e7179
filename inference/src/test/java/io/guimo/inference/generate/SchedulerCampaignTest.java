package io.guimo.inference.generate;

import static org.assertj.core.api.Assertions.assertThat;

import io.guimo.inference.Overloaded;
import io.guimo.inference.generate.GenerationEnd.Reason;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Thousands of random requests of many clients, with shared beginnings, priorities, deadlines, streams closed anywhere, and caches so small that
 * sequences are set back all the time: each answer is what the sequence alone would give.
 */
@Timeout(120)
final class SchedulerCampaignTest {
    private static final int CLIENTS = 24;
    private static final int REQUESTS = 60;
    private static final int MAX_WAITING = 16;
    /** What became of the requests. */
    private record Tally(int whole, int closed, int late, int refused, long cached, long cpuNanos) {
        Tally plus(Tally other) {
            return new Tally(
                    whole + other.whole,
                    closed + other.closed,
                    late + other.late,
                    refused + other.refused,
                    cached + other.cached,
                    cpuNanos + other.cpuNanos);
        }
    }

    private final AtomicLong clock = new AtomicLong();

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void campaign_anything_everyAnswerAsAlone_nothingLeaks(long seed) throws Exception {
        SplittableRandom random = new SplittableRandom(seed);
        int context = random.nextInt(48, 96);
        int sequences = random.nextInt(1, 9);
        int cells = random.nextInt(context, 3 * context);
        int batch = random.nextInt(sequences, 40);
        boolean sharedOnce = seed % 2 == 0;
        int prefixTokens = seed % 4 == 3 ? 0 : random.nextInt(1, 2 * cells);
        FakeDecoder decoder = new FakeDecoder(context, sequences, cells, batch, sharedOnce);
        SchedulerSettings settings = new SchedulerSettings(
                "fake", "1", random.nextInt(1, sequences + 1), MAX_WAITING, random.nextInt(1, 24), prefixTokens);
        Scheduler scheduler =
                new Scheduler(decoder, FakeDecoder.WORDS, settings, () -> Instant.ofEpochMilli(clock.get()));
        Tally tally = new Tally(0, 0, 0, 0, 0, 0);
        try (scheduler;
                ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<Tally>> results = new ArrayList<>();
            for (int client = 0; client < CLIENTS; client++) {
                SplittableRandom own = random.split();
                results.add(clients.submit(() -> client(scheduler, own, context)));
            }
            for (Future<Tally> result : results) tally = tally.plus(result.get());
            while (scheduler.state().running() + scheduler.state().waiting() > 0) Thread.onSpinWait();
        }
        String told = "seed " + seed + ", " + settings + ", " + tally + ", " + scheduler.state();

        assertThat(decoder.offences).as(told).isEmpty();
        assertThat(tally.whole() + tally.closed() + tally.late() + tally.refused())
                .isEqualTo(CLIENTS * REQUESTS);
        assertThat(tally.whole()).as(told).isGreaterThan(CLIENTS * REQUESTS / 10);
        assertThat(tally.closed()).as(told).isPositive();
        assertThat(tally.cpuNanos()).as(told).isEqualTo(scheduler.state().cpuNanos());
        assertThat(tally.cached()).as(told).isEqualTo(scheduler.state().cachedInputTokens());
        if (prefixTokens == 0)
            assertThat(scheduler.state().prefixTokens()).as(told).isZero();
        assertThat(scheduler.state().prefixTokens()).as(told).isLessThanOrEqualTo(prefixTokens);
        assertThat(decoder.closed).isTrue();
        // What is in the backend's cache is what the scheduler knows of, and only what was kept.
        assertThat(scheduler.state().cellsUsed()).as(told).isEqualTo(decoder.cells());
        assertThat(decoder.cells()).as(told).isLessThanOrEqualTo(prefixTokens);
    }

    private Tally client(Scheduler scheduler, SplittableRandom random, int context) throws Exception {
        Tally tally = new Tally(0, 0, 0, 0, 0, 0);
        for (int i = 0; i < REQUESTS; i++) {
            GenerationRequest request = request(random, context);
            int closeAfter = random.nextInt(3) == 0 ? random.nextInt(0, 12) : Integer.MAX_VALUE;
            boolean patient = random.nextBoolean();
            tally = tally.plus(ask(scheduler, request, closeAfter, patient, context));
        }
        return tally;
    }

    @SuppressWarnings("ThreadPriorityCheck") // yields only to mix the clients
    private Tally ask(Scheduler scheduler, GenerationRequest request, int closeAfter, boolean patient, int context)
            throws Exception {
        TokenStream stream;
        try {
            stream = scheduler.generate(request);
        } catch (Overloaded refused) {
            assertThat(refused.retryAfter()).isPositive();
            assertThat(scheduler.state().waiting()).isLessThanOrEqualTo(MAX_WAITING + 8);
            LockSupport.parkNanos(1);
            return new Tally(0, 0, 0, 1, 0, 0);
        }
        List<Integer> read = new ArrayList<>();
        try (stream) {
            while (read.size() < closeAfter) {
                Optional<GeneratedToken> next = stream.next();
                if (next.isEmpty()) break;
                read.add(next.get().id());
                if (!patient) LockSupport.parkNanos(1);
            }
        } catch (Overloaded late) {
            return new Tally(0, 0, 1, 0, 0, 0);
        }
        int limit = Math.min(request.maxTokens(), context - request.prompt().length);
        List<Integer> expected = SchedulerTest.alone(request, limit);
        GenerationEnd end = stream.end();
        assertThat(read).isEqualTo(expected.subList(0, read.size()));
        assertThat(end.cachedTokens()).isEqualTo(stream.cachedTokens()).isBetween(0, request.prompt().length - 1);
        if (end.reason() == Reason.STOP || end.reason() == Reason.LENGTH) {
            assertThat(end.reason()).isEqualTo(expected.size() < limit ? Reason.STOP : Reason.LENGTH);
            assertThat(end.generatedTokens()).isEqualTo(expected.size() < limit ? expected.size() + 1 : limit);
            if (read.size() < closeAfter) assertThat(read).hasSameSizeAs(expected);
            return new Tally(1, 0, 0, 0, end.cachedTokens(), end.cpuNanos());
        }
        assertThat(end.generatedTokens()).isGreaterThanOrEqualTo(read.size());
        boolean closed = end.reason() == Reason.CANCELLED;
        return new Tally(0, closed ? 1 : 0, closed ? 0 : 1, 0, end.cachedTokens(), end.cpuNanos());
    }

    private GenerationRequest request(SplittableRandom random, int context) {
        String scope = "organisation " + random.nextInt(3);
        // Tokens of a scope are its own, so that a state of another scope shows at once.
        int[] shared = new SplittableRandom(scope.hashCode() + random.nextInt(3))
                .ints(context, 1, 64)
                .toArray();
        int[] own = random.ints(random.nextInt(1, 9), 1, 64).toArray();
        int[] prompt = IntStream.concat(Arrays.stream(shared, 0, random.nextInt(0, context - 10)), Arrays.stream(own))
                .toArray();
        double temperature = random.nextInt(2);
        Sampling sampling = new Sampling(temperature, 0, 1, 0, 0, 0, 1, Map.of(), random.nextLong());
        Instant deadline =
                random.nextInt(10) == 0 ? Instant.ofEpochMilli(clock.incrementAndGet() + random.nextInt(0, 5)) : null;
        return new GenerationRequest(
                prompt,
                random.nextInt(1, 40),
                sampling,
                -1,
                null,
                Set.of(random.nextInt(64)),
                scope,
                random.nextInt(-1, 3),
                deadline,
                null);
    }
}
