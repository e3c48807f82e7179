package io.guimo.inference;

import static org.assertj.core.api.Assertions.assertThat;

import io.guimo.inference.CircuitBreaker.Pass;
import io.guimo.inference.CircuitBreaker.State;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class CircuitBreakerTest {
    private static final long REST = Duration.ofSeconds(1).toNanos();
    /** Anywhere: only differences count, and they must survive the clock's overflow. */
    private static final long START = Long.MAX_VALUE - REST;

    private final CircuitBreaker breaker = new CircuitBreaker(5, Duration.ofSeconds(1));

    @Test
    void failed_fifthOfTheLastTwenty_opens() {
        for (int i = 0; i < 4; i++) call(false, START);
        for (int i = 0; i < 16; i++) call(true, START);
        call(false, START); // the first failure was forgotten
        assertThat(breaker.state(START)).isEqualTo(State.CLOSED);

        for (int i = 0; i < 4; i++) call(false, START);
        assertThat(breaker.state(START)).isEqualTo(State.OPEN);
        assertThat(breaker.wouldPass(START)).isFalse();
        assertThat(breaker.pass(START)).isEqualTo(Pass.REFUSED);
        assertThat(breaker.nanosToTrial(START)).isEqualTo(REST);
    }

    @Test
    void pass_afterItsRest_oneTrialWhoseSuccessCloses() {
        open(START);
        long later = START + REST;
        assertThat(breaker.state(later)).isEqualTo(State.HALF_OPEN);
        assertThat(breaker.pass(later)).isEqualTo(Pass.TRIAL);
        assertThat(breaker.pass(later)).isEqualTo(Pass.REFUSED);
        assertThat(breaker.wouldPass(later)).isFalse();

        breaker.succeeded(Pass.TRIAL);

        assertThat(breaker.pass(later)).isEqualTo(Pass.NORMAL);
        for (int i = 0; i < 4; i++) call(false, later); // what was before the trial is forgotten
        assertThat(breaker.state(later)).isEqualTo(State.CLOSED);
    }

    @Test
    void failed_trialAfterTrial_restsTwiceAsLongUpToSixteenTimes() {
        open(START);
        long now = START;
        for (long rests : new long[] {1, 2, 4, 8, 16, 16, 16}) {
            assertThat(breaker.nanosToTrial(now)).isEqualTo(rests * REST);
            now += rests * REST;
            assertThat(breaker.pass(now - 1)).isEqualTo(Pass.REFUSED);
            assertThat(breaker.pass(now)).isEqualTo(Pass.TRIAL);
            breaker.failed(Pass.TRIAL, now);
        }
        breaker.rested(now);
        assertThat(breaker.pass(now)).isEqualTo(Pass.TRIAL);
        breaker.succeeded(Pass.TRIAL);
        open(now);
        assertThat(breaker.nanosToTrial(now)).isEqualTo(REST);
    }

    @Test
    void outcome_ofACallFromBeforeItOpened_decidesNothing() {
        open(START);
        long later = START + REST;
        assertThat(breaker.pass(later)).isEqualTo(Pass.TRIAL);

        breaker.succeeded(Pass.NORMAL);
        assertThat(breaker.state(later)).isEqualTo(State.HALF_OPEN);
        breaker.failed(Pass.NORMAL, later);
        breaker.undecided(Pass.NORMAL);
        assertThat(breaker.pass(later)).isEqualTo(Pass.REFUSED);
        assertThat(breaker.nanosToTrial(later)).isZero();
    }

    @Test
    void undecided_trial_anotherMayPass() {
        open(START);
        assertThat(breaker.pass(START + REST)).isEqualTo(Pass.TRIAL);
        breaker.undecided(Pass.TRIAL);
        assertThat(breaker.pass(START + REST)).isEqualTo(Pass.TRIAL);
    }

    /** Whatever threads do, no two trials are under way at once, and a breaker whose upstream works again closes. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void pass_fromManyThreads_neverTwoTrials(long seed) throws Exception {
        CircuitBreaker shared = new CircuitBreaker(1, Duration.ofNanos(1));
        AtomicInteger trials = new AtomicInteger();
        try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
            List<Future<?>> all = new ArrayList<>();
            for (int thread = 0; thread < 4; thread++) {
                SplittableRandom random = new SplittableRandom(10 * seed + thread);
                all.add(threads.submit(() -> {
                    for (int i = 0; i < 20_000; i++) {
                        Pass pass = shared.pass(System.nanoTime());
                        if (pass == Pass.REFUSED) continue;
                        if (pass == Pass.TRIAL)
                            assertThat(trials.incrementAndGet()).isEqualTo(1);
                        int outcome = random.nextInt(3);
                        if (pass == Pass.TRIAL) trials.decrementAndGet();
                        if (outcome == 0) shared.succeeded(pass);
                        else if (outcome == 1) shared.failed(pass, System.nanoTime());
                        else shared.undecided(pass);
                    }
                }));
            }
            for (Future<?> each : all) each.get();
        }
        shared.rested(System.nanoTime());
        Pass pass = shared.pass(System.nanoTime());
        assertThat(pass).isNotEqualTo(Pass.REFUSED);
        shared.succeeded(pass);
        assertThat(shared.state(System.nanoTime())).isEqualTo(State.CLOSED);
    }

    private void open(long now) {
        for (int i = 0; i < 5; i++) call(false, now);
        assertThat(breaker.state(now)).isEqualTo(State.OPEN);
    }

    private void call(boolean succeeds, long now) {
        Pass pass = breaker.pass(now);
        assertThat(pass).isEqualTo(Pass.NORMAL);
        if (succeeds) breaker.succeeded(pass);
        else breaker.failed(pass, now);
    }
}
