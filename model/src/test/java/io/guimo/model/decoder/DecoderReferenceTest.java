package io.guimo.model.decoder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.guimo.model.Started;
import io.guimo.tensor.DType;
import io.guimo.tensor.Tensor;
import io.guimo.tensor.TensorScope;
import java.util.Arrays;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The decoders against transformers. Tolerances: in float32 the recorded six decimals and the rounding of two layers; in bfloat16 the 8 bits of its
 * mantissa, through two layers, where the order of sums differs.
 */
class DecoderReferenceTest {
    @ParameterizedTest
    @ValueSource(strings = {"gpt2", "llama", "qwen2", "qwen3"})
    void forwardAndBackward_recordedNetwork_equalTransformers(String name) {
        Recorded recorded = Recorded.of(name);
        Started.inScope(() -> {
            try (Decoder network = HuggingFaceFolder.read(recorded.folder(), DType.FLOAT32)) {
                Tensor tokensBT = Tensor.of(recorded.tokensBT(), Recorded.SEQUENCES, Recorded.TOKENS);
                Tensor logitsBTV = network.forward(tokensBT);
                assertClose(logitsBTV.toFloats(), recorded.logits(), 2e-5);

                int last = Recorded.TOKENS - 1;
                Tensor loss = logitsBTV
                        .narrow(1, 0, last)
                        .reshape(-1, Recorded.VOCABULARY)
                        .crossEntropy(tokensBT.narrow(1, 1, last).reshape(-1), 0);
                assertThat(loss.item()).isCloseTo(recorded.loss(), within(1e-5));
                loss.backward();
                assertThat(network.parameters().keySet())
                        .isEqualTo(recorded.gradients().keySet());
                network.parameters().forEach((parameter, tensor) -> {
                    float[] gradient = tensor.gradient().orElseThrow().toFloats();
                    double squares = 0;
                    double product = 0;
                    for (int i = 0; i < gradient.length; i++) {
                        squares += (double) gradient[i] * gradient[i];
                        product += gradient[i] * Math.sin(i);
                    }
                    double[] expected = recorded.gradients().getOrDefault(parameter, new double[2]);
                    assertThat(Math.sqrt(squares)).as(parameter).isCloseTo(expected[0], within(2e-5));
                    assertThat(product).as(parameter).isCloseTo(expected[1], within(2e-5));
                });
            }
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {"gpt2", "llama", "qwen2", "qwen3"})
    void forward_bfloat16_equalsTransformers(String name) {
        Recorded recorded = Recorded.of(name);
        Started.inScope(() -> {
            try (Decoder network = HuggingFaceFolder.read(recorded.folder(), DType.BFLOAT16)) {
                Tensor tokensBT = Tensor.of(recorded.tokensBT(), Recorded.SEQUENCES, Recorded.TOKENS);
                Tensor logitsBTV = network.forward(tokensBT);
                assertThat(logitsBTV.dtype()).isEqualTo(DType.BFLOAT16);
                assertClose(logitsBTV.toFloats(), recorded.narrowLogits(), .15);
                assertClose(
                        Arrays.copyOf(logitsBTV.toFloats(), recorded.narrowLogits().length),
                        Arrays.copyOf(recorded.logits(), recorded.narrowLogits().length),
                        .15);
            }
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {"gpt2", "llama", "qwen2", "qwen3"})
    void parameterCount_asConfigured_isThatOfTheNetwork(String name) {
        Started.inScope(() -> {
            try (Decoder network = HuggingFaceFolder.read(Recorded.folder(name), DType.FLOAT32);
                    Decoder drawn = Decoder.drawn(network.config())) {
                assertThat(network.parameterCount()).isEqualTo(network.config().parameterCount());
                assertThat(drawn.parameters().keySet())
                        .isEqualTo(network.parameters().keySet());
                assertThat(drawn.training()).isTrue();
            }
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {"gpt2", "llama", "qwen2", "qwen3"})
    void step_promptsInPiecesAndTokensTogether_equalsForward(String name) {
        stepEqualsForward(name, DType.FLOAT32, 1e-4);
    }

    @ParameterizedTest
    @ValueSource(strings = {"gpt2", "qwen3"})
    void step_bfloat16_equalsForward(String name) {
        stepEqualsForward(name, DType.BFLOAT16, .15);
    }

    /** Two sequences in steps whose tokens alternate, of 1, 2, 3 … tokens of the one and 5 of the other. */
    private static void stepEqualsForward(String name, DType type, double tolerance) {
        Recorded recorded = Recorded.of(name);
        Started.inScope(() -> {
            try (Decoder network = HuggingFaceFolder.read(recorded.folder(), type);
                    KeyValueCache cache = new KeyValueCache(network.config(), 3, 100, type);
                    TensorScope _ = TensorScope.openWithoutGradients()) {
                float[] whole = network.forward(Tensor.of(recorded.tokensBT(), Recorded.SEQUENCES, Recorded.TOKENS))
                        .toFloats();
                int[] done = {0, 0};
                for (int piece = 1; done[0] < Recorded.TOKENS || done[1] < Recorded.TOKENS; piece++) {
                    int[] goal = {Math.min(Recorded.TOKENS, done[0] + piece), Math.min(Recorded.TOKENS, done[1] + 5)};
                    Steps step = new Steps();
                    while (done[0] < goal[0] || done[1] < goal[1]) {
                        for (int b = 1; b >= 0; b--) {
                            if (done[b] == goal[b]) continue;
                            // the second sequence stands third in the cache
                            step.add(recorded.tokensBT()[b * Recorded.TOKENS + done[b]], done[b], 2 * b, true);
                            done[b]++;
                        }
                    }
                    float[] logits = network.step(step.toStep(), cache).toFloats();
                    for (int i = 0; i < step.size(); i++) {
                        int b = step.sequence(i) / 2;
                        int from = (b * Recorded.TOKENS + step.position(i)) * Recorded.VOCABULARY;
                        assertClose(
                                Arrays.copyOfRange(logits, i * Recorded.VOCABULARY, (i + 1) * Recorded.VOCABULARY),
                                Arrays.copyOfRange(whole, from, from + Recorded.VOCABULARY),
                                tolerance);
                    }
                }
                assertThat(cache.free()).isEqualTo(100 - 2 * Recorded.TOKENS);
            }
        });
    }

    static void assertClose(float[] found, float[] expected, double tolerance) {
        assertThat(found.length).isGreaterThanOrEqualTo(expected.length);
        for (int i = 0; i < expected.length; i++) {
            assertThat((double) found[i]).as("element %d", i).isCloseTo(expected[i], within(tolerance));
        }
    }
}
