package io.guimo.inference.torch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.guimo.inference.Started;
import io.guimo.inference.generate.DecoderBatch;
import io.guimo.inference.generate.GenerationRequest;
import io.guimo.inference.generate.NetworkBackendContract;
import io.guimo.inference.generate.Sampling;
import io.guimo.inference.generate.Scheduler;
import io.guimo.inference.generate.SchedulerSettings;
import io.guimo.inference.generate.TokenStream;
import io.guimo.model.decoder.Decoder;
import io.guimo.model.decoder.DecoderConfig;
import io.guimo.model.decoder.Gpt2Config;
import io.guimo.model.decoder.KeyValueCache;
import io.guimo.model.decoder.LlamaConfig;
import io.guimo.model.decoder.RotaryScaling;
import io.guimo.tensor.DType;
import io.guimo.tensor.NativeMemory;
import io.guimo.tensor.RandomState;
import io.guimo.tensor.Tensor;
import io.guimo.tensor.TensorScope;
import io.guimo.tensor.TorchExecutor;
import io.guimo.text.Vocabulary;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** Networks drawn at random and made sharper, so that their answers differ from prompt to prompt. */
class TorchDecoderBackendTest {
    private static final DecoderConfig LLAMA = new LlamaConfig(
            LlamaConfig.Family.QWEN3,
            100,
            256,
            32,
            48,
            2,
            4,
            2,
            8,
            1e-6,
            1e4,
            new RotaryScaling.None(),
            true,
            false,
            0,
            Set.of(2));
    private static final DecoderConfig GPT2 = Gpt2Config.of(100, 256, 32, 2, 4, .1, 2);

    @Nested
    class Llama extends Contract {
        Llama() {
            super(LLAMA);
        }
    }

    @Nested
    class Gpt2 extends Contract {
        Gpt2() {
            super(GPT2);
        }
    }

    abstract static class Contract extends NetworkBackendContract {
        private final DecoderConfig config;

        Contract(DecoderConfig config) {
            this.config = config;
        }

        @Override
        protected TorchDecoderBackend backend(int cacheTokens, int maxSequences) {
            return TorchDecoderBackendTest.backend(config, cacheTokens, maxSequences);
        }

        @Override
        protected double tolerance() {
            return 1e-7; // float32 throughout
        }

        @Override
        protected double otherwise() {
            return .05;
        }
    }

    private static TorchDecoderBackend backend(DecoderConfig config, int cacheTokens, int maxSequences) {
        TorchExecutor executor = Started.torch().newExecutor("decoder", 1, 1);
        Decoder network = executor.call(() -> {
            try (TensorScope _ = TensorScope.openWithoutGradients()) {
                RandomState.seed(11);
                Decoder drawn = Decoder.drawn(config);
                drawn.evaluate();
                drawn.parameters().forEach((name, tensor) -> {
                    if (tensor.dimensions() == 2) tensor.multiplyInPlace(10);
                });
                return drawn;
            }
        });
        return new TorchDecoderBackend(
                network,
                executor,
                new TorchDecoderSettings(
                        256, cacheTokens * KeyValueCache.bytesPerToken(config, DType.FLOAT32), maxSequences, 256));
    }

    /** Twelve requests at once, more than the cache has room for, with shared beginnings, against the network read from the start for each token. */
    @Test
    void scheduled_greedyRequests_answerAsTheNetworkAlone() throws Exception {
        Random random = new Random(3);
        int[] beginning = random.ints(40, 3, 100).toArray();
        List<int[]> prompts = new ArrayList<>();
        for (int i = 0; i < 12; i++) {
            int[] prompt = new int[60 + i];
            System.arraycopy(beginning, 0, prompt, 0, 40);
            for (int t = 40; t < prompt.length; t++) prompt[t] = 3 + random.nextInt(97);
            prompts.add(prompt);
        }
        List<List<Integer>> answers = new ArrayList<>();
        try (Scheduler scheduler = new Scheduler(
                backend(LLAMA, 400, 8),
                new Vocabulary(new byte[100][0], new boolean[100]),
                new SchedulerSettings("tiny", "1", 8, 32, 16, 400))) {
            List<TokenStream> streams = new ArrayList<>();
            for (int[] prompt : prompts) {
                streams.add(scheduler.generate(new GenerationRequest(
                        prompt, 20, Sampling.GREEDY, -1, null, Set.of(), "organisation", 0, null, null)));
            }
            int cached = 0;
            for (TokenStream stream : streams) {
                List<Integer> answer = new ArrayList<>();
                stream.next().ifPresent(token -> answer.add(token.id()));
                while (answer.size() < 20)
                    answer.add(stream.next().orElseThrow().id());
                cached += stream.cachedTokens();
                answers.add(answer);
            }
            assertThat(cached).isPositive();
            assertThat(scheduler.state().inputCpuNanos()).isPositive();
        }
        TorchExecutor executor = Started.torch().newExecutor("reference", 1, 1);
        executor.run(() -> {
            try (TensorScope _ = TensorScope.openWithoutGradients()) {
                RandomState.seed(11);
                try (Decoder network = Decoder.drawn(LLAMA)) {
                    network.evaluate();
                    network.parameters().forEach((name, tensor) -> {
                        if (tensor.dimensions() == 2) tensor.multiplyInPlace(10);
                    });
                    for (int p = 0; p < prompts.size(); p++) {
                        List<Integer> text = new ArrayList<>();
                        for (int token : prompts.get(p)) text.add(token);
                        for (int token : answers.get(p)) {
                            Tensor logits = network.forward(Tensor.of(
                                            text.stream()
                                                    .mapToInt(Integer::intValue)
                                                    .toArray(),
                                            1,
                                            text.size()))
                                    .narrow(1, text.size() - 1, 1);
                            assertThat((int) logits.argmax(2).item()).isEqualTo(token);
                            text.add(token);
                        }
                    }
                }
            }
        });
        executor.close();
    }

    @Test
    void settings_thatDoNotFit_refused() {
        assertThatThrownBy(() -> new TorchDecoderSettings(257, 1 << 20, 1, 1).contextTokens(GPT2))
                .hasMessageContaining("trained with 256 positions");
        assertThatThrownBy(() -> new TorchDecoderSettings(0, 1000, 1, 1).cacheTokens(GPT2, DType.FLOAT32))
                .hasMessageContaining("cacheBytes is 1000, room for 1 positions; one context of 256 needs 131072");
        assertThat(new TorchDecoderSettings(0, 1 << 20, 1, 1).cacheTokens(GPT2, DType.BFLOAT16))
                .isEqualTo(4096);
        assertThatThrownBy(() -> new TorchDecoderSettings(0, 1, 0, 1)).hasMessageContaining("maxSequences is 0");
    }

    @Test
    void backends_openedAndClosed_keepNoMemory() {
        long handles = 0;
        for (int round = 0; round < 6; round++) {
            try (TorchDecoderBackend backend = backend(LLAMA, 256, 2)) {
                DecoderBatch batch = new DecoderBatch(2);
                batch.add(5, 0, 0, true);
                batch.add(6, 0, 1, true);
                backend.evaluate(batch);
                assertThat(backend.logits(1).byteSize()).isEqualTo(400);
            }
            if (round == 1) handles = NativeMemory.liveHandles();
        }
        assertThat(NativeMemory.liveHandles()).isEqualTo(handles);
    }
}
