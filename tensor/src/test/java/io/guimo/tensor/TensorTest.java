package io.guimo.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

/** Operations against values computed by hand or by a plain loop. Everything small is exact in float32. */
class TensorTest {
    @Test
    void of_valuesNotFillingTheShape_refused() {
        inScope(() -> {
            assertThatThrownBy(() -> Tensor.of(new float[5], 2, 3))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("5 values do not fill the shape [2, 3]");
            assertThatThrownBy(() -> Tensor.ofBytes(DType.FLOAT32, new byte[9], 2))
                    .hasMessageContaining("9 bytes do not fill");
        });
    }

    @Test
    void elements_everyType_comeBackAsTheyWere() {
        inScope(() -> {
            assertThat(Tensor.of(new float[] {1.5f, -2}, 2).toFloats()).containsExactly(1.5f, -2);
            assertThat(Tensor.of(new double[] {1e300, -2}, 2).toBytes()).hasSize(16);
            assertThat(Tensor.of(new long[] {Long.MAX_VALUE, -1}, 1, 2).toLongs())
                    .containsExactly(Long.MAX_VALUE, -1);
            assertThat(Tensor.of(new int[] {3, 4}, 2).dtype()).isEqualTo(DType.INT64);
            Tensor bytes = Tensor.of(new byte[] {1, -1}, 2);
            assertThat(bytes.toBytes()).containsExactly(1, -1);
            assertThat(bytes.toFloats()).containsExactly(1, 255);
            assertThat(Tensor.of(new float[0], 0, 3).toFloats()).isEmpty();
            assertThat(Tensor.scalar(7).item()).isEqualTo(7);
            assertThat(Tensor.range(3).toLongs()).containsExactly(0, 1, 2);
        });
    }

    @Test
    void channelsLast_values_keepTheirPlaces() {
        inScope(() -> {
            float[] values = new float[2 * 3 * 4 * 5];
            for (int i = 0; i < values.length; i++) values[i] = i;
            Tensor dense = Tensor.of(values, 2, 3, 4, 5);
            Tensor last = dense.channelsLast();
            assertThat(last.toFloats()).containsExactly(values);
            assertThat(last.sameAs(dense)).isTrue();
            assertThat(last.handle().stride(1)).isEqualTo(1);
            assertThat(Tensor.zerosLike(last).sum().item()).isZero();
        });
    }

    @Test
    void channelsLast_oneChannel_convolutionsKeepTheLayout() {
        // with one channel both layouts have the same order; the strides still decide which one a convolution's result
        // has
        inScope(() -> {
            Tensor kernels = Tensor.full(1, 32, 1, 3, 3).channelsLast();
            assertThat(kernels.handle().stride(1)).isEqualTo(1);
            Tensor result = Tensor.full(1, 2, 1, 28, 28).channelsLast().convolve(kernels, 2, 1);
            assertThat(result.handle().stride(1)).isEqualTo(1);
            assertThat(result.relu().handle().stride(1)).isEqualTo(1);
        });
    }

    @Test
    void convolve_anyStrideAndPadding_equalsThePlainLoop() {
        int channels = 2;
        int out = 3;
        int side = 7;
        for (int stride : new int[] {1, 2}) {
            for (int padding : new int[] {0, 1}) {
                inScope(() -> {
                    RandomState.seed(5);
                    Tensor x = Tensor.normal(0, 1, 1, channels, side, side);
                    Tensor w = Tensor.normal(0, 1, out, channels, 3, 3);
                    Tensor y = x.convolve(w, stride, padding);
                    int size = (side + 2 * padding - 3) / stride + 1;
                    assertThat(y.shape()).containsExactly(1, out, size, size);
                    float[] fast = y.toFloats();
                    float[] input = x.toFloats();
                    float[] kernel = w.toFloats();
                    for (int o = 0; o < out; o++) {
                        for (int i = 0; i < size; i++) {
                            for (int j = 0; j < size; j++) {
                                double sum = 0;
                                for (int c = 0; c < channels; c++) {
                                    for (int k = 0; k < 9; k++) {
                                        int row = i * stride - padding + k / 3;
                                        int column = j * stride - padding + k % 3;
                                        if (row < 0 || row >= side || column < 0 || column >= side) continue;
                                        sum += input[(c * side + row) * side + column]
                                                * kernel[(o * channels + c) * 9 + k];
                                    }
                                }
                                // sums of 18 products of about 1 in float32
                                assertThat((double) fast[(o * size + i) * size + j])
                                        .isCloseTo(sum, within(1e-5));
                            }
                        }
                    }
                });
            }
        }
    }

    @Test
    void crossEntropy_andItsGradient_equalTheFormula() {
        inScope(() -> {
            float[] logits = {1, 2, 3, 0, 0, 5};
            Tensor z = Tensor.of(logits, 2, 3).requireGradient();
            Tensor loss = z.crossEntropy(Tensor.of(new long[] {2, 0}, 2), 0);
            double first = Math.log(Math.exp(1) + Math.exp(2) + Math.exp(3)) - 3;
            double second = Math.log(2 + Math.exp(5));
            assertThat(loss.item()).isCloseTo((first + second) / 2, within(1e-6));

            assertThat(z.gradient()).isEmpty();
            loss.backward();
            float[] gradient = z.gradient().orElseThrow().toFloats();
            float[] probabilities = z.softmax(1).toFloats();
            for (int i = 0; i < 6; i++) {
                double truth = i == 2 || i == 3 ? 1 : 0;
                assertThat((double) gradient[i]).isCloseTo((probabilities[i] - truth) / 2, within(1e-6));
            }
            z.clearGradient();
            assertThat(z.gradient()).isEmpty();
        });
    }

    @Test
    void batchNorm_training_normalisesAndMovesTheRunningFigures() {
        inScope(() -> {
            Tensor mean = Tensor.zeros(DType.FLOAT32, 1);
            Tensor variance = Tensor.full(1, 1);
            Tensor x = Tensor.of(new float[] {1, 2, 3, 6}, 2, 1, 2, 1);
            Tensor y = x.batchNorm(Tensor.full(2, 1), Tensor.full(10, 1), mean, variance, true, .1, 0);
            // mean 3, biased variance 3.5, unbiased 14/3
            double deviation = Math.sqrt(3.5);
            float[] values = y.toFloats();
            assertThat((double) values[0]).isCloseTo(10 - 4 / deviation, within(1e-5));
            assertThat((double) values[3]).isCloseTo(10 + 6 / deviation, within(1e-5));
            assertThat(mean.item()).isCloseTo(.3, within(1e-6));
            assertThat(variance.item()).isCloseTo(.9 + .1 * 14 / 3, within(1e-6));
        });
    }

    @Test
    void linearAlgebraAndShapes_smallCases_exact() {
        inScope(() -> {
            Tensor a = Tensor.of(new float[] {1, 2, 3, 4, 5, 6}, 2, 3);
            assertThat(a.matmul(a.transpose(0, 1)).toFloats()).containsExactly(14, 32, 32, 77);
            assertThat(a.linear(Tensor.of(new float[] {1, 0, 1}, 1, 3), Tensor.of(new float[] {1}, 1))
                            .toFloats())
                    .containsExactly(5, 11);
            assertThat(a.rows(Tensor.of(new long[] {1, 1, 0}, 3)).toFloats())
                    .containsExactly(4, 5, 6, 4, 5, 6, 1, 2, 3);
            assertThat(a.flip(1).toFloats()).containsExactly(3, 2, 1, 6, 5, 4);
            assertThat(a.narrow(1, 1, 2).toFloats()).containsExactly(2, 3, 5, 6);
            assertThat(a.mean(0).toFloats()).containsExactly(2.5f, 3.5f, 4.5f);
            assertThat(a.sum(1).shape()).containsExactly(2, 1);
            assertThat(a.sum(1).toFloats()).containsExactly(6, 15);
            assertThat(a.sum().item()).isEqualTo(21);
            assertThat(a.mean().item()).isEqualTo(3.5);
            assertThat(a.argmax(1).toLongs()).containsExactly(2, 2);
            assertThat(a.reshape(3, -1).shape()).containsExactly(3, 2);
            assertThat(a.square().sqrt().sameAs(a)).isTrue();
            assertThat(a.subtract(Tensor.scalar(3)).relu().toFloats()).containsExactly(0, 0, 0, 1, 2, 3);
            assertThat(a.add(1).multiply(2).add(a).divide(a).toFloats()[0]).isEqualTo(5);
            assertThat(a.atLeast(3).toFloats()).containsExactly(3, 3, 3, 4, 5, 6);
            assertThat(a.copy()
                            .addInPlace(a, 2)
                            .multiplyInPlace(.5)
                            .fillInPlace(4)
                            .sum()
                            .item())
                    .isEqualTo(24);
            assertThat(Tensor.full(1, 2, 2).fillDiagonalInPlace(0).toFloats()).containsExactly(0, 1, 1, 0);
            assertThat(a.logSoftmax(1).softmax(1).sum().item()).isCloseTo(2, within(1e-6));
            assertThat(a.to(DType.INT64).dtype()).isEqualTo(DType.INT64);
            assertThat(a.size(-1)).isEqualTo(3);
            assertThat(a.dimensions()).isEqualTo(2);
            assertThat(a.isFinite()).isTrue();
            assertThat(Tensor.of(new float[] {1, Float.NaN}, 2).isFinite()).isFalse();
            assertThat(a).hasToString("Tensor(FLOAT32[2, 3])");
        });
    }

    @Test
    void dropout_inTrainingOnly_keepsTheExpectation() {
        inScope(() -> {
            RandomState.seed(3);
            Tensor ones = Tensor.full(1, 10_000);
            assertThat(ones.dropout(.5, false).sameAs(ones)).isTrue();
            float[] dropped = ones.dropout(.5, true).toFloats();
            double sum = 0;
            for (float value : dropped) {
                assertThat(value).isIn(0f, 2f);
                sum += value;
            }
            assertThat(sum).isBetween(9_500.0, 10_500.0); // deviation 100
        });
    }

    @Test
    void operation_wrongShapes_throwsOneLine() {
        assertThatThrownBy(() -> inScope(() -> Tensor.full(1, 2, 3).matmul(Tensor.full(1, 2, 3))))
                .isInstanceOf(TorchException.class)
                .hasMessageContaining("mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)")
                .message()
                .doesNotContain("\n");
    }

    private static void inScope(Runnable work) {
        Started.TORCH.executor().run(() -> {
            try (TensorScope _ = TensorScope.open()) {
                work.run();
            }
        });
    }
}
