package io.guimo.inference.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.guimo.inference.EngineClosed;
import io.guimo.inference.EngineFailed;
import io.guimo.inference.InvalidInput;
import io.guimo.inference.Overloaded;
import io.guimo.inference.generate.FakeDecoder.Step;
import io.guimo.inference.generate.GenerationEnd.Reason;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.Semaphore;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class SchedulerTest {
    private FakeDecoder decoder = new FakeDecoder(256, 8, 1024, 64, true);
    /** Steps that may be taken. */
    private final Semaphore steps = new Semaphore(0);

    private Instant now = Instant.EPOCH;
    private @Nullable Scheduler opened;

    private Scheduler open(int maxRunning, int maxWaiting, int prefillTokens, int prefixTokens) {
        opened = new Scheduler(
                decoder,
                FakeDecoder.WORDS,
                new SchedulerSettings("fake", "1", maxRunning, maxWaiting, prefillTokens, prefixTokens),
                () -> now);
        return opened;
    }

    private Scheduler open() {
        return open(8, 64, 16, 1024);
    }

    /** No step is taken until it is permitted. */
    private Scheduler openHeld(int maxRunning, int maxWaiting, int prefillTokens, int prefixTokens) {
        decoder.beforeStep = steps::acquireUninterruptibly;
        return open(maxRunning, maxWaiting, prefillTokens, prefixTokens);
    }

    @AfterEach
    void nothingLeft() {
        steps.release(1_000_000);
        if (opened != null) opened.close();
        assertThat(decoder.offences).isEmpty();
        if (opened != null) assertThat(decoder.closed).isTrue();
    }

    private static int[] prompt(long seed, int length) {
        return new SplittableRandom(seed)
                .ints(length, 1, FakeDecoder.VOCABULARY)
                .toArray();
    }

    private static int[] joined(int[] first, int[] second) {
        return IntStream.concat(Arrays.stream(first), Arrays.stream(second)).toArray();
    }

    private static GenerationRequest request(int[] prompt, int maxTokens) {
        return request(prompt, maxTokens, "acme", 0, null);
    }

    private static GenerationRequest request(
            int[] prompt, int maxTokens, String scope, int priority, @Nullable Instant deadline) {
        return new GenerationRequest(
                prompt, maxTokens, Sampling.GREEDY, -1, null, Set.of(), scope, priority, deadline, null);
    }

    /** What the sequence would be if there were no other. */
    static List<Integer> alone(GenerationRequest request, int limit) {
        Sampler sampler = new Sampler(
                request.sampling(),
                FakeDecoder.VOCABULARY,
                request.prompt(),
                request.endTokens(),
                null,
                request.topLogprobs(),
                0);
        int[] tokens = Arrays.copyOf(request.prompt(), request.prompt().length + limit);
        List<Integer> answer = new ArrayList<>();
        for (int length = request.prompt().length; length < tokens.length; length++) {
            int token = sampler.next(MemorySegment.ofArray(FakeDecoder.logits(tokens, length)))
                    .id();
            if (request.endTokens().contains(token)) break;
            answer.add(token);
            tokens[length] = token;
        }
        return answer;
    }

    static List<Integer> read(TokenStream stream) throws InterruptedException {
        List<Integer> tokens = new ArrayList<>();
        for (Optional<GeneratedToken> next = stream.next(); next.isPresent(); next = stream.next()) {
            tokens.add(next.get().id());
        }
        return tokens;
    }

    @Test
    void generate_alone_equalsTheModel() throws Exception {
        GenerationRequest request = request(prompt(1, 100), 50);
        try (TokenStream stream = open().generate(request)) {
            assertThat(read(stream)).isEqualTo(alone(request, 50));
            assertThat(stream.cachedTokens()).isZero();
            GenerationEnd end = stream.end();
            assertThat(end.reason()).isEqualTo(Reason.LENGTH);
            assertThat(end.generatedTokens()).isEqualTo(50);
            assertThat(end.cpuNanos()).isPositive();
        }
    }

    @Test
    void generate_endToken_stopsAndIsNoPart() throws Exception {
        GenerationRequest free = request(prompt(1, 10), 20);
        int end = alone(free, 20).stream()
                .skip(3)
                .filter(token -> token < 128)
                .findFirst()
                .orElseThrow();
        GenerationRequest request =
                new GenerationRequest(free.prompt(), 20, Sampling.GREEDY, -1, null, Set.of(end), "acme", 0, null, null);
        List<Integer> expected = alone(request, 20);
        assertThat(expected).hasSizeLessThan(20);
        try (TokenStream stream = open().generate(request)) {
            assertThat(read(stream)).isEqualTo(expected);
            assertThat(stream.end().reason()).isEqualTo(Reason.STOP);
            assertThat(stream.end().generatedTokens()).isEqualTo(expected.size() + 1);
        }
    }

    @Test
    void generate_beyondTheContext_endsWhereItIsFull() throws Exception {
        GenerationRequest request = request(prompt(1, 250), 1000);
        try (TokenStream stream = open().generate(request)) {
            assertThat(read(stream)).isEqualTo(alone(request, 6));
            assertThat(stream.end().reason()).isEqualTo(Reason.LENGTH);
        }
    }

    @Test
    void generate_whatTheModelCannotTake_refused() {
        Scheduler scheduler = open();
        assertThatThrownBy(() -> scheduler.generate(request(prompt(1, 256), 1)))
                .isInstanceOf(InvalidInput.class)
                .hasMessageContaining("256 tokens")
                .hasMessageContaining("1 to 255");
        assertThatThrownBy(() -> scheduler.generate(request(new int[] {1, 200}, 1)))
                .isInstanceOf(InvalidInput.class)
                .hasMessageContaining("prompt is 200");
        Sampling biased = new Sampling(0, 0, 1, 0, 0, 0, 1, Map.of(999, 1.), null);
        assertThatThrownBy(() -> scheduler.generate(
                        new GenerationRequest(new int[] {1}, 1, biased, -1, null, Set.of(), "acme", 0, null, null)))
                .isInstanceOf(InvalidInput.class)
                .hasMessageContaining("999");
        assertThatThrownBy(() -> scheduler.generate(new GenerationRequest(
                        new int[] {1}, 1, Sampling.GREEDY, -1, null, Set.of(128), "acme", 0, null, null)))
                .isInstanceOf(InvalidInput.class)
                .hasMessageContaining("128");
    }

    @Test
    void constraint_any_keptAmongOthers_andBrokenOnesRefusedToTheirCaller() throws Exception {
        Scheduler scheduler = open();
        Pattern pattern = Pattern.compile("\\{\"a\": ?[0-9]{3}\\}");
        List<GenerationRequest> requests = new ArrayList<>();
        for (int i = 0; i < 12; i++) {
            Constraint constraint = i % 2 == 0 ? new Constraint.Regex(pattern.pattern()) : null;
            requests.add(new GenerationRequest(
                    prompt(i, 10), 30, Sampling.GREEDY, -1, constraint, Set.of(127), "acme", 0, null, null));
        }
        List<TokenStream> streams = requests.stream().map(scheduler::generate).toList();
        for (int i = 0; i < 12; i++) {
            List<Integer> answer = read(streams.get(i));
            if (i % 2 == 1) {
                assertThat(answer).isEqualTo(alone(requests.get(i), 30));
                continue;
            }
            StringBuilder text = new StringBuilder();
            for (int token : answer) text.append((char) token);
            assertThat(text.toString()).matches(pattern);
            assertThat(streams.get(i).end().reason()).isEqualTo(Reason.STOP);
        }
        assertThatThrownBy(() -> scheduler.generate(new GenerationRequest(
                        prompt(1, 5),
                        9,
                        Sampling.GREEDY,
                        -1,
                        new Constraint.Regex("(a"),
                        Set.of(),
                        "acme",
                        0,
                        null,
                        null)))
                .isInstanceOf(InvalidInput.class);
    }

    @Test
    void constraint_fewTokensLeft_broughtToItsEnd() throws Exception {
        GenerationRequest request = new GenerationRequest(
                prompt(1, 10),
                10,
                Sampling.GREEDY,
                -1,
                new Constraint.Regex("([a-z]{3})+"),
                Set.of(127),
                "acme",
                0,
                null,
                null);
        List<Integer> answer = read(open().generate(request));
        assertThat(answer).hasSize(9); // neither 10, which is no whole answer, nor fewer than there is room for
    }

    @Test
    void prefix_sameScope_reusedUpToTheLastToken_otherScope_never() throws Exception {
        Scheduler scheduler = open();
        int[] prompt = prompt(1, 60);
        for (String scope : List.of("acme", "globex", "acme", "globex")) {
            boolean first = scheduler.state().ended() < 2;
            try (TokenStream stream = scheduler.generate(request(prompt, 5, scope, 0, null))) {
                assertThat(read(stream)).isEqualTo(alone(request(prompt, 5), 5));
                assertThat(stream.cachedTokens()).isEqualTo(first ? 0 : 59);
                assertThat(stream.end().cachedTokens()).isEqualTo(first ? 0 : 59);
            }
        }
        assertThat(scheduler.state().inputTokens()).isEqualTo(2 * 60 + 2);
        assertThat(scheduler.state().cachedInputTokens()).isEqualTo(2 * 59);
        assertThat(scheduler.state().outputTokens()).isEqualTo(20);
    }

    @Test
    void prefix_ofAConversation_containsTheAnswer() throws Exception {
        Scheduler scheduler = open();
        int[] first = prompt(1, 40);
        int[] answer;
        try (TokenStream stream = scheduler.generate(request(first, 10))) {
            answer = read(stream).stream().mapToInt(Integer::intValue).toArray();
        }
        GenerationRequest second = request(joined(joined(first, answer), prompt(2, 20)), 10);
        try (TokenStream stream = scheduler.generate(second)) {
            assertThat(read(stream)).isEqualTo(alone(second, 10));
            assertThat(stream.cachedTokens()).isEqualTo(49); // the last token drawn was never evaluated
        }
    }

    @Test
    void prefix_noRoomForAll_leastRecentlyUsedGoes() throws Exception {
        decoder = new FakeDecoder(256, 8, 300, 64, true);
        Scheduler scheduler = open();
        int[][] prompts = {prompt(1, 90), prompt(2, 90), prompt(3, 90)};
        int[] cached = new int[5];
        int[] order = {0, 1, 0, 2, 0};
        // 90 + 90 + 90 and what grows do not all stay: the second one goes, the first was used since
        for (int i = 0; i < order.length; i++) {
            try (TokenStream stream = scheduler.generate(request(prompts[order[i]], 20))) {
                assertThat(read(stream)).isEqualTo(alone(request(prompts[order[i]], 20), 20));
                cached[i] = stream.cachedTokens();
            }
        }
        assertThat(cached).containsExactly(0, 0, 89, 0, 89);
        try (TokenStream stream = scheduler.generate(request(prompts[1], 20))) {
            read(stream);
            assertThat(stream.cachedTokens()).isZero();
        }
    }

    @Test
    void prefix_moreThanMayBeKept_theOldestGo() throws Exception {
        Scheduler scheduler = open(8, 64, 16, 150);
        for (int i = 0; i < 5; i++) {
            read(scheduler.generate(request(prompt(i, 60), 5)));
            assertThat(scheduler.state().prefixTokens()).isEqualTo(i == 0 ? 64 : 128);
            assertThat(decoder.cells()).isEqualTo(scheduler.state().cellsUsed()).isLessThanOrEqualTo(150);
        }
        read(scheduler.generate(request(prompt(9, 200), 5))); // alone more than may be kept
        assertThat(scheduler.state().prefixTokens()).isEqualTo(128);
    }

    @Test
    void prefix_ofManyAtOnce_evaluatedOnce() throws Exception {
        Scheduler scheduler = openHeld(8, 64, 16, 1024);
        int[] system = prompt(1, 100);
        List<TokenStream> streams = new ArrayList<>();
        for (int i = 0; i < 6; i++) streams.add(scheduler.generate(request(joined(system, prompt(i + 2, 5)), 4)));
        steps.release(1_000_000);
        for (int i = 0; i < 6; i++) {
            assertThat(read(streams.get(i))).isEqualTo(alone(request(joined(system, prompt(i + 2, 5)), 4), 4));
            assertThat(streams.get(i).cachedTokens()).isEqualTo(i == 0 ? 0 : 100);
        }
        assertThat(scheduler.state().inputTokens()).isEqualTo(100 + 6 * 5);
    }

    @Test
    void step_longPromptBesideStreams_eachStreamWritesInEachStep() throws Exception {
        Scheduler scheduler = openHeld(8, 64, 16, 0);
        List<TokenStream> writers = new ArrayList<>();
        for (int i = 0; i < 3; i++) writers.add(scheduler.generate(request(prompt(i, 1), 100)));
        steps.release(3);
        decoder.awaitSteps(3);
        TokenStream long1 = scheduler.generate(request(prompt(9, 200), 2));
        steps.release(1_000_000);
        read(long1);
        for (TokenStream writer : writers) read(writer);

        List<Step> taken = decoder.steps();
        List<Step> mixed =
                taken.stream().filter(step -> step.tokens().size() == 4).toList();
        assertThat(mixed).hasSizeGreaterThanOrEqualTo(200 / 16);
        for (Step step : mixed) {
            assertThat(step.total()).isLessThanOrEqualTo(3 + 16);
            assertThat(step.tokens().values().stream().filter(n -> n == 1)).hasSizeGreaterThanOrEqualTo(3);
        }
    }

    @Test
    void step_noStreamWrites_promptsFillTheBatch() throws Exception {
        Scheduler scheduler = open();
        read(scheduler.generate(request(prompt(1, 200), 1)));
        assertThat(decoder.steps().stream().mapToInt(Step::total)).containsExactly(64, 64, 64, 8);
    }

    @Test
    void prompts_shortBehindLong_readFirst_longInBoundedTime() throws Exception {
        Scheduler scheduler = openHeld(8, 128, 16, 0);
        TokenStream writer = scheduler.generate(request(prompt(1, 1), 200));
        steps.release(2);
        decoder.awaitSteps(2);
        TokenStream large = scheduler.generate(request(prompt(2, 240), 1));
        TokenStream second = scheduler.generate(request(prompt(200, 240), 1));
        List<TokenStream> small = new ArrayList<>();
        for (int i = 0; i < 100; i++) small.add(scheduler.generate(request(prompt(i + 3, 8), 1)));
        // A step under way knows nothing of them; the next reads half of the large one's share and all of the first
        // small one.
        steps.release(2);
        assertThat(small.getFirst().next()).isPresent();
        // At least 8 of the 16 prompt tokens a step are the large one's, however many small ones there are.
        steps.release(240 / 8);
        assertThat(read(large)).hasSize(1);
        steps.release(1_000_000);
        for (TokenStream stream : small) read(stream);
        assertThat(read(second)).hasSize(1);
        writer.close();
    }

    @Test
    void close_whileRunning_noFurtherStepAndNoCell() throws Exception {
        Scheduler scheduler = openHeld(8, 64, 16, 0);
        TokenStream closed = scheduler.generate(request(prompt(1, 5), 100));
        TokenStream other = scheduler.generate(request(prompt(2, 5), 20));
        steps.release(3);
        decoder.awaitSteps(3);
        closed.next();
        closed.close(); // the fourth step is perhaps planned
        steps.release(1);
        decoder.awaitSteps(4);
        GenerationEnd end = closed.end();
        assertThat(end.reason()).isEqualTo(Reason.CANCELLED);
        assertThat(end.generatedTokens()).isBetween(3, 4);
        assertThat(closed.next()).isEmpty();
        steps.release(1_000_000);
        assertThat(read(other)).isEqualTo(alone(request(prompt(2, 5), 20), 20));
        for (Step step : decoder.steps().subList(4, decoder.steps().size()))
            assertThat(step.tokens()).hasSize(1);
        assertThat(decoder.cells()).isZero();
    }

    @Test
    void close_whileWaiting_endsAtOnceAndMakesRoomInTheQueue() {
        Scheduler scheduler = openHeld(1, 1, 16, 0);
        TokenStream running = scheduler.generate(request(prompt(1, 5), 100));
        while (steps.getQueueLength() == 0) Thread.onSpinWait();
        TokenStream waiting = scheduler.generate(request(prompt(2, 5), 100));
        assertThatThrownBy(() -> scheduler.generate(request(prompt(3, 5), 100))).isInstanceOf(Overloaded.class);
        waiting.close();
        assertThat(waiting.end()).isEqualTo(new GenerationEnd(Reason.CANCELLED, 0, 0, 0));
        scheduler.generate(request(prompt(3, 5), 100)).close();
        running.close();
    }

    @Test
    void overloaded_retryAfter_isBetweenItsBounds() {
        Scheduler scheduler = openHeld(1, 2, 16, 0);
        scheduler.generate(request(prompt(1, 5), 100));
        while (steps.getQueueLength() == 0) Thread.onSpinWait();
        for (int i = 0; i < 2; i++) scheduler.generate(request(prompt(1, 5), 1));
        Overloaded refusal =
                catchThrowableOfType(Overloaded.class, () -> scheduler.generate(request(prompt(3, 5), 100)));
        assertThat(refusal.retryAfter())
                .isEqualTo(Duration.ofSeconds(2)); // nothing ended yet: a second each is assumed
    }

    @Test
    void deadline_passedBeforeItsTurn_overloaded_whileRunning_ends() throws Exception {
        Scheduler scheduler = openHeld(1, 8, 16, 0);
        Instant deadline = now.plusSeconds(10);
        TokenStream running = scheduler.generate(request(prompt(1, 5), 100, "acme", 0, deadline));
        TokenStream waiting = scheduler.generate(request(prompt(2, 5), 100, "acme", 0, deadline));
        steps.release(2);
        decoder.awaitSteps(2);
        now = deadline;
        assertThatThrownBy(() -> scheduler.generate(request(prompt(2, 5), 100, "acme", 0, deadline)))
                .isInstanceOf(Overloaded.class);
        steps.release(1_000_000);
        assertThat(read(running))
                .hasSizeBetween(2, 3)
                .isEqualTo(alone(request(prompt(1, 5), 100), 100)
                        .subList(0, running.end().generatedTokens()));
        assertThat(running.end().reason()).isEqualTo(Reason.DEADLINE);
        assertThatThrownBy(waiting::next).isInstanceOf(Overloaded.class);
    }

    @Test
    void priority_lower_servedFirst_butOvertakesABoundedNumber() throws Exception {
        Scheduler scheduler = openHeld(1, 1000, 16, 0);
        TokenStream first = scheduler.generate(request(prompt(1, 5), 3));
        while (steps.getQueueLength() == 0) Thread.onSpinWait();
        TokenStream later = scheduler.generate(request(prompt(2, 5), 3, "acme", 1, null));
        List<TokenStream> usual = new ArrayList<>();
        for (int i = 0; i < Sequence.OVERTAKERS + 10; i++) usual.add(scheduler.generate(request(prompt(3, 5), 1)));
        TokenStream urgent = scheduler.generate(request(prompt(4, 5), 3, "acme", -2, null));
        int overtakers = Sequence.OVERTAKERS - 1; // those up to its rank
        steps.release(6 + overtakers + 3);
        read(urgent);
        read(first);
        read(later); // no step is permitted beyond those that it and those before it need
        for (TokenStream stream : usual.subList(0, overtakers))
            assertThat(read(stream)).hasSize(1);
        for (TokenStream stream : usual) stream.close();
    }

    @Test
    void urgent_noPlaceFree_theLastIsSetBackAndGoesOnLater() throws Exception {
        Scheduler scheduler = openHeld(1, 8, 16, 1024);
        TokenStream usual = scheduler.generate(request(prompt(1, 30), 20));
        steps.release(5);
        decoder.awaitSteps(5);
        TokenStream urgent = scheduler.generate(request(prompt(2, 5), 3, "acme", -1, null));
        steps.release(5);
        assertThat(read(urgent)).isEqualTo(alone(request(prompt(2, 5), 3), 3));
        steps.release(1_000_000);
        assertThat(read(usual)).isEqualTo(alone(request(prompt(1, 30), 20), 20));
        assertThat(usual.end().cachedTokens()).isZero(); // its own state is nobody's earlier request
        assertThat(scheduler.state().setBack()).isEqualTo(1);
    }

    @Test
    void room_moreThanTheCacheWanted_theFirstAlwaysEnds_nothingLost() throws Exception {
        for (boolean sharedOnce : new boolean[] {true, false}) {
            decoder = new FakeDecoder(128, 8, 160, 64, sharedOnce);
            try (Scheduler scheduler = open(8, 64, 16, 1024)) {
                List<TokenStream> streams = new ArrayList<>();
                for (int i = 0; i < 8; i++) streams.add(scheduler.generate(request(prompt(i, 8), 110)));
                for (int i = 0; i < 8; i++) {
                    assertThat(read(streams.get(i))).isEqualTo(alone(request(prompt(i, 8), 110), 110));
                }
                assertThat(scheduler.state().setBack()).isPositive();
                assertThat(decoder.offences).isEmpty();
            }
        }
    }

    @Test
    void readers_oneNeverReads_othersGoOn_andItsTokensWait() throws Exception {
        Scheduler scheduler = open();
        TokenStream slow = scheduler.generate(request(prompt(1, 5), 100));
        for (int i = 0; i < 20; i++) read(scheduler.generate(request(prompt(i, 5), 20)));
        assertThat(read(slow)).isEqualTo(alone(request(prompt(1, 5), 100), 100));
    }

    @Test
    void reader_interrupted_sequenceGoesOn() throws Exception {
        Scheduler scheduler = openHeld(8, 64, 16, 1024);
        TokenStream stream = scheduler.generate(request(prompt(1, 5), 20));
        Thread.currentThread().interrupt();
        assertThatThrownBy(stream::next).isInstanceOf(InterruptedException.class);
        steps.release(1_000_000);
        assertThat(read(stream)).isEqualTo(alone(request(prompt(1, 5), 20), 20));
    }

    @Test
    void evaluation_fails_itsSequencesFail_laterOnesAreServed() throws Exception {
        Scheduler scheduler = openHeld(2, 64, 16, 1024);
        TokenStream one = scheduler.generate(request(prompt(1, 5), 20));
        TokenStream two = scheduler.generate(request(prompt(2, 5), 20));
        TokenStream waiting = scheduler.generate(request(prompt(3, 5), 20));
        steps.release(3);
        decoder.awaitSteps(3);
        decoder.failure = new IllegalStateException("out of luck");
        steps.release(1_000_000);
        for (TokenStream stream : List.of(one, two)) {
            assertThatThrownBy(() -> read(stream))
                    .isInstanceOf(EngineFailed.class)
                    .hasMessageContaining("out of luck");
            assertThatThrownBy(stream::end).isInstanceOf(EngineFailed.class);
        }
        assertThat(read(waiting)).isEqualTo(alone(request(prompt(3, 5), 20), 20));
        assertThat(read(scheduler.generate(request(prompt(1, 5), 20)))).isEqualTo(alone(request(prompt(1, 5), 20), 20));
    }

    @Test
    void stepThread_dies_everybodyHearsOfIt() throws Exception {
        Scheduler scheduler = openHeld(1, 64, 16, 1024);
        TokenStream running = scheduler.generate(request(prompt(1, 5), 20));
        TokenStream waiting = scheduler.generate(request(prompt(2, 5), 20));
        TokenStream closed = scheduler.generate(request(prompt(2, 5), 20));
        steps.release(3);
        decoder.awaitSteps(3);
        running.next();
        decoder.failure = new StackOverflowError("dead");
        steps.release(1_000_000);
        assertThatThrownBy(() -> read(running)).isInstanceOf(EngineFailed.class);
        assertThatThrownBy(() -> read(waiting)).isInstanceOf(EngineFailed.class);
        assertThatThrownBy(() -> scheduler.generate(request(prompt(1, 5), 20))).isInstanceOf(EngineFailed.class);
        closed.close();
        assertThatThrownBy(closed::end).isInstanceOf(EngineFailed.class);
        scheduler.close();
        assertThat(scheduler.state().running()).isZero();
        assertThat(scheduler.state().waiting()).isZero();
    }

    @Test
    void logits_noNumbers_failThatSequenceOnly() throws Exception {
        Scheduler scheduler = open();
        decoder.brokenToken = 63;
        int[] broken = joined(prompt(1, 5), new int[] {63});
        TokenStream other = scheduler.generate(request(new int[] {1, 2}, 2));
        assertThatThrownBy(() -> read(scheduler.generate(request(broken, 5))))
                .isInstanceOf(EngineFailed.class)
                .hasMessageContaining("NaN");
        assertThat(read(other)).isEqualTo(alone(request(new int[] {1, 2}, 2), 2));
    }

    @Test
    void close_whileSomeRunAndSomeWait_allEnd_thenRefused() throws Exception {
        Scheduler scheduler = openHeld(2, 64, 16, 1024);
        List<TokenStream> streams = new ArrayList<>();
        for (int i = 0; i < 6; i++) streams.add(scheduler.generate(request(prompt(i, 5), 20)));
        Thread closing = Thread.ofVirtual().start(scheduler::close);
        closing.interrupt();
        while (true) {
            try {
                scheduler.generate(request(prompt(1, 5), 1)).close();
            } catch (EngineClosed refused) {
                break;
            }
        }
        assertThat(decoder.closed).isFalse();
        steps.release(1_000_000);
        for (int i = 0; i < 6; i++) {
            assertThat(read(streams.get(i))).isEqualTo(alone(request(prompt(i, 5), 20), 20));
        }
        closing.join();
        assertThat(decoder.closed).isTrue();
    }

    @Test
    void close_interrupted_waitsAndKeepsTheWish() {
        Scheduler scheduler = open();
        scheduler.generate(request(prompt(1, 5), 100));
        Thread.currentThread().interrupt();
        scheduler.close();
        assertThat(Thread.interrupted()).isTrue();
        assertThat(decoder.closed).isTrue();
    }

    @Test
    void cpu_sumOverSequences_isTheEngines() throws Exception {
        Scheduler scheduler = open(4, 64, 16, 1024);
        List<TokenStream> streams = new ArrayList<>();
        for (int i = 0; i < 20; i++) streams.add(scheduler.generate(request(prompt(i, 5 + i), 10 + i)));
        long sum = 0;
        for (TokenStream stream : streams) {
            read(stream);
            assertThat(stream.end().cpuNanos())
                    .isGreaterThanOrEqualTo(1000L * stream.end().generatedTokens());
            sum += stream.end().cpuNanos();
        }
        SchedulerState state = scheduler.state();
        assertThat(sum).isEqualTo(state.cpuNanos());
        assertThat(state.inputCpuNanos()).isPositive();
        assertThat(state.outputCpuNanos()).isPositive();
        assertThat(state.cpuNanos()).isGreaterThan(decoder.cpuNanosElsewhere());
        assertThat(state.outputTokensPerSecond()).isPositive();
        assertThat(state.busyNanos()).isPositive();
        assertThat(state.cellsUsed()).isEqualTo(decoder.cells());
        assertThat(state.cells()).isEqualTo(1024);
        assertThat(state.steps()).isEqualTo(decoder.steps().size());
    }
}
