package io.guimo.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.guimo.tensor.NativeMemory;
import io.guimo.tensor.RandomState;
import io.guimo.tensor.Tensor;
import io.guimo.tensor.TensorScope;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

/**
 * Recorded values are PyTorch 2.15's for the same network with the same numbers in it ({@code SmallResNet} of benchmarks/training/resnet.py, width 4, 3
 * classes), printed with six decimals; the tolerance is that and the rounding of some hundred float32 additions.
 */
class SmallResNetTest {
    private static final double TOLERANCE = 5e-6;

    @Test
    void forwardAndBackward_fixedNumbers_equalPyTorch() {
        Started.inScope(() -> {
            try (SmallResNet network = new SmallResNet(1, 4, 3)) {
                fillWithSine(network);
                Tensor images = Tensor.of(cosine(5 * 64), 5, 1, 8, 8);
                Tensor logits = network.forward(images);
                assertThat(logits.shape()).containsExactly(5, 3);
                assertClose(
                        logits, .331254, .469688, .39315, .48399, .580895, .41291, .442546, .547581, .402679, .391602,
                        .511115, .39706, .345398, .478216, .392233);

                Tensor loss = logits.crossEntropy(Tensor.of(new long[] {0, 1, 2, 1, 0}, 5), .1);
                assertThat(loss.item()).isCloseTo(1.1043755, within(1e-6));
                loss.backward();
                Map<String, Double> gradientNorms = new LinkedHashMap<>();
                network.parameters()
                        .forEach((name, parameter) -> gradientNorms.put(
                                name,
                                Math.sqrt(parameter
                                        .gradient()
                                        .orElseThrow()
                                        .square()
                                        .sum()
                                        .item())));
                Map<String, Double> recorded = Map.of(
                        "stem.convolution.weight", .007327,
                        "stem.norm.weight", .005547,
                        "first.inner.convolution.weight", .022844,
                        "first.outer.norm.bias", .013090,
                        "down.convolution.weight", .033471,
                        "down.norm.weight", .062884,
                        "second.outer.convolution.weight", .009286,
                        "second.inner.norm.bias", .021342,
                        "head.weight", .101796,
                        "head.bias", .133832);
                recorded.forEach((name, norm) ->
                        assertThat(gradientNorms.get(name)).as(name).isCloseTo(norm, within(TOLERANCE)));

                Map<String, Tensor> buffers = network.buffers();
                assertThat(Started.named(buffers, "stem.norm.running_mean")
                                .sum()
                                .item())
                        .isCloseTo(.018398, within(TOLERANCE));
                assertThat(Started.named(buffers, "down.norm.running_var").sum().item())
                        .isCloseTo(7.296739, within(TOLERANCE));

                network.evaluate();
                assertClose(
                        network.forward(images).narrow(0, 0, 2), .287371, .420909, .361369, .303981, .433661, .36454);
            }
        });
    }

    @Test
    void parameters_defaultWidth_areAsManyAsDocumented() {
        Started.inScope(() -> {
            try (SmallResNet network = new SmallResNet(1, 32, 10)) {
                assertThat(network.parameterCount()).isEqualTo(112_106);
            }
        });
    }

    @Test
    void build_sameSeed_sameParameters() {
        Started.inScope(() -> {
            RandomState.seed(4);
            try (SmallResNet one = new SmallResNet(3, 8, 5)) {
                RandomState.seed(4);
                try (SmallResNet two = new SmallResNet(3, 8, 5)) {
                    one.state().forEach((name, tensor) -> assertThat(tensor.sameAs(Started.named(two.state(), name)))
                            .as(name)
                            .isTrue());
                }
            }
        });
    }

    @Test
    void load_otherNetworksState_namesWhatIsWrong() {
        Started.inScope(() -> {
            try (SmallResNet network = new SmallResNet(1, 4, 3);
                    SmallResNet wider = new SmallResNet(1, 8, 3)) {
                assertThatThrownBy(() -> network.load(wider.state()))
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessageContaining("stem.convolution.weight")
                        .hasMessageContaining("[8, 1, 3, 3]");
                Map<String, Tensor> incomplete = new LinkedHashMap<>(network.state());
                incomplete.put("extra", incomplete.remove("head.bias"));
                assertThatThrownBy(() -> network.load(incomplete))
                        .hasMessageContaining("missing [head.bias], unknown [extra]");
            }
        });
    }

    @Test
    void close_network_freesItsParameters() {
        Started.inScope(() -> {
            new SmallResNet(1, 16, 10).close();
            long before = NativeMemory.liveHandles();
            for (int i = 0; i < 20; i++) {
                try (TensorScope _ = TensorScope.open();
                        SmallResNet network = new SmallResNet(1, 16, 10)) {
                    network.forward(Tensor.of(cosine(64), 1, 1, 8, 8));
                }
            }
            assertThat(NativeMemory.liveHandles()).isEqualTo(before);
        });
    }

    private static void fillWithSine(Module network) {
        try (TensorScope _ = TensorScope.openWithoutGradients()) {
            for (Tensor parameter : network.parameters().values()) {
                float[] values = new float[(int) parameter.elements()];
                for (int i = 0; i < values.length; i++) values[i] = (float) (Math.sin(i * .7) * .3);
                parameter.copyInPlace(Tensor.of(values, parameter.shape()));
            }
        }
    }

    private static float[] cosine(int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) values[i] = (float) Math.cos(i * .37);
        return values;
    }

    private static void assertClose(Tensor tensor, double... recorded) {
        float[] values = tensor.toFloats();
        assertThat(values).hasSize(recorded.length);
        for (int i = 0; i < values.length; i++)
            assertThat((double) values[i]).isCloseTo(recorded[i], within(TOLERANCE));
    }
}
