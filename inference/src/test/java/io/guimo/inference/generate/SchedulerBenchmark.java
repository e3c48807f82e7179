package io.guimo.inference.generate;

import io.guimo.text.Vocabulary;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Processor time of the step thread for each token, when the network takes none. Arguments: tokens of a sequence, size of the vocabulary. */
public final class SchedulerBenchmark {
    private SchedulerBenchmark() {}

    /** Evaluates nothing; logits as spread as a model's, another row for each place. */
    private static final class NoDecoder implements DecoderBackend {
        private static final int ROWS = 64;

        private final int vocabulary;
        private final Arena arena = Arena.ofShared();
        private final List<MemorySegment> rows = new ArrayList<>();
        private int next;

        NoDecoder(int vocabulary) {
            this.vocabulary = vocabulary;
            SplittableRandom random = new SplittableRandom(1);
            for (int row = 0; row < ROWS; row++) {
                MemorySegment logits = arena.allocate(ValueLayout.JAVA_FLOAT, vocabulary);
                for (int token = 0; token < vocabulary; token++) {
                    logits.setAtIndex(ValueLayout.JAVA_FLOAT, token, (float) (3 * random.nextGaussian()));
                }
                rows.add(logits);
            }
        }

        @Override
        public int vocabularySize() {
            return vocabulary;
        }

        @Override
        public int contextTokens() {
            return 8192;
        }

        @Override
        public int maxSequences() {
            return 128;
        }

        @Override
        public int cacheTokens() {
            return 1 << 20;
        }

        @Override
        public int maxBatch() {
            return 512;
        }

        @Override
        public void evaluate(DecoderBatch batch) {}

        @Override
        public MemorySegment logits(int index) {
            return rows.get(next++ % ROWS);
        }

        @Override
        public void share(int from, int to, int positions) {}

        @Override
        public void forget(int sequence, int fromPosition) {}

        @Override
        public void close() {
            arena.close();
        }
    }

    /** @param arguments tokens of a sequence, size of the vocabulary */
    public static void main(String[] arguments) throws Exception {
        int tokens = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 256;
        int vocabulary = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 49_152;
        Map<String, Sampling> ways = Map.of(
                "greedy",
                Sampling.GREEDY,
                "temperature 1",
                new Sampling(1, 0, 1, 0, 0, 0, 1, Map.of(), 1L),
                "temperature .8, top-p .95",
                new Sampling(.8, 0, .95, 0, 0, 0, 1, Map.of(), 1L));
        System.out.println("sequences  prompt  sampling  µs of the step thread: a prompt token, a token written");
        for (int round = 0; round < 2; round++) { // the first one warms up
            for (int sequences : new int[] {1, 16, 64}) {
                for (Map.Entry<String, Sampling> way : ways.entrySet()) {
                    for (int prompt : new int[] {16, 4096}) {
                        String found = run(sequences, prompt, tokens, vocabulary, way.getValue());
                        if (round > 0) System.out.printf("%9d  %6d  %s  %s%n", sequences, prompt, way.getKey(), found);
                    }
                }
            }
        }
    }

    private static String run(int sequences, int promptLength, int tokens, int vocabulary, Sampling sampling)
            throws Exception {
        int size = vocabulary;
        try (Scheduler scheduler = new Scheduler(
                        new NoDecoder(vocabulary),
                        new Vocabulary(new byte[size][0], new boolean[size]),
                        SchedulerSettings.standard("none", "1"));
                ExecutorService readers = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<?>> clients = new ArrayList<>();
            for (int client = 0; client < sequences; client++) {
                SplittableRandom random = new SplittableRandom(client);
                clients.add(readers.submit(() -> {
                    for (int i = 0; i < 4; i++) { // from the second on, beside what is parked
                        int[] prompt = random.ints(promptLength, 0, vocabulary).toArray();
                        TokenStream stream = scheduler.generate(new GenerationRequest(
                                prompt, tokens, sampling, -1, null, Set.of(), "one", 0, null, null));
                        while (stream.next().isPresent()) {}
                    }
                    return null;
                }));
            }
            for (Future<?> client : clients) client.get();
            SchedulerState state = scheduler.state();
            return "%.3f, %.1f"
                    .formatted(
                            state.inputCpuNanos() / 1e3 / state.inputTokens(),
                            state.outputCpuNanos() / 1e3 / state.outputTokens());
        }
    }
}
