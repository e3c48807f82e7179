package io.guimo.inference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.guimo.units.Meter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What every local engine promises, fed seeded random calls. */
@Timeout(120)
abstract class EngineContract<M extends HostedModel> {
    private static final long SEED = 20261122;
    private static final int CALLS = 24;

    abstract M open(EngineSettings settings) throws Exception;

    /** What a call asks, from the random numbers; small enough that some dozens take seconds. */
    abstract Object randomQuestion(SplittableRandom random, M model);

    /** @return the numbers of the answer, in a fixed order */
    abstract double[] ask(M model, Object question);

    /** Units that the question's answer counts. */
    abstract long units(Object question);

    abstract Meter meter();

    /** How far an answer may move with what shares its batch: rounding in another order. */
    abstract double tolerance();

    private List<Object> questions(M model) {
        SplittableRandom random = new SplittableRandom(SEED);
        List<Object> questions = new ArrayList<>();
        for (int i = 0; i < CALLS; i++) questions.add(randomQuestion(random, model));
        return questions;
    }

    @Test
    void ask_alone_andAmongManyOthers_sameAnswer() throws Exception {
        try (M model = open(new EngineSettings(2, 16, Duration.ofMillis(2), 1024));
                ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Object> questions = questions(model);
            List<double[]> alone = questions.stream().map(q -> ask(model, q)).toList();
            List<Future<double[]>> together = new ArrayList<>();
            for (int round = 0; round < 2; round++) {
                for (Object question : questions) together.add(callers.submit(() -> ask(model, question)));
            }
            for (int i = 0; i < together.size(); i++) {
                double[] expected = alone.get(i % CALLS);
                double[] found = together.get(i).get();
                assertThat(found).as("seed %d, call %d", SEED, i % CALLS).hasSameSizeAs(expected);
                for (int j = 0; j < found.length; j++) {
                    assertThat(found[j])
                            .as("seed %d, call %d, number %d", SEED, i % CALLS, j)
                            .isCloseTo(expected[j], within(tolerance()));
                }
            }
        }
    }

    @Test
    void usage_afterCalls_countsUnitsAndTime() throws Exception {
        try (M model = open(EngineSettings.standard())) {
            List<Object> questions = questions(model);
            EngineUsage before = model.usage();
            long began = System.nanoTime();
            for (Object question : questions) ask(model, question);
            long elapsed = System.nanoTime() - began;
            EngineUsage after = model.usage();

            assertThat(model.meters()).containsExactly(meter());
            assertThat(before.units()).containsEntry(meter(), 0L);
            assertThat(after.units())
                    .containsEntry(
                            meter(), questions.stream().mapToLong(this::units).sum());
            assertThat(after.requests()).isEqualTo(CALLS);
            assertThat(after.batches()).isPositive();
            assertThat(after.cpuNanos()).isGreaterThan(before.cpuNanos());
            assertThat(after.busyNanos()).isBetween(1L, elapsed);
        }
    }

    @Test
    void close_whileCalled_everyCallAnsweredOrRefused() throws Exception {
        M model = open(EngineSettings.standard());
        try (ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Object> questions = questions(model);
            List<Future<double[]>> calls = new ArrayList<>();
            for (Object question : questions) calls.add(callers.submit(() -> ask(model, question)));
            calls.getFirst().get();
            model.close();
            for (Future<double[]> call : calls) {
                while (!call.isDone()) Thread.onSpinWait();
                if (call.state() == Future.State.FAILED)
                    assertThat(call.exceptionNow()).isInstanceOf(EngineClosed.class);
            }
            assertThatThrownBy(() -> ask(model, questions.getFirst()))
                    .isInstanceOfSatisfying(
                            EngineClosed.class, e -> assertThat(e.retryable()).isTrue());
        }
    }

    @Test
    void ask_callerInterrupted_cancelledAndTheEngineGoesOn() throws Exception {
        try (M model = open(EngineSettings.standard())) {
            Object question = questions(model).getFirst();
            double[] expected = ask(model, question);
            Thread.currentThread().interrupt();
            try {
                ask(model, question);
                // An engine that answers on the caller's thread has nothing to wait for.
            } catch (CancellationException cancelled) {
                assertThat(Thread.currentThread().isInterrupted()).isTrue();
            }
            assertThat(Thread.interrupted()).isTrue();
            assertThat(ask(model, question)).containsExactly(expected, within(tolerance()));
        }
    }
}
