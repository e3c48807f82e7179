package io.guimo.model.decoder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guimo.model.Started;
import io.guimo.tensor.DType;
import io.guimo.tensor.NativeMemory;
import io.guimo.tensor.TensorScope;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.Test;

class KeyValueCacheTest {
    private static final int VOCABULARY = Recorded.VOCABULARY;

    @Test
    void share_commonBeginning_takesNoRoomAndAnswersAlike() {
        withNetwork(64, (network, cache) -> {
            float[] alone = evaluate(network, cache, 0, 0, 3, 1, 4, 1, 5);
            cache.share(0, 1, 3);
            assertThat(cache.free()).isEqualTo(64 - 5);
            float[] shared = evaluate(network, cache, 1, 3, 1, 5);
            DecoderReferenceTest.assertClose(shared, alone, 1e-5);
            assertThat(cache.free()).isEqualTo(64 - 7);

            cache.forget(0, 0); // the shared beginning stays
            assertThat(cache.free()).isEqualTo(64 - 5);
            float[] after = evaluate(network, cache, 1, 5, 9);
            evaluate(network, cache, 2, 0, 3, 1, 4, 1, 5);
            DecoderReferenceTest.assertClose(evaluate(network, cache, 2, 5, 9), after, 1e-5);
        });
    }

    @Test
    void forget_tail_goesOnFromThere() {
        withNetwork(64, (network, cache) -> {
            evaluate(network, cache, 0, 0, 3, 1, 4, 1, 5, 9);
            cache.forget(0, 3);
            assertThat(cache.length(0)).isEqualTo(3);
            float[] after = evaluate(network, cache, 0, 3, 7, 7);
            DecoderReferenceTest.assertClose(after, evaluate(network, cache, 1, 0, 3, 1, 4, 7, 7), 1e-5);
        });
    }

    @Test
    void step_noRoom_refusedAndNothingChanged() {
        withNetwork(8, (network, cache) -> {
            evaluate(network, cache, 0, 0, 3, 1, 4, 1, 5);
            assertThatThrownBy(() -> evaluate(network, cache, 1, 0, 1, 2, 3, 4))
                    .isInstanceOf(CacheFull.class)
                    .hasMessageContaining("needs room for 4 tokens, the cache has room for 3");
            assertThat(cache.free()).isEqualTo(3);
            assertThat(cache.length(1)).isZero();
            evaluate(network, cache, 1, 0, 1, 2, 3);
            assertThat(cache.free()).isZero();
        });
    }

    @Test
    void step_impossible_refusedAndNothingChanged() {
        withNetwork(100, (network, cache) -> {
            evaluate(network, cache, 0, 0, 3, 1);
            refused(() -> evaluate(network, cache, 0, 1, 5), "whose next position is 2");
            refused(() -> evaluate(network, cache, 0, 3, 5), "whose next position is 2");
            refused(() -> evaluate(network, cache, 4, 0, 5), "there is no sequence 4");
            refused(() -> evaluate(network, cache, -1, 0, 5), "there is no sequence -1");
            refused(() -> evaluate(network, cache, 0, 2, VOCABULARY), "there is no token 40");
            refused(() -> evaluate(network, cache, 1, 0, new int[65]), "longer than the context of 64");
            refused(() -> cache.share(0, 0, 1), "only an empty one can share");
            refused(() -> cache.share(0, 1, 3), "holds 2 tokens, not 3");
            assertThat(cache.free()).isEqualTo(98);
            assertThat(cache.length(0)).isEqualTo(2);
        });
    }

    /** Random sharing, forgetting and steps against sequences evaluated alone; the seed is in the message. */
    @Test
    void steps_randomSequencesSharedForgottenMixed_equalEachAlone() {
        long seed = 20261125;
        Random random = new Random(seed);
        withNetwork(120, (network, cache) -> {
            List<List<Integer>> texts = new ArrayList<>(
                    List.of(new ArrayList<>(), new ArrayList<>(), new ArrayList<>(), new ArrayList<>()));
            try (KeyValueCache alone = new KeyValueCache(network.config(), 1, 64, DType.FLOAT32)) {
                for (int round = 0; round < 60; round++) {
                    int victim = random.nextInt(4);
                    if (random.nextInt(3) == 0) {
                        int keep = random.nextInt(texts.get(victim).size() + 1);
                        cache.forget(victim, keep);
                        texts.set(victim, new ArrayList<>(texts.get(victim).subList(0, keep)));
                    }
                    int source = random.nextInt(4);
                    if (source != victim
                            && texts.get(victim).isEmpty()
                            && !texts.get(source).isEmpty()) {
                        int shared = 1 + random.nextInt(texts.get(source).size());
                        cache.share(source, victim, shared);
                        texts.set(victim, new ArrayList<>(texts.get(source).subList(0, shared)));
                    }
                    Steps step = new Steps();
                    List<List<Integer>> after = new ArrayList<>();
                    for (List<Integer> text : texts) after.add(new ArrayList<>(text));
                    for (int s = 0; s < 4; s++) {
                        int more = random.nextInt(4);
                        for (int i = 0; i < more && after.get(s).size() < 28; i++) {
                            step.add(random.nextInt(VOCABULARY), after.get(s).size(), s, true);
                            after.get(s).add(step.toStep().tokens()[step.size() - 1]);
                        }
                    }
                    if (step.size() == 0) continue;
                    float[] logits;
                    try (TensorScope _ = TensorScope.openWithoutGradients()) {
                        logits = network.step(step.toStep(), cache).toFloats();
                    }
                    texts.clear();
                    texts.addAll(after);
                    int checked = random.nextInt(step.size());
                    List<Integer> text = texts.get(step.sequence(checked)).subList(0, step.position(checked) + 1);
                    alone.forget(0, 0);
                    float[] expected = evaluate(
                            network,
                            alone,
                            0,
                            0,
                            text.stream().mapToInt(Integer::intValue).toArray());
                    for (int v = 0; v < VOCABULARY; v++) {
                        assertThat(logits[checked * VOCABULARY + v])
                                .as("seed %d, round %d", seed, round)
                                .isCloseTo(expected[v], org.assertj.core.api.Assertions.within(1e-4f));
                    }
                }
                for (int s = 0; s < 4; s++) cache.forget(s, 0);
                assertThat(cache.free()).isEqualTo(120);
            }
        });
    }

    @Test
    void step_thousands_keepNoMemory() {
        withNetwork(64, (network, cache) -> {
            for (int i = 0; i < 50; i++) evaluate(network, cache, 0, i, i % VOCABULARY);
            long handles = NativeMemory.liveHandles();
            for (int i = 0; i < 1_000; i++) {
                cache.forget(0, 50);
                evaluate(network, cache, 0, 50, i % VOCABULARY);
            }
            assertThat(NativeMemory.liveHandles()).isEqualTo(handles);
        });
    }

    /** @return logits after the last token */
    private static float[] evaluate(Decoder network, KeyValueCache cache, int sequence, int first, int... tokens) {
        int[] positions = new int[tokens.length];
        for (int i = 0; i < tokens.length; i++) positions[i] = first + i;
        int[] sequences = new int[tokens.length];
        Arrays.fill(sequences, sequence);
        boolean[] wanted = new boolean[tokens.length];
        wanted[tokens.length - 1] = true;
        try (TensorScope _ = TensorScope.openWithoutGradients()) {
            return network.step(new DecoderStep(tokens, positions, sequences, wanted), cache)
                    .toFloats();
        }
    }

    private static void refused(Runnable work, String reason) {
        assertThatThrownBy(work::run)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(reason);
    }

    private static void withNetwork(int tokens, BiConsumer<Decoder, KeyValueCache> work) {
        Started.inScope(() -> {
            try (Decoder network = HuggingFaceFolder.read(Recorded.folder("qwen2"), DType.FLOAT32);
                    KeyValueCache cache = new KeyValueCache(network.config(), 4, tokens, DType.FLOAT32)) {
                work.accept(network, cache);
            }
        });
    }
}
