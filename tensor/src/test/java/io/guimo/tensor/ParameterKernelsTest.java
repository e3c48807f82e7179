package io.guimo.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ParameterKernelsTest {
    private final Random random = new Random(7);

    @Test
    void adamW_severalSteps_equalsThePaper() {
        int steps = 5;
        double rate = .01;
        double beta1 = .9;
        double beta2 = .999;
        double decay = .1;
        double epsilon = 1e-8;
        float[] start = floats(37);
        double[] slow = new double[37];
        for (int i = 0; i < 37; i++) slow[i] = start[i];
        double[] m = new double[37];
        double[] v = new double[37];
        Started.TORCH.executor().run(() -> {
            try (TensorScope _ = TensorScope.openWithoutGradients()) {
                Tensor a = Tensor.of(java.util.Arrays.copyOf(start, 30), 5, 6);
                Tensor b = Tensor.of(java.util.Arrays.copyOfRange(start, 30, 37), 7);
                List<Tensor> parameters = List.of(a, b);
                List<Tensor> first = List.of(Tensor.zeros(DType.FLOAT32, 5, 6), Tensor.zeros(DType.FLOAT32, 7));
                List<Tensor> second = List.of(Tensor.zeros(DType.FLOAT32, 5, 6), Tensor.zeros(DType.FLOAT32, 7));
                Tensor done = Tensor.scalar(0);
                for (int t = 1; t <= steps; t++) {
                    float[] g = floats(37);
                    List<Tensor> gradients = List.of(
                            Tensor.of(java.util.Arrays.copyOf(g, 30), 5, 6),
                            Tensor.of(java.util.Arrays.copyOfRange(g, 30, 37), 7));
                    done.fillInPlace(t);
                    ParameterKernels.adamW(
                            parameters, gradients, first, second, done, rate, beta1, beta2, decay, epsilon);
                    for (int i = 0; i < 37; i++) {
                        slow[i] *= 1 - rate * decay;
                        m[i] = beta1 * m[i] + (1 - beta1) * g[i];
                        v[i] = beta2 * v[i] + (1 - beta2) * g[i] * g[i];
                        double mHat = m[i] / (1 - Math.pow(beta1, t));
                        double vHat = v[i] / (1 - Math.pow(beta2, t));
                        slow[i] -= rate * mHat / (Math.sqrt(vHat) + epsilon);
                    }
                }
                float[] fast = new float[37];
                System.arraycopy(a.toFloats(), 0, fast, 0, 30);
                System.arraycopy(b.toFloats(), 0, fast, 30, 7);
                for (int i = 0; i < 37; i++) {
                    assertThat((double) fast[i]).isCloseTo(slow[i], within(1e-6)); // float32 against double
                }
            }
        });
    }

    @Test
    void norm_listOfTensors_isTheEuclideanNormOfAll() {
        double norm = Started.TORCH.executor().call(() -> {
            try (TensorScope _ = TensorScope.openWithoutGradients()) {
                List<Tensor> tensors = List.of(Tensor.of(new float[] {3, 0}, 2), Tensor.of(new float[] {0, 4}, 2, 1));
                ParameterKernels.multiplyInPlace(tensors, 2);
                ParameterKernels.addInPlace(
                        tensors, List.of(Tensor.of(new float[] {6, 0}, 2), Tensor.of(new float[] {0, 8}, 2, 1)), .5);
                return ParameterKernels.norm(tensors);
            }
        });
        assertThat(norm).isEqualTo(15);
    }

    private float[] floats(int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) values[i] = (float) random.nextGaussian();
        return values;
    }
}
